"""What the finance worker asks of the outbox: which reports its orders have been made, and which
settlements have no statement yet. An order is known by its kind, its forms and whom it is for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from projections.outbox import Outbox
from projections.projection import Connection, schema_of
from projections.settlements import Settlements

STATEMENTS_MAX = 100
"""Settlements without a statement that are looked at once."""

_DAY, _WEEK, _MONTH = r"^\d{4}-\d{2}-\d{2}$", r"^\d{4}-W\d{2}$", r"^\d{4}-\d{2}$"
SUBJECTS = {"DAILY": _DAY, "WEEKLY": _WEEK, "MONTHLY": _MONTH}
"""What the subject of a report about such a cycle looks like."""

_OUTBOX, _SETTLEMENTS = schema_of(Outbox.name), schema_of(Settlements.name)
_BY_ORDER = f"""
    r.process = %(process)s AND r.kind = %(kind)s
    AND ARRAY(SELECT (f ->> 'form') COLLATE "C" FROM jsonb_array_elements(r.files) AS f ORDER BY 1)
        = %(forms)s::text[]
    AND ARRAY(SELECT recipient COLLATE "C" FROM {_OUTBOX}.delivery AS d
              WHERE d.report_id = r.report_id ORDER BY 1) = %(to)s::text[]
"""  # noqa: S608 (names of our own)
_SUBJECTS = f"""
    SELECT r.subject FROM {_OUTBOX}.report AS r
    WHERE {_BY_ORDER} AND r.subject ~ %(subjects)s
    ORDER BY r.subject COLLATE "C" DESC LIMIT %(limit)s
""".encode()  # noqa: S608
_WITHOUT = f"""
    WITH had AS (
        SELECT s.settlement_id, s.released_position FROM {_SETTLEMENTS}.settlement AS s
        WHERE s.process = %(process)s AND s.status = 'RELEASED' AND EXISTS (
            SELECT FROM {_OUTBOX}.report AS r
            WHERE {_BY_ORDER} AND r.subject = s.settlement_id
        )
    )
    SELECT s.settlement_id FROM {_SETTLEMENTS}.settlement AS s
    WHERE s.process = %(process)s AND s.status = 'RELEASED'
      AND s.settlement_id NOT IN (SELECT settlement_id FROM had)
      AND s.released_position > coalesce(
            (SELECT min(released_position) FROM had),
            (SELECT max(released_position) - 1 FROM {_SETTLEMENTS}.settlement
             WHERE process = %(process)s AND status = 'RELEASED'))
    ORDER BY s.released_position LIMIT {STATEMENTS_MAX}
""".encode()  # noqa: S608


@dataclass(frozen=True)
class Order:
    """An order for reports, as the outbox knows it."""

    process: str
    kind: str
    forms: Sequence[str]
    to: Sequence[str]

    def parameters(self) -> dict[str, Any]:
        return {
            "process": self.process,
            "kind": self.kind,
            "forms": sorted(set(self.forms)),
            "to": sorted(set(self.to)),
        }


async def subjects(connection: Connection, order: Order, cycle: str, limit: int) -> frozenset[str]:
    """What the latest reports by this order were about; `cycle` (DAILY, WEEKLY, MONTHLY): which
    kind of subject."""
    parameters = {**order.parameters(), "subjects": SUBJECTS[cycle], "limit": limit}
    cursor = await connection.execute(_SUBJECTS, parameters)
    return frozenset(str(row[0]) for row in await cursor.fetchall())


async def settlements_without(connection: Connection, order: Order) -> list[str]:
    """Released settlements that have no statement by this order, the earliest released first: those
    after the first one that has; where none has, only the latest, so that nobody who is added to
    the recipients gets a year's statements at once."""
    cursor = await connection.execute(_WITHOUT, order.parameters())
    return [str(row[0]) for row in await cursor.fetchall()]
