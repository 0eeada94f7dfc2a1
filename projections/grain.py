"""Grains: lengths of time, in seconds, that figures are kept by."""

from datetime import UTC, datetime

MINUTE = 60
QUARTER = 900
HOUR = 3_600
GRAINS = (MINUTE, QUARTER, HOUR)

_DAY = 86_400
_SLOTS: dict[int, int] = {MINUTE: 2 * _DAY // MINUTE, QUARTER: 16 * _DAY // QUARTER}
"""After how many slots a grain begins with the first again; hours are kept for ever."""


def begin(at: datetime, grain: int) -> datetime:
    """The beginning (UTC) of the time that `at` falls into."""
    return _at(_number(at, grain), grain)


def slot(at: datetime, grain: int) -> int:
    """Where figures of that time are kept."""
    number = _number(at, grain)
    return number % _SLOTS[grain] if grain in _SLOTS else number


def times(since: datetime, until: datetime, grain: int) -> list[datetime]:
    """The beginnings of all times from the one of `since` to the one of `until`."""
    first, last = _number(since, grain), _number(until, grain)
    return [_at(number, grain) for number in range(first, last + 1)]


def _number(at: datetime, grain: int) -> int:
    return int(at.timestamp() // grain)


def _at(number: int, grain: int) -> datetime:
    return datetime.fromtimestamp(number * grain, UTC)
