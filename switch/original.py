"""The purchase that a retry or advice names."""

from domain.failure import ErrorType, Failure
from domain.message import message_stream
from domain.purchase import Purchase, PurchaseRuledOut
from ledger import VersionConflict
from switch.context import Context
from switch.streams import NotAPurchaseError

NO_SUCH_PURCHASE = Failure(ErrorType.UNABLE_TO_LOCATE_RECORD, "no purchase has this id")


async def original(context: Context, purchase_id: str, user: str, named_by: str) -> Purchase | None:
    """The purchase that the message `named_by` of `user` is about. None: there is none, and there
    will be none. The channel is told so for good, and the purchase may still be on its way here,
    or in another process that has not written it down yet; so its id is used up first.

    Raises what the ledger raises."""
    try:
        purchase = await context.streams.purchase(purchase_id)
    except NotAPurchaseError:
        if await _ruled_out(context, purchase_id, user, named_by):
            return None
        try:
            purchase = await context.streams.purchase(purchase_id)
        except NotAPurchaseError:
            return None
    assert purchase.request is not None
    # Another user's purchase is none of this one's business: neither are its tokens to be shown,
    # nor may a sale be taken back whose token was handed over.
    return purchase if purchase.request.user == user else None


async def _ruled_out(context: Context, purchase_id: str, user: str, named_by: str) -> bool:
    """Uses the id up; False when something has it already, also since a moment ago."""
    event = PurchaseRuledOut(
        at=context.clock(), purchase_id=purchase_id, named_by=named_by, user=user
    )
    try:
        await context.log.append(message_stream(purchase_id), 0, [event])
    except VersionConflict:
        return False
    return True
