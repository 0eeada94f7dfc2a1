"""Numbers and times as the wires carry them. Every reader raises ProtocolError and names the field.

Only ASCII digits of bounded length are read: Python's own readers also take other scripts' digits,
underscores, exponents and numbers of any length."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

from providers.protocols.errors import ProtocolError

SOUTH_AFRICA = timezone(timedelta(hours=2), "SAST")
"""Both protocols write local time; South Africa has no summer time."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{0,10})?")
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[ T]?(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_TOKEN = re.compile(r"[0-9]{8,40}")
_BLANKS = re.compile(r"[\s-]+")


def read_whole(value: str | None, field: str) -> int:
    """A whole number, e.g. cents."""
    if value is None or not _WHOLE.fullmatch(value.strip()):
        raise ProtocolError(f"{field} is not a whole number")
    return int(value)


def read_decimal(value: str | None, field: str) -> Decimal:
    """A decimal fraction, e.g. units."""
    if value is None or not _DECIMAL.fullmatch(value.strip()):
        raise ProtocolError(f"{field} is not a decimal number")
    return Decimal(value.strip())


def read_rand(value: str | None, field: str) -> int:
    """Rand with decimals ("90.00") to cents; more than two decimals round half up."""
    exact = read_decimal(value, field) * 100
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def write_rand(cents: int) -> str:
    """Cents to rand with two decimals."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def write_decimal(value: Decimal) -> str:
    """Plain notation, never an exponent."""
    return f"{value:f}"


def read_token(value: str | None, field: str) -> str:
    """Token digits; blanks and dashes between groups are dropped."""
    digits = _BLANKS.sub("", value or "")
    if not _TOKEN.fullmatch(digits):
        raise ProtocolError(f"{field} is not a token")
    return digits


def read_time(value: str | None) -> datetime | None:
    """A time with zone to UTC; without zone it is South African. None when unreadable: no
    decision hangs on a provider's clock."""
    found = _TIME.fullmatch(value.strip()) if value else None
    if found is None:
        return None
    *parts, zone = found.groups()
    try:
        local = datetime(*(int(part) for part in parts), tzinfo=_zone(zone))  # pyright: ignore[reportArgumentType]
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text is None:
        return SOUTH_AFRICA
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)
