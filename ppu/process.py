"""One switch process, put together: ledger, adapters, read models, interface."""

import asyncio
import gc
import random
import secrets
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from api.app import create_app
from api.channel.settings import OURSELVES, ChannelSettings
from api.console.settings import ConsoleSettings, User
from api.notification.http_notifier import HttpNotifier, Subscriber
from domain.routing import DRAW_MAX
from finance.doors import FinanceDoors
from ledger import Ledger
from ppu.config import Config, ConsoleConfig, InterfaceConfig
from projections.catalogue import read_models
from projections.runner import ProjectionRunner
from projections.work_finder import PooledWorkFinder
from providers.registry import build_adapter
from switch.notify import Notifying
from switch.steer import SETTINGS
from switch.subscription import Subscription
from switch.switch import Switch

SHUTDOWN_SECONDS = 40
"""How long the server lets requests finish before it closes their connections."""

BACKLOG = 2_048
_POOL_SIZE = 2

# A request leaves little garbage in cycles; the default threshold of 700 makes collections a tenth
# of the work under load.
_GC_THRESHOLDS = (50_000, 20, 100)
# A page makes thousands of objects that stay for as long as it is open. With these the collector
# looks at a tenth as many at a time, so that no sale waits for it.
_GC_THRESHOLDS_WITH_CONSOLE = (10_000, 10, 100)


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid4())


@asynccontextmanager
async def open_ledger(config: Config, database_url: str) -> AsyncGenerator[Ledger]:
    """The ledger on `database_url`."""
    ledger = await Ledger.open(database_url, config.ledger_settings)
    try:
        yield ledger
    finally:
        await ledger.close()


@asynccontextmanager
async def open_switch(config: Config, database_url: str, ledger: Ledger) -> AsyncGenerator[Switch]:
    """A switch at work on `ledger`, its read models fed by this process if so set."""
    async with AsyncExitStack() as stack:
        runner = ProjectionRunner(ledger, database_url, read_models(), config.runner_settings)
        await runner.set_up()
        if config.run_projections:
            task = asyncio.create_task(runner.run(), name="projections")
            stack.push_async_callback(_cancelled, task)
        pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]] = AsyncConnectionPool(
            database_url, min_size=1, max_size=_POOL_SIZE, open=False
        )
        await stack.enter_async_context(pool)
        chance = random.SystemRandom()
        finder = PooledWorkFinder(pool)
        notifier: HttpNotifier | None = None
        if config.subscribers:
            notifier = await stack.enter_async_context(_notifier(config))
        switch = Switch(
            log=ledger,
            adapters={p.id: build_adapter(p, utc_now) for p in config.providers},
            weights={p.id: p.weight for p in config.providers},
            probe_meters={p.id: p.probe_meter for p in config.providers if p.probe_meter},
            finder=finder,
            purchases=finder,
            clock=utc_now,
            draw=lambda: chance.randrange(DRAW_MAX),
            new_id=new_id,
            settings=config.switch_settings,
            subscriptions=[
                Subscription(one.id, frozenset(one.users), frozenset(one.clients))
                for one in config.subscribers
            ],
            notifying=Notifying(finder, notifier) if notifier is not None else None,
        )
        stack.push_async_callback(switch.close)
        await switch.open()
        await _first_preferences(switch, config)
        yield switch


def _notifier(config: Config) -> HttpNotifier:
    return HttpNotifier(
        {one.id: Subscriber(one.url, one.secret) for one in config.subscribers},
        institution=OURSELVES,
        clock=utc_now,
        answer_seconds=config.switch_settings.notification_answer_seconds,
    )


