"""Where the switch's workers look for work: queries over the read models."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.meter import Meter
from projections.contract_table import meters_due
from projections.open_work import purchases_due


class PooledWorkFinder:
    """Answers from a connection pool."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]) -> None:
        self._pool = pool

    async def purchases_due(
        self, now: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[tuple[datetime, str]]:
        """Purchases that want attention by `now`, the longest due first, beginning `after`."""
        async with self._pool.connection() as connection:
            return await purchases_due(connection, now, after, limit)

    async def meters_due(self, broadcast_before: datetime, limit: int) -> Sequence[Meter]:
        """Served meters last broadcast before that moment, oldest first."""
        async with self._pool.connection() as connection:
            return await meters_due(connection, broadcast_before, limit)
