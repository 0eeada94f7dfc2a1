"""The figures of recon lines: lists by how they stand, ageing, and summaries."""

from datetime import date
from typing import Protocol

from domain.outbox import ReportKind
from finance.report.figures.ageing import AgeingFigures
from finance.report.figures.figures import Figures
from finance.report.figures.recon_list import ReconListFigures
from finance.report.figures.standing import StandingFigures
from finance.report.snapshot import Snapshot
from finance.report.wanted import Wanted
from projections.reconciliation_report import ReportLine, Stand, report_lines

_STANDS = {
    ReportKind.MATCHED: Stand.MATCHED,
    ReportKind.PARTLY_MATCHED: Stand.PARTLY_MATCHED,
    ReportKind.UNMATCHED: Stand.UNMATCHED,
}


class _Making(Protocol):
    """Figures that list the lines they take in."""

    @property
    def lines(self) -> int: ...

    def add(self, lines: list[ReportLine]) -> None: ...

    def close(self) -> None: ...

    def figures(self) -> Figures: ...


async def gather_list(reading: Snapshot, wanted: Wanted) -> Figures:
    """Matched, partly matched or unmatched lines of the subject: a day, week or month. Raises
    SubjectError, TooManyLinesError."""
    first, last = wanted.dates()
    making = ReconListFigures(wanted)
    return await _gathered(reading, wanted, making, _STANDS[wanted.report], first, last)


async def gather_ageing(reading: Snapshot, wanted: Wanted) -> Figures:
    """Lines with business dates up to the subject's last that are open now. Raises SubjectError,
    TooManyLinesError."""
    last = wanted.dates()[1]
    making = AgeingFigures(wanted)
    return await _gathered(reading, wanted, making, Stand.OPEN, date.min, last)


async def gather_standing(reading: Snapshot, wanted: Wanted) -> Figures:
    """How all lines of the subject, a day, week or month, stand. Raises SubjectError."""
    making = StandingFigures(wanted)
    async for lines in report_lines(reading, wanted.process.id, Stand.ALL, *wanted.dates()):
        making.add(lines)
    return making.figures()


async def _gathered(
    reading: Snapshot, wanted: Wanted, making: _Making, which: Stand, first: date, last: date
) -> Figures:
    try:
        async for lines in report_lines(reading, wanted.process.id, which, first, last):
            making.add(lines)
            wanted.require_lines(making.lines)
        return making.figures()
    except BaseException:
        making.close()
        raise
