"""Moments and business dates for whole columns: microseconds since 1970, days since 1970.

The same as finance.calendar.business_date and datetime's own arithmetic say for one moment.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from finance.calendar import window
from finance.process.calendar import Calendar

Microseconds = npt.NDArray[np.int64]
Days = npt.NDArray[np.int32]

_QUARTER = 15 * 60 * 1_000_000
"""No zone's offset changes within a quarter of an hour."""
_DAY = 24 * 60 * 60 * 1_000_000
_MICROSECOND = timedelta(microseconds=1)
_WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (of a clock on a wall)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1)


def utc_of_local(local: Microseconds, zone: ZoneInfo) -> Microseconds:
    """The moments at which clocks in `zone` show `local`: the first of two where a clock is put
    back."""

    def offset(quarter: int) -> int:
        wall = _WALL_EPOCH + timedelta(microseconds=quarter * _QUARTER)
        found = wall.replace(tzinfo=zone).utcoffset()
        return 0 if found is None else found // _MICROSECOND

    return local - _of_each(local // _QUARTER, offset)


def business_days(moments: Microseconds, calendar: Calendar) -> Days:
    """The business date of each moment."""
    days = np.unique(moments // _DAY)
    # A business date ends at most a day after the UTC day that a moment of it is in, and begins at
    # most two before.
    near = np.unique(np.concatenate([days + offset for offset in range(-2, 3)]))
    ends = np.array([_end(int(day), calendar) for day in near], dtype=np.int64)
    return near[np.searchsorted(ends, moments, side="right")].astype(np.int32)


def _end(day: int, calendar: Calendar) -> int:
    end = window(_FIRST_DAY + timedelta(days=day), calendar)[1]
    return (end - _EPOCH) // _MICROSECOND


def _of_each(keys: Microseconds, value: Callable[[int], int]) -> Microseconds:
    distinct, places = np.unique(keys, return_inverse=True)
    return np.array([value(int(key)) for key in distinct], dtype=np.int64)[places]
