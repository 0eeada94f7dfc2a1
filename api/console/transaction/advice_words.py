"""Confirmations and reversals in words."""

from api.console.transaction.outcome import Tone
from domain.advice import Advice, AdviceKind, AdviceStatus, Delivery, GivenUpBecause

GIVEN_UP = {
    GivenUpBecause.NOT_SUPPORTED: "the provider can't do that",
    GivenUpBecause.REFUSED: "the provider refused",
    GivenUpBecause.SUPERSEDED: "another advice, or a confirmation, had settled it already",
    GivenUpBecause.NOTHING_TO_CONFIRM: "nothing had been sold",
    GivenUpBecause.TOO_OLD: "there was no final answer for too long",
}
DELIVERED = {
    Delivery.DELIVERED: "the provider took it",
    Delivery.ABSORBED: "the provider has no use for it: what it sells is final",
    Delivery.REVERSED: "the provider took the sale back",
    Delivery.NOTHING_TO_REVERSE: "nothing had been sold, so there was nothing to take back",
}


def name(kind: AdviceKind) -> str:
    return "confirmation" if kind is AdviceKind.CONFIRMATION else "reversal"


def state(advice: Advice) -> str:
    """Its state in words."""
    if advice.delivery is not None:
        return f"{advice.delivery.value}: {DELIVERED[advice.delivery]}"
    if advice.because is not None:
        return f"given up, {advice.because.value}: {GIVEN_UP[advice.because]}"
    attempts = f", {advice.attempts} without a final answer" if advice.attempts else ""
    return f"waiting to be delivered{attempts}"


def tone(advice: Advice) -> Tone:
    match advice.status:
        case AdviceStatus.PENDING:
            return Tone.WAIT
        case AdviceStatus.DELIVERED:
            return Tone.GOOD
        case AdviceStatus.GIVEN_UP:
            return Tone.BAD


def sentence(advice: Advice) -> str:
    """What it meant for the sale, without an end; empty where there is nothing to tell."""
    if advice.kind is AdviceKind.CONFIRMATION:
        if advice.delivery is not None:
            return "the channel confirmed it"
        return "its confirmation waits to be delivered" if advice.pending else ""
    match advice.status:
        case AdviceStatus.PENDING:
            return "the channel wants it reversed, and that waits to be delivered"
        case AdviceStatus.GIVEN_UP:
            assert advice.because is not None
            return f"the channel wanted it reversed, in vain: {GIVEN_UP[advice.because]}"
        case AdviceStatus.DELIVERED:
            reversed_ = advice.delivery is Delivery.REVERSED
            return "reversed at the channel's request" if reversed_ else ""
