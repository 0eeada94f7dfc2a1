"""Decisions about records: what was asked for, by whom, and what became of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from projections.keyset import Cursor, Page, read_page
from projections.projection import schema_of
from projections.reading import Reading

DECISION_KEYS = (int,)
"""Of a page's mark: the position."""

_SCHEMA = schema_of("reconciliation")


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to be done about records, and whether it was. `status`: PENDING, APPROVED
    or REJECTED. `amount_cents`: of an adjustment, signed; positive is owed to the party."""

    process: str
    decision_id: str
    decision: str
    ours: tuple[int, ...]
    theirs: tuple[int, ...]
    winner: str
    amount_cents: int
    currency: str
    requested_by: str
    requested_at: datetime
    reason: str
    status: str
    decided_by: str
    decided_at: datetime | None
    comment: str
    settlement: str
    position: int

    @property
    def records(self) -> int:
        """How many lines it is about."""
        return max(len(self.ours), len(self.theirs))


_DECISION = f"SELECT {', '.join(DecisionRow.__struct_fields__)} FROM {_SCHEMA}.decision"  # noqa: S608


def _decision(row: Sequence[Any]) -> DecisionRow:
    values = dict(zip(DecisionRow.__struct_fields__, row, strict=True))
    values["ours"], values["theirs"] = tuple(values["ours"]), tuple(values["theirs"])
    return DecisionRow(**values)


async def decisions(
    reading: Reading,
    *,
    process: str | None = None,
    pending: bool = False,
    cursor: Cursor | None = None,
    limit: int,
) -> Page[DecisionRow]:
    """Decisions, newest first; of one process or all. Cursors by DECISION_KEYS."""
    conditions = ["process = %(process)s"] if process else []
    if pending:
        conditions.append("status = 'PENDING'")
    return await read_page(
        reading,
        select=_DECISION,
        conditions=conditions,
        keys=("position",),
        descending=True,
        parameters={"process": process},
        cursor=cursor,
        limit=limit,
        make=_decision,
        key_of=lambda row: (row.position,),
    )


async def decision(reading: Reading, process: str, decision_id: str) -> DecisionRow | None:
    found = await reading.rows(
        f"{_DECISION} WHERE process = %s AND decision_id = %s", (process, decision_id)
    )
    return _decision(found[0]) if found else None


async def decisions_about(
    reading: Reading, process: str, records: Sequence[int], limit: int
) -> list[DecisionRow]:
    """Decisions that name one of these records, newest first."""
    found = await reading.rows(
        f"{_DECISION} WHERE process = %(process)s AND (ours && %(refs)s::bigint[]"
        " OR theirs && %(refs)s::bigint[]) ORDER BY position DESC LIMIT %(limit)s",
        {"process": process, "refs": list(records), "limit": limit},
    )
    return [_decision(row) for row in found]
