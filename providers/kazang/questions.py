"""From a question to the Kazang message that asks it.

A reference is the second of asking (UTC) and the switch's number modulo a million, e.g.
"250701073000R000123": it repeats only if a million questions go to one provider within one second.
The letter keeps it from looking like a token to the masking; a lookup has L, since its quote must
never be taken for a vend's. A vend's confirm has the same
reference with a "C" after it, in every repeat: it is the same request, word for word."""

from datetime import UTC, datetime

from domain.exchange import (
    LookupQuestion,
    Original,
    Question,
    RecoverQuestion,
    ReprintQuestion,
    VendQuestion,
)
from domain.failure import ErrorType, Failure
from domain.sale import MeterDetail, UtilityType
from providers.config import KazangSettings
from providers.heard import NotSentError
from providers.kazang.handle import Handle
from providers.kazang.session import OpenSession
from providers.protocols.kazang.messages import Buy, Confirm, Product, Reprint

UNIQUE_NUMBERS = 1_000_000
UNFILLED = "-"
"""Stands for session and product until the message is sent; only then they are known."""


class NoProductError(NotSentError):
    """The provider's list has nothing that sells this kind of utility."""

    def __init__(self, utility_type: UtilityType) -> None:
        detail = f"the provider's product list sells no {utility_type.value}"
        super().__init__(detail)
        self.failure = Failure(ErrorType.TRANSACTION_NOT_SUPPORTED, detail)


def reference_of(question: Question, number: int, at: datetime) -> str:
    """The reference of `question`, asked as `number` at `at`."""
    letter = "L" if isinstance(question, LookupQuestion) else "R"
    return f"{at.astimezone(UTC):%y%m%d%H%M%S}{letter}{number % UNIQUE_NUMBERS:06d}"


def first_message(
    question: Question, reference: str, settings: KazangSettings
) -> tuple[str, Buy | Confirm | Reprint] | None:
    """Method and message; None where the answer is certain without asking. Raises ValueError when
    the protocol lacks the question, or its original's handle is none of ours."""
    match question:
        case LookupQuestion(meter=meter):
            method = _buying(meter.utility_type, settings)
            return method, buy(reference, meter, settings.lookup_cents)
        case VendQuestion(meter=meter, amount=amount):
            return _buying(meter.utility_type, settings), buy(reference, meter, amount.cents)
        case RecoverQuestion(meter=meter, original=Original(handle=str(noted)) as original):
            handle = Handle.read(noted)
            if not question.wanted:
                return settings.reprint_method, reprint(reference, meter, handle=handle)
            return handle.confirm_method, confirm(handle, original.reference)
        case ReprintQuestion(meter=meter, original=Original(handle=str(noted))):
            return settings.reprint_method, reprint(reference, meter, handle=Handle.read(noted))
        case ReprintQuestion(meter=meter, original=None, receipt=receipt):
            return settings.reprint_method, reprint(reference, meter, receipt=receipt)
        case RecoverQuestion() | ReprintQuestion():
            return None
        case _:
            raise ValueError(f"{type(question).__name__} is not in this protocol")


def product_of(session: OpenSession, meter: MeterDetail, settings: KazangSettings) -> Product:
    """What sells for this meter. Raises NoProductError."""
    product = session.product(meter.utility_type, settings)
    if product is None:
        raise NoProductError(meter.utility_type)
    return product


def confirm_method(product: Product, settings: KazangSettings) -> str:
    """The method that confirms what `product`'s own method has quoted."""
    method = product.method_name
    return settings.confirm_methods.get(method, f"{method}Confirm")


def buy(reference: str, meter: MeterDetail, cents: int) -> Buy:
    return Buy(
        session_uuid=UNFILLED,
        product_id=UNFILLED,
        request_reference=reference,
        meter_number=meter.number,
        amount=str(cents),
    )


def confirm(handle: Handle, vend_reference: str) -> Confirm:
    return Confirm(
        session_uuid=UNFILLED,
        product_id=handle.product_id,
        request_reference=confirm_reference(vend_reference),
        confirmation_number=handle.confirmation_number,
    )


def confirm_reference(vend_reference: str) -> str:
    return f"{vend_reference}C"


def reprint(
    reference: str, meter: MeterDetail, *, handle: Handle | None = None, receipt: str | None = None
) -> Reprint:
    return Reprint(
        session_uuid=UNFILLED,
        product_id=UNFILLED if handle is None else handle.product_id,
        request_reference=reference,
        meter_number=meter.number,
        confirmation_number=None if handle is None else handle.confirmation_number,
        receipt_number=receipt,
    )


def _buying(utility_type: UtilityType, settings: KazangSettings) -> str:
    method = settings.methods.get(utility_type)
    if method is None:
        raise ValueError(f"no method is configured that buys {utility_type.value}")
    return method
