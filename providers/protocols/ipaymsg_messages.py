"""The messages of ipayMsg/elecMsg, as far as this switch speaks them.

Modelled on publicly visible clients of the "Merchant to iPay Interface" (confidence HIGH unless a
field says "assumed"). Names follow the wire's, spelled out; money is integer cents, units Decimal,
times UTC. One struct serves both directions: an adapter writes requests and reads answers, a
simulator the reverse.
"""

from datetime import datetime
from decimal import Decimal

import msgspec


class Result(msgspec.Struct, frozen=True):
    """`res`: the code ("elec000" is OK), its text, and the supplier's own code."""

    code: str
    text: str = ""
    supplier_code: str | None = None


class WireMeter(msgspec.Struct, frozen=True):
    """`meter`: its number and, where known, the STS parameters and the card's track 2."""

    number: str
    supply_group_code: str | None = None
    token_technology: str | None = None
    algorithm: str | None = None
    tariff_index: str | None = None
    key_revision: str | None = None
    track2: str | None = None


class CustInfoReq(msgspec.Struct, frozen=True):
    """Who is behind this meter?"""

    ref: str
    meter: str
    pos_ref: str | None = None


class CustInfoRes(msgspec.Struct, frozen=True, kw_only=True):
    """`customer` and `contract`; address lines are separated by a newline."""

    ref: str
    result: Result
    name: str | None = None
    utility: str | None = None
    address: str | None = None
    agreement: str | None = None
    location: str | None = None
    meter_kind: str | None = None
    meter: WireMeter | None = None
    days_last_vend: int | None = None


class VendReq(msgspec.Struct, frozen=True, kw_only=True):
    """Sell for `amount_cents`; 0 asks for the free token alone (assumed). `use_advice` asks for
    confirmation advices to be expected."""

    ref: str
    amount_cents: int
    meter: WireMeter
    pay_type: str = "cash"
    token_count: int = 1
    units: Decimal | None = None
    use_advice: bool = False
    pos_ref: str | None = None


class WireToken(msgspec.Struct, frozen=True, kw_only=True):
    """`stdToken` or `bsstToken`; 20 zeros mean the meter is credited over the air. `cents`
    excludes tax."""

    digits: str
    units: Decimal
    cents: int
    tax_cents: int
    tariff: str | None = None
    description: str | None = None
    units_type: str | None = None
    receipt: str | None = None
    message: str | None = None
    expires: str | None = None
    free_since: str | None = None


class WireDebt(msgspec.Struct, frozen=True, kw_only=True):
    """`debt`: a part that paid off debt; `remaining_cents` is still owed."""

    text: str
    cents: int
    tax_cents: int
    remaining_cents: int
    receipt: str | None = None
    description: str | None = None


class WireCharge(msgspec.Struct, frozen=True, kw_only=True):
    """`fixed`: a fixed or service charge."""

    text: str
    cents: int
    tax_cents: int
    receipt: str | None = None


class WireKeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """`keyChangeToken`: two to four codes of 20 digits, to be entered in this order."""

    old_supply_group_code: str | None = None
    old_tariff_index: str | None = None
    old_key_revision: str | None = None
    new_supply_group_code: str | None = None
    new_tariff_index: str | None = None
    new_key_revision: str | None = None
    codes: tuple[str, ...] = ()


class WireUtility(msgspec.Struct, frozen=True):
    """`util`: who the slip names; `tax_ref` is the VAT number, `distributor` an EAN-13."""

    name: str
    address: str | None = None
    tax_ref: str | None = None
    distributor: str | None = None


class VendRes(msgspec.Struct, frozen=True, kw_only=True):
    """The sale. Sum of (cents + tax) over tokens, debts and charges = tendered."""

    ref: str
    result: Result
    meter: WireMeter | None = None
    days_last_vend: int | None = None
    resource: str | None = None
    transaction_date: datetime | None = None
    utility: WireUtility | None = None
    tariff: str | None = None
    standard: tuple[WireToken, ...] = ()
    free: tuple[WireToken, ...] = ()
    debts: tuple[WireDebt, ...] = ()
    charges: tuple[WireCharge, ...] = ()
    key_change: WireKeyChange | None = None
    retailer_message: str | None = None
    customer_message: str | None = None
    marketing_message: str | None = None
    invoice_message: str | None = None


class VendLastReq(msgspec.Struct, frozen=True):
    """What was the last vend of this meter ("lost slip")?"""

    ref: str
    meter: str
    previous_ref: str | None = None
    pos_ref: str | None = None


class VendLastRes(msgspec.Struct, frozen=True):
    """`vend` carries the reference of the vend that it answers, not of this question."""

    ref: str
    result: Result
    vend: VendRes | None = None


class VendRevReq(msgspec.Struct, frozen=True, kw_only=True):
    """Take back the vend `original_ref`. The first carries neither `repeat` nor `first_at`; each
    repeat carries its count and the time of the first."""

    ref: str
    original_ref: str
    repeat: int | None = None
    first_at: datetime | None = None


class VendRevRes(msgspec.Struct, frozen=True):
    """elec004 embeds the vend that stands."""

    ref: str
    result: Result
    vend: VendRes | None = None


class VendAdvReq(msgspec.Struct, frozen=True, kw_only=True):
    """Confirm the vend `original_ref`, made at `vended_at`."""

    ref: str
    original_ref: str
    vended_at: datetime
    pay_type: str = "cash"
    pos_ref: str | None = None
    repeat: int | None = None
    first_at: datetime | None = None


class VendAdvRes(msgspec.Struct, frozen=True):
    """Whether the confirmation was taken."""

    ref: str
    result: Result


class ReprintManyReq(msgspec.Struct, frozen=True, kw_only=True):
    """The vends of a meter between two days (version 2.6a)."""

    ref: str
    meter: str
    since: datetime
    until: datetime


class ReprintManyRes(msgspec.Struct, frozen=True):
    """Earlier vends, each with its own reference."""

    ref: str
    result: Result
    vends: tuple[VendRes, ...] = ()


Body = (
    CustInfoReq
    | CustInfoRes
    | VendReq
    | VendRes
    | VendLastReq
    | VendLastRes
    | VendRevReq
    | VendRevRes
    | VendAdvReq
    | VendAdvRes
    | ReprintManyReq
    | ReprintManyRes
)

VERSION = "2.44"
REPRINT_VERSION = "2.6a"
"""The version that first had reprintManyReq."""


class IpayMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope. `sequence` is echoed by the answer; `client` names the merchant, `terminal` the
    till; `float_effect_cents` (answers only) is what the message did to the merchant's float."""

    client: str
    terminal: str
    sequence: str
    at: datetime | None
    body: Body
    version: str = VERSION
    float_effect_cents: int | None = None
    terminal_authentication: str | None = None
