"""What a process's calendar has due at a moment. Pure: what was done before is handed in.

A time of day that falls on a weekend or holiday is due on the next business day, and what is done
then covers all dates since.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice

from domain.outbox import ReportKind
from finance.calendar import (
    cycle_dates,
    cycle_of,
    latest_complete_cycle,
    latest_complete_date,
    occasions,
)
from finance.process.calendar import Cycle
from finance.process.process import ReconciliationProcess
from finance.process.report import ReportOrder

CATCH_UP_MAX = 62
"""Cycles to settle, or reports by one order, that are made up for at most after the worker was
away."""


@dataclass(frozen=True)
class LastDone:
    """Nothing yet: None. `matched`: the date that the last run looked up to. `settled`: the last
    date of the last cycle that a settlement was prepared for. `reported`: by place in the process's
    `reports`, what those made for that order were about (names of cycles), the latest
    CATCH_UP_MAX."""

    matched: date | None = None
    settled: date | None = None
    reported: Mapping[int, Collection[str]] = field(default_factory=dict[int, Collection[str]])


@dataclass(frozen=True)
class DueReport:
    """A report to be made: `order`, and the name of the cycle that it is about."""

    order: ReportOrder
    subject: str


@dataclass(frozen=True)
class Due:
    """`match`: the date to match up to. `settle`: cycles, oldest first; so are an order's
    `reports`."""

    match: date | None
    settle: tuple[str, ...]
    reports: tuple[DueReport, ...]


def due(process: ReconciliationProcess, last: LastDone, now: datetime) -> Due:
    """What is to be done now, in the order match, settle, report. Settlements and reports are due
    only once matching has come to their last date; an extract needs no matching. Of what was never
    done before, only the latest is due. Raises NoBusinessDayError."""
    calendar = process.calendar
    match_at = next(occasions(calendar.match_at, (), now, calendar))
    as_of = latest_complete_date(match_at, calendar)
    behind = last.matched is None or last.matched < as_of
    return Due(
        match=as_of if behind else None,
        settle=_cycles(process, last, now),
        reports=tuple(
            DueReport(order, subject)
            for place, order in enumerate(process.reports)
            for subject in _subjects(process, order, last, last.reported.get(place, ()), now)
        ),
    )


def moments(process: ReconciliationProcess, now: datetime) -> tuple[datetime | None, ...]:
    """The latest times of day at which each kind of work was due: as long as they are the same and
    nothing was done, nothing new is due."""
    calendar = process.calendar
    daily = [calendar.match_at, calendar.settle_at]
    wanted = [(at, ()) for at in daily] + [(order.at, order.days) for order in process.reports]
    return tuple(next(occasions(at, days, now, calendar), None) for at, days in wanted)


def _cycles(process: ReconciliationProcess, last: LastDone, now: datetime) -> tuple[str, ...]:
    """One cycle for each time of day at which one was to be settled since: where several ended in
    between (three days, on a Monday), the latest, which takes in the others' sales."""
    calendar = process.calendar
    found: list[str] = []
    for moment in islice(occasions(calendar.settle_at, (), now, calendar), CATCH_UP_MAX):
        cycle = latest_complete_cycle(moment, process.settle, calendar)
        end = cycle_dates(cycle)[1]
        if last.settled is not None and end <= last.settled:
            break
        if (last.matched is not None and end <= last.matched) and cycle not in found:
            found.append(cycle)
        if last.settled is None:
            break
    return tuple(reversed(found))


def _subjects(
    process: ReconciliationProcess,
    order: ReportOrder,
    last: LastDone,
    reported: Collection[str],
    now: datetime,
) -> tuple[str, ...]:
    """Those since the first that was made: one that could not be made is not forgotten because a
    later one could."""
    if order.report is ReportKind.SETTLEMENT:
        return ()  # made when a settlement is released, whatever the time of day
    moment = next(occasions(order.at, order.days, now, process.calendar), None)
    if moment is None:
        return ()
    first = min((cycle_dates(name)[1] for name in reported), default=None)
    only_latest = first is None or order.report is ReportKind.AGEING
    latest = latest_complete_cycle(moment, order.about, process.calendar)
    found: list[str] = []
    for name in islice(_backwards(latest, order.about), 1 if only_latest else CATCH_UP_MAX):
        end = cycle_dates(name)[1]
        if first is not None and end <= first:
            break
        matched = last.matched is not None and end <= last.matched
        if name not in reported and (matched or order.report is ReportKind.EXTRACT):
            found.append(name)
    return tuple(reversed(found))


def _backwards(name: str, cycle: Cycle) -> Iterator[str]:
    """A cycle and those before it."""
    while True:
        yield name
        name = cycle_of(cycle_dates(name)[0] - timedelta(days=1), cycle)
