"""What a process's party pays us, or we pay it, for a sale: rules by date, in cents and percent."""

from datetime import date
from decimal import Decimal

import msgspec

from domain.sale import UtilityType


class Tier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For the part of the amount up to `up_to_cents` (None: without end) that lower tiers leave."""

    up_to_cents: int | None = None
    percent: Decimal = Decimal(0)
    flat_cents: int = 0


class Fee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A commission on each sale: `percent` of the principal plus `flat_cents`, or by `tiers`; never
    below `min_cents` nor above `cap_cents`. Rounded half up, once, per sale.

    It holds for business dates from `since` to before `until`, for `utility_type` and `receiver`
    (the municipality or utility) where they are named; the rule that names most wins, then the one
    with the latest `since`. `vat_inclusive`: the commission contains its VAT of `vat_percent`;
    otherwise VAT is added to it. 15 % is South Africa's standard rate (VAT Act 89 of 1991, s. 7,
    as amended from 1 April 2018)."""

    name: str
    since: date
    until: date | None = None
    utility_type: UtilityType | None = None
    receiver: str | None = None
    percent: Decimal = Decimal(0)
    flat_cents: int = 0
    tiers: tuple[Tier, ...] = ()
    min_cents: int = 0
    cap_cents: int | None = None
    vat_percent: Decimal = Decimal(15)
    vat_inclusive: bool = False
