"""How the console writes times, amounts and tokens."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

NONE = "\N{EN DASH}"
_CURRENCY_SIGNS = {"710": "R"}


class Formats:
    """Times in the settings' zone."""

    def __init__(self, time_zone: str) -> None:
        self.zone = ZoneInfo(time_zone)

    def time(self, at: datetime | None) -> str:
        """2026-11-24 14:03:07, in the console's zone."""
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S") if at is not None else NONE

    def exact(self, at: datetime | None) -> str:
        """With milliseconds and the offset."""
        if at is None:
            return ""
        return at.astimezone(self.zone).isoformat(sep=" ", timespec="milliseconds")

    def clock(self, at: datetime | None) -> str:
        """The time of day with milliseconds."""
        if at is None:
            return NONE
        return at.astimezone(self.zone).strftime("%H:%M:%S.%f")[:-3]


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits: 3 minutes ago."""
    if at is None:
        return "never"
    seconds = round((now - at).total_seconds())
    if seconds < 0:
        return "in " + span(-seconds)
    return "just now" if seconds < 5 else f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """A length of time: 45 s, 3 min, 2 h, 5 d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def milliseconds(value: float | None) -> str:
    """How long something took: 6 ms, 1.24 s."""
    if value is None:
        return NONE
    return f"{value:.0f} ms" if value < 1_000 else f"{value / 1_000:.3g} s"


def percent(value: float | None) -> str:
    """With one decimal and cut off: 100 % is all of it."""
    if value is None:
        return NONE
    return f"{math.floor(value * 10) / 10:g} %"


def money(cents: int | None, currency: str | None = "710") -> str:
    """R1 234.50; the currency's number where it has no sign here."""
    if cents is None:
        return NONE
    sign = _CURRENCY_SIGNS.get(currency or "", f"{currency} " if currency else "")
    return f"{'-' if cents < 0 else ''}{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}".replace(
        ",", "\u202f"
    )


def masked_token(digits: str) -> str:
    """A token without all but its last four digits; one that short goes whole."""
    hidden = "•" * max(len(digits) - 4, 0)
    shown = digits[-4:] if len(digits) > 8 else "•" * len(digits[-4:])
    return grouped(hidden + shown)


def grouped(digits: str) -> str:
    """In groups of four, as a slip prints it."""
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def as_json(value: object) -> str:
    """Indented JSON of any struct or plain value, for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
