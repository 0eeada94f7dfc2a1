"""Figures and text as a page shows them."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from finance.report.spreadsheet_text import without_control

TEXT_CHARACTERS_MAX = 400
_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_LONG_WORD = re.compile(r"(\S{22})(?=\S)")
_BREAK = "\N{ZERO WIDTH SPACE}"


def amount(cents: int, sign: str = "") -> str:
    """Rand with two places and thousands apart: 1 234 567.89. `sign` of the currency before it."""
    whole, rest = divmod(abs(cents), 100)
    text = f"{whole:,}.{rest:02}".replace(",", _SPACE)
    before = f"{sign}{_SPACE}" if sign else ""
    return f"{_MINUS if cents < 0 else ''}{before}{text}"


def count(number: int) -> str:
    """A number with thousands apart."""
    text = f"{abs(number):,}".replace(",", _SPACE)
    return f"{_MINUS}{text}" if number < 0 else text


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A moment where the parties are."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def broken(text: str) -> str:
    """Text of anybody's for a page: cut, on one line, and with places where a long word may end."""
    plain = " ".join(without_control(text).split())
    if len(plain) > TEXT_CHARACTERS_MAX:
        plain = plain[: TEXT_CHARACTERS_MAX - 1] + "…"
    return _LONG_WORD.sub(rf"\1{_BREAK}", plain)