async def _first_preferences(switch: Switch, config: Config) -> None:
    for utility in config.utilities:
        known = await switch.steering.knows_utility(utility.name)
        if not known:
            await switch.steering.set_preferences(
                utility.name, utility.ranked, utility.excluded, SETTINGS
            )


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def channel_settings(interface: InterfaceConfig) -> ChannelSettings:
    """The interface's settings in its own terms."""
    return ChannelSettings(
        users=interface.users,
        retry_status=201 if interface.retry_status == 201 else 202,
        require_tenders_to_match=interface.require_tenders_to_match,
        require_client_to_be_user=interface.require_client_to_be_user,
        body_limit_bytes=interface.body_limit_bytes,
    )


async def _console(
    stack: AsyncExitStack,
    app: FastAPI,
    config: Config,
    database_url: str,
    ledger: Ledger,
    switch: Switch,
) -> None:
    """Adds the console to `app`; `stack` ends what it opens."""
    # Only here: without a console its libraries need not be loaded.
    from api.console.console import add_console, build_console
    from projections.history import History
    from projections.reading import Reading

    settings = config.console
    reading = await stack.enter_async_context(
        Reading(database_url, settings.connections, settings.query_seconds)
    )
    console = build_console(
        console_settings(settings),
        steering=switch.steering,
        operating=switch.operating,
        reading=reading,
        history=History(ledger),
        clock=utc_now,
        finance=await _finance(stack, config, database_url, ledger),
    )
    stack.push_async_callback(console.live.close)
    add_console(app, console, switch.operating, settings.hint)


async def _finance(
    stack: AsyncExitStack, config: Config, database_url: str, ledger: Ledger
) -> FinanceDoors | None:
    """Finance's desks; None when the settings name no processes."""
    if config.finance.processes is None:
        return None
    # Only here, and not at all without processes.
    from ppu.finance.desks import open_doors

    return await stack.enter_async_context(open_doors(config, database_url, ledger))


def console_settings(console: ConsoleConfig) -> ConsoleSettings:
    """The console's settings in its own terms."""
    return ConsoleSettings(
        users={name: User(user.password, user.role) for name, user in console.users.items()},
        secret=console.secret or secrets.token_urlsafe(32),
        session_seconds=console.session_seconds,
        secure_cookie=console.secure_cookie,
        time_zone=console.time_zone,
        live_seconds=console.live_seconds,
        page_rows=console.page_rows,
        export_rows_max=console.export_rows_max,
        exports_at_once_max=console.exports_at_once_max,
        upload_bytes_max=console.upload_bytes_max,
        finance_upload_bytes_max=console.finance_upload_bytes_max,
    )


class Server(uvicorn.Server):
    """uvicorn's server, which says when it can be reached and leaves signals to us: it would
    otherwise raise them again at its end, before the switch has finished what is in flight."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[int], None]) -> None:
        super().__init__(config)
        self._announce = announce

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            bound = next(s.getsockname()[1] for server in self.servers for s in server.sockets)
            self._announce(int(bound))


async def serve(
    config: Config,
    database_url: str,
    announce: Callable[[int], None] = lambda _port: None,
    *,
    include_noop: bool = False,
) -> None:
    """Serves the interface until SIGINT or SIGTERM, then finishes what is in flight. `announce` is
    called with the port once it is open.

    Raises SystemExit when the port can't be had."""
    async with (
        open_ledger(config, database_url) as ledger,
        open_switch(config, database_url, ledger) as switch,
        AsyncExitStack() as stack,
    ):
        app = create_app(switch, channel_settings(config.interface), include_noop=include_noop)
        if config.console.users:
            await _console(stack, app, config, database_url, ledger, switch)
        server = Server(
            uvicorn.Config(
                app,
                host=config.interface.host,
                port=config.interface.port,
                http="httptools",
                access_log=False,
                log_level="warning",
                server_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
                lifespan="on" if config.console.users else "off",
            ),
            announce,
        )
        gc.collect()
        gc.freeze()
        pages = bool(config.console.users)
        gc.set_threshold(*(_GC_THRESHOLDS_WITH_CONSOLE if pages else _GC_THRESHOLDS))
        await server.serve()
