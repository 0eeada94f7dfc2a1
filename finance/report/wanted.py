"""What somebody wants a report about."""

from dataclasses import dataclass
from datetime import date, datetime

from domain.outbox import ReportKind
from finance.calendar import cycle_dates
from finance.process.process import ReconciliationProcess

BATCH_ROWS = 5_000
"""Rows that are read at once."""


class SubjectError(ValueError):
    """There is nothing that could be reported about what was asked for."""


class TooManyLinesError(ValueError):
    """The report would have more lines than one may have."""


@dataclass(frozen=True)
class Wanted:
    """A report about `subject`, made at `made_at` (UTC) of the ledger up to `position`, of at most
    `rows_max` lines."""

    process: ReconciliationProcess
    report: ReportKind
    subject: str
    made_at: datetime
    position: int
    rows_max: int

    def dates(self) -> tuple[date, date]:
        """The first and last business date of its subject, which is a day (2026-11-23) or a cycle
        (2026-W47, 2026-11). Raises SubjectError."""
        try:
            return cycle_dates(self.subject)
        except ValueError:
            raise SubjectError(
                f"{self.subject!r} is no day (2026-11-23), week (2026-W47) or month (2026-11)"
            ) from None

    def require_lines(self, lines: int) -> None:
        """Raises TooManyLinesError above the limit."""
        if lines > self.rows_max:
            raise TooManyLinesError(
                f"{self.process.id}, {self.subject}: {lines} lines are more than a report has"
                f" ({self.rows_max}); ask for less at once"
            )
