"""Notifications as a read model: where the messengers should look, and the log of deliveries."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import sql

from domain.event import Event
from domain.notification import (
    NOTIFICATION_EVENTS,
    NotificationAttempted,
    NotificationBegun,
    NotificationDelivered,
    NotificationGivenUp,
    NotificationQueued,
)
from ledger import Recorded
from projections.projection import Connection, schema_of, sql_beside

Key = tuple[str, str]
"""Subscriber and purchase id."""


class _Row(msgspec.Struct, kw_only=True):
    """A row of `notification`, its columns in order."""

    subscriber: str
    purchase_id: str
    status: str = "PENDING"
    queued_at: datetime | None = None
    attempts: int = 0
    last_attempt_at: datetime | None = None
    answer_status: int | None = None
    detail: str = ""
    because: str | None = None
    finished_at: datetime | None = None
    due_at: datetime | None = None

    def apply(self, event: Event) -> None:
        match event:
            case NotificationQueued():
                self.queued_at = event.at
                if not self.attempts:
                    self.due_at = event.at
            case NotificationBegun():
                self.attempts, self.last_attempt_at = event.attempt, event.at
                self.due_at = event.deadline
            case NotificationAttempted():
                self.answer_status, self.detail = event.status, event.detail
                self.due_at = event.next_attempt_at
            case NotificationDelivered():
                self.answer_status, self.detail, self.because = event.status, "", None
                self._finished("DELIVERED", event.at)
            case NotificationGivenUp():
                self.answer_status, self.detail = event.status, event.detail
                self.because = event.because.value
                self._finished("GIVEN_UP", event.at)
            case _:
                pass

    def _finished(self, status: str, at: datetime) -> None:
        self.status, self.finished_at, self.due_at = status, at, None


_COLUMNS = tuple(map(sql.Identifier, _Row.__struct_fields__))
_SELECT = sql.SQL(
    "SELECT {} FROM notification JOIN unnest(%s::text[], %s::text[]) AS wanted (s, p)"
    " ON subscriber = s AND purchase_id = p"
).format(sql.SQL(", ").join(_COLUMNS))
_UPSERT = sql.SQL(
    "INSERT INTO notification ({}) VALUES ({}) ON CONFLICT (subscriber, purchase_id)"
    " DO UPDATE SET {}"
).format(
    sql.SQL(", ").join(_COLUMNS),
    sql.SQL(", ").join(sql.Placeholder() * len(_COLUMNS)),
    sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in _COLUMNS[2:]),
)


class Notifications:
    """Feeds `notification`."""

    name = "notifications"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (NotificationQueued, *NOTIFICATION_EVENTS)

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        events = [(key, event) for entry in recorded for key, event in _about(entry)]
        if not events:
            return
        rows = await _rows(connection, {key for key, _ in events})
        for key, event in events:
            if key not in rows:
                rows[key] = _Row(subscriber=key[0], purchase_id=key[1])
            rows[key].apply(event)
        values: list[tuple[Any, ...]] = [msgspec.structs.astuple(row) for row in rows.values()]
        await connection.cursor().executemany(_UPSERT, values)


def _about(entry: Recorded) -> Iterator[tuple[Key, Event]]:
    """The rows that an event changes."""
    event = entry.event
    if isinstance(event, NotificationQueued):
        purchase_id = entry.stream.partition("/")[2]
        for subscriber in event.subscribers:
            yield (subscriber, purchase_id), event
    elif isinstance(event, NOTIFICATION_EVENTS):
        yield (event.subscriber, event.purchase_id), event


async def _rows(connection: Connection, keys: set[Key]) -> dict[Key, _Row]:
    subscribers, purchases = zip(*keys, strict=True)
    cursor = await connection.execute(_SELECT, (list(subscribers), list(purchases)))
    names = _Row.__struct_fields__
    rows = [_Row(**dict(zip(names, row, strict=True))) for row in await cursor.fetchall()]
    return {(row.subscriber, row.purchase_id): row for row in rows}


async def notifications_due(
    connection: Connection, subscriber: str, now: datetime, limit: int
) -> Sequence[str]:
    """Ids of purchases that `subscriber` is to be told of by `now`, the longest due first."""
    cursor = await connection.execute(
        f"""
        SELECT purchase_id FROM {schema_of(Notifications.name)}.notification
        WHERE subscriber = %s AND due_at <= %s ORDER BY due_at, purchase_id LIMIT %s
        """.encode(),  # noqa: S608 (the schema's name is a constant)
        (subscriber, now, limit),
    )
    return [row[0] for row in await cursor.fetchall()]
