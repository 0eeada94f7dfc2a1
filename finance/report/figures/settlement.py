"""The settlement statement: what one settlement is made of, down to its last line."""

from collections.abc import Sequence
from datetime import datetime

from domain.outbox import ReportKind
from domain.record import RecordKind, file_of, line_of
from domain.settlement import Counterparty
from finance.calendar import cycle_dates
from finance.process.process import ReconciliationProcess
from finance.report.figures.breakdown import ADJUSTMENTS, Breakdown
from finance.report.figures.figures import Figures, KeyFigure, require_equal, series
from finance.report.figures.heading import heading
from finance.report.figures.settled import Settlement
from finance.report.figures.statement_words import (
    adjustment_table,
    entry_table,
    notes,
    settled_totals,
    signed,
    sums,
    title,
)
from finance.report.figures.table import Column, ColumnKind, Row, Table
from projections.settlements_search import SettlementLineRow

_CENTS = ColumnKind.CENTS
MONEY = (
    Column("principal_minor", "Principal", _CENTS, summed=True),
    Column("adjustment_minor", "Adjustment", _CENTS, summed=True),
    Column("commission_minor", "Commission", _CENTS, summed=True),
    Column("commission_vat_minor", "Commission VAT", _CENTS, summed=True),
    Column("net_minor", "Net", _CENTS, summed=True),
)
_LINE = (
    Column("business_date", "Date", ColumnKind.DATE),
    Column("message_type", "Type"),
    Column("transaction_id", "Transaction id"),
    Column("provider_reference", "Reference"),
    Column("meter_id", "Meter"),
    Column("receiver_id", "Municipality", stretch=True),
    Column("utility_type", "Utility"),
    *MONEY,
    Column("settlement_entity_id", "Provider", printed=False),
    Column("client_id", "Client", printed=False),
    Column("fee_rule", "Fee rule", printed=False),
    Column("file", "File", ColumnKind.COUNT, printed=False),
    Column("line", "Line", ColumnKind.COUNT, printed=False),
    Column("reason", "Reason", printed=False),
)
_TIES = (
    ("principal_minor", "principal_cents"),
    ("adjustment_minor", "adjustment_cents"),
    ("commission_minor", "commission_cents"),
    ("commission_vat_minor", "commission_vat_cents"),
    ("net_minor", "net_cents"),
)


class SettlementFigures:
    """Takes the lines in, batch by batch, and makes figures of them that tie to the settlement."""

    def __init__(self, process: ReconciliationProcess, settlement: Settlement) -> None:
        self._process, self._settlement = process, settlement
        self._lines = Table("lines", "Lines", _LINE, "Nothing was settled.")
        self._by_receiver = _by("municipalities", "By municipality", "receiver_id", "Municipality")
        self._by_type = _by("utility_types", "By utility type", "utility_type", "Utility")
        self._by_fee = _by("fees", "By fee rule", "fee_rule", "Fee rule")
        self._by_day = _by("days", "By day", "business_date", "Date", ColumnKind.DATE)
        self._sales = 0
        kind = RecordKind.ADJUSTMENT.value
        for each in settlement.adjustments:
            amount = each.amount_cents
            row: Row = (None, kind, each.decision_id, *[None] * 4, 0, amount, 0, 0, amount)
            self._lines.add([(*row, *[None] * 5, each.said)])
            for breakdown in (self._by_receiver, self._by_type, self._by_fee, self._by_day):
                breakdown.add(ADJUSTMENTS, (0, amount, 0, 0, amount), lines=0)

    def add(self, lines: Sequence[SettlementLineRow]) -> None:
        """Takes lines in."""
        self._sales += len(lines)
        self._lines.add(map(_row, lines))
        for line in lines:
            money = (
                line.principal_cents,
                0,
                line.commission_cents,
                line.commission_vat_cents,
                line.net_cents,
            )
            self._by_receiver.add(line.receiver, money)
            self._by_type.add(line.utility_type, money)
            self._by_fee.add(line.fee, money)
            self._by_day.add(line.business_date, money)

    def close(self) -> None:
        """Gives back what it holds, when no figures are made of it."""
        self._lines.close()

    def figures(self, made_at: datetime) -> Figures:
        """The statement. Raises TotalsDifferError where the lines, a breakdown of them or the
        posted entry do not add up to the totals that were settled."""
        row = self._settlement.row
        days, places, types, fees = (
            self._by_day.table(),
            self._by_receiver.table(by_amount=True),
            self._by_type.table(by_amount=True),
            self._by_fee.table(by_amount=True),
        )
        adjusted, entry = adjustment_table(self._settlement), entry_table(self._settlement)
        self._require_ties((days, places, types, fees), entry)
        first, last = cycle_dates(row.cycle)
        top = heading(self._process, made_at)
        return Figures(
            **top,
            report=ReportKind.SETTLEMENT,
            subject=row.settlement_id,
            title=title(row),
            first=first,
            last=last,
            position=self._settlement.position,
            key=self._key(),
            totals=settled_totals(row),
            main=self._lines,
            tables=(days, places, types, fees, adjusted, entry),
            charts=(
                series("Net by day, without adjustments", days, "business_date", "net_minor"),
                series("Principal by municipality", places, "receiver_id", "principal_minor"),
            ),
            sums=sums(row),
            notes=notes(self._settlement),
            signed=signed(row, top["zone"]),
        )

    def _key(self) -> tuple[KeyFigure, ...]:
        row = self._settlement.row
        provider = row.counterparty == Counterparty.PROVIDER
        owed = "Payable to" if provider else "Receivable from"
        commission = row.commission_cents + row.commission_vat_cents
        return (
            KeyFigure(f"{owed} {self._process.name}", _CENTS, row.net_cents, strong=True),
            KeyFigure("Principal", _CENTS, row.principal_cents),
            KeyFigure("Commission with VAT", _CENTS, commission),
            KeyFigure("Sales and reversals", ColumnKind.COUNT, row.sales),
        )

    def _require_ties(self, breakdowns: Sequence[Table], entry: Table) -> None:
        row = self._settlement.row
        settled = settled_totals(row)
        counts = [("sales", self._sales, row.sales)]
        counts += [("sales", table.total("lines"), row.sales) for table in breakdowns]
        require_equal(row.settlement_id, counts)
        for table in (self._lines, *breakdowns):
            require_equal(
                f"{row.settlement_id}, {table.title.lower()}",
                [(each, table.total(column), settled[each]) for column, each in _TIES],
            )
        both = (entry.total("debit_minor"), entry.total("credit_minor"))
        require_equal(f"{row.settlement_id}, posted entry", [("debits and credits", *both)])


def _by(
    name: str, title: str, key: str, head: str, kind: ColumnKind = ColumnKind.TEXT
) -> Breakdown:
    return Breakdown(name, title, Column(key, head, kind, stretch=True), MONEY)


def _row(line: SettlementLineRow) -> Row:
    return (
        line.business_date,
        line.message_type,
        line.transaction_id,
        line.provider_reference,
        line.meter,
        line.receiver,
        line.utility_type,
        line.principal_cents,
        0,
        line.commission_cents,
        line.commission_vat_cents,
        line.net_cents,
        line.provider,
        line.client,
        line.fee,
        file_of(line.ref),
        line_of(line.ref),
        None,
    )
