"""EasyPay's messages as values, and as the JSON members that they are on the wire.

`infoRequest`, `authorisationRequest` and `paymentNotification` with all their members are modelled
on the publicly visible Bill-Payment Receiver V5, where EasyPay is the client and a biller the
server. Here EasyPay is the server, which is **assumed**; so is everything about electricity:
`vend`, `vendStatus`, `reprint`, tokens, debts, charges, the meter's data, the names inside
`fields`, and every response code above 5. Amounts are cents."""

from decimal import Decimal

import msgspec
from msgspec import field

from providers.protocols.assumed_sale import Cost, Debt, Step
from providers.protocols.safe_json import Cents, TokenDigits, exact

OK = 0
NO_SUCH_REFERENCE = 4
"""V5's "unknown key"; on a vendStatus or reprint it is taken for "no such sale"."""
ALREADY_PAID = 5

INFO = "/infoRequest"
AUTHORISATION = "/authorisationRequest"
NOTIFICATION = "/paymentNotification"
VEND = "/vend"
VEND_STATUS = "/vendStatus"
REPRINT = "/reprint"


class Asking(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """What every request carries. `echo_data` comes back unchanged; `merchant_id` has up to 15
    characters, `terminal_id` up to 8."""

    easy_pay_number: str
    account_number: str
    echo_data: str
    merchant_id: str
    terminal_id: str
    reference: str


class InfoRequest(Asking, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Who is behind this number, and what may be paid?"""


class Payment(Asking, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """The body of `authorisationRequest`, of `vend` and of `paymentNotification`. `payment_date` is
    South African, "yyyy-MM-dd HH:mm:ss". `free_units` (assumed): only the free units that are due,
    with an amount of 0."""

    amount: Cents
    payment_date: str
    free_units: bool = False


class StatusRequest(Asking, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Assumed. What became of the vend of `reference`? Asking sells nothing."""


class ReprintRequest(Asking, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Assumed. The sale of `original_reference`, else of `receipt_number`, else the meter's last
    one."""

    original_reference: str | None = None
    receipt_number: str | None = None


Request = InfoRequest | Payment | StatusRequest | ReprintRequest


class InfoAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may be paid, and whose it is: `fields` is the public free map, its names are assumed."""

    response_code: int = field(name="ResponseCode")
    echo_data: str = field(name="echoData")
    response_message: str = field(name="ResponseMessage", default="")
    correct_amount: Cents | None = field(name="correctAmount", default=None)
    min_amount: Cents | None = field(name="minAmount", default=None)
    max_amount: Cents | None = field(name="maxAmount", default=None)
    expiry_date: str | None = field(name="expiryDate", default=None)
    fields: dict[str, str] = {}


class AuthorisationAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether `amount` may be paid, until `expiry_date`. Nothing is paid by it."""

    response_code: int = field(name="ResponseCode")
    echo_data: str = field(name="echoData")
    response_message: str = field(name="ResponseMessage", default="")
    amount: Cents | None = field(name="Amount", default=None)
    expiry_date: str | None = field(name="expiryDate", default=None)


class NotificationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt and no more: a notification can't be declined."""

    echo_data: str = field(name="EchoData")


class WireToken(Cost, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Assumed. `type` is one of KINDS; `digits` are absent where the meter got the token by
    itself."""

    type: str
    digits: TokenDigits | None = None
    units: Decimal = Decimal(0)
    tariff: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        exact(self.units, "units")


class WireMeter(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Assumed. The meter's STS parameters; the `new_` ones with key-change tokens."""

    number: str
    supply_group_code: str | None = None
    key_revision: str | None = None
    tariff_index: str | None = None
    token_technology: str | None = None
    algorithm: str | None = None
    online: bool = False
    new_supply_group_code: str | None = None
    new_key_revision: str | None = None
    new_tariff_index: str | None = None


class VendAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Assumed. What was sold, or why nothing was."""

    response_code: int
    reference: str
    echo_data: str
    response_message: str = ""
    receipt_number: str | None = None
    amount: Cents = 0
    payment_date: str | None = None
    tokens: tuple[WireToken, ...] = field(name="tokens", default=())
    debts: tuple[Debt, ...] = field(name="debts", default=())
    charges: tuple[Cost, ...] = field(name="charges", default=())
    meter: WireMeter | None = field(name="meter", default=None)
    fields: dict[str, str] = field(name="fields", default={})
    message: str | None = field(name="message", default=None)


class StatusAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Assumed. `vend` is the answer that the sale had, refusals included, under its own reference
    and EchoData; `response_code` is about finding it."""

    response_code: int
    echo_data: str
    response_message: str = ""
    vend: VendAnswer | None = field(name="vend", default=None)


Answer = InfoAnswer | AuthorisationAnswer | NotificationAnswer | VendAnswer | StatusAnswer
