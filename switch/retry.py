"""Retry: the channel did not get its answer. It gets the token that was sold, the refusal that was
given, or, when the provider certainly never sold, one new sale at the same provider."""

import asyncio

from domain.event import Event
from domain.failure import ErrorType, Failure
from domain.message import message_stream
from domain.purchase import Purchase, PurchaseStatus, RetryReceived, RetryRequested
from ledger import VersionConflict
from switch.command import Refused, Retry, Sold
from switch.context import Context
from switch.look_up import DUPLICATE
from switch.original import NO_SUCH_PURCHASE, original
from switch.recover import recover
from switch.streams import fold
from switch.vending import outcome_of, prepare_vend, vend

BEING_REVERSED = Failure(ErrorType.TRANSACTION_DECLINED, "this purchase is being reversed")


async def retry(context: Context, command: Retry) -> Sold | Refused:
    """Finishes `command.purchase_id` at the provider of the original. Raises what the ledger
    raises."""
    user = command.sender.user
    purchase = await original(context, command.purchase_id, user, command.retry_id)
    if purchase is None:
        return Refused(NO_SUCH_PURCHASE, not_sent=True)
    refused = _differs(purchase, command)
    if refused is not None:
        return Refused(refused, not_sent=True)
    if not await _claim(context, command):
        return Refused(DUPLICATE, not_sent=True)
    purchase = await _requested(context, purchase, command)
    return await _finish(context, purchase)


def _differs(purchase: Purchase, command: Retry) -> Failure | None:
    request = purchase.request
    assert request is not None
    if request.amount != command.amount:
        what = "purchaseAmount"
    elif request.meter.number != command.meter.number:
        what = "meter.meterId"
    else:
        return None
    return Failure(ErrorType.FORMAT_ERROR, f"{what} differs from the original purchase's")


async def _claim(context: Context, command: Retry) -> bool:
    """Whether the retry's own id is free, or already a retry of this purchase."""
    if command.retry_id == command.purchase_id:
        return True
    stream = message_stream(command.retry_id)
    received = RetryReceived(
        at=context.clock(), retry_id=command.retry_id, purchase_id=command.purchase_id
    )
    try:
        await context.log.append(stream, 0, [received])
    except VersionConflict:
        first = (await context.log.read(stream))[0].event
        return isinstance(first, RetryReceived) and first.purchase_id == command.purchase_id
    return True


async def _requested(context: Context, purchase: Purchase, command: Retry) -> Purchase:
    event = RetryRequested(
        at=context.clock(),
        retry_id=command.retry_id,
        user=command.sender.user,
        client=command.sender.client,
        message=command.message,
    )

    def decide(_: Purchase) -> list[Event]:
        return [event]

    return await context.streams.record(message_stream(command.purchase_id), purchase, decide)


async def _finish(context: Context, purchase: Purchase) -> Sold | Refused:
    purchase = await _unleased(context, purchase)
    if not purchase.settled and purchase.vend is not None:
        purchase = await recover(context, purchase)
        # Another process may have begun a recovery first: its answer is ours too.
        purchase = await _unleased(context, purchase)
    sellable = _sellable_anew(purchase)
    if purchase.reversing and (purchase.status is PurchaseStatus.APPROVED or sellable):
        return Refused(BEING_REVERSED)
    if sellable:
        purchase = await _sell_anew(context, purchase)
    return outcome_of(context, purchase)


async def _unleased(context: Context, purchase: Purchase) -> Purchase:
    """Waits for whoever is asking the provider right now, at most until their lease ends."""
    assert purchase.request is not None
    stream = message_stream(purchase.request.purchase_id)
    while not purchase.settled and purchase.leased(context.clock()):
        await asyncio.sleep(context.settings.lease_poll_seconds)
        purchase = fold(purchase, await context.log.read(stream, purchase.version))
    return purchase


def _sellable_anew(purchase: Purchase) -> bool:
    decline = purchase.decline
    return (
        purchase.status is PurchaseStatus.DECLINED
        and decline is not None
        and decline.retriable
        and purchase.vend is not None
    )


async def _sell_anew(context: Context, purchase: Purchase) -> Purchase:
    """A second vend, under a new reference, at the provider that never carried out the first."""
    request, first = purchase.request, purchase.vend
    assert request is not None
    assert first is not None
    ask = await prepare_vend(
        context,
        first.provider,
        request.meter,
        request.amount,
        request.payment,
        purchase.exchanges + 1,
    )
    stream = message_stream(request.purchase_id)
    try:
        recorded = await context.log.append(stream, purchase.version, [ask.asked])
    except VersionConflict:
        # Another retry was first, or a reversal came in: whatever stands now is the answer.
        purchase = fold(purchase, await context.log.read(stream, purchase.version))
        return await _unleased(context, purchase)
    return await vend(context, fold(purchase, recorded), ask, [], retriable=True)
