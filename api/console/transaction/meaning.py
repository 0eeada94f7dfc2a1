"""The timeline: every event with what it means, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.console.transaction import advice_words
from api.console.transaction.masking import Entry
from api.console.transaction.outcome import Tone
from api.console.transaction.provider_words import answer_words, asked_words
from api.console.transaction.words import Words, amount, elapsed, refusal
from domain.advice import (
    AdviceAttempted,
    AdviceDelivered,
    AdviceGivenUp,
    AdviceReceived,
    ConfirmationAdvised,
    ReversalAdvised,
)
from domain.event import Event
from domain.exchange import ProviderAnswered, ProviderAsked, ProviderNoted
from domain.fault_report import FaultReportDone, FaultReportFailed, FaultReportRequested
from domain.key_change import (
    KeyChangeConfirmationReceived,
    KeyChangeDone,
    KeyChangeFailed,
    KeyChangeRequested,
)
from domain.lookup import (
    BroadcastStarted,
    LookupAnswered,
    LookupFailed,
    LookupRequested,
    LookupRouted,
)
from domain.meter import BroadcastReason
from domain.notification import NotificationQueued
from domain.outcome import Settled
from domain.purchase import (
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    PurchaseRecovered,
    PurchaseRequested,
    PurchaseRouted,
    PurchaseRuledOut,
    RecoveryAttempted,
    RetryReceived,
    RetryRequested,
    SurplusSaleFound,
)
from domain.reprint import ReprintDone, ReprintFailed, ReprintOriginalFound, ReprintRequested
from domain.service import ServiceOutcomeUnknown, ServiceRouted
from domain.trial import TrialDone, TrialFailed, TrialRequested

_REASONS = {
    BroadcastReason.UNKNOWN: "nobody is known to serve it",
    BroadcastReason.FLAGGED: "somebody had flagged it for rebroadcast",
    BroadcastReason.SCHEDULED: "its last broadcast is long ago",
}
_SETTLED = {
    Settled.SOLD: "it had sold",
    Settled.NOT_SOLD: "it did not sell, and never will",
    Settled.NOT_FOUND: "it has no record of it",
    Settled.REVERSED: "it had sold, and took it back",
}


@dataclass(frozen=True)
class Moment:
    """One line of the timeline; `since` is the time from the first event on."""

    version: int
    position: int
    kind: str
    at: datetime
    since: str
    text: str
    tone: Tone
    elsewhere: bool = False
    """In another message's stream."""


def timeline(entries: Sequence[Entry], own_stream: str, words: Words) -> list[Moment]:
    """Every event, in the order of the ledger."""
    start = entries[0].event.at
    return [
        Moment(
            version=entry.version,
            position=entry.position,
            kind=type(entry.event).__name__,
            at=entry.event.at,
            since=f"+{elapsed(entry.event.at - start)}",
            text=meaning(entry.event, words),
            tone=tone(entry.event),
            elsewhere=entry.stream != own_stream,
        )
        for entry in entries
    ]


def tone(event: Event) -> Tone:
    """How the event is coloured."""
    match event:
        case PurchaseApproved() | LookupAnswered() | TrialDone() | ReprintDone():
            return Tone.GOOD
        case FaultReportDone() | KeyChangeDone() | AdviceDelivered():
            return Tone.GOOD
        case PurchaseDeclined() | LookupFailed() | TrialFailed() | ReprintFailed():
            return Tone.BAD
        case FaultReportFailed() | KeyChangeFailed() | AdviceGivenUp() | SurplusSaleFound():
            return Tone.BAD
        case PurchaseRuledOut():
            return Tone.BAD
        case PurchaseOutcomeUnknown() | ServiceOutcomeUnknown() | RecoveryAttempted():
            return Tone.WAIT
        case AdviceAttempted():
            return Tone.WAIT
        case ProviderAnswered():
            return answer_words(event).tone
        case _:
            return Tone.PLAIN


def meaning(event: Event, words: Words) -> str:
    """What the event means."""
    match event:
        case ProviderAsked():
            return asked_words(event, words)
        case ProviderNoted():
            name = words.provider(event.provider)
            return f"{name} gave the reference {event.handle} and is told next to sell under it"
        case ProviderAnswered():
            return f"{words.provider(event.provider)}: {answer_words(event).text}"
        case NotificationQueued():
            return f"To be told of the sale: {', '.join(event.subscribers)}"
        case ReprintOriginalFound():
            name = words.provider(event.provider)
            return f"It is about purchase {event.original_id}, so {name} is asked and no other"
        case _:
            return (
                _asked_for(event)
                or _routed(event, words)
                or _of_purchase(event, words)
                or _of_advice(event)
                or _of_service(event, words)
                or type(event).__name__
            )


