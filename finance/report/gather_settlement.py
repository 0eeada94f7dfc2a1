"""The settlement statement's figures, from the read model of settlements."""

from finance.report.figures.figures import Figures
from finance.report.figures.settled import SettledAdjustment, Settlement
from finance.report.figures.settlement import SettlementFigures
from finance.report.snapshot import Snapshot
from finance.report.wanted import BATCH_ROWS, SubjectError, Wanted
from projections.keyset import Cursor
from projections.reconciliation_report import DecisionTold, decisions_by_id
from projections.settlements_search import (
    AdjustmentRow,
    SettlementRow,
    adjustments,
    posted,
    settlement,
    settlement_lines,
)


async def gather_settlement(reading: Snapshot, wanted: Wanted) -> Figures:
    """Of the settlement whose id is the subject: READY or RELEASED. Raises SubjectError,
    TooManyLinesError, TotalsDifferError."""
    row = await _settled(reading, wanted)
    wanted.require_lines(row.sales)
    made_of = Settlement(
        row=row,
        adjustments=await _adjustments(reading, row),
        entries=tuple(await posted(reading, wanted.subject)),
    )
    making = SettlementFigures(wanted.process, made_of)
    try:
        cursor: Cursor | None = None
        while True:
            page = await settlement_lines(reading, wanted.subject, cursor=cursor, limit=BATCH_ROWS)
            making.add(page.rows)
            if page.later is None:
                return making.figures(wanted.made_at)
            cursor = Cursor((page.rows[-1].ref,))
    except BaseException:
        making.close()
        raise


async def _settled(reading: Snapshot, wanted: Wanted) -> SettlementRow:
    row = await settlement(reading, wanted.subject)
    if row is None or row.process != wanted.process.id:
        raise SubjectError(f"process {wanted.process.id} has no settlement {wanted.subject!r}")
    if row.status not in ("READY", "RELEASED"):
        raise SubjectError(f"settlement {wanted.subject} is {row.status}: it has no statement")
    return row


async def _adjustments(reading: Snapshot, row: SettlementRow) -> tuple[SettledAdjustment, ...]:
    rows = await adjustments(reading, row.settlement_id)
    ids = [each.decision_id for each in rows]
    decisions = await decisions_by_id(reading, row.process, ids)
    return tuple(_adjustment(each, decisions.get(each.decision_id)) for each in rows)


def _adjustment(row: AdjustmentRow, decision: DecisionTold | None) -> SettledAdjustment:
    if decision is None:
        return SettledAdjustment(decision_id=row.decision_id, amount_cents=row.amount_cents)
    return SettledAdjustment(
        decision_id=row.decision_id,
        amount_cents=row.amount_cents,
        requested_by=decision.requested_by,
        approved_by=decision.decided_by,
        reason=decision.reason,
    )
