"""Buy: route a purchase, make it durable, sell it at one provider."""

from domain.event import Event
from domain.message import message_stream
from domain.purchase import Purchase, PurchaseDeclined, PurchaseRequested, PurchaseRouted
from ledger import LedgerBusy, VersionConflict
from switch.asking import Ask
from switch.command import Buy, Refused, Sold
from switch.context import Context
from switch.look_up import DUPLICATE, LookUps, no_route
from switch.streams import fold
from switch.vending import TOO_BUSY, outcome_of, prepare_vend, vend


async def buy(context: Context, look_ups: LookUps, command: Buy) -> Sold | Refused:
    """Sells at most one token set for `command.message_id`. Raises what the ledger raises."""
    meter = await look_ups.current(command.meter, command.sender)
    route = await context.table.route(meter)
    requested = _requested(context, command)
    events: list[Event] = [
        requested,
        PurchaseRouted(
            at=requested.at, route=route, utility=meter.utility, utility_name=meter.utility_name
        ),
    ]
    ask: Ask | None = None
    if route.chosen is None:
        failure = no_route(meter, route)
        events.append(PurchaseDeclined(at=requested.at, failure=failure, not_sent=True))
    else:
        ask = await prepare_vend(
            context, route.chosen, command.meter, command.amount, command.payment, 1
        )
        events.append(ask.asked)
    try:
        recorded = await context.log.append(message_stream(command.message_id), 0, events)
    except VersionConflict:
        return Refused(DUPLICATE, not_sent=True)
    except LedgerBusy:
        # Only here is it certain that nothing was written; later a full queue leaves doubt.
        return Refused(TOO_BUSY, not_sent=True)
    purchase = fold(Purchase(), recorded)
    if ask is not None:
        purchase = await vend(context, purchase, ask, list(route.order[1:]), retriable=False)
    return outcome_of(context, purchase)


def _requested(context: Context, command: Buy) -> PurchaseRequested:
    sender = command.sender
    return PurchaseRequested(
        at=context.clock(),
        purchase_id=command.message_id,
        meter=command.meter,
        amount=command.amount,
        user=sender.user,
        client=sender.client,
        payment=command.payment,
        message=command.message,
        institution=sender.institution,
        merchant=sender.merchant,
        terminal=sender.terminal,
        channel=sender.channel,
    )
