"""When a process works: its time zone, cut-off, business days, times of day, and cycles."""

from enum import StrEnum

import msgspec


class Cycle(StrEnum):
    """How long one settlement covers."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    """Monday to Sunday."""
    MONTHLY = "MONTHLY"


class Calendar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`cut_off`: the time of day (HH:MM, local) at which a business day ends; 24:00 is midnight.
    `match_at`, `settle_at`: when the worker matches and settles what is due, local HH:MM.
    `country`: whose public holidays are no business days (ISO 3166, "" for none); nor are
    `weekend` days (0 is Monday) and `closed` dates (YYYY-MM-DD)."""

    time_zone: str = "Africa/Johannesburg"
    cut_off: str = "24:00"
    country: str = "ZA"
    weekend: tuple[int, ...] = (5, 6)
    closed: tuple[str, ...] = ()
    match_at: str = "07:00"
    settle_at: str = "08:00"
