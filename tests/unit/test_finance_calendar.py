"""Business days, business dates and cycles: real holidays, cut-offs, clocks that change."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from finance.calendar import (
    NoBusinessDayError,
    business_date,
    check_country,
    cycle_dates,
    cycle_of,
    expires_on,
    is_business_day,
    latest_complete_cycle,
    latest_complete_date,
    local_moment,
    next_business_day,
    occasions,
    on_business_day,
    previous_business_day,
    window,
)
from finance.process.calendar import Calendar, Cycle

SOUTH_AFRICA = Calendar()
ENGLAND = Calendar(time_zone="Europe/London", country="GB-ENG")
EARLY = Calendar(cut_off="22:00")


def day(text: str) -> date:
    return date.fromisoformat(text)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_south_african_holiday_on_a_sunday_moves_to_the_monday() -> None:
    # Women's Day 2026 is Sunday 9 August, so Monday the 10th is a holiday too.
    assert not is_business_day(day("2026-08-10"), SOUTH_AFRICA)
    assert next_business_day(day("2026-08-07"), SOUTH_AFRICA) == day("2026-08-11")
    assert previous_business_day(day("2026-08-11"), SOUTH_AFRICA) == day("2026-08-07")


def test_a_holiday_on_a_saturday_does_not_move() -> None:
    # Human Rights Day 2026 is Saturday 21 March.
    assert is_business_day(day("2026-03-23"), SOUTH_AFRICA)


@pytest.mark.parametrize(
    ("holiday", "why"),
    [
        ("2026-04-03", "Good Friday"),
        ("2026-04-06", "Family Day"),
        ("2026-04-27", "Freedom Day"),
        ("2026-09-24", "Heritage Day"),
        ("2026-12-16", "Day of Reconciliation"),
        ("2027-12-27", "Day of Goodwill, observed"),
    ],
)
def test_south_african_holidays(holiday: str, why: str) -> None:
    assert not is_business_day(day(holiday), SOUTH_AFRICA), why


def test_another_country_works_on_ours_and_rests_on_its_own() -> None:
    assert is_business_day(day("2026-09-24"), ENGLAND)
    assert not is_business_day(day("2026-08-31"), ENGLAND)  # summer bank holiday
    assert is_business_day(day("2026-08-31"), SOUTH_AFRICA)


def test_no_country_has_no_holidays_and_closed_dates_are_closed() -> None:
    calendar = Calendar(country="", closed=("2026-11-24",))
    assert is_business_day(day("2026-12-25"), calendar)
    assert on_business_day(day("2026-11-24"), calendar) == day("2026-11-25")


def test_a_country_that_nobody_knows_is_refused() -> None:
    for country in ("XX", "ZA-XX", "za"):
        with pytest.raises(ValueError, match=country):
            check_country(country)
    for country in ("", "ZA", "GB-ENG"):
        check_country(country)


def test_a_calendar_without_business_days_says_so() -> None:
    never = Calendar(weekend=(0, 1, 2, 3, 4, 5, 6))
    with pytest.raises(NoBusinessDayError):
        next_business_day(day("2026-11-24"), never)


def test_records_expire_on_business_days() -> None:
    # Thursday before Easter 2026: Friday, the weekend and Monday don't count.
    assert expires_on(day("2026-04-02"), 1, SOUTH_AFRICA) == day("2026-04-07")
    assert expires_on(day("2026-04-02"), 5, SOUTH_AFRICA) == day("2026-04-13")
    # A Saturday's sale has its first business day on Monday.
    assert expires_on(day("2026-11-21"), 1, SOUTH_AFRICA) == day("2026-11-23")


def test_the_last_second_of_a_day_is_that_day_and_midnight_the_next() -> None:
    late = moment("2026-11-23T23:59:59.999999+02:00")
    assert business_date(late, SOUTH_AFRICA) == day("2026-11-23")
    assert business_date(late + timedelta(microseconds=1), SOUTH_AFRICA) == day("2026-11-24")


def test_what_comes_at_the_cut_off_is_the_next_day() -> None:
    assert business_date(moment("2026-11-23T21:59:59+02:00"), EARLY) == day("2026-11-23")
    assert business_date(moment("2026-11-23T22:00:00+02:00"), EARLY) == day("2026-11-24")
    assert window(day("2026-11-23"), EARLY) == (
        moment("2026-11-22T20:00:00+00:00"),
        moment("2026-11-23T20:00:00+00:00"),
    )


@pytest.mark.parametrize("cut_off", ["24:00", "00:30", "01:30", "02:00", "12:00"])
@pytest.mark.parametrize("zone", ["Europe/London", "Africa/Cairo", "America/New_York"])
def test_windows_join_where_clocks_change(zone: str, cut_off: str) -> None:
    calendar = Calendar(time_zone=zone, country="", cut_off=cut_off)
    days = [day("2026-03-01") + timedelta(days=n) for n in range(275)]
    windows = [window(one, calendar) for one in days]
    lengths = {end - start for start, end in windows}
    assert all(earlier[1] == later[0] for earlier, later in pairwise(windows))
    assert {timedelta(hours=23), timedelta(hours=25)} <= lengths, "clocks changed in between"
    tick = timedelta(microseconds=1)
    for one, (start, end) in zip(days, windows, strict=True):
        assert business_date(start, calendar) == one
        assert business_date(end - tick, calendar) == one


def test_a_cut_off_that_the_clock_shows_twice_counts_once() -> None:
    calendar = Calendar(time_zone="Europe/London", country="", cut_off="01:30")
    # 25 October 2026: 01:30 comes at 00:30 UTC, and again at 01:30 UTC.
    assert business_date(moment("2026-10-25T00:29:00+00:00"), calendar) == day("2026-10-25")
    assert business_date(moment("2026-10-25T00:31:00+00:00"), calendar) == day("2026-10-26")
    assert business_date(moment("2026-10-25T01:10:00+00:00"), calendar) == day("2026-10-26")


def test_a_local_time_is_another_utc_time_in_summer() -> None:
    assert local_moment(day("2026-07-01"), "07:00", ENGLAND) == moment("2026-07-01T06:00+00:00")
    assert local_moment(day("2026-12-01"), "07:00", ENGLAND) == moment("2026-12-01T07:00+00:00")


@pytest.mark.parametrize(
    ("when", "cycle", "name", "first", "last"),
    [
        ("2026-11-23", Cycle.DAILY, "2026-11-23", "2026-11-23", "2026-11-23"),
        ("2026-11-22", Cycle.WEEKLY, "2026-W47", "2026-11-16", "2026-11-22"),
        ("2026-11-23", Cycle.WEEKLY, "2026-W48", "2026-11-23", "2026-11-29"),
        ("2027-01-01", Cycle.WEEKLY, "2026-W53", "2026-12-28", "2027-01-03"),
        ("2028-02-29", Cycle.MONTHLY, "2028-02", "2028-02-01", "2028-02-29"),
        ("2026-12-31", Cycle.MONTHLY, "2026-12", "2026-12-01", "2026-12-31"),
    ],
)
def test_cycles_have_names_and_dates(
    when: str, cycle: Cycle, name: str, first: str, last: str
) -> None:
    assert cycle_of(day(when), cycle) == name
    assert cycle_dates(name) == (day(first), day(last))


@pytest.mark.parametrize(
    "name", ["", "2026", "2026-13", "2026-W00", "2025-W53", "2026-02-30", "20261123", "2026-W47-1"]
)
def test_what_is_no_cycle_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no cycle"):
        cycle_dates(name)


@pytest.mark.parametrize(
    ("at", "cycle", "name"),
    [
        ("2026-11-24T07:00+02:00", Cycle.DAILY, "2026-11-23"),
        ("2026-11-22T23:59+02:00", Cycle.WEEKLY, "2026-W46"),
        ("2026-11-23T00:00+02:00", Cycle.WEEKLY, "2026-W47"),
        ("2026-11-30T23:59+02:00", Cycle.MONTHLY, "2026-10"),
        ("2026-12-01T00:00+02:00", Cycle.MONTHLY, "2026-11"),
    ],
)
def test_the_latest_complete_cycle(at: str, cycle: Cycle, name: str) -> None:
    assert latest_complete_cycle(moment(at), cycle, SOUTH_AFRICA) == name


def test_with_a_cut_off_in_the_evening_a_day_is_over_that_evening() -> None:
    assert latest_complete_date(moment("2026-11-23T22:00+02:00"), EARLY) == day("2026-11-23")
    assert latest_complete_date(moment("2026-11-23T21:59+02:00"), EARLY) == day("2026-11-22")


def dates(at: str, days: tuple[int, ...], now: str, count: int) -> list[str]:
    found = islice(occasions(at, days, moment(now), SOUTH_AFRICA), count)
    return [one.astimezone(ZoneInfo("Africa/Johannesburg")).isoformat()[:16] for one in found]


def test_daily_work_is_done_on_business_days_only() -> None:
    # From Wednesday after the long weekend of 9 and 10 August 2026.
    assert dates("07:00", (), "2026-08-12T07:00+02:00", 4) == [
        "2026-08-12T07:00",
        "2026-08-11T07:00",
        "2026-08-07T07:00",
        "2026-08-06T07:00",
    ]
    assert dates("07:00", (), "2026-08-12T06:59+02:00", 1) == ["2026-08-11T07:00"]
    assert dates("07:00", (), "2026-08-10T12:00+02:00", 1) == ["2026-08-07T07:00"]


def test_a_monday_that_is_a_holiday_is_done_on_tuesday() -> None:
    assert dates("07:00", (0,), "2026-08-12T12:00+02:00", 2) == [
        "2026-08-11T07:00",
        "2026-08-03T07:00",
    ]


def test_a_saturday_is_done_on_monday() -> None:
    assert dates("07:00", (5, 6), "2026-11-24T12:00+02:00", 2) == [
        "2026-11-23T07:00",
        "2026-11-16T07:00",
    ]
