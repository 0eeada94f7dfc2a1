"""Only one worker works at a time on a database: whoever holds a lock of its session."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from finance.context import Connect, Connection

# The first keeps this project's locks apart from others'; it is the ledger's.
_CLASS = 0x707075
_WORK = 20


@asynccontextmanager
async def work_lock(
    connect: Connect, wait_seconds: float, waiting: Callable[[], None]
) -> AsyncGenerator[Connection]:
    """Waits until this process is the one that works, looking every `wait_seconds`; `waiting` is
    called once if another one is. Yields the connection whose end is the lock's end. Raises
    psycopg.Error."""
    async with connect() as connection:
        told = False
        while not await _got(connection):
            if not told:
                waiting()
                told = True
            await asyncio.sleep(wait_seconds)
        yield connection


async def watch(connection: Connection, seconds: float) -> None:
    """Looks every so many seconds whether the lock is still held, for ever. Raises psycopg.Error as
    soon as it may not be: another worker may be at work then."""
    while True:
        await asyncio.sleep(seconds)
        await connection.execute("SELECT 1")


async def _got(connection: Connection) -> bool:
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_CLASS, _WORK))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
