"""The real thing, small: simulated providers and switch processes of their own on one database,
with short waits, and what a test needs to look at all of them from outside."""
# ruff: noqa: ANN401 (settings are any TOML, messages any JSON)

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import msgspec
import psycopg
from psycopg import sql

from domain.event import Event
from domain.message import message_stream
from domain.meter import MeterPreferenceSet, MeterSeen
from domain.provider import ProviderDisabled, ProviderEnabled, provider_stream
from domain.purchase import Purchase, PurchaseRequested, PurchaseStatus
from domain.sale import UtilityType
from ledger import Ledger
from projections.catalogue import read_models
from projections.open_work import OpenWork
from projections.projection import schema_of
from projections.runner import ProjectionRunner, connect
from providers.config import Timeouts
from providers.simulator.configs import loopback_configs
from providers.simulator.fleet import Fleet
from providers.simulator.fleet_file import DEFAULT_FLEET, load_fleet
from providers.simulator.sales import SaleRow
from switch.streams import Streams, fold
from tests.channel import USERS, Client
from tests.simulation import OtherProcess, simulator_process

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 60.0
SETTLED_SECONDS_MAX = 90.0
ANSWER_SECONDS_MAX = 60.0
POLL_SECONDS = 0.05
PAGE = 5_000
CONNECTIONS_MAX = 256
CONFLICTS_MAX = 20

TIMEOUTS = Timeouts(connect=1.0, lookup=6.0, vend=1.0, recover=2.0, advice=2.0)
LATE_MS = 1_600
"""How late a slow provider sells: after the switch has stopped waiting for it."""
LATE_SALE_SECONDS = 5.0
"""Well over the time to send and LATE_MS, so that a busy machine does not come between."""

SWITCH: dict[str, Any] = {
    "broadcast_window_seconds": 1.5,
    "lease_margin_seconds": 0.5,
    "scan_seconds": 0.2,
    "attend_concurrency": 32,
    "attend_now_gap_seconds": 0,
    "recovery_first_seconds": 0.3,
    "recovery_last_seconds": 1.0,
    "advice_first_seconds": 0.3,
    "advice_last_seconds": 1.0,
    "probe_seconds": 0.3,
    "notification_scan_seconds": 0.1,
    "notification_answer_seconds": 1.0,
    "notification_first_seconds": 0.2,
    "notification_last_seconds": 0.5,
}
"""The waits of a switch under test."""
NEVER_UNHEALTHY: dict[str, Any] = {
    "unhealthy_after_failures": 1_000_000,
    "unhealthy_sample": 1_000_000,
}
"""Health kept out of it, so that traffic goes on meeting faults."""

