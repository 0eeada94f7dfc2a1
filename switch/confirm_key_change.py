"""Confirm a key change: taken in durably and acknowledged at once; delivered by the workers to the
provider that issued the tokens, if it has any use for it."""

from datetime import timedelta

from domain.advice import (
    Advice,
    AdviceDelivered,
    AdviceGivenUp,
    ConfirmationAdvised,
    Delivery,
    GivenUpBecause,
)
from domain.event import Event
from domain.exchange import ConfirmKeyChangeQuestion, Reply
from domain.failure import ErrorType, Failure
from domain.key_change import KeyChangeConfirmationReceived, KeyChangeDone, KeyChangeRequested
from domain.message import message_stream
from domain.outcome import Outcome
from domain.service import Service
from domain.settling import after_advice, answered
from ledger import VersionConflict
from switch.asking import Ask, exchange, prepare
from switch.backoff import next_advice
from switch.command import Acknowledged, ConfirmKeyChange, Refused
from switch.context import Context
from switch.look_up import DUPLICATE
from switch.streams import NotAServiceError, fold

NO_SUCH_KEY_CHANGE = Failure(ErrorType.UNABLE_TO_LOCATE_RECORD, "no key change has this id")


async def confirm_key_change(context: Context, command: ConfirmKeyChange) -> Acknowledged | Refused:
    """Stores the confirmation twice, as `switch.advise` does with a purchase's. Raises what the
    ledger raises."""
    try:
        service = await context.streams.service(command.key_change_id)
    except NotAServiceError:
        return Refused(NO_SUCH_KEY_CHANGE, not_sent=True)
    request = service.request
    if not isinstance(request, KeyChangeRequested) or request.user != command.user:
        return Refused(NO_SUCH_KEY_CHANGE, not_sent=True)
    repeated = await _claim(context, command)
    if repeated is None:
        return Refused(DUPLICATE, not_sent=True)
    advised = ConfirmationAdvised(at=context.clock(), advice_id=command.advice_id)

    def decide(state: Service) -> list[Event]:
        return [] if command.advice_id in state.advices else [advised]

    await context.streams.record(message_stream(command.key_change_id), service, decide)
    return Acknowledged(repeated=repeated)


async def _claim(context: Context, command: ConfirmKeyChange) -> bool | None:
    """False: new. True: the same confirmation again. None: the id belongs to another message."""
    stream = message_stream(command.advice_id)
    received = KeyChangeConfirmationReceived(
        at=context.clock(),
        advice_id=command.advice_id,
        key_change_id=command.key_change_id,
        user=command.user,
        message=command.message,
    )
    try:
        await context.log.append(stream, 0, [received])
    except VersionConflict:
        first = (await context.log.read(stream))[0].event
        same = (
            isinstance(first, KeyChangeConfirmationReceived)
            and first.key_change_id == command.key_change_id
        )
        return True if same else None
    return False


async def deliver_confirmation(
    context: Context, service: Service, advice: Advice, early: bool
) -> Service:
    """One attempt at one confirmation, if it is due or may be early. Returns the key change as it
    stands then."""
    request = service.request
    assert isinstance(request, KeyChangeRequested)
    now = context.clock()
    if not early and advice.next_attempt_at is not None and now < advice.next_attempt_at:
        return service
    stream = message_stream(request.key_change_id)
    ask: Ask | None = None
    if isinstance(service.done, KeyChangeDone):
        ask = await _prepare(context, service, service.done, advice)

    def end(state: Service) -> list[Event]:
        current = state.advices[advice.advice_id]
        if not current.pending:
            return []
        if state.done is None:
            because = GivenUpBecause.NOTHING_TO_CONFIRM
        elif ask is None or ask.prepared is None:
            # The provider's protocol has no such message.
            return [_absorbed(context, advice)]
        elif not early and now - current.advised_at > timedelta(
            seconds=context.settings.patience_seconds
        ):
            because = GivenUpBecause.TOO_OLD
        else:
            return []
        provider = state.done.provider if state.done is not None else ""
        ended = AdviceGivenUp(
            at=now, advice_id=advice.advice_id, because=because, provider=provider
        )
        return [ended]

    before = service.version
    service = await context.streams.record(stream, service, end)
    if service.version != before or ask is None:
        return service
    try:
        recorded = await context.log.append(stream, service.version, [ask.asked])
    except VersionConflict:
        return fold(service, await context.log.read(stream, service.version))
    service = fold(service, recorded)
    reply = await exchange(context, ask)

    def decide(state: Service) -> list[Event]:
        return _after(context, state.advices[advice.advice_id], ask, reply)

    return await context.streams.record(stream, service, decide)


async def _prepare(context: Context, service: Service, done: KeyChangeDone, advice: Advice) -> Ask:
    assert isinstance(service.request, KeyChangeRequested)
    first_attempt_at = advice.first_attempt_at or context.clock()
    question = ConfirmKeyChangeQuestion(
        meter=service.request.meter, original=service.original(advice.attempts, first_attempt_at)
    )
    return await prepare(
        context,
        done.provider,
        question,
        service.exchanges + 1,
        attempt=advice.attempts,
        advice_id=advice.advice_id,
    )


def _after(context: Context, advice: Advice, ask: Ask, reply: Reply) -> list[Event]:
    at = context.clock()
    failure = reply.failure
    unsupported = failure is not None and failure.error_type is ErrorType.FUNCTION_NOT_SUPPORTED
    if reply.outcome is Outcome.DECLINED and unsupported and advice.pending:
        return [answered(ask.asked, reply, at), _absorbed(context, advice)]
    due = next_advice(context.settings, at, advice.attempts, advice.next_attempt_at)
    return after_advice(advice, ask.asked, reply, at, due)


def _absorbed(context: Context, advice: Advice) -> AdviceDelivered:
    return AdviceDelivered(
        at=context.clock(), advice_id=advice.advice_id, delivery=Delivery.ABSORBED
    )
