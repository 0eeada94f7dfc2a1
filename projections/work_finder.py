"""Where the switch's workers look for work: queries over the read models."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.meter import Meter
from domain.sale import UtilityType
from projections.contract_table import meters_due
from projections.notifications import notifications_due
from projections.open_work import purchases_due
from projections.transactions import sold


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

    async def sold(
        self, utility_type: UtilityType, number: str, reference: str | None, limit: int
    ) -> Sequence[str]:
        """The meter's approved purchases, last one first; of a reference, those that have it."""
        async with self._pool.connection() as connection:
            return await sold(connection, utility_type.value, number, reference, limit)

    async def notifications_due(self, subscriber: str, now: datetime, limit: int) -> Sequence[str]:
        """Purchases that the subscriber is to be told of by `now`, the longest due first."""
        async with self._pool.connection() as connection:
            return await notifications_due(connection, subscriber, now, limit)
