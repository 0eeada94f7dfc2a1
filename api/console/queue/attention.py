"""What came of asking a provider now, in words."""

from domain.advice import AdviceDelivered, AdviceGivenUp, Delivery, GivenUpBecause
from domain.event import Event
from domain.exchange import ProviderAnswered, ProviderAsked
from domain.outcome import Outcome
from domain.purchase import PurchaseApproved, PurchaseDeclined, SurplusSaleFound
from domain.service import ServiceOutcomeUnknown
from switch.attend import Standing
from switch.operate import Attention

DELIVERED = {
    Delivery.DELIVERED: "the provider took the confirmation",
    Delivery.ABSORBED: "the provider needs no confirmation",
    Delivery.REVERSED: "the provider took the sale back",
    Delivery.NOTHING_TO_REVERSE: "nothing had been sold, so there is nothing to reverse",
}
GIVEN_UP = {
    GivenUpBecause.NOT_SUPPORTED: "the provider can't reverse this",
    GivenUpBecause.REFUSED: "the provider refused the advice",
    GivenUpBecause.SUPERSEDED: "another advice came first, so this one has no effect",
    GivenUpBecause.NOTHING_TO_CONFIRM: "nothing was sold, so there is nothing to confirm",
    GivenUpBecause.TOO_OLD: "no final answer came in time",
}
_STANDING = {
    Standing.DONE: "Nothing is open.",
    Standing.OPEN: "Still open: it is asked again when it is due.",
    Standing.BUSY: "The provider is being asked right now, and nobody else may ask meanwhile: "
    "look again in a moment.",
    Standing.ELSEWHERE: "Its provider is not set up in this process, so it was not asked.",
}


def attention_text(attention: Attention) -> str:
    """One or more sentences: what was recorded, and what is still open."""
    happened = [said for event in attention.since if (said := _said(event)) is not None]
    standing = _STANDING[attention.standing]
    if attention.standing is Standing.DONE and happened:
        standing = ""
    elif attention.standing is Standing.OPEN and not _asked(attention):
        standing = "Still open, and nothing could be asked just now."
    sentences = [f"{said[:1].upper()}{said[1:]}." for said in happened]
    return " ".join([*sentences, standing]).strip()


def _asked(attention: Attention) -> bool:
    return any(isinstance(event, ProviderAsked) for event in attention.since)


def _said(event: Event) -> str | None:
    match event:
        case PurchaseApproved():
            return f"sold by {event.provider}: the tokens are with the transaction"
        case PurchaseDeclined(retriable=True):
            return "not sold; the channel's retry may buy it"
        case PurchaseDeclined():
            return f"not sold: {event.failure.detail or event.failure.error_type}"
        case SurplusSaleFound():
            return f"{event.provider} sold once more than it should: see what ended without effect"
        case AdviceDelivered():
            return DELIVERED[event.delivery]
        case AdviceGivenUp():
            return GIVEN_UP[event.because]
        case ServiceOutcomeUnknown():
            return f"ended with its outcome unknown: {event.detail or 'no usable answer'}"
        case ProviderAnswered(outcome=Outcome.UNKNOWN | Outcome.NOT_SENT):
            nothing = "no usable answer" if event.outcome is Outcome.UNKNOWN else "not reached"
            return f"no final answer from {event.provider}: {event.detail or nothing}"
        case _:
            return None
