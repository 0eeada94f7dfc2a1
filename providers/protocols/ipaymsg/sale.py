"""What ipayMsg answers are made of: the result, the meter, and the sale with its parts.

Money is integer cents, units Decimal, times UTC."""

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
