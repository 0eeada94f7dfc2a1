"""Recover: find out at the provider what became of a vend whose answer was lost."""

from datetime import timedelta

from domain.event import Event
from domain.exchange import RecoverQuestion
from domain.message import message_stream
from domain.purchase import Purchase
from domain.settling import after_recovery
from ledger import VersionConflict
from switch.asking import exchange, prepare
from switch.backoff import next_recovery
from switch.context import Context
from switch.streams import fold
from switch.subscription import with_notifications


async def recover(context: Context, purchase: Purchase) -> Purchase:
    """One attempt, at the provider that was asked to vend and no other. The purchase must have no
    outcome and nobody waiting for one. Returns it as it stands afterwards; when somebody else
    began a recovery first, that is simply their lease."""
    request, vend = purchase.request, purchase.vend
    assert request is not None
    assert vend is not None
    assert not purchase.settled
    stream = message_stream(request.purchase_id)
    now = context.clock()
    question = RecoverQuestion(
        meter=request.meter,
        original=purchase.original(purchase.recoveries, purchase.first_recovery_at or now),
        wanted=not purchase.reversing,
    )
    ask = await prepare(
        context,
        vend.provider,
        question,
        purchase.exchanges + 1,
        attempt=purchase.recoveries,
    )
    try:
        recorded = await context.log.append(stream, purchase.version, [ask.asked])
    except VersionConflict:
        return fold(purchase, await context.log.read(stream, purchase.version))
    purchase = fold(purchase, recorded)
    reply = await exchange(context, ask)
    late_sale = timedelta(seconds=ask.adapter.late_sale_seconds)

    def decide(state: Purchase) -> list[Event]:
        at = context.clock()
        age, was_due = at - vend.asked_at, state.next_recovery_at
        due = next_recovery(context.settings, at, state.recoveries, age, was_due)
        events = after_recovery(state, vend, ask.asked, reply, at, late_sale, due)
        return with_notifications(context.subscriptions, state, events)

    return await context.streams.record(stream, purchase, decide)
