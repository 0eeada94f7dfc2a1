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

from ledger import Batch, Ledger, LedgerError, Recorded
from projections.feed import Feed, events_after, reached
from projections.projection import Connection, Projection, schema_of

_log = structlog.get_logger(__name__)

# Serialises set-up among processes that start at once; any constant of our own will do.
_SETUP_LOCK = 7_236_001


@dataclass(frozen=True)
class RunnerSettings:
    """`batch`: events per transaction. `linger_seconds`: pause after each wake-up, so that under
    load a transaction takes in many commits. `idle_seconds`: how long a runner that lost its
    cursor to another process waits. `restart_seconds`: pause after an error. `cursor_seconds`: how
    far behind a cursor may be kept for which there was nothing to do. `feed_events_max`: events
    that are held for read models that are a little behind the others."""

    batch: int = 1_000
    linger_seconds: float = 0.05
    idle_seconds: float = 1.0
    restart_seconds: float = 1.0
    cursor_seconds: float = 0.2
    feed_events_max: int = 5_000


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
        topics = {topic for projection in projections for topic in projection.topics}
        self._feed = Feed(
            ledger,
            topics,
            batch=settings.batch,
            linger_seconds=settings.linger_seconds,
            events_max=settings.feed_events_max,
            restart_seconds=settings.restart_seconds,
        )

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
            # From the ledger first: a process that doesn't get the cursor needs no feed.
            batch = await events_after(
                self._ledger, position, projection.topics, self._settings.batch
            )
            if not await self._advance(connection, projection, position, batch):
                return
            position = batch.last_position
            async with self._feed.reading():
                while True:
                    batch = await self._news(projection, position)
                    if not await self._advance(connection, projection, position, batch):
                        return
                    position = batch.last_position

    async def _news(self, projection: Projection, position: int) -> Batch:
        """The next events above `position` for this read model. When there are none for it in what
        the ledger goes on with, its cursor waits a little for more of that."""
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        batch = Batch(position, [])
        while not batch.recorded:
            following = self._feed.after(
                batch.last_position, projection.topics, self._settings.batch
            )
            try:
                async with asyncio.timeout_at(deadline):
                    batch = await following
            except TimeoutError:
                break
            deadline = deadline or loop.time() + self._settings.cursor_seconds
        return batch

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
                    batch = Batch(reached(recorded, self._settings.batch, end), recorded)
                    if await self._advance(connection, projection, position, batch):
                        position = batch.last_position
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
                position = await self._build_on(connection, projection, fresh, position, None)
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
        return await self._build_on(connection, projection, schema, 0, end, progress)

    async def _build_on(
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
            position = reached(recorded, self._settings.batch, stop)
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
        batch: Batch,
    ) -> bool:
        """One batch in one transaction; False when the cursor is not ours or not at `position`."""
        async with connection.transaction():
            found = await _locked_position(connection, projection.name, wait=False)
            if found != position:
                return False
            if batch.recorded:
                await _use(connection, schema_of(projection.name))
                await projection.apply(connection, batch.recorded)
            if batch.last_position > position:
                await connection.execute(
                    "UPDATE projections.cursor SET position = %s, updated_at = now()"
                    " WHERE name = %s",
                    (batch.last_position, projection.name),
                )
        return True


_RUNNER_SQL = Path(__file__).with_suffix(".sql").read_bytes()


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
