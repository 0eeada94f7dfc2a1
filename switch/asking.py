"""Asking a provider: made durable first, then sent at once or not at all."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from domain.exchange import OPERATION_OF, ProviderAsked, Question, Reply
from domain.failure import TURNED_AWAY, ErrorType, Failure
from domain.outcome import Outcome
from providers.adapter import Note, Prepared, ProviderAdapter, unnoted
from switch.context import Context


@dataclass(frozen=True)
class Ask:
    """A question to one provider: `asked` is to be appended before `exchange` is called."""

    adapter: ProviderAdapter
    asked: ProviderAsked
    prepared: Prepared | None
    """None where the question can't be put into the provider's protocol."""

    def numbered(self, exchange: int) -> "Ask":
        """The same question under another exchange number."""
        asked = msgspec.structs.replace(self.asked, exchange=exchange)
        return Ask(self.adapter, asked, self.prepared)


async def prepare(
    context: Context,
    provider: str,
    question: Question,
    exchange: int,
    *,
    attempt: int = 0,
    advice_id: str | None = None,
) -> Ask:
    """Encodes `question` with a fresh reference. Nothing is sent yet."""
    adapter = context.adapters[provider]
    number = await context.references.take(provider)
    operation = OPERATION_OF[type(question)]
    now = context.clock()
    settings = context.settings
    wait = (
        adapter.answer_seconds(operation)
        + settings.send_within_seconds
        + settings.lease_margin_seconds
    )
    try:
        prepared = adapter.prepare(question, number, now)
    except ValueError as error:
        prepared, reference, text = None, "", f"not encodable: {error}"
    else:
        reference, text = prepared.reference, prepared.masked
    asked = ProviderAsked(
        at=now,
        exchange=exchange,
        provider=provider,
        operation=operation,
        reference=reference,
        request=text,
        deadline=now + timedelta(seconds=wait),
        attempt=attempt,
        advice_id=advice_id,
    )
    return Ask(adapter, asked, prepared)


async def exchange(context: Context, ask: Ask, note: Note = unnoted) -> Reply:
    """Sends what has been made durable, and counts the outcome for the provider's health. Raises
    what `note` raises."""
    if ask.prepared is None:
        failure = Failure(ErrorType.FORMAT_ERROR, ask.asked.request)
        return Reply(outcome=Outcome.DECLINED, failure=failure)
    stalled = context.clock() - ask.asked.at
    if stalled > timedelta(seconds=context.settings.send_within_seconds):
        # Not the provider's fault, so its health is left alone.
        return Reply(outcome=Outcome.NOT_SENT, detail=f"stalled {stalled} before sending")
    reply = await ask.adapter.exchange(ask.prepared, note)
    context.health.observe(ask.asked.provider, _counted(reply))
    return reply


def _counted(reply: Reply) -> Outcome:
    """The outcome as it counts for the provider's health."""
    failure = reply.failure
    if failure is not None and failure.error_type in TURNED_AWAY:
        return Outcome.NOT_SENT
    return reply.outcome
