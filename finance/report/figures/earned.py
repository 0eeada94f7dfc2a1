"""Commission and VAT: what the settlements released in a period took, settlement by settlement."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from domain.outbox import ReportKind
from domain.settlement import Counterparty
from finance.process.process import ReconciliationProcess
from finance.report.figures.breakdown import Breakdown
from finance.report.figures.figures import Figures, KeyFigure, require_equal, series
from finance.report.figures.heading import heading
from finance.report.figures.table import Column, ColumnKind, Row, Table
from projections.settlement_breakdown import Group, Part
from projections.settlements_search import SettlementRow

_CENTS = ColumnKind.CENTS
_FIGURES = (
    Column("principal_minor", "Principal", _CENTS, summed=True),
    Column("commission_minor", "Commission", _CENTS, summed=True),
    Column("commission_vat_minor", "VAT on it", _CENTS, summed=True),
    Column("commission_with_vat_minor", "With VAT", _CENTS, summed=True),
)
_SETTLEMENT = (
    Column("settlement_id", "Settlement", stretch=True),
    Column("cycle", "Cycle"),
    Column("released_at", "Released", ColumnKind.TIME),
    Column("sales", "Sales", ColumnKind.COUNT, summed=True),
    *_FIGURES,
)
_PARTS = (
    (Part.UTILITY_TYPE, "utility_types", "By utility type", "utility_type", "Utility"),
    (Part.RECEIVER, "municipalities", "By municipality", "receiver_id", "Municipality"),
    (Part.FEE, "fees", "By fee rule", "fee_rule", "Fee rule"),
)


class EarnedFigures:
    """Takes released settlements in, one by one, each with its lines told apart."""

    def __init__(self, process: ReconciliationProcess) -> None:
        self._process = process
        self._settlements = Table("settlements", "Settlements", _SETTLEMENT, "None was released.")
        self._by = {
            part: Breakdown(name, title, Column(key, head, stretch=True), _FIGURES)
            for part, name, title, key, head in _PARTS
        }
        self._output = True

    def add(
        self, row: SettlementRow, parts: Mapping[Part, Sequence[Group]], posted_vat_cents: int
    ) -> None:
        """`posted_vat_cents` is what its release posted to the account of VAT, as the totals have
        it. Raises TotalsDifferError where it, or the lines, do not come to the totals."""
        commission, vat = row.commission_cents, row.commission_vat_cents
        ties = [("VAT posted", posted_vat_cents, vat)]
        for part, groups in parts.items():
            ties.append((f"{part} commission", sum(g.commission_cents for g in groups), commission))
            ties.append((f"{part} VAT", sum(g.commission_vat_cents for g in groups), vat))
        require_equal(row.settlement_id, ties)
        self._settlements.add([_row(row)])
        self._output = row.counterparty == Counterparty.PROVIDER
        for part, breakdown in self._by.items():
            for group in parts[part]:
                breakdown.add(group.value or None, _amounts(group), lines=group.lines)

    def figures(
        self,
        report: ReportKind,
        subject: str,
        dates: tuple[date, date],
        position: int,
        made_at: datetime,
    ) -> Figures:
        """The report of kind COMMISSION or VAT."""
        settled = self._settlements
        totals = {
            "sales": settled.total("sales"),
            "principal_cents": settled.total("principal_minor"),
            "commission_cents": settled.total("commission_minor"),
            "commission_vat_cents": settled.total("commission_vat_minor"),
        }
        tables = tuple(each.table(by_amount=True) for each in self._by.values())
        vat = report is ReportKind.VAT
        return Figures(
            **heading(self._process, made_at),
            report=report,
            subject=subject,
            title="VAT on commission" if vat else "Commission",
            first=dates[0],
            last=dates[1],
            position=position,
            key=self._key(totals, vat=vat),
            totals=totals,
            main=settled,
            tables=tables,
            charts=(
                series("Commission by municipality", tables[1], "receiver_id", "commission_minor"),
            ),
            notes=_notes(output=self._output),
        )

    def _key(self, totals: Mapping[str, int], *, vat: bool) -> tuple[KeyFigure, ...]:
        tax = "Output tax" if self._output else "Input tax"
        earned = "Commission earned" if self._output else "Commission paid"
        figures = [
            KeyFigure(earned, _CENTS, totals["commission_cents"], strong=not vat),
            KeyFigure(f"{tax} on it", _CENTS, totals["commission_vat_cents"], strong=vat),
            KeyFigure("Principal", _CENTS, totals["principal_cents"]),
            KeyFigure("Settlements", ColumnKind.COUNT, len(self._settlements)),
        ]
        return tuple(figures[1::-1] + figures[2:] if vat else figures)


def _row(row: SettlementRow) -> Row:
    return (
        row.settlement_id,
        row.cycle,
        row.released_at,
        row.sales,
        row.principal_cents,
        row.commission_cents,
        row.commission_vat_cents,
        row.commission_cents + row.commission_vat_cents,
    )


def _amounts(group: Group) -> tuple[int, ...]:
    commission, vat = group.commission_cents, group.commission_vat_cents
    return (group.principal_cents, commission, vat, commission + vat)


def _notes(*, output: bool) -> tuple[str, ...]:
    side = "earned: its VAT is output tax" if output else "paid: its VAT is input tax"
    what = (
        "These are the settlements that were released on the days above, whatever the dates of"
        f" their sales. The commission is {side}. The VAT that customers paid on what they bought"
        " is the municipality's or utility's, and not in here."
    )
    tied = (
        "Of each settlement, the VAT above is what its release posted to the journal, and its"
        " lines add up to its totals, to the cent. A reversal gives back commission and VAT."
    )
    return (what, tied)
