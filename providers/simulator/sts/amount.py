"""Amounts in 16 bits: two of exponent, fourteen of mantissa, in tenths of kWh, m3 or watts.

Up to 1,638.3 units every tenth can be said, then whole units, tens and hundreds; what lies between
is rounded up, so a meter never gets less than was sold."""

from decimal import ROUND_CEILING, Decimal

from providers.simulator.sts.error import StsError

_MANTISSA_BITS = 14
_MANTISSAS = 1 << _MANTISSA_BITS
_TENTHS = 10
# (lowest value, step) of each exponent.
_RANGES = ((0, 1), (16_384, 10), (180_224, 100), (1_818_624, 1_000))
AMOUNT_MAX = _RANGES[-1][0] + _RANGES[-1][1] * (_MANTISSAS - 1)


class AmountError(StsError):
    """An amount that 16 bits can't say."""


def encode_amount(value: int) -> int:
    """16 bits for `value`, which is rounded up to the next one that they can say. Raises
    AmountError for what is negative or above AMOUNT_MAX."""
    if not 0 <= value <= AMOUNT_MAX:
        raise AmountError(f"{value} is not between 0 and {AMOUNT_MAX}")
    for exponent, (lowest, step) in enumerate(_RANGES):
        mantissa = -((lowest - value) // step) if value > lowest else 0
        if mantissa < _MANTISSAS:
            return exponent << _MANTISSA_BITS | mantissa
    raise AssertionError("AMOUNT_MAX fits the last range")


def decode_amount(code: int) -> int:
    """What 16 bits say."""
    lowest, step = _RANGES[code >> _MANTISSA_BITS]
    return lowest + step * (code & (_MANTISSAS - 1))


def tenths_of(units: Decimal) -> int:
    """`units` in tenths, rounded up. Raises AmountError for what is negative or too much."""
    if not units.is_finite() or not 0 <= units * _TENTHS <= AMOUNT_MAX:
        raise AmountError(f"{units} units don't fit a token")
    return int((units * _TENTHS).to_integral_value(ROUND_CEILING))


def units_of(tenths: int) -> Decimal:
    """Tenths as units with one decimal."""
    return Decimal(tenths) / _TENTHS
