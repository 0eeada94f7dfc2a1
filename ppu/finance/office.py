"""Finance put together for a command or the worker: ledger, archive, connections, processes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import psycopg

from finance.context import Connection, Context
from finance.process.process import ReconciliationProcess
from finance.process.settings_file import load_processes
from ledger import Archive, Ledger
from ppu.config import Config, load_config
from ppu.database import database
from ppu.process import new_id, utc_now

T = TypeVar("T")

_SANDBOX = "sandbox_processes.toml"


def processes_of(config: Config) -> dict[str, ReconciliationProcess]:
    """The reconciliation processes that the settings name; none when they name no file. Raises
    ProcessError."""
    path = config.finance.processes
    return {} if path is None else load_processes(path)


def sandbox_processes() -> Path:
    """The settings file of the sandbox's processes."""
    return Path(str(files("finance").joinpath(_SANDBOX)))


def connecting(database_url: str) -> Callable[[], AbstractAsyncContextManager[Connection]]:
    """Opens a connection of its own at each call."""

    @asynccontextmanager
    async def connected() -> AsyncGenerator[Connection]:
        async with await psycopg.AsyncConnection.connect(
            database_url, autocommit=True, application_name="ppu-finance"
        ) as connection:
            yield connection

    return connected


@asynccontextmanager
async def open_context(
    config: Config, database_url: str, ledger: Ledger | None = None
) -> AsyncGenerator[Context]:
    """Finance on `database_url`; with `ledger`, on that one, which stays open."""
    opened = ledger or await Ledger.open(database_url, config.ledger_settings)
    try:
        archive = Archive(config.ledger_settings)
        connect = connecting(database_url)
        async with connect() as connection:
            await archive.set_up(connection)
        yield Context(
            ledger=opened,
            database_url=database_url,
            archive=archive,
            connect=connect,
            processes=processes_of(config),
            clock=utc_now,
            new_id=new_id,
            settings=config.finance.settings,
        )
    finally:
        if ledger is None:
            await opened.close()


def config_of(path: Path | None) -> Config:
    """The settings of a file; without one, the sandbox's. Raises ConfigError."""
    if path is not None:
        return load_config(path)
    return Config().with_processes(sandbox_processes())


def run(path: Path | None, work: Callable[[Context], Awaitable[T]]) -> T:
    """What a command does with a context of its own."""
    config = config_of(path)

    async def worked(url: str) -> T:
        async with open_context(config, url) as context:
            return await work(context)

    with database(config.database_url) as url:
        return asyncio.run(worked(url))
