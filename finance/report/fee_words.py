"""The arithmetic of one sale's commission, step by step, for who checks it by hand.

The definition is finance/settle/fees.py; this says in words what that computes, and compares.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from finance.process.fee import Fee, Tier
from finance.report.page_text import amount
from finance.settle.fees import charge

_HUNDRED = Decimal(100)


def fee_steps(fee: Fee, principal_cents: int) -> list[str]:
    """How commission and VAT of a sale of `principal_cents` (negative: of its reversal) come about
    by `fee`; amounts in rand."""
    cents = abs(principal_cents)
    charged = charge(fee, cents)
    taken = charged.commission_cents + (charged.vat_cents if fee.vat_inclusive else 0)
    steps = [*_before_limits(fee, cents)]
    if fee.min_cents:
        steps.append(f"at least {amount(fee.min_cents)}")
    if fee.cap_cents is not None:
        steps.append(f"at most {amount(fee.cap_cents)}")
    steps.append(f"rounded half up to {amount(taken)}")
    rate = _percent(fee.vat_percent)
    if fee.vat_inclusive:
        steps.append(
            f"of which VAT at {rate} is {amount(taken)} * {fee.vat_percent} /"
            f" {_HUNDRED + fee.vat_percent}, rounded half up {amount(charged.vat_cents)};"
            f" the commission without it {amount(charged.commission_cents)}"
        )
    else:
        exact = _rand(Fraction(fee.vat_percent) * taken / 100)
        steps.append(
            f"VAT at {rate} of {amount(taken)} is {exact},"
            f" rounded half up {amount(charged.vat_cents)}"
        )
    if principal_cents < 0:
        steps.append("a reversal: both are given back")
    return steps


def fee_agrees(
    fee: Fee, principal_cents: int, commission_cents: int, commission_vat_cents: int
) -> bool:
    """Whether the rule gives just these amounts; for a reversal, the same with the other sign. A
    principal of 0 (a free token, and its reversal) does not say which it is."""
    charged = charge(fee, abs(principal_cents))
    signs = (1,) if principal_cents > 0 else (-1,) if principal_cents < 0 else (1, -1)
    worked_out = [(sign * charged.commission_cents, sign * charged.vat_cents) for sign in signs]
    return (commission_cents, commission_vat_cents) in worked_out


def _before_limits(fee: Fee, cents: int) -> Iterator[str]:
    if fee.tiers:
        yield from _tiers(fee.tiers, cents)
        return
    exact = _rand(Fraction(fee.percent) * cents / 100)
    yield f"{_percent(fee.percent)} of {amount(cents)} is {exact}"
    if fee.flat_cents:
        yield f"and {amount(fee.flat_cents)} for each sale"


def _tiers(tiers: tuple[Tier, ...], cents: int) -> Iterator[str]:
    lower = 0
    for tier in tiers:
        upper = cents if tier.up_to_cents is None else tier.up_to_cents
        part = min(cents, upper) - lower
        if part <= 0:
            return
        exact = _rand(Fraction(tier.percent) * part / 100)
        flat = f" and {amount(tier.flat_cents)}" if tier.flat_cents else ""
        yield (
            f"of the part from {amount(lower)} to {amount(lower + part)}:"
            f" {_percent(tier.percent)} of {amount(part)} is {exact}{flat}"
        )
        lower = upper


def _percent(rate: Decimal) -> str:
    return f"{rate.normalize():f} %"


def _rand(cents: Fraction) -> str:
    """Cents as rand, exact: rates are decimals, so their products end."""
    numerator = Decimal(cents.numerator)
    exact = numerator / Decimal(cents.denominator) / _HUNDRED
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
