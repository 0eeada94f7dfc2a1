"""The outbox as a read model: the reports that were made, and how each delivery of them stands."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import sql
from psycopg.types.json import Json

from domain.event import Event
from domain.outbox import REPORT_EVENTS, ReportMade, ReportNotSent, ReportSent
from ledger import Recorded
from projections.projection import Connection, sql_beside

PENDING, SENT, GIVEN_UP = "PENDING", "SENT", "GIVEN_UP"

Key = tuple[str, str]
"""Report id and recipient."""


class DeliveryRow(msgspec.Struct, kw_only=True):
    """A row of `delivery`, its columns in order. Times are UTC."""

    report_id: str
    recipient: str
    status: str = PENDING
    attempts: int = 0
    last_attempt_at: datetime | None = None
    reason: str = ""
    sent_at: datetime | None = None
    due_at: datetime | None = None

    def apply(self, event: Event) -> None:
        """Changes it as the event says."""
        match event:
            case ReportMade():
                self.due_at = event.at
            case ReportSent():
                self.status, self.sent_at, self.due_at = SENT, event.at, None
                self.reason = ""
                self.attempts, self.last_attempt_at = self.attempts + 1, event.at
            case ReportNotSent() if self.status != SENT:
                self.attempts, self.last_attempt_at = event.attempt, event.at
                self.status = GIVEN_UP if event.final else PENDING
                self.reason, self.due_at = event.reason, event.next_attempt_at
                if not event.final and self.due_at is None:
                    self.due_at = event.at
            case _:
                pass


_REPORT = (
    "report_id",
    "process",
    "kind",
    "subject",
    "files",
    "totals",
    "position",
    "event",
    "made_at",
    "made_by",
    "comment",
)
_INSERT = sql.SQL("INSERT INTO report ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
    sql.SQL(", ").join(map(sql.Identifier, _REPORT)),
    sql.SQL(", ").join(sql.Placeholder() * len(_REPORT)),
)
_COLUMNS = tuple(map(sql.Identifier, DeliveryRow.__struct_fields__))
_SELECT = sql.SQL(
    "SELECT {} FROM delivery JOIN unnest(%s::text[], %s::text[]) AS wanted (i, r)"
    " ON report_id = i AND recipient = r"
).format(sql.SQL(", ").join(_COLUMNS))
_UPSERT = sql.SQL(
    "INSERT INTO delivery ({}) VALUES ({}) ON CONFLICT (report_id, recipient) DO UPDATE SET {}"
).format(
    sql.SQL(", ").join(_COLUMNS),
    sql.SQL(", ").join(sql.Placeholder() * len(_COLUMNS)),
    sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in _COLUMNS[2:]),
)
_COUNT = """
    UPDATE report SET pending = d.pending, sent = d.sent, given_up = d.given_up FROM (
        SELECT report_id AS id, count(*) FILTER (WHERE status = 'PENDING') AS pending,
               count(*) FILTER (WHERE status = 'SENT') AS sent,
               count(*) FILTER (WHERE status = 'GIVEN_UP') AS given_up
        FROM delivery WHERE report_id = ANY(%s) GROUP BY report_id
    ) AS d WHERE report_id = d.id
"""


class Outbox:
    """Feeds `report` and `delivery`."""

    name = "outbox"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = REPORT_EVENTS

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        made = [entry for entry in recorded if isinstance(entry.event, ReportMade)]
        if made:
            await connection.cursor().executemany(_INSERT, [_values(entry) for entry in made])
        events = [(key, event) for entry in recorded for key, event in _about(entry)]
        if not events:
            return
        rows = await _rows(connection, {key for key, _ in events})
        for key, event in events:
            if key not in rows:
                rows[key] = DeliveryRow(report_id=key[0], recipient=key[1])
            rows[key].apply(event)
        values: list[tuple[Any, ...]] = [msgspec.structs.astuple(row) for row in rows.values()]
        await connection.cursor().executemany(_UPSERT, values)
        await connection.execute(_COUNT, (sorted({key[0] for key in rows}),))


def _values(entry: Recorded) -> tuple[Any, ...]:
    """The columns of a new report."""
    event = entry.event
    assert isinstance(event, ReportMade)
    return (
        event.report_id,
        event.process,
        event.report.value,
        event.subject,
        Json(event.files, msgspec.json.encode),
        Json(event.totals, msgspec.json.encode),
        event.position,
        entry.position,
        event.at,
        event.by,
        event.comment,
    )


def _about(entry: Recorded) -> Iterable[tuple[Key, Event]]:
    """The deliveries that an event changes."""
    event = entry.event
    match event:
        case ReportMade():
            return [((event.report_id, to), event) for to in event.to]
        case ReportSent() | ReportNotSent():
            return [((event.report_id, event.to), event)]
        case _:
            return []


async def _rows(connection: Connection, keys: set[Key]) -> dict[Key, DeliveryRow]:
    reports, recipients = zip(*sorted(keys), strict=True)
    cursor = await connection.execute(_SELECT, (list(reports), list(recipients)))
    names = DeliveryRow.__struct_fields__
    rows = [DeliveryRow(**dict(zip(names, row, strict=True))) for row in await cursor.fetchall()]
    return {(row.report_id, row.recipient): row for row in rows}
