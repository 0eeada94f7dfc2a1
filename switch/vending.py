"""Vending: carrying a purchase from its first exchange to an outcome, one provider at a time."""

from datetime import datetime, timedelta

from domain.event import Event
from domain.exchange import ProviderAsked, ProviderNoted, Reply, VendQuestion
from domain.failure import ErrorType, Failure
from domain.message import message_stream
from domain.money import Money
from domain.outcome import Outcome
from domain.purchase import Purchase, PurchaseDeclined, PurchaseStatus
from domain.sale import MeterDetail
from domain.settling import after_vend, answered
from providers.adapter import Note
from switch.asking import Ask, exchange, prepare
from switch.backoff import next_recovery
from switch.command import Party, Refused, Sold
from switch.context import Context
from switch.subscription import with_notifications

UNREACHABLE = Failure(
    ErrorType.UPSTREAM_UNAVAILABLE, "no provider could be reached; nothing was sold"
)
TOO_BUSY = Failure(ErrorType.UPSTREAM_UNAVAILABLE, "the switch is busy; nothing was done")
WITHDRAWN = Failure(
    ErrorType.TRANSACTION_DECLINED, "a reversal came before any provider was reached"
)
# The next retry may sell: a refusal for good would let the channel buy again under another id.
NOT_YET_SOLD = Failure(
    ErrorType.OUTCOME_UNKNOWN, "nothing has been sold so far: retry this purchase to buy"
)
IN_DOUBT = Failure(
    ErrorType.OUTCOME_UNKNOWN, "the provider may have sold: retry this purchase to find out"
)


async def prepare_vend(
    context: Context, provider: str, meter: MeterDetail, amount: Money, payment: str, number: int
) -> Ask:
    """The vend question to `provider` as exchange `number`."""
    question = VendQuestion(meter=meter, amount=amount, payment=payment)
    return await prepare(context, provider, question, number)


async def vend(
    context: Context, purchase: Purchase, ask: Ask, candidates: list[str], *, retriable: bool
) -> Purchase:
    """Sends `ask`, which is durable, and records the outcome; goes on to the next of `candidates`
    only while it is certain that nothing was sent. Returns the purchase as it stands then.

    `retriable`: whether the channel's retry may sell anew when nobody could be reached."""
    request = purchase.request
    assert request is not None
    stream = message_stream(request.purchase_id)
    while True:
        reply = await exchange(context, ask, _note(context, purchase, ask.asked))
        onward: Ask | None = None
        if reply.outcome is Outcome.NOT_SENT and candidates:
            onward = await prepare_vend(
                context,
                candidates.pop(0),
                request.meter,
                request.amount,
                request.payment,
                ask.asked.exchange + 1,
            )
        decide = _Ending(context, ask, reply, onward, retriable=retriable)
        purchase = await context.streams.record(stream, purchase, decide)
        if decide.onward is None:
            return purchase
        ask = decide.onward


def _note(context: Context, purchase: Purchase, asked: ProviderAsked) -> Note:
    """Notes a handle for as long as the vend `asked` is still the asker's own."""
    assert purchase.request is not None
    stream = message_stream(purchase.request.purchase_id)

    def own(state: Purchase, now: datetime) -> bool:
        mine = state.open is not None and state.open.exchange == asked.exchange
        return mine and now < asked.deadline

    async def note(handle: str) -> bool:
        def decide(state: Purchase) -> list[Event]:
            now = context.clock()
            if not own(state, now):
                return []
            noted = ProviderNoted(
                at=now, exchange=asked.exchange, provider=asked.provider, handle=handle
            )
            return [noted]

        state = await context.streams.record(stream, purchase, decide)
        return (
            own(state, context.clock()) and state.vend is not None and state.vend.handle == handle
        )

    return note


class _Ending:
    """Decides how one vend exchange ends; `onward` is the next ask if there is to be one."""

    def __init__(
        self, context: Context, ask: Ask, reply: Reply, onward: Ask | None, *, retriable: bool
    ) -> None:
        self._context = context
        self._ask = ask
        self._reply = reply
        self._next = onward
        self._retriable = retriable
        self.onward: Ask | None = None

    def __call__(self, purchase: Purchase) -> list[Event]:
        self.onward = None
        now = self._context.clock()
        asked = self._ask.asked
        if self._reply.outcome is not Outcome.NOT_SENT:
            due = next_recovery(self._context.settings, now, 0, timedelta(0))
            events = after_vend(purchase, asked, self._reply, now, due)
            return with_notifications(self._context.subscriptions, purchase, events)
        events = [answered(asked, self._reply, now)]
        # Somebody else may have settled it meanwhile (we were stalled beyond our lease).
        if purchase.settled or purchase.open is None or purchase.open.exchange != asked.exchange:
            return events
        if self._next is not None and not purchase.reversing:
            self.onward = self._next.numbered(purchase.exchanges + 1)
            return [*events, self.onward.asked]
        failure = WITHDRAWN if purchase.reversing else UNREACHABLE
        declined = PurchaseDeclined(
            at=now,
            failure=failure,
            not_sent=True,
            retriable=self._retriable and not purchase.reversing,
        )
        return [*events, declined]


def outcome_of(context: Context, purchase: Purchase) -> Sold | Refused:
    """What the channel is told of a purchase as it stands."""
    match purchase.status:
        case PurchaseStatus.APPROVED:
            approval = purchase.approval
            assert approval is not None
            return Sold(
                sale=approval.sale,
                provider=context.party(approval.provider),
                municipality=municipality_of(purchase),
                recovered=approval.recovered,
            )
        case PurchaseStatus.DECLINED:
            decline = purchase.decline
            assert decline is not None
            if decline.retriable:
                return Refused(NOT_YET_SOLD)
            return Refused(decline.failure, not_sent=decline.not_sent)
        case PurchaseStatus.SENT | PurchaseStatus.UNKNOWN:
            return Refused(IN_DOUBT)


def municipality_of(purchase: Purchase) -> Party | None:
    """The municipality that the purchase was routed for."""
    routed = purchase.routed
    if routed is None or routed.utility is None:
        return None
    return Party(routed.utility, routed.utility_name or routed.utility)
