"""Finance on a test's ledger: a context, and what its archive and streams hold."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import psycopg

from domain.reconciliation import Process, process_stream
from finance.context import Connection, Context
from finance.process.process import ReconciliationProcess
from finance.settings import FinanceSettings
from ledger import Archive, Ledger
from projections.frame import decoded

NOW = datetime(2026, 3, 9, 6, tzinfo=UTC)


async def finance_context(
    ledger: Ledger,
    database_url: str,
    processes: Sequence[ReconciliationProcess],
    *,
    clock: Callable[[], datetime] = lambda: NOW,
    settings: FinanceSettings | None = None,
) -> Context:
    """A context on `ledger`; its ids are id-1, id-2 ..."""

    @asynccontextmanager
    async def connected() -> AsyncGenerator[Connection]:
        async with await psycopg.AsyncConnection.connect(
            database_url, autocommit=True
        ) as connection:
            yield connection

    archive = Archive()
    async with connected() as connection:
        await archive.set_up(connection)
    numbers = count(1)
    return Context(
        ledger=ledger,
        database_url=database_url,
        archive=archive,
        connect=connected,
        processes={process.id: process for process in processes},
        clock=clock,
        new_id=lambda: f"id-{next(numbers)}",
        settings=settings or FinanceSettings(conflicts_max=50, busy_seconds=0.001),
    )


async def taking_part(context: Context, process_id: str) -> list[dict[str, Any]]:
    """Every record that takes part in the process, file by file, as its frames have it."""
    state = await context.state(process_stream(process_id), Process())
    found: list[dict[str, Any]] = []
    async with context.connect() as connection:
        for admitted in state.files.values():
            for frame in admitted.frames:
                content = await context.archive.get(connection, frame)
                found += decoded(content, admitted.file).to_pylist()
    return found
