"""The lines of a switch extract, in the layout of domain/extract.py."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.extract import (
    BODY,
    BODY_FIELDS,
    HEADER,
    LINE_END,
    SERVICE,
    SPEC_VERSION,
    ExtractName,
    defused,
    written,
)
from domain.record import COLUMNS, ColumnType
from finance.calendar import window
from finance.process.calendar import Calendar
from finance.process.process import ReconciliationProcess
from projections.sales_search import LINE_COLUMNS

CREATOR = "PPU"
"""What the switch calls itself in the names and headers of files."""

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_TIME = LINE_COLUMNS.index("transaction_time")


@dataclass(frozen=True)
class Counted:
    """What a header says: how many lines and the sum of their amounts in cents, the UTC moments
    from which and before which they are, and when the file was made."""

    records: int
    total_cents: int
    start: datetime
    end: datetime
    made_at: datetime


def header_line(process: ReconciliationProcess, counted: Counted) -> str:
    """The first line, with its end."""
    zone = ZoneInfo(process.calendar.time_zone)
    return _line(
        (
            HEADER,
            SPEC_VERSION,
            CREATOR,
            _text(process.party.upper()),
            SERVICE,
            ExtractName.SWITCH.value,
            _seconds(counted.start, zone),
            _seconds(counted.end - _SECOND, zone),
            _seconds(counted.made_at, zone),
            str(counted.records),
            str(counted.total_cents),
            process.currency,
        )
    )


async def body_lines(
    calendar: Calendar, first: date, rows: AsyncIterator[Sequence[Any]]
) -> AsyncIterator[str]:
    """A line, with its end, for each row of LINE_COLUMNS; these come by time, from the business
    date `first` on."""
    zone = ZoneInfo(calendar.time_zone)
    writers = _writers(zone)
    day, end = first, window(first, calendar)[1]
    async for row in rows:
        while row[_TIME] >= end:
            day += _DAY
            end = window(day, calendar)[1]
        said = {"record_type": BODY, "settlement_date": f"{day:%Y%m%d}"}
        for name, value in zip(LINE_COLUMNS, row, strict=True):
            said[name] = "" if value is None else writers[name](value)
        yield _line(said[name] for name in BODY_FIELDS)


def _writers(zone: ZoneInfo) -> dict[str, Callable[[Any], str]]:
    """How the values of each column are written."""

    def moment(at: datetime) -> str:
        return at.astimezone(zone).isoformat(timespec="microseconds")

    kinds: dict[ColumnType, Callable[[Any], str]] = {
        ColumnType.TEXT: _text,
        ColumnType.CENTS: str,
        ColumnType.TIME: moment,
        ColumnType.UNITS: str,
    }
    return {name: kinds[COLUMNS[name]] for name in LINE_COLUMNS}


def _text(text: str) -> str:
    return defused(written(text))


def _seconds(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def _line(fields: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=LINE_END).writerow(fields)
    return text.getvalue()
