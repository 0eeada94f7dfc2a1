"""From a question to the EasyPay requests that ask it.

The reference of a sale is the switch's number, twelve digits; authorisation, vend and notification
of one sale all carry it, and its EchoData with it. Questions about a sale have an EchoData of their
own."""

from datetime import datetime

import msgspec

from domain.exchange import (
    ConfirmQuestion,
    LookupQuestion,
    Original,
    Question,
    RecoverQuestion,
    ReprintQuestion,
    VendQuestion,
)
from domain.sale import MeterDetail, UtilityType
from providers.config import Credentials
from providers.json_exchange import JsonRequest
from providers.protocols.easypay import encode
from providers.protocols.easypay.messages import (
    AUTHORISATION,
    INFO,
    NOTIFICATION,
    REPRINT,
    VEND,
    VEND_STATUS,
    InfoRequest,
    Payment,
    ReprintRequest,
    Request,
    StatusRequest,
)
from providers.protocols.easypay.number import EasyPayNumber
from providers.protocols.numbers import SOUTH_AFRICA
from providers.protocols.safe_json import whole_cents

MERCHANT_ID_MAX = 15
TERMINAL_ID_MAX = 8
REFERENCES = 10**12


class Merchant(msgspec.Struct, frozen=True):
    """Who asks, and the receiver id for each kind of utility. Raises ValueError for what the
    messages have no room for."""

    merchant_id: str
    terminal_id: str
    receivers: dict[UtilityType, str]

    def __post_init__(self) -> None:
        if not 1 <= len(self.merchant_id) <= MERCHANT_ID_MAX:
            raise ValueError(f"an EasyPay merchant id has 1 to {MERCHANT_ID_MAX} characters")
        if not 1 <= len(self.terminal_id) <= TERMINAL_ID_MAX:
            raise ValueError(f"an EasyPay terminal id has 1 to {TERMINAL_ID_MAX} characters")
        for receiver in self.receivers.values():
            EasyPayNumber(receiver, "0")

    @classmethod
    def of(cls, credentials: Credentials, receivers: dict[UtilityType, str]) -> "Merchant":
        """Raises ValueError."""
        return cls(credentials.client, credentials.terminal, receivers)

    def number(self, meter: MeterDetail) -> EasyPayNumber:
        """Raises ValueError for a meter number that is no account, or a kind of utility that this
        merchant sells not."""
        receiver = self.receivers.get(meter.utility_type)
        if receiver is None:
            raise ValueError(f"no EasyPay receiver id for {meter.utility_type.value.lower()}")
        return EasyPayNumber(receiver, meter.number)


class Written(msgspec.Struct, frozen=True):
    """A request to `path`, and how its answer is known."""

    path: str
    message: Request

    @property
    def http(self) -> JsonRequest:
        return JsonRequest("POST", self.path, encode(self.message))


def reference_of(number: int) -> str:
    """The reference of question `number`."""
    return f"{number % REFERENCES:012d}"


def first_request(merchant: Merchant, question: Question, number: int, at: datetime) -> Written:
    """What goes out first. Raises ValueError when EasyPay has no such question."""
    reference = reference_of(number)
    match question:
        case LookupQuestion(meter=meter):
            return Written(INFO, InfoRequest(**_asking(merchant, meter, reference, number, at)))
        case VendQuestion(meter=meter):
            asking = _asking(merchant, meter, reference, number, at)
            cents = whole_cents(question.amount.cents)
            payment = Payment(**asking, amount=cents, payment_date=_date(at), free_units=cents == 0)
            return Written(AUTHORISATION, payment)
        case RecoverQuestion(meter=meter, original=original):
            asking = _asking(merchant, meter, original.reference, number, at)
            return Written(VEND_STATUS, StatusRequest(**asking))
        case ConfirmQuestion(meter=meter, original=original):
            return Written(NOTIFICATION, _notification(merchant, meter, original))
        case ReprintQuestion(meter=meter, original=original, receipt=receipt):
            asking = _asking(merchant, meter, reference, number, at)
            ours = None if original is None else original.reference
            message = ReprintRequest(
                **asking,
                original_reference=ours,
                receipt_number=receipt if ours is None else None,
            )
            return Written(REPRINT, message)
        case _:
            raise ValueError(f"{type(question).__name__} is not in this protocol")


def vend_request(authorised: Payment) -> Written:
    """The step that sells what was authorised."""
    return Written(VEND, authorised)


def _notification(merchant: Merchant, meter: MeterDetail, original: Original) -> Payment:
    if original.handle is None:
        raise ValueError("a payment is notified with its EchoData, and this sale has none")
    return Payment(
        easy_pay_number=str(merchant.number(meter)),
        account_number=meter.number,
        echo_data=original.handle,
        merchant_id=merchant.merchant_id,
        terminal_id=merchant.terminal_id,
        reference=original.reference,
        amount=original.amount.cents,
        payment_date=_date(original.asked_at),
        free_units=original.amount.cents == 0,
    )


def _asking(
    merchant: Merchant, meter: MeterDetail, reference: str, number: int, at: datetime
) -> dict[str, str]:
    """The members that every request has. The layout of EchoData is the public example's."""
    account = str(merchant.number(meter))
    local = at.astimezone(SOUTH_AFRICA)
    echo = (
        merchant.merchant_id,
        merchant.terminal_id,
        f"{local:%Y%m%d}",
        f"{local:%H%M%S}",
        str(number),
        account,
    )
    return {
        "easy_pay_number": account,
        "account_number": meter.number,
        "echo_data": "|".join(echo),
        "merchant_id": merchant.merchant_id,
        "terminal_id": merchant.terminal_id,
        "reference": reference,
    }


def _date(at: datetime) -> str:
    return f"{at.astimezone(SOUTH_AFRICA):%Y-%m-%d %H:%M:%S}"
