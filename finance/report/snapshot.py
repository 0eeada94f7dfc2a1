"""The read models of finance as they are at one moment, for the figures of one report."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from finance.context import Context
from projections.projection import Connection
from projections.reading import Reading

_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class Snapshot(Reading):
    """All its queries see one moment."""

    def __init__(self, connection: Connection) -> None:  # it has no pool of its own
        self._connection = connection

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        yield self._connection


@asynccontextmanager
async def snapshot(context: Context) -> AsyncGenerator[Snapshot]:
    """The read models as they are now. Raises psycopg.Error."""
    async with context.connect() as connection, connection.transaction():
        await connection.execute(_ONE_MOMENT)
        yield Snapshot(connection)
