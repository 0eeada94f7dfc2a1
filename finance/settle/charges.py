"""Commission and VAT of a whole frame of sales: finance/settle/fees.py in whole numbers of 64 bits.

A rule is a straight line (a tier, one for each tier): principal * slope + start, over a common
denominator. Where the largest principal of a frame could take a product beyond 64 bits, the frame's
sales under that rule go through the definition one by one.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finance.process.fee import Fee
from finance.settle.fees import charge, rule_for

Cents = NDArray[np.int64]
Numbers = NDArray[np.int64]

_LIMIT = 2**62
NO_RULE = -1


class Charges(NamedTuple):
    """In parallel to the sales: cents, and which rule (NO_RULE: none, so nothing was charged)."""

    commission: Cents
    vat: Cents
    rule: Numbers


class _Line(NamedTuple):
    """(principal * slope + start) / denominator, for principals above `above`."""

    above: int
    slope: int
    start: int
    denominator: int


def rules_for(
    fees: Sequence[Fee],
    kinds: Sequence[tuple[date, str | None, str | None]],
    kind: Numbers,
) -> Numbers:
    """The rule of each sale. `kinds`: business date, utility type and receiver, each combination
    once; `kind`: which of them a sale is."""
    found = [rule_for(fees, *one) for one in kinds]
    table = np.array([NO_RULE if rule is None else rule for rule in found], dtype=np.int64)
    return table[kind] if len(kind) else np.zeros(0, dtype=np.int64)


def charges(fees: Sequence[Fee], rule: Numbers, principal: Cents) -> Charges:
    """What the rules take; `principal` in cents, 0 or more."""
    commission = np.zeros(len(principal), dtype=np.int64)
    vat = np.zeros(len(principal), dtype=np.int64)
    for number, fee in enumerate(fees):
        at = np.flatnonzero(rule == number)
        if len(at):
            commission[at], vat[at] = _charged(fee, principal[at])
    return Charges(commission, vat, rule)


def _charged(fee: Fee, principal: Cents) -> tuple[Cents, Cents]:
    lines, largest = _lines(fee), int(principal.max())
    if not _fits(fee, lines, largest):
        each = [charge(fee, int(cents)) for cents in principal]
        return (
            np.array([one.commission_cents for one in each], dtype=np.int64),
            np.array([one.vat_cents for one in each], dtype=np.int64),
        )
    taken = np.zeros(len(principal), dtype=np.int64)
    for line in lines:
        at = principal > line.above
        taken[at] = _rounded(principal[at] * line.slope + line.start, line.denominator)
    taken = np.maximum(taken, fee.min_cents)
    if fee.cap_cents is not None:
        taken = np.minimum(taken, fee.cap_cents)
    rate = _vat_rate(fee)
    vat = _rounded(taken * rate.numerator, rate.denominator)
    return (taken - vat if fee.vat_inclusive else taken), vat


def _rounded(numerator: Cents, denominator: int) -> Cents:
    """Half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _vat_rate(fee: Fee) -> Fraction:
    """Of what is taken."""
    rate = Fraction(fee.vat_percent)
    return rate / (100 + rate) if fee.vat_inclusive else rate / 100


def _lines(fee: Fee) -> list[_Line]:
    """From the lowest principals up; what is above the last `above` is the last one's."""
    if not fee.tiers:
        return [_line(-1, Fraction(fee.percent) / 100, Fraction(fee.flat_cents))]
    lines: list[_Line] = []
    lower, taken = 0, Fraction(0)
    for tier in fee.tiers:
        slope = Fraction(tier.percent) / 100
        start = taken + tier.flat_cents - lower * slope
        lines.append(_line(lower, slope, start))
        if tier.up_to_cents is not None:
            taken = tier.up_to_cents * slope + start
            lower = tier.up_to_cents
    return lines


def _line(above: int, slope: Fraction, start: Fraction) -> _Line:
    denominator = lcm(slope.denominator, start.denominator)
    return _Line(above, int(slope * denominator), int(start * denominator), denominator)


def _fits(fee: Fee, lines: Sequence[_Line], largest: int) -> bool:
    """Whether no number on the way is beyond 64 bits."""
    rate = _vat_rate(fee)
    taken = max((largest * line.slope + abs(line.start)) // line.denominator + 1 for line in lines)
    taken = max(taken, fee.min_cents)
    sizes = [
        *(2 * (largest * line.slope + abs(line.start)) + line.denominator for line in lines),
        2 * taken * rate.numerator + rate.denominator,
        *(max(line.slope, 2 * line.denominator) for line in lines),
        2 * rate.denominator,
    ]
    return max(sizes) < _LIMIT
