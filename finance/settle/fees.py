"""Commission and VAT of one sale, by the fee rules of a process: the definition.

finance/settle/charges.py computes the same for a whole frame.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import floor
from typing import NamedTuple

from finance.process.fee import Fee


class Charge(NamedTuple):
    """Both in cents; `commission_cents` is without VAT."""

    commission_cents: int
    vat_cents: int


NO_CHARGE = Charge(0, 0)


def rule_for(
    fees: Sequence[Fee], day: date, utility_type: str | None, receiver: str | None
) -> int | None:
    """Which of `fees` holds for a sale of that business date; None: no rule does."""
    holding = [
        (-_named(fee), -fee.since.toordinal(), number)
        for number, fee in enumerate(fees)
        if _holds(fee, day, utility_type, receiver)
    ]
    return min(holding)[2] if holding else None


def _holds(fee: Fee, day: date, utility_type: str | None, receiver: str | None) -> bool:
    return (
        fee.since <= day
        and (fee.until is None or day < fee.until)
        and (fee.utility_type is None or fee.utility_type.value == utility_type)
        and (fee.receiver is None or _plain(fee.receiver) == _plain(receiver or ""))
    )


def _named(fee: Fee) -> int:
    return (fee.utility_type is not None) + (fee.receiver is not None)


def _plain(receiver: str) -> str:
    return receiver.strip().casefold()


def charge(fee: Fee, principal_cents: int) -> Charge:
    """What `fee` takes from a sale of `principal_cents` (0 or more). The commission is rounded half
    up once, after minimum and cap; its VAT once, from the rounded commission."""
    exact = max(_of(fee, principal_cents), Fraction(fee.min_cents))
    if fee.cap_cents is not None:
        exact = min(exact, Fraction(fee.cap_cents))
    taken, rate = half_up(exact), Fraction(fee.vat_percent)
    if not fee.vat_inclusive:
        return Charge(taken, half_up(taken * rate / 100))
    vat = half_up(taken * rate / (100 + rate))
    return Charge(taken - vat, vat)


def _of(fee: Fee, principal_cents: int) -> Fraction:
    """Before minimum, cap and rounding."""
    if not fee.tiers:
        return principal_cents * Fraction(fee.percent) / 100 + fee.flat_cents
    total, lower = Fraction(0), 0
    for tier in fee.tiers:
        upper = principal_cents if tier.up_to_cents is None else tier.up_to_cents
        part = min(principal_cents, upper) - lower
        if part <= 0:
            break
        total += part * Fraction(tier.percent) / 100 + tier.flat_cents
        lower = upper
    return total


def half_up(exact: Fraction) -> int:
    """The nearest whole number; of two, the larger."""
    return floor(exact + Fraction(1, 2))
