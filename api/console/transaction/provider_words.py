"""What was asked of a provider, and how it ended, in words."""

from dataclasses import dataclass
from enum import StrEnum

from api.console.transaction.outcome import Tone
from api.console.transaction.words import OPERATIONS, Words, milliseconds, refusal
from domain.exchange import Operation, ProviderAnswered, ProviderAsked
from domain.failure import ErrorType
from domain.outcome import Outcome, Settled


class Ending(StrEnum):
    """How an exchange ended, as the diagram draws it."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNUSABLE = "unusable"
    """Something came back that settles nothing."""
    MISSING = "missing"
    NOT_SENT = "not-sent"


@dataclass(frozen=True)
class AnswerWords:
    """`text` is the whole of it, `short` a few words for the diagram."""

    ending: Ending
    short: str
    text: str
    tone: Tone


_SETTLED = {
    Settled.SOLD: "sold",
    Settled.NOT_SOLD: "never sold",
    Settled.NOT_FOUND: "no record of it",
    Settled.REVERSED: "taken back",
}
_DONE = {
    Operation.LOOKUP: "serves it",
    Operation.VEND: "sold",
    Operation.RECOVER: "told",
    Operation.CONFIRM: "took it",
    Operation.REVERSE: "taken back",
    Operation.TRIAL: "quoted",
    Operation.REPRINT: "shown again",
    Operation.FAULT_REPORT: "logged",
    Operation.KEY_CHANGE: "issued",
    Operation.CONFIRM_KEY_CHANGE: "took it",
}


def asked_words(event: ProviderAsked, words: Words) -> str:
    """The question, by what the provider knows it."""
    again = f", attempt {event.attempt + 1}" if event.attempt else ""
    return (
        f"{words.provider(event.provider)} is asked: {OPERATIONS[event.operation]}{again}, "
        f"reference {event.reference or 'none'}, until {words.formats.clock(event.deadline)}"
    )


def answer_words(event: ProviderAnswered) -> AnswerWords:
    """How the exchange ended."""
    took = milliseconds(event.took_ms)
    late = ", late: the channel had been answered already" if event.late else ""
    detail = f" ({event.detail})" if event.detail else ""
    match event.outcome:
        case Outcome.APPROVED:
            said = _done(event)
            return AnswerWords(Ending.ANSWERED, said, f"{said}, in {took}{late}", Tone.GOOD)
        case Outcome.DECLINED if _not_its_meter(event):
            text = f"does not serve the meter, said in {took}{late}"
            return AnswerWords(Ending.ANSWERED, "does not serve it", text, Tone.PLAIN)
        case Outcome.DECLINED:
            failure = event.failure
            said = refusal(failure) if failure is not None else "refused"
            code = (failure.provider_code or failure.error_type.value) if failure else ""
            short = f"refused {code}".strip()
            return AnswerWords(Ending.REFUSED, short, f"refused in {took}, {said}{late}", Tone.BAD)
        case Outcome.UNKNOWN if answered(event):
            text = f"an answer that settles nothing, in {took}{detail}{late}"
            return AnswerWords(Ending.UNUSABLE, "settles nothing", text, Tone.WAIT)
        case Outcome.UNKNOWN:
            text = f"no answer in {took}{detail}"
            return AnswerWords(Ending.MISSING, "no answer", text, Tone.BAD)
        case Outcome.NOT_SENT:
            text = f"not reached, nothing was sent{detail}"
            return AnswerWords(Ending.NOT_SENT, "not sent", text, Tone.WAIT)


def answered(event: ProviderAnswered) -> bool:
    """Whether anything readable came back at the end."""
    return bool(event.legs) and event.legs[-1].received is not None


def _done(event: ProviderAnswered) -> str:
    if event.settled is not None:
        return _SETTLED[event.settled]
    return _DONE[event.operation]


def _not_its_meter(event: ProviderAnswered) -> bool:
    """A good answer to a lookup, and most of a broadcast's."""
    failure = event.failure
    return (
        event.operation is Operation.LOOKUP
        and failure is not None
        and failure.error_type is ErrorType.UNKNOWN_METER_ID
    )
