"""What the event catalogue says in words: a chapter a module of the domain, a meaning a field name.

A name means the same wherever it stands, so it is explained once; PARTICULAR has the exceptions, by
event and field."""

from domain.message import message_stream
from domain.meter import meter_stream
from domain.notification import notification_stream
from domain.provider import provider_stream
from domain.sale import UtilityType
from domain.utility import utility_stream

_MESSAGE = message_stream("{message id}")
_METER = meter_stream(UtilityType.ELECTRICITY, "{number}")

# Module of the domain → heading, stream, and what is worth knowing before the events.
CHAPTERS: dict[str, tuple[str, str, str]] = {
    "lookup": (
        "Lookup",
        _MESSAGE,
        "Only the process that claimed the message id writes to it.",
    ),
    "purchase": (
        "Purchase",
        _MESSAGE,
        "With its exchanges and advices, below. `RetryReceived` has the retry's own stream.",
    ),
    "exchange": (
        "Exchanges with a provider",
        _MESSAGE,
        "In the stream of the lookup, purchase or service request that the exchange belongs to.",
    ),
    "advice": (
        "Advice",
        _MESSAGE,
        "`AdviceReceived` has the advice's own stream. The others are in that of what is advised.",
    ),
    "service": (
        "Service requests",
        _MESSAGE,
        "In the streams of trials, reprints, fault reports and key changes, which follow.",
    ),
    "trial": ("Trial", _MESSAGE, "With its exchanges. Nothing is sold by it."),
    "reprint": ("Reprint", _MESSAGE, "With its exchanges. Nothing is sold by it."),
    "fault_report": ("Fault report", _MESSAGE, "With its exchanges."),
    "key_change": (
        "Key change",
        _MESSAGE,
        "With its exchanges and confirmations. Each of these has a stream of its own, too.",
    ),
    "notification": (
        "Notification",
        notification_stream("{subscriber}", "{message id}"),
        "`NotificationQueued` is in the purchase's stream.",
    ),
    "meter": (
        "Meter",
        _METER.replace(UtilityType.ELECTRICITY.value, "{utility type}"),
        "The meter's row of the contract table, as it came to be.",
    ),
    "utility": (
        "Utility",
        utility_stream("{utility}"),
        "A municipality or utility. Its id is made from its printed name.",
    ),
    "provider": (
        "Provider",
        provider_stream("{provider}"),
        "A provider's settings, availability and reserved references.",
    ),
}

MEANINGS: dict[str, str] = {
    "advice_id": "the advice's message id; on an exchange, the advice that it delivers",
    "amount": "what the customer pays: tokens, tax, debts and charges",
    "answer": "what the provider told of the meter",
    "asked_at": "when the vend was recorded as asked",
    "at": "when it happened, UTC",
    "attempt": "how many attempts of this kind went before",
    "because": "why it ended without effect",
    "by": "who did it: a person, `settings`, `lookup`, or the id of a process",
    "capabilities": "what it offers beyond lookup and vend",
    "channel": "which of its channels, as the client says",
    "client": "the channel's institution id; `schedule` for the switch's own broadcasts",
    "contact": "the customer's telephone number",
    "count": "how many",
    "customer": "who reports it, as the channel says",
    "deadline": "when the asker gives up for certain; until then nobody else asks",
    "delivery": "how it ended well",
    "description": "what is wrong, in the customer's words",
    "detail": "in words, for people",
    "exchange": "number of the exchange in this stream, from 1",
    "excluded": "providers that are never used",
    "failure": "the refusal, in the interface's terms and the provider's own",
    "fault_report_id": "message id of the fault report",
    "fault_type": "what is wrong",
    "final_cents": "the amount that is to stand; absent: all of a sale confirmed, all reversed",
    "first": "the first of the reserved numbers",
    "handle": "the provider's own reference for the sale that is about to be made",
    "healthy": "whether purchases may be routed to it",
    "institution": "the originator's institution id",
    "key_change_id": "message id of the key change",
    "kind": "confirmation or reversal",
    "late": "the channel had been answered already",
    "legs": "every message pair of the exchange, masked",
    "logged": "the provider's number for the fault, and its words",
    "lookup_id": "message id of the lookup",
    "merchant": "the originator's merchant id",
    "message": "the channel's JSON as received, sensitive members masked",
    "meter": "the meter as the channel named it",
    "name": "as printed",
    "named_by": "message id of the retry or advice that named the purchase",
    "next_attempt_at": "when the next attempt is due, UTC",
    "next_recovery_at": "when the provider is asked again, UTC, if no retry comes first",
    "not_sent": "certain that no provider ever saw it",
    "number": "the meter's number",
    "offering": "the usable providers that offer it, in the route's order",
    "operation": "what was asked",
    "original_id": "message id of the purchase whose tokens are wanted",
    "original_ref": "what the channel names the sale by; absent: the meter's last one",
    "outcome": "how the exchange ended",
    "payment": "tender type of the channel interface",
    "protocol": "name of its codec",
    "provider": "the provider's id",
    "providers": "ids of providers, in order where order counts",
    "purchase_id": "message id of the purchase",
    "quote": "what would be sold; the tokens have no digits",
    "ranked": "providers that are used first, in this order",
    "reason": "why",
    "recovered": "the provider's first answer was lost",
    "reference": "what identifies the message at the provider; for a sale, that of its vend",
    "reprint_id": "message id of the reprint",
    "request": "the first message as sent, masked",
    "retriable": "the channel's retry may sell anew",
    "retry_id": "the retry's own message id",
    "route": "every candidate with its place and the reason, and the draw",
    "sale": "tokens, debts, charges, customer, meter; tokens are not masked here",
    "settled": "what became of the sale in question",
    "status": "HTTP status of the subscriber's answer; absent: there was none",
    "subscriber": "the subscriber's id in the settings",
    "subscribers": "ids of subscribers, as in the settings",
    "supported": "whether it serves the meter",
    "terminal": "the originator's terminal id",
    "took_ms": "milliseconds from the question being recorded to the answer",
    "trial_id": "message id of the trial",
    "user": "who signed in for it; nobody else may retry, confirm or reverse it",
    "utility": "the utility's id",
    "utility_name": "the utility's printed name",
    "utility_type": "electricity, water or gas",
    "weight": "share of load-balanced traffic, relative to the others' weights",
    "window_ms": "how long the channel waits at most",
}

PARTICULAR: dict[str, str] = {
    "AdviceAttempted.attempt": "how many attempts there have been, this one included",
    "KeyChangeDone.reference": "what the question carried",
    "NotificationAttempted.attempt": "number of the attempt, from 1",
    "NotificationBegun.attempt": "number of the attempt, from 1",
    "NotificationBegun.deadline": "when the attempt is over for certain",
    "NotificationDelivered.attempt": "number of the attempt that delivered it, from 1",
    "NotificationGivenUp.attempt": "number of the last attempt, from 1",
    "ReprintOriginalFound.reference": "that of its vend at the provider",
    "BroadcastStarted.providers": "everybody who is asked",
    "BroadcastStarted.reason": "why everybody is asked",
    "LookupAnswered.utility": "the utility that the meter belongs to",
    "MeterBroadcast.providers": "everybody who was asked and owes an answer",
    "MeterBroadcast.reason": "why everybody was asked",
    "MeterPreferenceSet.providers": "tried first, in this order; none: no preference",
    "ProviderAsked.reference": "what the message carries; empty if it could not be encoded",
    "PurchaseRuledOut.user": "who signed in for that retry or advice",
    "RecoveryAttempted.attempt": "how many recoveries of this vend there have been",
}