Toml: TypeAlias = "Mapping[str, Toml | None] | Sequence[Toml] | str | float"
"""Plain data that TOML can hold; a member of a table may be None."""


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float) -> None:
    """Polls until `condition` holds; an AssertionError says what never came about."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110 (another process's state)
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None


def toml(value: Toml) -> str:
    """Plain data as a TOML value, inline; members that are None are left out."""
    if isinstance(value, Mapping):
        members = (f"{json.dumps(k)} = {toml(v)}" for k, v in value.items() if v is not None)
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def write_toml(path: Path, value: Any) -> Path:
    """A TOML file of plain data or of a msgspec struct."""
    members = msgspec.to_builtins(value).items()
    path.write_text("".join(f"{key} = {toml(v)}\n" for key, v in members if v is not None))
    return path


@dataclass
class SwitchProcess:
    """A switch process and the channel that talks to it."""

    process: asyncio.subprocess.Process
    client: Client
    log: Path

    async def kill(self) -> None:
        """As `kill -9` does; waits for it."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    def terminate(self) -> None:
        """As an operator does; see `ended`."""
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Its exit code, once it has one."""
        async with asyncio.timeout(STOP_SECONDS_MAX):
            return await self.process.wait()


@dataclass
class World:
    """One database, one fleet of simulated providers, any number of switch processes."""

    folder: Path
    database_url: str
    fleet: Fleet
    simulators: OtherProcess
    session: aiohttp.ClientSession
    ledger: Ledger
    settings: dict[str, Any]
    timeouts: Timeouts
    utilities: list[dict[str, Any]]
    subscribers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    late_sale_seconds: float = LATE_SALE_SECONDS
    console: dict[str, Any] = field(default_factory=dict[str, Any])
    switches: list[SwitchProcess] = field(default_factory=list[SwitchProcess])

    @property
    def client(self) -> Client:
        """A channel of the switch that was started last."""
        return self.switches[-1].client

    @property
    def config_path(self) -> Path:
        return self.folder / "switch.toml"

    def write_config(self) -> None:
        """The settings file that all switch processes share."""
        providers = loopback_configs(
            self.fleet,
            self.simulators.ports,
            timeouts=self.timeouts,
            late_sale_seconds=self.late_sale_seconds,
        )
        config = {
            "database_url": self.database_url,
            "interface": {"port": 0, "users": USERS},
            "switch": self.settings,
            "projections": {"idle_seconds": 0.2, "restart_seconds": 0.2},
            "providers": providers,
            "utilities": self.utilities,
            "subscribers": self.subscribers,
            "console": self.console,
        }
        write_toml(self.config_path, config)

    async def start_switch(self) -> SwitchProcess:
        """`ppu serve`, once it says that it is ready."""
        log = self.folder / f"switch-{len(self.switches)}.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "ppu.main", "serve", "--config", str(self.config_path)),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                line = await process.stdout.readline()
            assert line, f"the switch did not start:\n{log.read_text()}"
            ready = json.loads(line)
        except BaseException:
            process.kill()
            raise
        assert ready["ready"] is True
        client = Client(self.session, f"http://127.0.0.1:{ready['port']}")
        switch = SwitchProcess(process, client, log)
        self.switches.append(switch)
        return switch

    async def sales(self) -> list[SaleRow]:
        """Every sale that a simulated provider ever issued."""
        return await self.simulators.sales()

    async def standing(self) -> list[SaleRow]:
        """Those that were not taken back."""
        return [sale for sale in await self.sales() if sale.status == "standing"]

    async def fault(
        self,
        provider: str,
        mode: str,
        rate: float = 1.0,
        latency_ms: int = 0,
        operations: tuple[str, ...] = ("VEND",),
    ) -> None:
        """Sets a provider's fault; mode "none" clears it."""
        body = {"mode": mode, "rate": rate, "latency_ms": latency_ms, "operations": operations}
        status, answer = await self.simulators.call("PUT", f"/providers/{provider}/fault", body)
        assert status == 200, answer

    async def events(self, message_id: str) -> list[Event]:
        """What the ledger has of a message."""
        return [_event(r.event) for r in await self.ledger.read(message_stream(message_id))]

    async def purchase(self, purchase_id: str) -> Purchase:
        """The purchase as its events fold; version 0 when there is none."""
        return fold(Purchase(), await self.ledger.read(message_stream(purchase_id)))

    async def everything(self) -> dict[str, list[Event]]:
        """Every stream of the ledger."""
        streams: dict[str, list[Event]] = {}
        position = 0
        while page := await self.ledger.read_all(position, PAGE):
            for recorded in page:
                streams.setdefault(recorded.stream, []).append(_event(recorded.event))
            position = page[-1].position
        return streams

    async def purchases(self) -> dict[str, Purchase]:
        """Every purchase of the ledger, by its id."""
        found: dict[str, Purchase] = {}
        for events in (await self.everything()).values():
            if isinstance(events[0], PurchaseRequested):
                state = Purchase()
                for version, event in enumerate(events, 1):
                    state = state.after(event, version)
                found[events[0].purchase_id] = state
        return found

    async def steer(self, event: ProviderEnabled | ProviderDisabled) -> None:
        """What a person changes about a provider; the switch processes hear of it soon."""
        streams = Streams(self.ledger, CONFLICTS_MAX, POLL_SECONDS)
        provider = await streams.provider(event.provider)
        await streams.record(provider_stream(event.provider), provider, lambda _: [event])

    async def steer_to(self, number: str, *providers: str) -> None:
        """An electricity meter's preference, as a person sets it."""
        streams = Streams(self.ledger, CONFLICTS_MAX, POLL_SECONDS)
        meter = await streams.meter(UtilityType.ELECTRICITY, number)
        at = datetime.now(UTC)
        preferred = MeterPreferenceSet(at=at, providers=providers, by="op")
        seen = MeterSeen(at=at, number=number, utility_type=UtilityType.ELECTRICITY)
        await streams.record_meter(meter, lambda _: [preferred], seen)

    async def ppu(self, *arguments: str) -> tuple[int, str, str]:
        """`ppu` with the world's settings file; its exit code, output and errors."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ppu.main", *arguments, "--config", str(self.config_path)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(STOP_SECONDS_MAX):
            out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def settled(self, purchase_ids: Iterable[str]) -> None:
        """Waits, asking nobody, until these purchases have an outcome and their advices an end;
        those that never reached the ledger have nothing to end."""
        for purchase_id in purchase_ids:

            async def ended(wanted: str = purchase_id) -> bool:
                state = await self.purchase(wanted)
                return state.request is None or (state.settled and not state.pending_advices)

            await until(ended, f"an end of purchase {purchase_id}", SETTLED_SECONDS_MAX)

    async def nothing_open(self) -> None:
        """Waits, asking nobody, until the read model of open work is empty and up to date."""

        async def empty() -> bool:
            await self._caught_up()
            async with await connect(self.database_url) as connection:
                backlog = sql.Identifier(schema_of(OpenWork.name), "purchase")
                cursor = await connection.execute(
                    sql.SQL("SELECT count(*) FROM {}").format(backlog)
                )
                row = await cursor.fetchone()
                return row is not None and row[0] == 0

        await until(empty, "an empty backlog", SETTLED_SECONDS_MAX)

    async def _caught_up(self) -> None:
        """Waits until a switch process has fed everything into the read models."""
        end = await self.ledger.last_position()

        async def fed() -> bool:
            async with await connect(self.database_url) as connection:
                cursor = await connection.execute("SELECT min(position) FROM projections.cursor")
                row = await cursor.fetchone()
                return row is not None and row[0] >= end

        await until(fed, f"the read models at position {end}", SETTLED_SECONDS_MAX)

    async def read_models_equal_a_fresh_rebuild(self) -> None:
        """Compares every table of every read model, row by row, with one built from the first
        event on. Nothing may be written meanwhile."""
        await self._caught_up()
        runner = ProjectionRunner(self.ledger, self.database_url, read_models())
        async with await connect(self.database_url) as connection:
            for model in read_models():
                fresh = f"fresh_{model.name}"
                await runner.build(connection, model, fresh)
                live = await _tables(connection, schema_of(model.name))
                assert live == await _tables(connection, fresh), model.name
                await connection.execute(
                    sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(fresh))
                )


def _event(event: msgspec.Struct) -> Event:
    assert isinstance(event, Event)
    return event


async def _tables(
    connection: psycopg.AsyncConnection[tuple[Any, ...]], schema: str
) -> dict[str, list[str]]:
    """The rows of each table, as text, in order."""
    cursor = await connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (schema,)
    )
    found: dict[str, list[str]] = {}
    for (name,) in await cursor.fetchall():
        rows = await connection.execute(
            sql.SQL("SELECT row_to_json(t)::text FROM {} AS t").format(sql.Identifier(schema, name))
        )
        found[name] = sorted(row[0] for row in await rows.fetchall())
    assert found, f"{schema} has no tables"
    return found


@asynccontextmanager
async def world(
    folder: Path,
    database_url: str,
    *,
    fleet: Fleet | None = None,
    switches: int = 1,
    settings: Mapping[str, Any] | None = None,
    timeouts: Timeouts = TIMEOUTS,
    utilities: Iterable[dict[str, Any]] = (),
    subscribers: Iterable[dict[str, Any]] = (),
    late_sale_seconds: float = LATE_SALE_SECONDS,
    console: Mapping[str, Any] | None = None,
) -> AsyncGenerator[World]:
    """Starts it all; `settings` go over SWITCH. Everything is killed at the end.
    `folder` exists."""
    file = DEFAULT_FLEET if fleet is None else write_toml(folder / "fleet.toml", fleet)
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX)
    async with (
        simulator_process(file) as simulators,
        aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
    ):
        ledger = await Ledger.open(database_url)
        running = World(
            folder=folder,
            database_url=database_url,
            fleet=load_fleet(file),
            simulators=simulators,
            session=session,
            ledger=ledger,
            settings={**SWITCH, **(settings or {})},
            timeouts=timeouts,
            utilities=list(utilities),
            subscribers=list(subscribers),
            late_sale_seconds=late_sale_seconds,
            console=dict(console or {}),
        )
        running.write_config()
        try:
            for _ in range(switches):
                await running.start_switch()
            yield running
        finally:
            for switch in running.switches:
                await switch.kill()
            await ledger.close()


def tokens_of(answer: Any) -> tuple[str, ...]:
    """The token digits of a purchase's answer."""
    return tuple(token["token"] for token in answer["tokens"])


