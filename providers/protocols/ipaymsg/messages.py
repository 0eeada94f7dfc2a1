"""The messages of ipayMsg/elecMsg, as far as this switch speaks them.

Modelled on publicly visible clients of the "Merchant to iPay Interface" (confidence HIGH unless a
field says "assumed"). Names follow the wire's, spelled out; money is integer cents, units Decimal,
times UTC. One struct serves both directions: an adapter writes requests and reads answers, a
simulator the reverse.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from providers.protocols.ipaymsg.sale import Result, VendRes, WireMeter
from providers.protocols.ipaymsg.services import (
    FaultReportReq,
    FaultReportRes,
    KeyChangeAdvReq,
    KeyChangeAdvRes,
    KeyChangeReq,
    KeyChangeRes,
    TrialVendReq,
    TrialVendRes,
)


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
    | TrialVendReq
    | TrialVendRes
    | KeyChangeReq
    | KeyChangeRes
    | KeyChangeAdvReq
    | KeyChangeAdvRes
    | FaultReportReq
    | FaultReportRes
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
