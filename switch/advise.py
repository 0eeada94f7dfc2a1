"""Advise: take in a confirmation or reversal, durably, and acknowledge it at once."""

from domain.advice import AdviceKind, AdviceReceived, ConfirmationAdvised, ReversalAdvised
from domain.event import Event
from domain.failure import ErrorType, Failure
from domain.message import message_stream
from domain.purchase import Purchase
from ledger import VersionConflict
from switch.command import Acknowledged, Advise, Refused
from switch.context import Context
from switch.look_up import DUPLICATE
from switch.original import NO_SUCH_PURCHASE, original

TOO_MUCH = Failure(
    ErrorType.INVALID_AMOUNT, "the advice's approvedAmount exceeds the purchase's amount"
)


async def advise(context: Context, command: Advise) -> Acknowledged | Refused:
    """Stores the advice twice: under its own id, which claims the id, and in the purchase, where
    it takes effect. A crash between the two is healed by the channel's repeat, which it owes us
    because it has not been acknowledged. Raises what the ledger raises."""
    purchase = await original(context, command.purchase_id, command.user, command.advice_id)
    if purchase is None:
        return Refused(NO_SUCH_PURCHASE, not_sent=True)
    assert purchase.request is not None
    final = command.final_amount
    if final is not None:
        amount = purchase.request.amount
        if final.currency != amount.currency or amount < final or final.cents < 0:
            return Refused(TOO_MUCH, not_sent=True)
    repeated = await _claim(context, command)
    if repeated is None:
        return Refused(DUPLICATE, not_sent=True)
    advised = _advised(context, command)

    def decide(state: Purchase) -> list[Event]:
        return [] if command.advice_id in state.advices else [advised]

    await context.streams.record(message_stream(command.purchase_id), purchase, decide)
    return Acknowledged(repeated=repeated)


async def _claim(context: Context, command: Advise) -> bool | None:
    """False: new. True: the same advice again. None: the id belongs to another message."""
    stream = message_stream(command.advice_id)
    received = AdviceReceived(
        at=context.clock(),
        advice_id=command.advice_id,
        purchase_id=command.purchase_id,
        kind=command.kind,
        user=command.user,
        message=command.message,
        payment=command.payment,
        reason=command.reason,
        final_cents=_cents(command),
    )
    try:
        await context.log.append(stream, 0, [received])
    except VersionConflict:
        first = (await context.log.read(stream))[0].event
        same = (
            isinstance(first, AdviceReceived)
            and first.purchase_id == command.purchase_id
            and first.kind is command.kind
            and first.final_cents == _cents(command)
            and first.reason == command.reason
        )
        return True if same else None
    return False


def _advised(context: Context, command: Advise) -> ConfirmationAdvised | ReversalAdvised:
    if command.kind is AdviceKind.CONFIRMATION:
        return ConfirmationAdvised(
            at=context.clock(),
            advice_id=command.advice_id,
            payment=command.payment,
            final_cents=_cents(command),
        )
    return ReversalAdvised(
        at=context.clock(),
        advice_id=command.advice_id,
        reason=command.reason or "",
        final_cents=_cents(command),
    )


def _cents(command: Advise) -> int | None:
    return None if command.final_amount is None else command.final_amount.cents