def sold_tokens(purchase: Purchase) -> tuple[str, ...]:
    """The token digits that the ledger says were sold."""
    assert purchase.approval is not None
    return tuple(token.digits for token in purchase.approval.sale.tokens)


def assert_ledgers_agree(purchases: Mapping[str, Purchase], sales: Iterable[SaleRow]) -> None:
    """Every approved purchase that was not reversed has its one standing sale with the same
    tokens, and there is no other standing sale."""
    sold = {(s.provider, s.reference): s for s in sales if s.status == "standing"}
    standing = {key: sale.tokens for key, sale in sold.items()}
    known: dict[tuple[str, str], tuple[str, ...]] = {}
    for purchase_id, purchase in purchases.items():
        assert purchase.settled, purchase_id
        if purchase.status is PurchaseStatus.APPROVED and not reversed_by_advice(purchase):
            assert purchase.approval is not None
            key = (purchase.approval.provider, purchase.approval.reference)
            assert key not in known, "two purchases, one sale"
            known[key] = sold_tokens(purchase)
    unknown = [sold[key] for key in standing.keys() - known.keys()]
    assert not unknown, f"sold, and the switch does not know: {unknown}"
    missing = known.keys() - standing.keys()
    assert not missing, f"approved, and no sale stands: {missing}"
    assert standing == known


def reversed_by_advice(purchase: Purchase) -> bool:
    """Whether the provider took the sale back because the channel asked for it."""
    return any(
        advice.delivery is not None and advice.delivery.value == "REVERSED"
        for advice in purchase.advices.values()
    )
