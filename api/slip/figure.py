"""Numbers on a slip. Providers have been seen to send anything, and a slip must not fail for it."""

from decimal import Decimal

from domain.money import ZAR

SYMBOLS = {ZAR: "R"}
NO_FIGURE = "?"
_LARGEST = Decimal(10) ** 12
_PLACES = Decimal("0.0001")


def figure(value: Decimal) -> str:
    """A quantity or rate without trailing zeros, to four decimals; "?" for what is no number."""
    if not value.is_finite() or abs(value) >= _LARGEST:
        return NO_FIGURE
    places = _exponent(value)
    rounded = value.quantize(_PLACES) if places < -4 else value
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "finite numbers have one"
    return exponent


def amount(cents: int, currency: str = ZAR) -> str:
    """Cents as printed, e.g. R1 234.50; an unknown currency by its number."""
    sign, whole = ("-" if cents < 0 else ""), abs(cents)
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return f"{sign}{symbol}{whole // 100:,}.{whole % 100:02d}".replace(",", " ")
