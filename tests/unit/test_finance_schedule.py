"""What is due when: matching, cycles and reports, after weekends, holidays and outages."""

from datetime import UTC, date, datetime

from domain.outbox import ReportKind
from finance.calendar import cycle_dates
from finance.process.calendar import Calendar, Cycle
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.process.report import ReportOrder
from finance.schedule import CATCH_UP_MAX, Due, LastDone, due

SOUTH_AFRICA = Calendar()
EXTRACT = ReportOrder(report=ReportKind.EXTRACT, at="06:00")
MATCHED = ReportOrder(report=ReportKind.MATCHED, at="07:30")
WEEKLY = ReportOrder(report=ReportKind.AGEING, at="07:30", days=(0,))
STATEMENT = ReportOrder(report=ReportKind.SETTLEMENT)


def process(
    settle: Cycle = Cycle.DAILY, *reports: ReportOrder, calendar: Calendar = SOUTH_AFRICA
) -> ReconciliationProcess:
    return ReconciliationProcess(
        id="ipay",
        name="iPay",
        kind=ProcessKind.PROVIDER,
        party="ipay",
        settle=settle,
        reports=reports,
        calendar=calendar,
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+02:00").astimezone(UTC)


def done(
    matched: str | None, settled: str | None = None, reported: dict[int, str] | None = None
) -> LastDone:
    return LastDone(
        date.fromisoformat(matched) if matched else None,
        cycle_dates(settled)[1] if settled else None,
        {place: name.split() for place, name in (reported or {}).items()},
    )


def subjects(found: Due) -> list[tuple[str, str]]:
    return [(report.order.report.value, report.subject) for report in found.reports]


def test_matching_is_due_each_business_morning_and_not_twice() -> None:
    one = process()
    assert due(one, done("2026-11-22"), at("2026-11-24T06:59")).match is None
    assert due(one, done("2026-11-22"), at("2026-11-24T07:00")).match == date(2026, 11, 23)
    assert due(one, done("2026-11-23"), at("2026-11-24T23:00")).match is None


def test_a_weekend_is_matched_on_monday_as_of_sunday() -> None:
    one = process()
    # Saturday: the last run was on Friday, as of Thursday, and there is none until Monday.
    assert due(one, done("2026-11-19"), at("2026-11-21T12:00")).match is None
    assert due(one, done("2026-11-19"), at("2026-11-23T06:59")).match is None
    assert due(one, done("2026-11-19"), at("2026-11-23T07:00")).match == date(2026, 11, 22)


def test_a_worker_that_starts_on_a_sunday_does_what_friday_missed() -> None:
    assert due(process(), done(None), at("2026-11-22T12:00")).match == date(2026, 11, 19)


def test_with_an_evening_cut_off_the_day_itself_is_matched() -> None:
    calendar = Calendar(cut_off="17:00", match_at="18:00")
    found = due(process(calendar=calendar), done(None), at("2026-11-24T18:00"))
    assert found.match == date(2026, 11, 24)


def test_nothing_settles_or_is_reported_before_it_is_matched() -> None:
    one = process(Cycle.DAILY, MATCHED, EXTRACT)
    now = at("2026-11-24T12:00")
    early = due(one, done("2026-11-22", "2026-11-22", {0: "2026-11-22", 1: "2026-11-22"}), now)
    assert early.settle == ()
    assert subjects(early) == [("EXTRACT", "2026-11-23")], "an extract needs no matching"
    later = due(one, done("2026-11-23", "2026-11-22", {0: "2026-11-22", 1: "2026-11-23"}), now)
    assert later.settle == ("2026-11-23",)
    assert subjects(later) == [("MATCHED", "2026-11-23")]


def test_the_first_time_only_the_latest_cycle_is_settled() -> None:
    assert due(process(), done("2026-11-23"), at("2026-11-24T08:00")).settle == ("2026-11-23",)


def test_a_long_weekend_settles_as_one_cycle() -> None:
    found = due(process(), done("2026-08-10", "2026-08-06"), at("2026-08-11T08:00"))
    assert found.settle == ("2026-08-10",)


def test_each_cycle_that_was_missed_is_settled_oldest_first() -> None:
    daily = due(process(), done("2026-11-23", "2026-11-18"), at("2026-11-24T08:00"))
    assert daily.settle == ("2026-11-19", "2026-11-22", "2026-11-23")
    weekly = due(process(Cycle.WEEKLY), done("2026-11-23", "2026-W45"), at("2026-11-24T08:00"))
    assert weekly.settle == ("2026-W46", "2026-W47")


def test_a_month_is_settled_on_the_first_business_day_after_it() -> None:
    monthly = process(Cycle.MONTHLY)
    # 1 August 2026 is a Saturday.
    assert due(monthly, done("2026-07-31", "2026-06"), at("2026-08-01T12:00")).settle == ()
    assert due(monthly, done("2026-08-02", "2026-06"), at("2026-08-03T08:00")).settle == (
        "2026-07",
    )


def test_a_worker_that_was_away_for_a_year_makes_up_for_a_bounded_part() -> None:
    found = due(
        process(Cycle.DAILY, EXTRACT),
        done("2026-11-23", "2025-11-23", {0: "2025-11-23"}),
        at("2026-11-24T08:00"),
    )
    assert len(found.settle) == CATCH_UP_MAX
    assert found.settle[-1] == "2026-11-23"
    assert len(found.reports) == CATCH_UP_MAX


def test_each_day_of_a_weekend_has_its_report_on_monday_and_ageing_is_of_now() -> None:
    one = process(Cycle.DAILY, MATCHED, ReportOrder(report=ReportKind.AGEING, at="07:30"))
    last = done("2026-11-22", None, {0: "2026-11-19", 1: "2026-11-19"})
    assert subjects(due(one, last, at("2026-11-23T07:29"))) == []
    assert subjects(due(one, last, at("2026-11-23T07:30"))) == [
        ("MATCHED", "2026-11-20"),
        ("MATCHED", "2026-11-21"),
        ("MATCHED", "2026-11-22"),
        ("AGEING", "2026-11-22"),
    ]


def test_a_report_that_could_not_be_made_is_not_forgotten_for_a_later_one() -> None:
    last = done("2026-11-23", None, {0: "2026-11-19 2026-11-20 2026-11-22"})
    assert subjects(due(process(Cycle.DAILY, MATCHED), last, at("2026-11-24T07:30"))) == [
        ("MATCHED", "2026-11-21"),
        ("MATCHED", "2026-11-23"),
    ]


def test_a_report_about_weeks_or_months_is_made_when_one_is_over() -> None:
    weekly = ReportOrder(report=ReportKind.COMMISSION, about=Cycle.WEEKLY)
    monthly = ReportOrder(report=ReportKind.VAT, about=Cycle.MONTHLY)
    one = process(Cycle.DAILY, weekly, monthly)
    last = done("2026-11-30", None, {0: "2026-W46", 1: "2026-09"})
    assert subjects(due(one, last, at("2026-11-30T12:00"))) == [
        ("COMMISSION", "2026-W47"),
        ("COMMISSION", "2026-W48"),
        ("VAT", "2026-10"),
    ]
    assert subjects(due(one, last, at("2026-12-01T12:00")))[2:] == [
        ("VAT", "2026-10"),
        ("VAT", "2026-11"),
    ]


def test_a_weekly_report_waits_for_its_day_also_when_that_is_a_holiday() -> None:
    one = process(Cycle.DAILY, WEEKLY)
    last = done("2026-08-10", None, {0: "2026-08-02"})
    assert subjects(due(one, last, at("2026-08-10T12:00"))) == []
    assert subjects(due(one, last, at("2026-08-11T07:30"))) == [("AGEING", "2026-08-10")]
    assert (
        subjects(due(one, done("2026-08-11", None, {0: "2026-08-10"}), at("2026-08-12T12:00")))
        == []
    )


def test_a_settlement_statement_follows_no_time_of_day() -> None:
    assert (
        subjects(due(process(Cycle.DAILY, STATEMENT), done("2026-11-23"), at("2026-11-24T12:00")))
        == []
    )
