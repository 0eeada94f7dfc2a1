"""From a question to the request of the assumed REST profile that asks it.

The requestId of a sale is the switch's number, twelve digits; quote and purchase both carry it, and
a reprint names it."""

from datetime import datetime

from domain.exchange import (
    LookupQuestion,
    Question,
    RecoverQuestion,
    ReprintQuestion,
    VendQuestion,
)
from domain.sale import MeterDetail, UtilityType
from providers.json_exchange import JsonRequest
from providers.protocols.restvend import encode, prevend_target, reprint_target
from providers.protocols.restvend.messages import PURCHASE, Purchase
from providers.protocols.safe_json import whole_cents

REFERENCES = 10**12
OTHER_TENDER = "Other"
TENDERS: dict[str, str] = {
    "CASH": "Cash",
    "CREDIT_CARD": "CreditCard",
    "DEBIT_CARD": "DebitCard",
    "CHEQUE": "Cheque",
    "WALLET": "Wallet",
}
"""tenderType by the channel interface's tender type; all others are OTHER_TENDER."""


def reference_of(number: int) -> str:
    """The requestId of question `number`."""
    return f"{number % REFERENCES:012d}"


def first_request(
    question: Question, products: dict[UtilityType, str], number: int, at: datetime
) -> JsonRequest:
    """What goes out first. Raises ValueError for a question that the profile does not have, or a
    kind of utility that it does not sell."""
    del at
    request_id = reference_of(number)
    match question:
        case LookupQuestion(meter=meter):
            target = prevend_target(
                meter=meter.number,
                product=_product(products, meter),
                request_id=request_id,
                cents=None,
            )
        case VendQuestion(meter=meter, amount=amount):
            target = prevend_target(
                meter=meter.number,
                product=_product(products, meter),
                request_id=request_id,
                cents=whole_cents(amount.cents),
                free=amount.cents == 0,
            )
        case RecoverQuestion(meter=meter, original=original):
            target = reprint_target(meter=meter.number, request_id=original.reference)
        case ReprintQuestion(meter=meter, original=None, receipt=receipt):
            target = reprint_target(meter=meter.number, receipt=receipt)
        case ReprintQuestion(meter=meter, original=original):
            assert original is not None
            target = reprint_target(meter=meter.number, request_id=original.reference)
        case _:
            raise ValueError(f"{type(question).__name__} is not in this protocol")
    return JsonRequest("GET", target)


def purchase_request(request_id: str, transaction_id: str, payment: str) -> JsonRequest:
    """The step that sells what was quoted under `transaction_id`."""
    message = Purchase(
        request_id=request_id,
        prevend_transaction_id=transaction_id,
        tender_type=TENDERS.get(payment, OTHER_TENDER),
    )
    return JsonRequest("POST", PURCHASE, encode(message))


def _product(products: dict[UtilityType, str], meter: MeterDetail) -> str:
    product = products.get(meter.utility_type)
    if product is None:
        raise ValueError(f"no product id for {meter.utility_type.value.lower()}")
    return product