def _asked_for(event: Event) -> str | None:
    match event:
        case PurchaseRequested():
            return f"{event.client} asks for {amount(event.amount)} on meter {event.meter.number}"
        case LookupRequested():
            return f"{event.client} asks about meter {event.meter.number}"
        case TrialRequested():
            meter = event.meter.number
            return f"{event.client} asks what {amount(event.amount)} would buy on meter {meter}"
        case ReprintRequested():
            which = f"the tokens of {event.original_ref}" if event.original_ref else "the last ones"
            return f"{event.client} asks for {which} again, on meter {event.meter.number}"
        case FaultReportRequested():
            fault = event.fault_type.value
            return f"{event.client} reports {fault} of meter {event.meter.number}"
        case KeyChangeRequested():
            return f"{event.client} asks for key-change tokens for meter {event.meter.number}"
        case RetryRequested():
            return f"{event.client} asks for the outcome again (retry {event.retry_id})"
        case RetryReceived():
            return f"The retry {event.retry_id} is about purchase {event.purchase_id}"
        case _:
            return None


def _routed(event: Event, words: Words) -> str | None:
    match event:
        case PurchaseRouted() | ServiceRouted() | LookupRouted():
            chosen = event.route.chosen
            if chosen is None:
                return "Routed: no provider can be used"
            others = event.route.order[1:]
            then = f", then {words.providers(others)}" if others else ", and no other"
            return f"Routed: {words.provider(chosen)} first{then}"
        case BroadcastStarted():
            return (
                f"Broadcast to {words.providers(event.providers)}, because "
                f"{_REASONS[event.reason]}; the channel is answered within {event.window_ms} ms"
            )
        case LookupAnswered():
            name = words.provider(event.provider)
            return f"The channel is told what {name} knows of the meter"
        case LookupFailed():
            return f"The channel is told {refusal(event.failure)}"
        case _:
            return None


def _of_purchase(event: Event, words: Words) -> str | None:
    match event:
        case PurchaseApproved():
            how = ", recovered after the first answer was lost" if event.recovered else ""
            name = words.provider(event.provider)
            return f"Sold by {name} under reference {event.reference}{how}"
        case PurchaseDeclined():
            unseen = "; no provider ever saw it" if event.not_sent else ""
            again = "; the channel's retry may sell anew" if event.retriable else ""
            return f"Not sold, for certain: {refusal(event.failure)}{unseen}{again}"
        case PurchaseOutcomeUnknown():
            when = words.formats.clock(event.next_recovery_at)
            detail = f" ({event.detail})" if event.detail else ""
            name = words.provider(event.provider)
            return f"{name} may have sold{detail}. No other provider is asked; recovery at {when}"
        case RecoveryAttempted():
            when = words.formats.clock(event.next_recovery_at)
            name = words.provider(event.provider)
            return f"{name} could not tell yet ({event.detail}); asked again at {when}"
        case PurchaseRecovered():
            return f"{words.provider(event.provider)} says that {_SETTLED[event.settled]}"
        case PurchaseRuledOut():
            return f"{event.named_by} named this purchase, and there was none: ruled out for good"
        case SurplusSaleFound():
            name = words.provider(event.provider)
            return f"{name} made a second sale, under reference {event.reference}: not given out"
        case _:
            return None


def _of_advice(event: Event) -> str | None:
    match event:
        case AdviceReceived():
            kind = advice_words.name(event.kind)
            return f"The channel's {kind} {event.advice_id} is taken in and acknowledged"
        case KeyChangeConfirmationReceived():
            return f"The channel's confirmation {event.advice_id} is taken in and acknowledged"
        case ConfirmationAdvised():
            return f"Confirmed by the channel (advice {event.advice_id}), to be delivered"
        case ReversalAdvised():
            why = f" because {event.reason}" if event.reason else ""
            return f"The channel wants it reversed{why} (advice {event.advice_id})"
        case AdviceAttempted():
            said = f": {event.detail}" if event.detail else ""
            return f"Delivery {event.attempt} of the advice got no final answer{said}"
        case AdviceDelivered():
            done = advice_words.DELIVERED[event.delivery]
            return f"The advice has its end, {event.delivery.value}: {done}"
        case AdviceGivenUp():
            why = advice_words.GIVEN_UP[event.because]
            said = f" ({refusal(event.failure)})" if event.failure is not None else ""
            return f"The advice is given up, {event.because.value}: {why}{said}"
        case _:
            return None


def _of_service(event: Event, words: Words) -> str | None:
    match event:
        case TrialDone():
            return f"{words.provider(event.provider)} quoted; nothing was sold"
        case ReprintDone():
            return f"{words.provider(event.provider)} showed the sale again"
        case FaultReportDone():
            name = words.provider(event.provider)
            return f"{name} logged it under {event.logged.reference}"
        case KeyChangeDone():
            return f"{words.provider(event.provider)} issued the key-change tokens"
        case TrialFailed() | ReprintFailed() | FaultReportFailed() | KeyChangeFailed():
            return f"The channel is told {refusal(event.failure)}"
        case ServiceOutcomeUnknown():
            detail = f" ({event.detail})" if event.detail else ""
            return f"{words.provider(event.provider)} gave no usable answer{detail}; not repeated"
        case _:
            return None
