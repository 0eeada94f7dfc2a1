"""What became of a lookup: the state that its events fold into, and the story."""

from typing import Self

import msgspec

from api.console.transaction.outcome import Told, Tone
from api.console.transaction.words import Words, elapsed, refusal, sentence
from domain.event import Event
from domain.exchange import ProviderAnswered, ProviderAsked
from domain.lookup import (
    BroadcastStarted,
    LookupAnswered,
    LookupFailed,
    LookupRequested,
    LookupRouted,
)
from domain.outcome import Outcome


class Said(msgspec.Struct, frozen=True):
    """What a provider that was asked said: None, nothing yet."""

    outcome: Outcome | None = None
    late: bool = False


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a lookup's events fold into."""

    version: int = 0
    request: LookupRequested | None = None
    routed: LookupRouted | None = None
    broadcast: BroadcastStarted | None = None
    said: dict[str, Said] = {}
    answer: LookupAnswered | None = None
    failed: LookupFailed | None = None

    def after(self, event: Event, version: int) -> Self:
        """The state after `event`."""
        change: dict[str, object] = {"version": version}
        match event:
            case LookupRequested():
                change["request"] = event
            case LookupRouted():
                change["routed"] = event
            case BroadcastStarted():
                change["broadcast"] = event
            case ProviderAsked():
                change["said"] = {**self.said, event.provider: Said()}
            case ProviderAnswered():
                said = Said(event.outcome, event.late)
                change["said"] = {**self.said, event.provider: said}
            case LookupAnswered():
                change["answer"] = event
            case LookupFailed():
                change["failed"] = event
            case _:
                pass
        return msgspec.structs.replace(self, **change)


def lookup_told(lookup: Lookup, words: Words) -> Told:
    """The story of a lookup that has been requested."""
    status, tone = "Under way", Tone.WAIT
    if lookup.answer is not None:
        status, tone = "Answered", Tone.GOOD
    elif lookup.failed is not None:
        status, tone = "Failed", Tone.BAD
    return Told("Lookup", status, tone, f"{sentence(_outcome(lookup, words))} {_asked(lookup)}")


def _outcome(lookup: Lookup, words: Words) -> str:
    assert lookup.request is not None
    since = lookup.request.at
    if lookup.answer is not None:
        found = lookup.answer
        customer = found.answer.customer
        names = (customer.first_name, customer.last_name)
        of = " ".join(part for part in names if part) or "a customer without a name"
        return (
            f"{words.provider(found.provider)} serves the meter, of {of} at "
            f"{found.answer.utility.name}; told in {elapsed(found.at - since)}"
        )
    if lookup.failed is not None:
        return f"refused in {elapsed(lookup.failed.at - since)}: {refusal(lookup.failed.failure)}"
    return "providers have been asked, and the channel has not been answered yet"


def _asked(lookup: Lookup) -> str:
    """How the providers that were asked took it."""
    if not lookup.said:
        return "No provider was asked."
    counts = {
        "serve it": sum(said.outcome is Outcome.APPROVED for said in lookup.said.values()),
        "refused": sum(said.outcome is Outcome.DECLINED for said in lookup.said.values()),
        "could not be reached": sum(s.outcome is Outcome.NOT_SENT for s in lookup.said.values()),
        "gave no usable answer": sum(s.outcome is Outcome.UNKNOWN for s in lookup.said.values()),
        "have not answered": sum(said.outcome is None for said in lookup.said.values()),
    }
    parts = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    late = sum(said.late for said in lookup.said.values())
    return f"Asked: {len(lookup.said)}; {parts}{f', {late} of them late' if late else ''}."
