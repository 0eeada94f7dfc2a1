"""The tailing reader: every event once, in the order of positions, as soon as it is committed.

Positions are in the order of commits, so whoever has seen position n has seen all below it: the
cursor is one number, and nothing can appear behind it.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from ledger.database import connect, is_lost, table
from ledger.errors import LedgerUnavailable
from ledger.mapper import EventMapper
from ledger.reader import COLUMNS, to_recorded
from ledger.recorded import Batch
from ledger.settings import LedgerSettings

# The end of what is looked at comes first: with topics asked for, the cursor moves over all.
_QUERY = """
WITH looked_at AS MATERIALIZED (
    SELECT least(
        coalesce(max(notification_id), 0), %(after)s::bigint + %(positions)s::bigint
    ) AS upto FROM {table}
)
SELECT upto, {columns} FROM looked_at LEFT JOIN LATERAL (
    SELECT {columns} FROM {table}
    WHERE notification_id > %(after)s::bigint AND notification_id <= upto {topics}
    ORDER BY notification_id LIMIT %(limit)s::bigint
) AS found ON true ORDER BY notification_id
"""


class Tail:
    """One reader's way along the ledger, with a connection of its own."""

    def __init__(
        self,
        database_url: str,
        settings: LedgerSettings,
        mapper: EventMapper,
        after: int,
        limit: int,
        topics: Collection[str],
        linger_seconds: float = 0.0,
    ) -> None:
        self._database_url = database_url
        self._settings = settings
        self._after = after
        self._limit = limit
        self._linger_seconds = linger_seconds
        self._to_recorded = to_recorded(mapper)
        self._connection: AsyncConnection | None = None
        self._query = sql.SQL(_QUERY).format(
            table=table(settings),
            columns=COLUMNS,
            topics=sql.SQL("AND topic = ANY(%(topics)s)" if topics else ""),
        )
        self._parameters: dict[str, Any] = {"limit": limit, "topics": list(topics)}

    async def batches(self) -> AsyncGenerator[Batch]:
        """Batches above the cursor, for ever. Raises LedgerUnavailable when the database stays
        away for longer than the setting."""
        try:
            while True:
                batch = await self._next()
                if batch is not None:
                    self._after = batch.last_position
                    yield batch
        finally:
            await self._disconnect()

    async def _next(self) -> Batch | None:
        """The next batch; None after a wait that may or may not have been worth it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.unavailable_seconds_max
        pause = self._settings.reconnect_seconds_min
        while True:
            try:
                if self._connection is None:
                    self._connection = await self._connect()
                batch = await self._look(self._connection)
                if batch is None:
                    await self._wait(self._connection)
            except psycopg.Error as error:
                await self._disconnect()
                if not is_lost(error) or loop.time() + pause > deadline:
                    raise LedgerUnavailable(f"the ledger cannot be tailed: {error}") from error
            else:
                return batch
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._settings.reconnect_seconds_max)

    async def _connect(self) -> AsyncConnection:
        connection = await connect(self._database_url, self._settings, name="ppu-ledger-tail")
        # Listening comes before the first look, so no commit falls between the two.
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._settings.table)))
        return connection

    async def _look(self, connection: AsyncConnection) -> Batch | None:
        cursor = connection.cursor(binary=True)
        positions = max(self._settings.tail_positions_max, self._limit)
        parameters = self._parameters | {"after": self._after, "positions": positions}
        await cursor.execute(self._query, parameters, prepare=True)
        rows = await cursor.fetchall()
        upto = int(rows[0][0])
        if upto <= self._after:
            return None
        recorded = [self._to_recorded(row[1:]) for row in rows if row[1] is not None]
        # A full batch may have stopped short of `upto`.
        last = recorded[-1].position if len(recorded) == self._limit else upto
        return Batch(last, recorded)

    async def _wait(self, connection: AsyncConnection) -> None:
        """Until somebody commits, or for the poll's pause: NOTIFY may be lost, polling is not."""
        heard = False
        # One wake-up brings all that came meanwhile, whatever `stop_after` is: linger once, not for
        # each, or a busy ledger would leave its reader ever further behind.
        async for _ in connection.notifies(timeout=self._settings.poll_seconds, stop_after=1):
            heard = True
        if heard and self._linger_seconds:
            await asyncio.sleep(self._linger_seconds)

    async def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
