"""Deciding on a read model: as soon as it has seen what the ledger has, and only if nothing is
recorded in between. So a desk need not hold a million records in memory to judge a few of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from domain.reconciliation import process_stream
from finance.context import Connection, Context
from ledger import LedgerBusy, VersionConflict

E = TypeVar("E", bound=msgspec.Struct)

Deciding = Callable[[Connection], Awaitable[tuple[str, int, E]]]
"""Gives the process, the version of its stream that was looked at, and what is to happen."""


class BehindError(Exception):
    """The read model does not come up to the ledger; nothing was written."""

    def __init__(self, model: str, seconds: float) -> None:
        super().__init__(
            f"{model} was not read up to date within {seconds:g} seconds: is the finance worker"
            " running?"
        )


async def decided(context: Context, model: str, deciding: Deciding[E]) -> E:
    """Appends what `deciding` makes of the read model `model`, and returns it; when something was
    recorded meanwhile, it decides anew.

    Raises BehindError, and what `deciding`, the ledger and the database raise; nothing was written
    then, unless the ledger says that it does not know."""
    settings = context.settings
    deadline = asyncio.get_running_loop().time() + settings.caught_up_seconds
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                process, version, event = await _looked(context, model, deciding)
        except TimeoutError:
            raise BehindError(model, settings.caught_up_seconds) from None
        try:
            # Not under the timeout: what was sent to the ledger can't be taken back.
            await context.ledger.append(process_stream(process), version, [event])
        except (VersionConflict, LedgerBusy):
            await asyncio.sleep(settings.busy_seconds)
        else:
            return event


async def _looked(context: Context, model: str, deciding: Deciding[E]) -> tuple[str, int, E]:
    """What is decided once the read model has seen the ledger's present end."""
    end = await context.ledger.last_position()
    async with context.connect() as connection:
        while await _position(connection, model) < end:  # noqa: ASYNC110 (of another process)
            await asyncio.sleep(context.settings.busy_seconds)
        # One moment for all that it looks at.
        async with connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return await deciding(connection)


async def _position(connection: Connection, model: str) -> int:
    cursor = await connection.execute(
        "SELECT position FROM projections.cursor WHERE name = %s", (model,)
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])
