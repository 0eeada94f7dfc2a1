"""A recon line as reports take it in: a pair of records, or one alone."""

from enum import StrEnum

from domain.record import RecordKind, file_of, line_of
from finance.report.figures.table import Cell, Column, ColumnKind
from projections.reconciliation_report import ReportLine

_CENTS = ColumnKind.CENTS
AMOUNTS = (
    Column("our_amount_minor", "Ours", _CENTS, summed=True),
    Column("their_amount_minor", "Theirs", _CENTS, summed=True),
    Column("difference_minor", "Difference", _CENTS, summed=True),
)
"""Reversals count against purchases; the difference is ours less theirs."""
LINE = (
    Column("business_date", "Date", ColumnKind.DATE),
    Column("message_type", "Type"),
    Column("transaction_id", "Transaction id"),
    Column("provider_reference", "Reference"),
    Column("meter_id", "Meter"),
    Column("receiver_id", "Municipality", stretch=True),
    *AMOUNTS,
    Column("mismatch_fields", "Fields that differ"),
    Column("recon_status", "Recon status"),
    Column("settlement_status", "Settlement", printed=False),
    Column("resolution_rule", "Resolved by", printed=False),
    Column("winner", "In favour of", printed=False),
    Column("utility_type", "Utility", printed=False),
    Column("settlement_entity_id", "Provider", printed=False),
    Column("client_id", "Client", printed=False),
    Column("settlement_id", "In settlement", printed=False),
    Column("our_file", "Our file", ColumnKind.COUNT, printed=False),
    Column("our_line", "Our line", ColumnKind.COUNT, printed=False),
    Column("their_file", "Their file", ColumnKind.COUNT, printed=False),
    Column("their_line", "Their line", ColumnKind.COUNT, printed=False),
)


class Matched(StrEnum):
    """How a line stands, as the product calls it."""

    MATCHED = "Matched"
    PARTIAL = "Partially matched"
    UNMATCHED = "Unmatched"


def matched(line: ReportLine) -> Matched:
    """A pair that was resolved or closed is one that differed."""
    if line.status == "MATCHED":
        return Matched.MATCHED
    return Matched.PARTIAL if line.partner else Matched.UNMATCHED


def settlement_status(line: ReportLine) -> str:
    """Where its settlement is, in the product's words."""
    match line.settlement_status:
        case "RELEASED":
            return "Settled"
        case "READY" | "PREPARING":
            return "Pending approval"
        case _:
            return _UNSETTLED.get(line.status, "Not ready")


_UNSETTLED = {
    "MATCHED": "Ready",
    "RESOLVED": "Ready",
    "EXPIRED": "Expired",
    "CLOSED": "Rejected",
}
_SAID = {"DUPLICATE": " (duplicates)", "EXPIRED": " (expired)", "CLOSED": " (closed)"}


def amounts(line: ReportLine) -> tuple[int, int, int]:
    """Ours, theirs and the difference, signed."""
    sign = -1 if line.message_type == RecordKind.REVERSAL else 1
    ours, theirs = sign * (line.our_cents or 0), sign * (line.their_cents or 0)
    return ours, theirs, ours - theirs


def cells(line: ReportLine) -> tuple[Cell, ...]:
    """The line's row under LINE."""
    ours, theirs, difference = amounts(line)
    return (
        line.business_date,
        line.message_type,
        line.transaction_id,
        line.provider_reference,
        line.meter,
        line.receiver,
        ours if line.ours else None,
        theirs if line.theirs else None,
        difference,
        " ".join(line.fields),
        f"{matched(line).value}{_SAID.get(line.status, '')}",
        settlement_status(line),
        line.why,
        line.winner,
        line.utility_type,
        line.provider,
        line.client,
        line.settlement,
        *_places(line.ours),
        *_places(line.theirs),
    )


def _places(ref: int) -> tuple[int | None, int | None]:
    return (file_of(ref), line_of(ref)) if ref else (None, None)
