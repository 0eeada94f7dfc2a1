"""Reading what is recorded, by stream or by position, over a small pool of connections."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ledger.database import is_lost, table
from ledger.errors import LedgerUnavailable
from ledger.group_read import GroupRead
from ledger.mapper import EventMapper
from ledger.recorded import Recorded
from ledger.settings import LedgerSettings

Row = tuple[int, str, int, str, bytes]
"""position, stream, version, topic, state"""

COLUMNS = sql.SQL("notification_id, originator_id, originator_version, topic, state")


class Reader:
    """Queries over a pool. A lost connection is replaced and the query asked again."""

    def __init__(self, database_url: str, settings: LedgerSettings, mapper: EventMapper) -> None:
        self._settings = settings
        self._mapper = mapper
        self._pool = AsyncConnectionPool(
            database_url,
            kwargs={"autocommit": True, "application_name": "ppu-ledger-reader"},
            configure=self._configure,
            min_size=1,
            max_size=settings.read_pool_size,
            timeout=settings.unavailable_seconds_max,
            reconnect_timeout=settings.unavailable_seconds_max,
            open=False,
        )
        name = table(settings)
        self._streams = GroupRead(
            self._fetch, COLUMNS, name, settings.read_streams_max, settings.read_events_max
        )
        self._last = sql.SQL("SELECT coalesce(max(notification_id), 0) FROM {}").format(name)
        self._first = sql.SQL(
            "SELECT {} FROM {} WHERE originator_id = %s AND originator_version > %s::bigint"
            " ORDER BY originator_version LIMIT %s::bigint"
        ).format(COLUMNS, name)
        self._by_position = sql.SQL(
            "SELECT {} FROM {} WHERE notification_id > %s::bigint"
            " AND (%s::text[] IS NULL OR topic = ANY(%s::text[]))"
            " ORDER BY notification_id LIMIT %s::bigint"
        ).format(COLUMNS, name)

    async def open(self) -> None:
        """Opens the pool without waiting for its connections."""
        await self._pool.open()

    async def close(self) -> None:
        """Closes the pool."""
        await self._pool.close()

    async def stream(
        self, stream: str, after_version: int, limit: int | None = None
    ) -> list[Recorded]:
        """The stream's events above `after_version`, all of them or the first `limit`, by
        version."""
        if limit is not None:
            rows = await self._fetch(self._first, [stream, after_version, limit])
            return list(map(to_recorded(self._mapper), rows))
        page = self._settings.read_events_max
        recorded: list[Recorded] = []
        while True:
            rows = await self._streams.rows(stream, after_version)
            recorded.extend(map(to_recorded(self._mapper), rows))
            if len(rows) < page:
                return recorded
            after_version = recorded[-1].version

    async def last_position(self) -> int:
        """The position of the last event; 0 when there is none."""
        return int((await self._fetch(self._last, []))[0][0])

    async def by_position(self, after: int, limit: int, topics: Collection[str]) -> list[Recorded]:
        """At most `limit` events above position `after`, by position."""
        wanted = list(topics) or None
        rows = await self._fetch(self._by_position, [after, wanted, wanted, limit])
        return list(map(to_recorded(self._mapper), rows))

    async def _fetch(self, query: sql.Composed, parameters: Sequence[Any]) -> list[TupleRow]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.unavailable_seconds_max
        pause = self._settings.reconnect_seconds_min
        while True:
            try:
                async with self._pool.connection() as connection:
                    cursor = connection.cursor(binary=True)
                    await cursor.execute(query, parameters, prepare=True)
                    return await cursor.fetchall()
            except PoolTimeout as error:
                raise LedgerUnavailable(f"the database is away: {error}") from error
            except psycopg.Error as error:
                if not is_lost(error) or loop.time() + pause > deadline:
                    raise LedgerUnavailable(f"the ledger cannot be read: {error}") from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._settings.reconnect_seconds_max)

    async def _configure(self, connection: psycopg.AsyncConnection) -> None:
        milliseconds = round(self._settings.statement_seconds_max * 1000)
        await connection.execute(
            "SELECT set_config('statement_timeout', %s, false)", [f"{milliseconds}ms"]
        )


def to_recorded(mapper: EventMapper) -> Callable[[TupleRow], Recorded]:
    """What makes a Recorded of a row of COLUMNS."""
    decode = mapper.decode

    def make(row: TupleRow) -> Recorded:
        return Recorded(row[0], row[1], row[2], decode(row[3], row[4]))

    return make
