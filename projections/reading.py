"""What the console reads: one pool of connections of its own, and what each read model answers."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from projections.projection import Connection

Pool = AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]


class Reading:
    """Connections for queries: few, so that pages never take them from the switch, and each with a
    limit on how long a query may take."""

    def __init__(
        self, database_url: str, connections: int = 4, query_seconds: float = 10.0
    ) -> None:
        milliseconds = round(query_seconds * 1_000)
        self._pool: Pool = AsyncConnectionPool(
            database_url,
            kwargs={
                "autocommit": True,
                "application_name": "ppu-console",
                "options": f"-c statement_timeout={milliseconds}",
            },
            min_size=1,
            max_size=connections,
            timeout=query_seconds,
            open=False,
        )

    async def __aenter__(self) -> "Reading":
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """A connection for a few queries. Raises psycopg's errors, PoolTimeout among them."""
        async with self._pool.connection() as connection:
            yield connection

    async def positions(self) -> dict[str, int]:
        """How far each read model is, by its name."""
        rows = await self.rows("SELECT name, position FROM projections.cursor")
        return {row[0]: row[1] for row in rows}

    async def rows(
        self, query: str, parameters: Sequence[Any] | dict[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        """The rows of one query."""
        async with self.connection() as connection:
            cursor = await connection.execute(query.encode(), parameters)
            return await cursor.fetchall()
