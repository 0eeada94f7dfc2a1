"""Summaries: how the recon lines of a period stand, by provider or by municipality."""

from collections.abc import Sequence

from domain.outbox import ReportKind
from finance.report.figures.breakdown import Breakdown
from finance.report.figures.figures import Figures, KeyFigure, series
from finance.report.figures.heading import heading
from finance.report.figures.recon_line import AMOUNTS, Matched, amounts, matched, settlement_status
from finance.report.figures.table import Column, ColumnKind
from finance.report.wanted import Wanted
from projections.reconciliation_report import ReportLine

_COUNT = ColumnKind.COUNT
_STATES = (
    Column("matched", "Matched", _COUNT, summed=True),
    Column("partly_matched", "Partly", _COUNT, summed=True),
    Column("unmatched", "Unmatched", _COUNT, summed=True),
    Column("settled", "Settled", _COUNT, summed=True),
)
_NOTE = (
    "Every line of the days above is counted once, by how it stood at the ledger's position above;"
    " settled ones are among the others. Reversals count against purchases, and the difference is"
    " our amount less theirs."
)


class StandingFigures:
    """Takes all lines of the period in, batch by batch."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._by_provider = _by("providers", "By provider", "settlement_entity_id", "Provider")
        self._by_receiver = _by("municipalities", "By municipality", "receiver_id", "Municipality")
        self._by_type = _by("utility_types", "By utility type", "utility_type", "Utility")
        self._by_day = _by("days", "By day", "business_date", "Date", ColumnKind.DATE)

    def add(self, lines: Sequence[ReportLine]) -> None:
        """Takes lines in."""
        for line in lines:
            figures = (*_states(line), *amounts(line))
            self._by_provider.add(line.provider, figures)
            self._by_receiver.add(line.receiver, figures)
            self._by_type.add(line.utility_type, figures)
            self._by_day.add(line.business_date, figures)

    def figures(self) -> Figures:
        """The report of kind PROVIDERS or MUNICIPALITIES: its own table is the main one."""
        wanted = self._wanted
        first, last = wanted.dates()
        providers, places = self._by_provider.table(), self._by_receiver.table()
        by_provider = wanted.report is ReportKind.PROVIDERS
        main, other = (providers, places) if by_provider else (places, providers)
        key = main.columns[0].name
        totals = {
            column.name: main.total(column.name)
            for column in main.columns
            if column.summed and column.kind is _COUNT
        }
        totals |= {
            "our_cents": main.total("our_amount_minor"),
            "their_cents": main.total("their_amount_minor"),
            "difference_cents": main.total("difference_minor"),
        }
        days = self._by_day.table()
        return Figures(
            **heading(wanted.process, wanted.made_at),
            report=wanted.report,
            subject=wanted.subject,
            title="Summary by provider" if by_provider else "Summary by municipality",
            first=first,
            last=last,
            position=wanted.position,
            key=(
                KeyFigure("Lines", _COUNT, totals["lines"], strong=True),
                KeyFigure("Not matched", _COUNT, totals["lines"] - totals["matched"]),
                KeyFigure("Ours", ColumnKind.CENTS, totals["our_cents"]),
                KeyFigure("Difference", ColumnKind.CENTS, totals["difference_cents"]),
            ),
            totals=totals,
            main=main,
            tables=(other, self._by_type.table(), days),
            charts=(
                series("Our amount by day", days, "business_date", "our_amount_minor"),
                series("Lines not matched", main, key, "unmatched"),
            ),
            notes=(_NOTE,),
        )


def _by(
    name: str, title: str, key: str, head: str, kind: ColumnKind = ColumnKind.TEXT
) -> Breakdown:
    columns = (*_STATES, *AMOUNTS)
    return Breakdown(name, title, Column(key, head, kind, stretch=True), columns, "Lines")


def _states(line: ReportLine) -> tuple[int, int, int, int]:
    stands = matched(line)
    return (
        int(stands is Matched.MATCHED),
        int(stands is Matched.PARTIAL),
        int(stands is Matched.UNMATCHED),
        int(settlement_status(line) == "Settled"),
    )
