"""What a settlement statement says beside its lines: its title, sums, entry, notes and names."""

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.journal import Account
from domain.settlement import Counterparty, SettlementStatus
from finance.report.figures.figures import Sum
from finance.report.figures.settled import Settlement
from finance.report.figures.table import Column, ColumnKind, Table
from projections.settlements_search import SettlementRow

_ACCOUNTS: dict[str, str] = {
    Account.SALES_CLEARING: "Sales clearing",
    Account.PROVIDER_PAYABLE: "Provider payable",
    Account.CHANNEL_RECEIVABLE: "Channel receivable",
    Account.COMMISSION_INCOME: "Commission income",
    Account.COMMISSION_EXPENSE: "Commission expense",
    Account.VAT_OUTPUT: "VAT output",
    Account.VAT_INPUT: "VAT input",
    Account.ADJUSTMENTS: "Adjustments",
}


def title(row: SettlementRow) -> str:
    """What it is; one that is not released must not be taken for one that is."""
    released = row.status == SettlementStatus.RELEASED
    return "Settlement statement" if released else "Settlement statement (not released)"


def settled_totals(row: SettlementRow) -> dict[str, int]:
    """The totals of its event SettlementReady, by name: cents, and the number of sales."""
    return {
        "sales": row.sales,
        "principal_cents": row.principal_cents,
        "adjustment_cents": row.adjustment_cents,
        "commission_cents": row.commission_cents,
        "commission_vat_cents": row.commission_vat_cents,
        "net_cents": row.net_cents,
    }


def sums(row: SettlementRow) -> tuple[Sum, ...]:
    """How the net is worked out."""
    provider = row.counterparty == Counterparty.PROVIDER
    return (
        Sum(
            "How the net is worked out",
            (
                ("Principal: sales less reversals", row.principal_cents),
                ("Adjustments", row.adjustment_cents),
                ("Commission", -row.commission_cents),
                ("VAT on commission", -row.commission_vat_cents),
            ),
            ("Payable to the provider" if provider else "Owed by the channel", row.net_cents),
        ),
    )


def entry_table(settlement: Settlement) -> Table:
    """The entry that the release posted."""
    columns = (
        Column("account", "Account", stretch=True),
        Column("debit_minor", "Debit", ColumnKind.CENTS, summed=True),
        Column("credit_minor", "Credit", ColumnKind.CENTS, summed=True),
    )
    table = Table("entry", "Posted entry", columns, "Nothing is posted before the release.")
    return table.add(
        (_ACCOUNTS.get(each.account, each.account), each.debit_cents, each.credit_cents)
        for each in settlement.entries
    )


def adjustment_table(settlement: Settlement) -> Table:
    """The adjustments, why and by whom."""
    columns = (
        Column("reason", "Reason", stretch=True),
        Column("requested_by", "Wanted by"),
        Column("approved_by", "Approved by"),
        Column("decision_id", "Decision", printed=False),
        Column("adjustment_minor", "Adjustment", ColumnKind.CENTS, summed=True),
    )
    return Table("adjustments", "Adjustments", columns).add(
        (each.reason, each.requested_by, each.approved_by, each.decision_id, each.amount_cents)
        for each in settlement.adjustments
    )


def notes(settlement: Settlement) -> tuple[str, ...]:
    """How its figures tie."""
    row, adjusted = settlement.row, len(settlement.adjustments)
    made_of = (
        "Every line is a sale, or a reversal of one, of which both parties have a record that"
        f" agrees, or whose difference was decided. This settlement is made up of {row.sales} of"
        f" them and {adjusted} adjustment(s). What came too late for it is in a later one."
    )
    tied = (
        "Before this statement was written, the lines and the sums by day, by municipality, by"
        " utility type and by fee rule were each added up, and each came to the totals that the"
        " ledger has of this settlement, to the cent. Commission and the VAT on it are rounded"
        " half up, per sale."
    )
    traced = (
        f"The settlement's last event is at position {settlement.position} of the ledger, which is"
        " only ever added to. Each line can be followed to its fee rule, to both parties' records,"
        f" and to the events of its purchase: ppu finance trace {row.settlement_id}"
    )
    return (made_of, *row.remarks, tied, traced)


def signed(row: SettlementRow, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    """Who prepared and who released it, and when."""

    def when(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"

    prepared = ("Prepared by", f"{row.prepared_by}, {when(row.prepared_at)}")
    if row.released_at is None:
        return (prepared, ("Released by", "nobody yet: not to be paid"))
    return (prepared, ("Released by", f"{row.released_by}, {when(row.released_at)}"))
