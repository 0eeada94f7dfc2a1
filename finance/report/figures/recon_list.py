"""Matched, partly matched, unmatched: the recon lines of a period that stand so, with both sides'
figures."""

from collections.abc import Sequence

from domain.outbox import ReportKind
from finance.report.figures.breakdown import Breakdown
from finance.report.figures.figures import Figures, KeyFigure, series
from finance.report.figures.heading import heading
from finance.report.figures.recon_line import AMOUNTS, LINE, amounts, cells
from finance.report.figures.table import Column, ColumnKind, Table
from finance.report.wanted import Wanted
from projections.reconciliation_report import ReportLine

_TITLES = {
    ReportKind.MATCHED: "Matched transactions",
    ReportKind.PARTLY_MATCHED: "Partly matched transactions",
    ReportKind.UNMATCHED: "Unmatched transactions",
}
_NOTES = {
    ReportKind.MATCHED: "Both parties have a record of each, and all compared fields agree.",
    ReportKind.PARTLY_MATCHED: (
        "Both parties have a record of each, and the two differ in the fields that are named."
        " What was resolved says by which rule or decision, and in whose favour."
    ),
    ReportKind.UNMATCHED: (
        "Only one party has a record of each, or several share what should tell them apart"
        " (duplicates). A record stays open until its counterpart comes, somebody decides, or it"
        " expires."
    ),
}


class ReconListFigures:
    """Takes lines in, batch by batch."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._lines = Table("lines", "Lines", LINE)
        self._by_day = _by("days", "By day", "business_date", "Date", ColumnKind.DATE)
        self._by_receiver = _by("municipalities", "By municipality", "receiver_id", "Municipality")
        self._by_field = _by("fields", "By fields that differ", "mismatch_fields", "Fields")
        self._sides = [0, 0]

    @property
    def lines(self) -> int:
        """So far."""
        return len(self._lines)

    def add(self, lines: Sequence[ReportLine]) -> None:
        """Takes lines in."""
        self._lines.add(cells(line) for line in lines)
        for line in lines:
            money = amounts(line)
            self._by_day.add(line.business_date, money)
            self._by_receiver.add(line.receiver, money)
            if line.fields:
                self._by_field.add(" ".join(line.fields), money)
            self._sides[0] += bool(line.ours)
            self._sides[1] += bool(line.theirs)

    def close(self) -> None:
        """Gives back what it holds, when no figures are made of it."""
        self._lines.close()

    def figures(self) -> Figures:
        """The report of the wanted kind."""
        wanted, lines = self._wanted, self._lines
        first, last = wanted.dates()
        totals = {
            "lines": len(lines),
            "our_records": self._sides[0],
            "their_records": self._sides[1],
            "our_cents": lines.total("our_amount_minor"),
            "their_cents": lines.total("their_amount_minor"),
            "difference_cents": lines.total("difference_minor"),
        }
        days, places = self._by_day.table(), self._by_receiver.table(by_amount=True)
        differing = wanted.report is ReportKind.PARTLY_MATCHED
        return Figures(
            **heading(wanted.process, wanted.made_at),
            report=wanted.report,
            subject=wanted.subject,
            title=_TITLES[wanted.report],
            first=first,
            last=last,
            position=wanted.position,
            key=(
                KeyFigure("Lines", ColumnKind.COUNT, totals["lines"], strong=True),
                KeyFigure("Ours", ColumnKind.CENTS, totals["our_cents"]),
                KeyFigure("Theirs", ColumnKind.CENTS, totals["their_cents"]),
                KeyFigure("Difference", ColumnKind.CENTS, totals["difference_cents"]),
            ),
            totals=totals,
            main=lines,
            tables=(days, places, *([self._by_field.table()] if differing else [])),
            charts=(series("Lines by day", days, "business_date", "lines"),),
            notes=(_NOTES[wanted.report], _SIGNS),
        )


_SIGNS = "Reversals count against purchases. The difference is our amount less theirs."


def _by(
    name: str, title: str, key: str, head: str, kind: ColumnKind = ColumnKind.TEXT
) -> Breakdown:
    return Breakdown(name, title, Column(key, head, kind, stretch=True), AMOUNTS, "Lines")
