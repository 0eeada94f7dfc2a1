"""How a figure came about: from a settlement's total to its lines, and from a line to everything
that it rests on. No frames here: the console may show it.

Each answer is bounded: a page of lines, and of one line its records, decisions and events.
"""

from collections.abc import Mapping

import msgspec

from finance.context import Context
from finance.report.snapshot import Snapshot, snapshot
from finance.report.trace_line import LineTrace, traced_line
from projections.keyset import Cursor
from projections.reconciliation_report import DecisionTold, decisions_by_id
from projections.settlement_breakdown import Group, Part, breakdown, lines_of
from projections.settlements_search import (
    EntryRow,
    SettlementLineRow,
    SettlementRow,
    adjustments,
    posted,
    settlement,
)

LINES_MAX = 1_000
"""Lines of one page."""


class NoSuchFigureError(ValueError):
    """There is no such settlement, or it has no such line."""


class AdjustmentTold(msgspec.Struct, frozen=True):
    """An adjustment of a settlement: cents more (or less) of net, and who decided it why."""

    decision_id: str
    amount_cents: int
    decision: DecisionTold | None


class SettlementTrace(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement's total, taken apart. `parts` add up to its totals, each Part of its own;
    `where` says which lines `lines` are a page of, `next_ref` after which the next page begins
    (None: this is the last)."""

    settlement: SettlementRow
    parts: dict[str, list[Group]]
    adjustments: list[AdjustmentTold]
    entry: list[EntryRow]
    where: dict[str, str]
    lines: list[SettlementLineRow]
    next_ref: int | None


async def trace_settlement(
    context: Context,
    settlement_id: str,
    where: Mapping[Part, str] | None = None,
    *,
    after: int | None = None,
    limit: int = 50,
) -> SettlementTrace:
    """The settlement, and the lines that have the values `where` ("" for those that don't say), by
    ref from the one after `after` on. Raises NoSuchFigureError, ValueError for a day that is none,
    psycopg.Error."""
    wanted = dict(where or {})
    async with snapshot(context) as reading:
        row = await _settlement(reading, settlement_id)
        cursor = None if after is None else Cursor((after,))
        page = await lines_of(
            reading, settlement_id, wanted, cursor=cursor, limit=min(limit, LINES_MAX)
        )
        parts = await breakdown(reading, settlement_id)
        return SettlementTrace(
            settlement=row,
            parts={part.value: groups for part, groups in parts.items()},
            adjustments=await _adjustments(reading, row),
            entry=await posted(reading, settlement_id),
            where={part.value: value for part, value in wanted.items()},
            lines=page.rows,
            next_ref=page.rows[-1].ref if page.later is not None else None,
        )


async def trace_line(context: Context, settlement_id: str, ref: int) -> LineTrace:
    """All that the settlement's line about the record `ref` rests on. Raises NoSuchFigureError,
    and what the ledger, its archive and the database raise."""
    async with snapshot(context) as reading:
        row = await _settlement(reading, settlement_id)
        page = await lines_of(reading, settlement_id, {}, cursor=Cursor((ref - 1,)), limit=1)
        if not page.rows or page.rows[0].ref != ref:
            raise NoSuchFigureError(f"settlement {settlement_id} has no line of record {ref}")
        return await traced_line(context, reading, row, page.rows[0])


async def _settlement(reading: Snapshot, settlement_id: str) -> SettlementRow:
    row = await settlement(reading, settlement_id)
    if row is None:
        raise NoSuchFigureError(f"no settlement {settlement_id[:100]!r}")
    return row


async def _adjustments(reading: Snapshot, row: SettlementRow) -> list[AdjustmentTold]:
    rows = await adjustments(reading, row.settlement_id)
    known = await decisions_by_id(reading, row.process, [each.decision_id for each in rows])
    return [
        AdjustmentTold(each.decision_id, each.amount_cents, known.get(each.decision_id))
        for each in rows
    ]
