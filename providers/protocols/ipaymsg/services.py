"""The messages of ipayMsg beyond selling: trial, key change, fault report.

Trial and key change are modelled on publicly visible clients (confidence MED: their fields are
seen, not every spelling). That a trial's tokens carry zeros, `advRequired` as an attribute, the two
token references as elements, and a key change without new parameters are assumed. The fault report
is assumed altogether: no public message exists, so this one only follows the protocol's style."""

from datetime import datetime
from decimal import Decimal

import msgspec

from providers.protocols.ipaymsg.sale import (
    Result,
    VendRes,
    WireKeyChange,
    WireMeter,
    WireUtility,
)


class TrialVendReq(msgspec.Struct, frozen=True, kw_only=True):
    """What would `amount_cents` buy? `summary_only` asks for totals instead of tokens."""

    ref: str
    amount_cents: int
    meter: WireMeter
    pay_type: str = "cash"
    token_count: int = 1
    summary_only: bool = False
    pos_ref: str | None = None


class WireSummary(msgspec.Struct, frozen=True, kw_only=True):
    """`summary`: totals; `other` is what goes to debts and charges."""

    total_cents: int
    tax_cents: int
    standard_cents: int
    standard_tax_cents: int
    other_cents: int
    other_tax_cents: int
    standard_units: Decimal
    free_units: Decimal


class TrialVendRes(msgspec.Struct, frozen=True, kw_only=True):
    """`vend` is the sale that would be, under the same reference; its tokens carry zeros, or no
    digits."""

    ref: str
    result: Result
    vend: VendRes | None = None
    summary: WireSummary | None = None


class KeyChangeReq(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that take the meter to the new parameters; without them (assumed) to those that the
    provider has on record."""

    ref: str
    meter: WireMeter
    new_supply_group_code: str | None = None
    new_tariff_index: str | None = None
    new_key_revision: str | None = None


class KeyChangeRes(msgspec.Struct, frozen=True, kw_only=True):
    """`advice_required`: keyChangeAdvReq is to follow, naming both token references."""

    ref: str
    result: Result
    meter: WireMeter | None = None
    utility: WireUtility | None = None
    key_change: WireKeyChange | None = None
    advice_required: bool = False
    token_ref: str | None = None
    key_change_token_ref: str | None = None
    customer_message: str | None = None


class KeyChangeAdvReq(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of key change `original_ref` were handed over. `advice_data` is
    "meterEngTokenRef:…,kctMeterEngTokenRef:…,meterType:STSMeter,msno:…"."""

    ref: str
    original_ref: str
    advice_data: str


class KeyChangeAdvRes(msgspec.Struct, frozen=True):
    """Whether that was taken."""

    ref: str
    result: Result


class FaultReportReq(msgspec.Struct, frozen=True, kw_only=True):
    """Log a fault of the meter (assumed). `fault_type` is one of the kinds that public models
    list, e.g. "MeterDead"; `contact` a telephone number."""

    ref: str
    meter: str
    fault_type: str
    contact: str
    description: str = ""
    customer: str | None = None
    address: str | None = None
    reported_at: datetime | None = None


class FaultReportRes(msgspec.Struct, frozen=True, kw_only=True):
    """The number under which it was logged (assumed)."""

    ref: str
    result: Result
    fault_ref: str | None = None
    description: str | None = None
