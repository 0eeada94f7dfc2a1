"""Sales as finance reads them: those of one party, by the ledger's position or by time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import sql

from domain.record import COLUMNS
from projections.projection import Connection, schema_of
from projections.sales import Sales

LINES_PER_FETCH = 2_000
_SALE = sql.Identifier(schema_of(Sales.name), "sale")

BATCH_COLUMNS = (
    "position",
    "transaction_us",
    *(name for name in COLUMNS if name not in ("transaction_time", "settlement_date")),
)
"""Of `sales_batch`: the time in microseconds since 1970 UTC, the rest as in `sale`."""
_EXACT_TIME = "(extract(epoch FROM transaction_time) * 1000000)::bigint"
_BATCH = sql.SQL(
    "COPY (SELECT {columns} FROM {sale} WHERE {whose} = %s AND position > %s AND position <= %s"
    " ORDER BY position LIMIT %s) TO STDOUT (FORMAT csv)"
)
LINE_COLUMNS = tuple(name for name in COLUMNS if name != "settlement_date")
"""Of `sales_lines`."""
_WINDOW = sql.SQL(
    "FROM {sale} WHERE {whose} = %s AND transaction_time >= %s AND transaction_time < %s"
)


@dataclass(frozen=True)
class Whose:
    """The sales of a provider (`settlement_entity_id`) or of a channel (`client_id`)."""

    column: Literal["settlement_entity_id", "client_id"]
    party: str


@dataclass(frozen=True)
class Window:
    """Moments in UTC: from `start` on and before `end`."""

    start: datetime
    end: datetime


async def sales_batch(
    connection: Connection, whose: Whose, after: int, until: int, limit: int
) -> bytes:
    """At most `limit` rows of positions above `after` and up to `until`, by position, as CSV with
    the columns BATCH_COLUMNS and no heading; absent is nothing between the commas."""
    exact = {"transaction_us": sql.SQL(_EXACT_TIME)}
    columns = [exact.get(name, sql.Identifier(name)) for name in BATCH_COLUMNS]
    query = _BATCH.format(
        columns=sql.SQL(", ").join(columns), sale=_SALE, whose=sql.Identifier(whose.column)
    )
    found = bytearray()
    async with connection.cursor().copy(query, (whose.party, after, until, limit)) as copy:
        async for part in copy:
            found += part
    return bytes(found)


async def sales_total(connection: Connection, whose: Whose, window: Window) -> tuple[int, int]:
    """How many lines the window has, and the sum of their amounts in cents."""
    query = sql.SQL("SELECT count(*), coalesce(sum(amount_minor), 0)::bigint ") + _found(whose)
    cursor = await connection.execute(query, (whose.party, window.start, window.end))
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


async def sales_lines(
    connection: Connection, whose: Whose, window: Window
) -> AsyncIterator[Sequence[Any]]:
    """The window's rows with the columns LINE_COLUMNS, by time and then position. Needs a
    transaction around it; holds LINES_PER_FETCH rows at a time."""
    columns = sql.SQL(", ").join(map(sql.Identifier, LINE_COLUMNS))
    query = sql.SQL("SELECT {} {} ORDER BY transaction_time, position").format(
        columns, _found(whose)
    )
    async with connection.cursor(name="sales_lines") as cursor:
        cursor.itersize = LINES_PER_FETCH
        await cursor.execute(query, (whose.party, window.start, window.end))
        async for row in cursor:
            yield row


async def providers_that_sold(connection: Connection, window: Window) -> dict[str, int]:
    """Providers with lines in the window, and how many."""
    cursor = await connection.execute(
        sql.SQL(
            "SELECT settlement_entity_id, count(*) FROM {} WHERE transaction_time >= %s"
            " AND transaction_time < %s GROUP BY 1 ORDER BY 1"
        ).format(_SALE),
        (window.start, window.end),
    )
    return {str(row[0]): int(row[1]) for row in await cursor.fetchall()}


def _found(whose: Whose) -> sql.Composed:
    return _WINDOW.format(sale=_SALE, whose=sql.Identifier(whose.column))
