"""Reprint: earlier tokens once more. Where they are of one of our purchases, the provider that sold
is asked for that very sale; else the meter's provider is asked for what it has."""

from collections.abc import Sequence

from domain.exchange import Operation, ReprintQuestion
from domain.failure import ErrorType, Failure
from domain.purchase import Purchase, PurchaseStatus
from domain.reprint import ReprintDone, ReprintOriginalFound, ReprintRequested
from switch.command import Refused, Reprint, Reprinted
from switch.context import Context
from switch.look_up import LookUps
from switch.ports import PurchaseFinder
from switch.retry import BEING_REVERSED
from switch.serve import Asking, municipality, not_offered, offers, outcome, routed, serve
from switch.streams import NotAPurchaseError
from switch.vending import municipality_of

NO_SUCH_SALE = Failure(
    ErrorType.UNABLE_TO_LOCATE_RECORD, "nothing was sold to this meter under this reference"
)
NOT_SETTLED = Failure(
    ErrorType.OUTCOME_UNKNOWN, "the outcome of this purchase is not known yet: retry it"
)
NOT_CONFIGURED = Failure(
    ErrorType.UPSTREAM_UNAVAILABLE, "the provider that sold this is not configured here"
)


async def reprint(
    context: Context, look_ups: LookUps, finder: PurchaseFinder, command: Reprint
) -> Reprinted | Refused:
    """Shows a sale again and sells nothing. Raises what the ledger and the finder raise."""
    meter = await look_ups.current(command.meter, command.sender)
    original = await _original(context, finder, command)
    question = ReprintQuestion(meter=command.meter, receipt=command.original_ref)
    purchase_id: str | None = None
    where = municipality(meter)
    if original is None:
        asking = await routed(context, meter, Operation.REPRINT)
    elif isinstance(original, Failure):
        asking = Asking([], [], original)
    else:
        assert original.request is not None
        purchase_id = original.request.purchase_id
        where = municipality_of(original) or where
        question = _question(context, original)
        asking = _asking(context, original)
    service = await serve(
        context, command.message_id, _requested(context, command), asking, question
    )
    done = outcome(service, Operation.REPRINT)
    if isinstance(done, Refused):
        return done
    assert isinstance(done, ReprintDone)
    return Reprinted(done.sale, context.party(done.provider), where, purchase_id)


async def _original(
    context: Context, finder: PurchaseFinder, command: Reprint
) -> Purchase | Failure | None:
    """The purchase of ours that is meant, or why it can't be shown, or None: none of ours.

    An id is known to the channel that made it and to nobody else; what stands on a slip, and what
    was last sold for a meter, is the customer's, whichever till the customer asks."""
    ref, meter = command.original_ref, command.meter
    if ref is not None:
        try:
            purchase = await context.streams.purchase(ref)
        except NotAPurchaseError:
            pass
        else:
            request = purchase.request
            assert request is not None
            own = request.user == command.sender.user
            return _shown(purchase) if own and _of_meter(purchase, command) else NO_SUCH_SALE
    limit = context.settings.reprint_candidates_max
    ids = await finder.sold(meter.utility_type, meter.number, ref, limit)
    return _chosen([await context.streams.purchase(one) for one in ids], command)


def _chosen(purchases: Sequence[Purchase], command: Reprint) -> Purchase | Failure | None:
    """The last one sold that stands; a failure if there are only others."""
    shown = [_shown(purchase) for purchase in purchases if _of_meter(purchase, command)]
    standing = next((one for one in shown if isinstance(one, Purchase)), None)
    return standing or next(iter(shown), None)


def _of_meter(purchase: Purchase, command: Reprint) -> bool:
    assert purchase.request is not None
    meter = purchase.request.meter
    return (meter.number, meter.utility_type) == (command.meter.number, command.meter.utility_type)


def _shown(purchase: Purchase) -> Purchase | Failure:
    if purchase.status is PurchaseStatus.APPROVED:
        return BEING_REVERSED if purchase.reversing else purchase
    decline = purchase.decline
    if purchase.status is PurchaseStatus.DECLINED and decline is not None and not decline.retriable:
        return NO_SUCH_SALE
    # Its retry may find that it was sold, or sell it.
    return NOT_SETTLED


def _question(context: Context, original: Purchase) -> ReprintQuestion:
    request, approval = original.request, original.approval
    assert request is not None
    assert approval is not None
    receipts = (token.receipt for token in approval.sale.tokens if token.receipt)
    return ReprintQuestion(
        meter=request.meter,
        original=original.original(0, context.clock()),
        receipt=next(receipts, None),
    )


def _asking(context: Context, original: Purchase) -> Asking:
    """The provider that sold and no other: nobody else can know of the sale."""
    request, approval, routing = original.request, original.approval, original.routed
    assert request is not None
    assert approval is not None
    provider = approval.provider
    found = ReprintOriginalFound(
        at=context.clock(),
        original_id=request.purchase_id,
        provider=provider,
        reference=approval.reference,
        utility=routing and routing.utility,
        utility_name=routing and routing.utility_name,
    )
    if provider not in context.adapters:
        return Asking([found], [], NOT_CONFIGURED)
    able = [provider] if offers(context, provider, Operation.REPRINT) else []
    return Asking([found], able, not_offered(Operation.REPRINT))


def _requested(context: Context, command: Reprint) -> ReprintRequested:
    sender = command.sender
    return ReprintRequested(
        at=context.clock(),
        reprint_id=command.message_id,
        meter=command.meter,
        original_ref=command.original_ref,
        user=sender.user,
        client=sender.client,
        message=command.message,
        institution=sender.institution,
        merchant=sender.merchant,
        terminal=sender.terminal,
        channel=sender.channel,
    )
