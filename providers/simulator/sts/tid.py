"""The token identifier (TID): whole minutes since a base date, 24 bits, 31.9 years.

The minute 00:01 of every day is reserved, so a token made in it gets the next one. All times here
are UTC."""

from datetime import UTC, datetime, timedelta
from enum import Enum

from providers.simulator.sts.error import StsError

TID_MAX = (1 << 24) - 1
_DAY_MINUTES = 24 * 60
_RESERVED_MINUTE = 1
_MINUTE = timedelta(minutes=1)


class IdentifierError(StsError):
    """There is no identifier for that time, or none left."""


class BaseDate(Enum):
    """When counting begins: 1 January 00:00. The value is how key derivation names it.

    Counting from 1993 ended on 24 November 2024, 20:15."""

    Y1993 = "93"
    Y2014 = "14"
    Y2035 = "35"

    @property
    def start(self) -> datetime:
        year = int(self.value)
        return datetime(year + (1900 if year > 90 else 2000), 1, 1, tzinfo=UTC)


_STARTS = {base: base.start for base in BaseDate}


def identifier(at: datetime, base: BaseDate) -> int:
    """The TID of a token made at `at`. Raises IdentifierError outside the base
    date's years."""
    tid = after_reserved((at - _STARTS[base]) // _MINUTE)
    if not 0 <= tid <= TID_MAX:
        raise IdentifierError(f"{at:%Y-%m-%d} can't be counted from {base.start:%Y}")
    return tid


def after_reserved(tid: int) -> int:
    """`tid`, or the next minute if it is a reserved one."""
    return tid + 1 if tid % _DAY_MINUTES == _RESERVED_MINUTE else tid


def next_identifier(at: datetime, base: BaseDate, last: int) -> int:
    """The TID for a meter whose last token had `last` (-1: none): that of `at`, or the next free
    minute.
    Raises IdentifierError if there is none left."""
    tid = identifier(at, base)
    if tid <= last:
        tid = after_reserved(last + 1)
    if tid > TID_MAX:
        raise IdentifierError(f"no identifier is left when counting from {base.start:%Y}")
    return tid


def minute_of(tid: int, base: BaseDate) -> datetime:
    """The minute that a TID stands for, UTC."""
    return _STARTS[base] + tid * _MINUTE
