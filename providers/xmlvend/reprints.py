"""Which of a meter's earlier sales a reprint is about: pure, no I/O."""

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.exchange import ReprintQuestion
from providers.protocols.xmlvend.messages import CreditVendResp, UpdateMeterKeyResp, VendKind
from providers.protocols.xmlvend.receipt import CreditVendTx

Shown = CreditVendResp | UpdateMeterKeyResp

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def chosen(question: ReprintQuestion, reprints: Sequence[Shown]) -> Shown | None:
    """The one that answered the original's message id; else the sale with the receipt number; else
    the latest sale. A sale of another meter is never it."""
    own = [shown for shown in reprints if _of_meter(shown, question.meter.number)]
    original, receipt = question.original, question.receipt
    if original is not None:
        named = (shown for shown in own if shown.base.request.reference == original.reference)
        return next(named, None)
    sales = [shown for shown in own if isinstance(shown, CreditVendResp)]
    if receipt is not None:
        sales = [shown for shown in sales if _has_receipt(shown, receipt)]
    return max(sales, key=_age, default=None)


def _of_meter(shown: Shown, number: str) -> bool:
    """Whether it may be a sale of that meter, and no trial: one that names no meter may."""
    if isinstance(shown, UpdateMeterKeyResp):
        named = {shown.issue.meter.number} if shown.issue.meter is not None else set[str]()
    elif shown.kind is VendKind.TRIAL:
        return False
    else:
        sold = (tx for tx in shown.transactions if isinstance(tx, CreditVendTx))
        named = {tx.meter.number for tx in sold if tx.meter is not None}
    return not named or number in named


def _has_receipt(shown: CreditVendResp, receipt: str) -> bool:
    """Leading zeros don't count: tills leave them out. A sale without a receipt number goes by its
    message id."""
    numbers = {shown.receipt, *(tx.receipt or "" for tx in shown.transactions)}
    wanted = receipt.strip().lstrip("0")
    if wanted and wanted in {number.strip().lstrip("0") for number in numbers}:
        return True
    return receipt.strip() == shown.base.request.reference


def _age(shown: CreditVendResp) -> tuple[datetime, str, str]:
    """The provider's time of sale; within one second the message ids decide."""
    request = shown.base.request
    return shown.base.at or _LONG_AGO, request.date_time, request.unique_number
