"""The batch runner: feeds read models from the ledger, exactly once.

A batch's rows and the cursor move in one transaction, so a crash repeats nothing and skips nothing.
Several processes may run the same read models: whoever holds the cursor's row works, the others
look again later.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import structlog
from psycopg import sql

from ledger import Ledger, LedgerError, Recorded
from projections.projection import Connection, Projection, schema_of

_log = structlog.get_logger(__name__)

# Serialises set-up among processes that start at once; any constant of our own will do.
_SETUP_LOCK = 7_236_001


@dataclass(frozen=True)
class RunnerSettings:
    """`batch`: events per transaction. `linger_seconds`: pause after each wake-up, so that under
    load a transaction takes in many commits. `idle_seconds`: how long a runner that lost its
    cursor to another process waits. `restart_seconds`: pause after an error."""

    batch: int = 1_000
    linger_seconds: float = 0.05
    idle_seconds: float = 1.0
    restart_seconds: float = 1.0


Progress = Callable[[int, int], None]
"""Called with (position reached, position to reach)."""


async def connect(database_url: str) -> Connection:
    """A connection of the runner's own."""
    return await psycopg.AsyncConnection.connect(database_url, autocommit=True)


class ProjectionRunner:
    """Runs a set of read models against one database."""

    def __init__(
        self,
        ledger: Ledger,
        database_url: str,
        projections: Sequence[Projection],
        settings: RunnerSettings = RunnerSettings(),
    ) -> None:
        self._ledger = ledger
        self._database_url = database_url
        self._projections = projections
        self._settings = settings

    async def set_up(self) -> None:
        """Creates schemas, tables and cursors that don't exist yet."""
        for projection in self._projections:
            await self._set_up(projection)

    async def _set_up(self, projection: Projection, *, with_tables: bool = True) -> None:
        connection = await connect(self._database_url)
        async with connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SETUP_LOCK,))
            await connection.execute(_RUNNER_SQL)
            await _create_cursor(connection, projection)
            if with_tables:
                await _create(connection, projection, schema_of(projection.name))

    async def run(self) -> None:
        """Keeps all read models up with the ledger, for ever."""
        async with asyncio.TaskGroup() as group:
            for projection in self._projections:
                group.create_task(self._keep(projection), name=f"projection {projection.name}")

    async def _keep(self, projection: Projection) -> None:
        ready = False
        while True:
            try:
                if not ready:
                    # Its own only: tables of an older shape, which have to be rebuilt, must not
                    # stop the other read models.
                    await self._set_up(projection)
                    ready = True
                await self._follow(projection)
                # Another process has the cursor now; look again later.
                await asyncio.sleep(self._settings.idle_seconds)
            except (psycopg.Error, LedgerError, OSError) as error:
                ready = False
                _log.warning("projection pauses", projection=projection.name, error=str(error))
                await asyncio.sleep(self._settings.restart_seconds)

    async def _follow(self, projection: Projection) -> None:
        """Feeds the live tables from the cursor on; returns when the cursor is not ours."""
        connection = await connect(self._database_url)
        async with connection:
            position = await self._position(connection, projection)
            tail = self._ledger.tail(position, batch=self._settings.batch, topics=projection.topics)
            async for batch in tail:
                upto = batch.last_position
                if not await self._advance(connection, projection, position, upto, batch.recorded):
                    return
                position = upto

    async def catch_up(self) -> int:
        """Brings every read model up to the ledger's present end; returns that position."""
        await self.set_up()
        end = await self._ledger.last_position()
        connection = await connect(self._database_url)
        async with connection:
            for projection in self._projections:
                position = await self._position(connection, projection)
                while position < end:
                    recorded = await self._batch(projection, position, end)
                    upto = _reached(recorded, self._settings.batch, end)
                    if await self._advance(connection, projection, position, upto, recorded):
                        position = upto
                    else:
                        await asyncio.sleep(self._settings.idle_seconds)
                        position = await self._position(connection, projection)
        return end

    async def rebuild(self, projection: Projection, progress: Progress | None = None) -> int:
        """Builds the read model anew beside the live one, then takes its place in one
        transaction. The live one goes on being read meanwhile, and may have tables of an older
        shape. Returns the position reached."""
        await self._set_up(projection, with_tables=False)
        fresh = f"{schema_of(projection.name)}_rebuild"
        connection = await connect(self._database_url)
        async with connection:
            await connection.execute(
                sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(fresh))
            )
            position = await self.build(connection, projection, fresh, progress=progress)
            async with connection.transaction():
                await _locked_position(connection, projection.name, wait=True)
                position = await self._feed(connection, projection, fresh, position, None)
                await _swap(connection, projection.name, fresh, position)
        return position

    async def build(
        self,
        connection: Connection,
        projection: Projection,
        schema: str,
        *,
        until: int | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Builds the read model from the first event into `schema`, as it stood at position
        `until` (default: now)."""
        await _create(connection, projection, schema)
        end = await self._ledger.last_position() if until is None else until
        return await self._feed(connection, projection, schema, 0, end, progress)

    async def _feed(
        self,
        connection: Connection,
        projection: Projection,
        schema: str,
        position: int,
        end: int | None,
        progress: Progress | None = None,
    ) -> int:
        stop = await self._ledger.last_position() if end is None else end
        while position < stop:
            recorded = await self._batch(projection, position, stop)
            async with connection.transaction():
                await _use(connection, schema)
                await projection.apply(connection, recorded)
            position = _reached(recorded, self._settings.batch, stop)
            if progress is not None:
                progress(position, stop)
        return position

    async def _batch(self, projection: Projection, position: int, end: int) -> list[Recorded]:
        recorded = await self._ledger.read_all(position, self._settings.batch, projection.topics)
        return [entry for entry in recorded if entry.position <= end]

    async def _position(self, connection: Connection, projection: Projection) -> int:
        cursor = await connection.execute(
            "SELECT position FROM projections.cursor WHERE name = %s", (projection.name,)
        )
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0])

    async def _advance(
        self,
        connection: Connection,
        projection: Projection,
        position: int,
        upto: int,
        recorded: Sequence[Recorded],
    ) -> bool:
        """One batch in one transaction; False when the cursor is not ours or not at `position`."""
        async with connection.transaction():
            found = await _locked_position(connection, projection.name, wait=False)
            if found != position:
                return False
            if recorded:
                await _use(connection, schema_of(projection.name))
                await projection.apply(connection, recorded)
            await connection.execute(
                "UPDATE projections.cursor SET position = %s, updated_at = now() WHERE name = %s",
                (upto, projection.name),
            )
        return True


_RUNNER_SQL = Path(__file__).with_suffix(".sql").read_bytes()


def _reached(recorded: Sequence[Recorded], batch: int, end: int) -> int:
    """A full batch ends where its last event is; a short one means nothing more up to `end`."""
    return recorded[-1].position if len(recorded) == batch else end


async def _create(connection: Connection, projection: Projection, schema: str) -> None:
    await connection.execute(
        sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))
    )
    async with connection.transaction():
        await _use(connection, schema)
        await connection.execute(projection.tables.encode())


async def _create_cursor(connection: Connection, projection: Projection) -> None:
    await connection.execute(
        "INSERT INTO projections.cursor (name, position) VALUES (%s, 0) ON CONFLICT DO NOTHING",
        (projection.name,),
    )


async def _use(connection: Connection, schema: str) -> None:
    """Puts the schema first for the rest of the transaction."""
    await connection.execute("SELECT set_config('search_path', %s, true)", (schema,))


async def _locked_position(connection: Connection, name: str, *, wait: bool) -> int | None:
    cursor = await connection.execute(
        sql.SQL("SELECT position FROM projections.cursor WHERE name = %s FOR UPDATE {}").format(
            sql.SQL("" if wait else "SKIP LOCKED")
        ),
        (name,),
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def _swap(connection: Connection, name: str, fresh: str, position: int) -> None:
    live = sql.Identifier(schema_of(name))
    await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(live))
    await connection.execute(
        sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(sql.Identifier(fresh), live)
    )
    await connection.execute(
        "UPDATE projections.cursor SET position = %s, updated_at = now() WHERE name = %s",
        (position, name),
    )
