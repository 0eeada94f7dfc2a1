"""What an item of the queue is, waits for, and needs, in words for the people who look after it."""

from datetime import datetime, timedelta

from api.console.text import span
from domain.advice import GivenUpBecause
from projections.queue_search import Queued

KINDS = {
    "PURCHASE": "Purchase",
    "TRIAL": "Trial",
    "REPRINT": "Reprint",
    "FAULT_REPORT": "Fault report",
    "KEY_CHANGE": "Key change",
    "CONFIRMATION": "Confirmation",
    "REVERSAL": "Reversal",
    "KEY_CHANGE_CONFIRMATION": "Key change confirmation",
    "SURPLUS_SALE": "Surplus sale",
}
ENDS = {
    GivenUpBecause.NOT_SUPPORTED.value: "Not supported",
    GivenUpBecause.REFUSED.value: "Refused",
    GivenUpBecause.SUPERSEDED.value: "Superseded",
    GivenUpBecause.NOTHING_TO_CONFIRM.value: "Nothing to confirm",
    GivenUpBecause.TOO_OLD.value: "Too old",
}

_UNRESOLVED = {
    "TRIAL": "A trial sells nothing, so nothing is lost.",
    "REPRINT": "A reprint sells nothing; the channel may ask for it again.",
    "FAULT_REPORT": "The provider may have logged the fault: look there before it is reported "
    "again.",
    "KEY_CHANGE": "The provider may have issued key-change tokens: look there before the channel "
    "asks again, or the meter's key may be changed twice.",
}
_SURPLUS = (
    "The provider sold once more than it was asked to. The channel never saw this sale: have the "
    "provider take it back, or reconciliation will find it in the provider's file."
)


def age_parked(queued: Queued, now: datetime, patience: timedelta) -> bool:
    """Whether the outcome has been unknown for so long that it is asked for once a day only."""
    item = queued.item
    return item.state == "UNKNOWN" and now - item.since >= patience


def state_text(queued: Queued, now: datetime, patience: timedelta) -> str:
    """One or two words."""
    item = queued.item
    match item.state:
        case "ASKED" if item.next_attempt_at is not None and item.next_attempt_at > now:
            return "Being asked"
        case "ASKED" | "UNKNOWN":
            return "Parked" if age_parked(queued, now, patience) else "In doubt"
        case "GIVEN_UP":
            return ENDS.get(item.because or "", "Given up")
        case "SURPLUS":
            return "Surplus sale"
        case "UNRESOLVED":
            return "Unknown"
        case _:
            return "Waiting"


def waits_for(queued: Queued, provider: str, now: datetime, patience: timedelta) -> str:
    """What has to happen before an open item is done; `provider` by name."""
    item = queued.item
    if item.state == "ASKED" and item.next_attempt_at is not None and item.next_attempt_at > now:
        return f"The answer of {provider}, which is on its way; until then nobody else may ask."
    if item.part:
        if queued.outcome_open:
            return "The outcome of the sale itself: before that there is nothing to tell."
        return (
            f"A final answer of {provider}. It is repeated until there is one, and given up after "
            f"{span(patience.total_seconds())}."
        )
    if item.kind != "PURCHASE":
        return "Its asker is gone: it ends with its outcome unknown at the next look."
    if age_parked(queued, now, patience):
        return (
            f"The word of {provider} whether it sold. There has been none for more than "
            f"{span(patience.total_seconds())}, so it is asked once a day: ask the people of "
            f"{provider} about reference {item.reference}."
        )
    if item.state == "ASKED":
        return f"Its asker is gone: {provider} is asked what became of it."
    return f"The word of {provider} whether it sold. Nobody else may sell this purchase meanwhile."


def to_do(queued: Queued, provider: str) -> str:
    """What people can still do about an item that ended without effect; `provider` by name."""
    item = queued.item
    match item.state:
        case "SURPLUS":
            return _SURPLUS
        case "UNRESOLVED":
            return _UNRESOLVED.get(item.kind, "Nobody asks for it any more.")
        case _:
            return _given_up(item.kind, item.because or "", provider)


def _given_up(kind: str, because: str, provider: str) -> str:
    reversal = kind == "REVERSAL"
    match because:
        case GivenUpBecause.NOT_SUPPORTED if reversal:
            return (
                f"The sale can't be reversed at {provider}, so it stands: reconciliation will pick "
                "it up. The tokens may still be used."
            )
        case GivenUpBecause.REFUSED if reversal:
            return (
                f"The sale stands at {provider}, which refused: reconciliation will pick it up. "
                "See what it said, and ask its people if the customer wants the money back."
            )
        case GivenUpBecause.SUPERSEDED if reversal:
            return (
                "Nothing, if the sale was reversed before. If it was confirmed before, it is final "
                "at the provider, and reconciliation will pick it up."
            )
        case GivenUpBecause.SUPERSEDED:
            return "Nothing: the sale is being reversed, or has been."
        case GivenUpBecause.NOTHING_TO_CONFIRM:
            return (
                "The switch sold nothing. If the channel did hand over a token or took money, it "
                "has to give the money back: reconciliation will pick it up."
            )
        case GivenUpBecause.TOO_OLD:
            return (
                f"Whether {provider} has it is not known. Ask its people; reconciliation will pick "
                "it up."
            )
        case _:
            return (
                f"It was not taken by {provider}, and the sale stands. Ask its people whether it "
                "counts the sale; reconciliation will pick it up."
            )
