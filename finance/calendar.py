"""Business dates, business days and cycles of a process. Pure: every moment is handed in.

A *business date* is the day that a sale belongs to, weekends included; it ends at the process's
cut-off. A *business day* is one on which people work: no weekend, public holiday or closed date.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from finance.process.calendar import Calendar, Cycle

DAYS_OFF_MAX = 366
"""A calendar with no business day in a year has none."""

_DAY = timedelta(days=1)
_WEEK_NAME = re.compile(r"(\d{4})-W(\d{2})")
_MONTH_NAME = re.compile(r"(\d{4})-(\d{2})")
_DATE_NAME = re.compile(r"\d{4}-\d{2}-\d{2}")


class NoBusinessDayError(ValueError):
    """The calendar's weekend, holidays and closed dates leave no business day in a year."""


def check_country(country: str) -> None:
    """Raises ValueError unless the public holidays of `country` (ISO 3166, such as ZA or GB-ENG;
    "" for none) are known."""
    try:
        _holidays(country, 2026)
    except (NotImplementedError, AttributeError):
        raise ValueError(f"no public holidays are known of country {country!r}") from None


def is_business_day(day: date, calendar: Calendar) -> bool:
    """Whether people work on this day."""
    return (
        day.weekday() not in calendar.weekend
        and day.isoformat() not in calendar.closed
        and day not in _holidays(calendar.country, day.year)
    )


def next_business_day(day: date, calendar: Calendar) -> date:
    """The first business day after `day`. Raises NoBusinessDayError."""
    return _business_day_from(day + _DAY, _DAY, calendar)


def previous_business_day(day: date, calendar: Calendar) -> date:
    """The last business day before `day`. Raises NoBusinessDayError."""
    return _business_day_from(day - _DAY, -_DAY, calendar)


def on_business_day(day: date, calendar: Calendar) -> date:
    """`day`, or the next business day where it is none. Raises NoBusinessDayError."""
    return _business_day_from(day, _DAY, calendar)


def expires_on(business_date: date, days: int, calendar: Calendar) -> date:
    """The `days`-th business day after a record's business date: a run as of that date or a later
    one expires what is still alone. Raises NoBusinessDayError."""
    day = business_date
    for _ in range(days):
        day = next_business_day(day, calendar)
    return day


def business_date(at: datetime, calendar: Calendar) -> date:
    """The business date whose window holds the moment `at`."""
    day = at.astimezone(ZoneInfo(calendar.time_zone)).date() - _DAY
    while _end_of(day, calendar) <= at:
        day += _DAY
    return day


def window(day: date, calendar: Calendar) -> tuple[datetime, datetime]:
    """The UTC moments from which and before which sales belong to the business date `day`. Windows
    of consecutive dates join without gap or overlap, also where clocks change: a cut-off that the
    clock shows twice is the first of the two."""
    return _end_of(day - _DAY, calendar), _end_of(day, calendar)


def local_moment(day: date, at: str, calendar: Calendar) -> datetime:
    """The UTC moment at which it is `at` (HH:MM, or 24:00) on `day` where the parties are."""
    if at == "24:00":
        day, at = day + _DAY, "00:00"
    wall = datetime.combine(day, time.fromisoformat(at), ZoneInfo(calendar.time_zone))
    return wall.astimezone(UTC)


def latest_complete_date(at: datetime, calendar: Calendar) -> date:
    """The last business date that is over at the moment `at`."""
    return business_date(at, calendar) - _DAY


def cycle_of(day: date, cycle: Cycle) -> str:
    """The name of the cycle that a business date is in: 2026-11-23, 2026-W47 or 2026-11."""
    match cycle:
        case Cycle.DAILY:
            return day.isoformat()
        case Cycle.WEEKLY:
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case Cycle.MONTHLY:
            return f"{day:%Y-%m}"


def cycle_dates(name: str) -> tuple[date, date]:
    """The first and last business date of a cycle. Raises ValueError for what is no cycle."""
    try:
        if week := _WEEK_NAME.fullmatch(name):
            first = date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return first, first + timedelta(days=6)
        if month := _MONTH_NAME.fullmatch(name):
            first = date(int(month[1]), int(month[2]), 1)
            return first, (first + timedelta(days=31)).replace(day=1) - _DAY
        if _DATE_NAME.fullmatch(name):
            day = date.fromisoformat(name)
            return day, day
    except ValueError as error:
        raise ValueError(f"no cycle {name!r}: {error}") from None
    raise ValueError(f"no cycle {name!r}; one is called 2026-11-23, 2026-W47 or 2026-11")


def latest_complete_cycle(at: datetime, cycle: Cycle, calendar: Calendar) -> str:
    """The name of the last cycle that is over at the moment `at`."""
    over = latest_complete_date(at, calendar)
    name = cycle_of(over, cycle)
    first, last = cycle_dates(name)
    return name if last <= over else cycle_of(first - _DAY, cycle)


def occasions(
    at: str, days: tuple[int, ...], now: datetime, calendar: Calendar
) -> Iterator[datetime]:
    """The moments up to `now`, latest first and without end, at which what is done `at` (HH:MM,
    local) on each of `days` (0 is Monday; none: every day) was due. What falls on no business day
    is due on the next one, and once. Raises NoBusinessDayError."""
    if days and not {*days} & {*range(7)}:
        return
    day = now.astimezone(ZoneInfo(calendar.time_zone)).date()
    day = day if is_business_day(day, calendar) else previous_business_day(day, calendar)
    while True:
        before = previous_business_day(day, calendar)
        covered = {(day - offset * _DAY).weekday() for offset in range((day - before).days)}
        moment = local_moment(day, at, calendar)
        if moment <= now and (not days or covered & {*days}):
            yield moment
        day = before


def _end_of(day: date, calendar: Calendar) -> datetime:
    return local_moment(day, calendar.cut_off, calendar)


def _business_day_from(day: date, step: timedelta, calendar: Calendar) -> date:
    for _ in range(DAYS_OFF_MAX):
        if is_business_day(day, calendar):
            return day
        day += step
    raise NoBusinessDayError(f"the calendar has no business day in a year up to {day}")


@lru_cache(maxsize=512)
def _holidays(country: str, year: int) -> frozenset[date]:
    if not country:
        return frozenset()
    name, _, part = country.partition("-")
    return frozenset(holidays.country_holidays(name, subdiv=part or None, years=year))
