"""The messages of AEON, as far as this switch speaks them.

Modelled on publicly visible clients: the four requests are HIGH. Of the answers' `data` only some
names are public (TransRef, Reference, Reprint, Meter, Utility, VatNo, TariffName, CustMsg,
BSSTTokens/BSSTToken and the four of an error); every field marked "assumed" has a name of our own
on the wire. Money is integer cents, units Decimal, times UTC.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from domain.sale import TariffStep

VERSION = "2.1"
NO_ERROR = "0"

REFERENCE_CHARACTERS_MAX = 64
"""A longer session id, TransRef or Reference is unreadable: they go into the ledger."""


class EventType(StrEnum):
    """What a message is about; an answer names the event that it answers."""

    CONFIRM_METER = "ConfirmMeter"
    GET_VOUCHER = "GetVoucher"
    SOLD_VOUCHER = "SoldVoucher"
    REPRINT = "Reprint"


class VoucherKind(StrEnum):
    """`Type` of GetVoucher."""

    NORMAL = ""
    FREE = "FBE"


class Device(msgspec.Struct, frozen=True):
    """Who asks: every socket's first message carries it."""

    id: str
    serial: str
    pin: str

    def __repr__(self) -> str:
        return f"Device(id={self.id!r}, serial={self.serial!r})"


class ConfirmMeter(msgspec.Struct, frozen=True):
    """Opens a session: who is behind the meter, and may `cents` be sold? 0 asks for no sale, or for
    free units alone."""

    device: Device
    meter: str
    cents: int
    reference: str


class GetVoucher(msgspec.Struct, frozen=True):
    """Sells what the ConfirmMeter of this session, whose TransRef it names, asked for."""

    session: str
    trans_ref: str
    reference: str
    kind: VoucherKind = VoucherKind.NORMAL


class SoldVoucher(msgspec.Struct, frozen=True):
    """Confirms the sale `trans_ref`, sold under `reference`."""

    device: Device
    trans_ref: str
    reference: str


class Reprint(msgspec.Struct, frozen=True):
    """Shows an earlier sale of the meter: by our reference, else by the provider's, else (assumed)
    the last one."""

    session: str
    meter: str
    original_reference: str = ""
    trans_ref: str = ""


Request = ConfirmMeter | GetVoucher | SoldVoucher | Reprint


class AeonError(msgspec.Struct, frozen=True, kw_only=True):
    """EventCode other than 0, with AEON's pair of codes and texts."""

    event_code: str
    error_code: str = ""
    error_text: str = ""
    aeon_code: str = ""
    aeon_text: str = ""

    @property
    def code(self) -> str:
        """Both codes, e.g. "3/103"; EventCode stands in for a missing ErrorCode."""
        return "/".join(filter(None, (self.error_code or self.event_code, self.aeon_code)))

    @property
    def text(self) -> str:
        return self.aeon_text or self.error_text


class WireMeter(msgspec.Struct, frozen=True, kw_only=True):
    """`Meter`. The names of its parts are assumed. `online`: credited over the air, so its tokens
    may come without digits."""

    number: str
    supply_group_code: str | None = None
    key_revision: str | None = None
    tariff_index: str | None = None
    token_technology: str | None = None
    algorithm: str | None = None
    online: bool = False


class WireCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """`Customer` (assumed)."""

    name: str | None = None
    address: str | None = None
    account: str | None = None


class WireUtility(msgspec.Struct, frozen=True, kw_only=True):
    """`Utility` and `VatNo`; address and message are assumed."""

    name: str | None = None
    vat_number: str | None = None
    address: str | None = None
    message: str | None = None


class WireToken(msgspec.Struct, frozen=True, kw_only=True):
    """`StdToken`, `BSSTToken`, `RefundToken` or `PowerLimitToken`; the parts' names are assumed.
    `cents` excludes tax."""

    digits: str
    units: Decimal
    cents: int = 0
    tax_cents: int = 0
    receipt: str | None = None
    description: str | None = None
    steps: tuple[TariffStep, ...] = ()


class WireDebt(msgspec.Struct, frozen=True, kw_only=True):
    """`Debts/Debt` (assumed)."""

    description: str
    cents: int
    tax_cents: int
    balance_cents: int
    receipt: str | None = None


class WireCharge(msgspec.Struct, frozen=True, kw_only=True):
    """`Charges/Charge` (assumed)."""

    description: str
    cents: int
    tax_cents: int
    receipt: str | None = None


class WireKeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """`KeyChangeTokens` (assumed): the new parameters and the tokens, in the order of entry."""

    supply_group_code: str | None = None
    key_revision: str | None = None
    tariff_index: str | None = None
    tokens: tuple[str, ...] = ()


class ConfirmedMeter(msgspec.Struct, frozen=True, kw_only=True):
    """The meter is known. TransRef is public; everything else is assumed and optional."""

    trans_ref: str
    reference: str | None = None
    meter: WireMeter | None = None
    customer: WireCustomer = WireCustomer()
    utility: WireUtility = WireUtility()
    min_cents: int | None = None
    max_cents: int | None = None
    arrears_cents: int | None = None
    free_due: bool | None = None


class Voucher(msgspec.Struct, frozen=True, kw_only=True):
    """A sale, new or reprinted. Sum of (cents + tax) over tokens, debts and charges = tendered."""

    trans_ref: str
    reference: str
    reprint: bool = False
    at: datetime | None = None
    meter: WireMeter | None = None
    customer: WireCustomer = WireCustomer()
    utility: WireUtility = WireUtility()
    tariff: str | None = None
    key_change: WireKeyChange | None = None
    standard: tuple[WireToken, ...] = ()
    refunds: tuple[WireToken, ...] = ()
    free: tuple[WireToken, ...] = ()
    limits: tuple[WireToken, ...] = ()
    debts: tuple[WireDebt, ...] = ()
    charges: tuple[WireCharge, ...] = ()
    message: str | None = None


class Acknowledged(msgspec.Struct, frozen=True):
    """SoldVoucher was taken."""

    reference: str | None = None


Data = ConfirmedMeter | Voucher | Acknowledged


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """`session` is there once the device was accepted, refusals of the meter included."""

    event: EventType
    body: Data | AeonError
    session: str | None = None
