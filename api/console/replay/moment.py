"""Moments as people give them, in the console's zone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def moment_of(query: Mapping[str, str], zone: ZoneInfo) -> datetime | None:
    """The address's `at` in UTC; without an offset it is in `zone`, and without a time of day it is
    the day's end. Raises ValueError saying what is wrong."""
    text = query.get("at", "").strip()
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        if len(text) == len("2026-11-24"):
            at = at.replace(hour=23, minute=59, second=59, microsecond=999_999)
        if at.tzinfo is None:
            at = at.replace(tzinfo=zone)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text[:40]} is no date and time: write it as 2026-11-24T14:03:07.123."
        ) from None


def step_of(query: Mapping[str, str]) -> int | None:
    """The address's `step`. Raises ValueError."""
    text = query.get("step", "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError(f"{text[:40]} is no step: write a whole number.")
    return int(text)


def as_input(at: datetime, zone: ZoneInfo) -> str:
    """As a date-and-time field takes it, in `zone`, to the millisecond."""
    return at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="milliseconds")
