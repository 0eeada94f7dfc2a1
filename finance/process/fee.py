"""What a process's party pays us, or we pay it, for a sale: rules by date, in cents and percent."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from domain.sale import UtilityType

PERCENT_MAX = 100
CENTS_MAX = 10**12
"""Ten thousand million in the currency's main unit: more is a slip of the hand."""


class Tier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For the part of the amount up to `up_to_cents` (None: without end) that lower tiers leave:
    `percent` of that part, and `flat_cents` where there is such a part."""

    up_to_cents: int | None = None
    percent: Decimal = Decimal(0)
    flat_cents: int = 0


class Fee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A commission on each sale: `percent` of the principal plus `flat_cents`, or by `tiers`; never
    below `min_cents` nor above `cap_cents`. Rounded half up, once, per sale.

    It holds for business dates from `since` to before `until`, for `utility_type` and `receiver`
    (the municipality or utility; in any case) where they are named; the rule that names most wins,
    then the one with the latest `since`, then the first in the settings. `vat_inclusive`: the
    commission contains its VAT of `vat_percent`; otherwise VAT is added to it. 15 % is South
    Africa's standard rate (VAT Act 89 of 1991, s. 7, as amended from 1 April 2018)."""

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


def check_fees(fees: Sequence[Fee]) -> None:
    """Raises ValueError, naming the rule, for one that is well formed and can't be meant."""
    names: set[str] = set()
    for fee in fees:
        reason = _wrong(fee)
        if not fee.name or fee.name in names:
            reason = "a name of its own is needed"
        if reason:
            raise ValueError(f"fee {fee.name!r}: {reason}")
        names.add(fee.name)


def _wrong(fee: Fee) -> str:
    """What is wrong with a rule; "" for nothing."""
    parts = (fee, *fee.tiers)
    numbers = [fee.vat_percent, *(part.percent for part in parts)]
    if not all(number.is_finite() and 0 <= number <= PERCENT_MAX for number in numbers):
        return f"a percentage is from 0 to {PERCENT_MAX}"
    cents = [fee.min_cents, fee.cap_cents or 0, *(part.flat_cents for part in parts)]
    if not all(0 <= number <= CENTS_MAX for number in cents):
        return f"cents are from 0 to {CENTS_MAX}"
    if fee.cap_cents is not None and fee.cap_cents < fee.min_cents:
        return "cap_cents is below min_cents"
    if fee.until is not None and fee.until <= fee.since:
        return "until is not after since"
    if fee.tiers and (fee.percent or fee.flat_cents):
        return "it has tiers, so percent and flat_cents belong into them"
    return _wrong_tiers(fee.tiers)


def _wrong_tiers(tiers: Sequence[Tier]) -> str:
    bounds = [tier.up_to_cents for tier in tiers]
    if tiers and bounds[-1] is not None:
        return "the last tier has no up_to_cents, or larger sales would go without"
    lower = 0
    for bound in bounds[:-1]:
        if bound is None or bound <= lower:
            return "up_to_cents has to rise from tier to tier"
        lower = bound
    return ""
