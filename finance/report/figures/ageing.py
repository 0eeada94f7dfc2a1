"""Ageing: how many business days the open lines have waited, and what they come to."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

from finance.calendar import is_business_day
from finance.report.figures.breakdown import Breakdown
from finance.report.figures.figures import Figures, KeyFigure, series
from finance.report.figures.heading import heading
from finance.report.figures.recon_line import AMOUNTS, LINE, amounts, cells
from finance.report.figures.table import Column, ColumnKind, Table
from finance.report.wanted import Wanted
from projections.reconciliation_report import ReportLine

BUCKETS = ((1, "0 to 1"), (5, "2 to 5"), (10, "6 to 10"))
"""Business days at most, and what the bucket is called."""
OLDEST = "more than 10"
_LOOK_BACK_DAYS_MAX = 60
"""Days that are counted; in more than so many there are always more than 10 business days."""
_AGE = Column("age_business_days", "Business days", ColumnKind.COUNT)
_NOTE = (
    "Open are lines that no run matched and nobody decided, as they stood at the ledger's position"
    " above. The age is how many business days of the process's calendar have followed the"
    " transaction's date, up to the day of this report. Reversals count against purchases."
)


class AgeingFigures:
    """Takes open lines in, batch by batch."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._as_of = wanted.dates()[1]
        self._lines = Table("lines", "Open lines", (_AGE, *LINE), "Nothing is open.")
        self._buckets = Breakdown(
            "ages", "By age", Column("age", "Business days", stretch=True), AMOUNTS, "Lines"
        )
        self._by_receiver = Breakdown(
            "municipalities",
            "By municipality",
            Column("receiver_id", "Municipality", stretch=True),
            AMOUNTS,
            "Lines",
        )
        self._age = cache(self._business_days)
        self._oldest = 0

    @property
    def lines(self) -> int:
        """So far."""
        return len(self._lines)

    def add(self, lines: Sequence[ReportLine]) -> None:
        """Takes open lines in."""
        for line in lines:
            age = self._age(line.business_date)
            self._oldest = max(self._oldest, age)
            self._lines.add([(age, *cells(line))])
            self._buckets.add(bucket_of(age), amounts(line))
            self._by_receiver.add(line.receiver, amounts(line))

    def close(self) -> None:
        """Gives back what it holds, when no figures are made of it."""
        self._lines.close()

    def figures(self) -> Figures:
        """The report."""
        wanted, lines = self._wanted, self._lines
        for name in (*(name for _, name in BUCKETS), OLDEST):
            self._buckets.add(name, (0, 0, 0), lines=0)
        ages = self._buckets.table()
        totals = {
            "lines": len(lines),
            "our_cents": lines.total("our_amount_minor"),
            "their_cents": lines.total("their_amount_minor"),
            "difference_cents": lines.total("difference_minor"),
        }
        return Figures(
            **heading(wanted.process, wanted.made_at),
            report=wanted.report,
            subject=wanted.subject,
            title="Ageing of open transactions",
            first=wanted.dates()[0],
            last=self._as_of,
            position=wanted.position,
            key=(
                KeyFigure("Open lines", ColumnKind.COUNT, totals["lines"], strong=True),
                KeyFigure("Ours", ColumnKind.CENTS, totals["our_cents"]),
                KeyFigure("Theirs", ColumnKind.CENTS, totals["their_cents"]),
                KeyFigure("Oldest, business days", ColumnKind.COUNT, self._oldest),
            ),
            totals=totals,
            main=lines,
            tables=(ages, self._by_receiver.table(by_amount=True)),
            charts=(series("Open lines by business days", ages, "age", "lines"),),
            notes=(_NOTE,),
        )

    def _business_days(self, business_date: date) -> int:
        """How many business days came after that date, up to the report's; above
        _LOOK_BACK_DAYS_MAX calendar days not counted to the end."""
        calendar = self._wanted.process.calendar
        days = min((self._as_of - business_date).days, _LOOK_BACK_DAYS_MAX)
        following = (self._as_of - timedelta(days=back) for back in range(days))
        return sum(is_business_day(day, calendar) for day in following)


def bucket_of(age: int) -> str:
    """The bucket of an age in business days."""
    return next((name for most, name in BUCKETS if age <= most), OLDEST)
