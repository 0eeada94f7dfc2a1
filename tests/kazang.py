"""A simulated Kazang at hand: its sessions, its busy answers and its sales; or one that answers
what a test scripts."""

import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import cast

import msgspec
from aiohttp import web

from domain.exchange import Original, Question, Reply, VendQuestion
from domain.money import Money
from domain.sale import MeterDetail
from providers.config import Connections, KazangSettings, ProviderConfig
from providers.kazang.adapter import KazangAdapter
from providers.protocols.kazang.messages import Request, Status
from providers.simulator.configs import loopback_configs
from providers.simulator.faults import Fault, FaultBoard, FaultMode
from providers.simulator.http_server import HttpProviderServer
from providers.simulator.kazang.answering import KazangAnswering
from providers.simulator.kazang.dialect import BASE, KazangDialect
from providers.simulator.sales import SaleRow, SalesLedger
from providers.simulator.vending import Vending
from tests.simulation import PLAIN, SHORT, every_provider_fleet, utc_now

ID = "kazang"
QUICK = KazangSettings(busy_pause_seconds=0.01, busy_repeats_max=4)
OK = {"response_code": "0"}
SESSION = {**OK, "session_uuid": "3f1c9b1e-aaaa-4bbb-8ccc-123456789abc"}
PRODUCTS = {**OK, "product_list": [{"product_id": "1001", "method_name": "buyElectricity"}]}
QUOTE = {**OK, "confirmation_number": "C-1"}
SOLD_TOKEN = {
    "type": "STANDARD",
    "token": "11112222333344445555",
    "units": "43.4",
    "amount": "8696",
    "vat_amount": "1304",
}
METER = MeterDetail(PLAIN)
VEND = VendQuestion(METER, Money(10_000))
HANDLE = "1001:buyElectricityConfirm:C-1"
ORIGINAL = Original("R-1", datetime.now(UTC), Money(10_000), 0, datetime.now(UTC), handle=HANDLE)
SOLD = {
    **OK,
    "transaction_reference": "T1",
    "receipt_number": "R1",
    "tokens": [SOLD_TOKEN],
}


class MovableClock:
    """UTC, ahead of the real time by what a test adds."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Kazang:
    """The simulator, and adapters for it."""

    config: ProviderConfig
    clock: MovableClock
    answering: KazangAnswering
    ledger: SalesLedger
    server: HttpProviderServer[Request, Status]
    board: FaultBoard
    adapters: list[KazangAdapter] = field(default_factory=list[KazangAdapter])

    def adapter(self, **settings: object) -> KazangAdapter:
        """A new adapter; `settings` replace members of KazangSettings."""
        kazang = msgspec.structs.replace(QUICK, **settings)
        config = msgspec.structs.replace(self.config, kazang=kazang)
        adapter = KazangAdapter(config, self.clock)
        self.adapters.append(adapter)
        return adapter

    def sales(self) -> list[SaleRow]:
        return list(self.ledger.rows())

    def fault(self, mode: FaultMode) -> None:
        self.board.set(ID, Fault(mode=mode))


@asynccontextmanager
async def simulated_kazang() -> AsyncGenerator[Kazang]:
    """Served over a real socket, in this event loop."""
    fleet = every_provider_fleet()
    provider = next(one for one in fleet.providers if one.id == ID)
    provider = msgspec.structs.replace(provider, port=0)
    fleet = msgspec.structs.replace(fleet, providers=(provider,))
    clock, rng = MovableClock(), random.Random(1)
    sales = SalesLedger()
    vending = Vending(fleet, sales, clock, rng)
    board = FaultBoard(rng)
    dialect = KazangDialect(provider, vending)
    server = HttpProviderServer(provider, vending, board, dialect)
    await server.start("127.0.0.1")
    (config,) = loopback_configs(fleet, {ID: server.port}, timeouts=SHORT)
    running = Kazang(config, clock, dialect.answering, sales, server, board)
    try:
        yield running
    finally:
        for adapter in running.adapters:
            await adapter.close()
        await server.stop()


Script = Callable[[str, dict[str, str]], object]
"""From a method and its request to the answer, or to a wait for it: JSON data, or a web.Response as
it is."""


@asynccontextmanager
async def scripted_kazang(script: Script) -> AsyncGenerator[tuple[KazangAdapter, list[str]]]:
    """An adapter whose provider answers as `script` says (sign-in and product list as usual where
    it says None), and the methods that were called."""
    called: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        method = request.path.rpartition("/")[2]
        called.append(method)
        answer = script(method, await request.json())
        if isinstance(answer, Awaitable):
            answer = await cast("Awaitable[object]", answer)
        if answer is None:
            answer = {"authClient": SESSION, "productList": PRODUCTS}[method]
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.json_response(answer)

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    config = ProviderConfig(
        id=ID,
        name="Kazang",
        protocol="kazang",
        url=f"http://127.0.0.1:{port}{BASE}",
        timeouts=SHORT,
        connections=Connections(),
        kazang=QUICK,
    )
    credentials = msgspec.structs.replace(config.credentials, operator="OP1", password="secret")
    config = msgspec.structs.replace(config, credentials=credentials)
    adapter = KazangAdapter(config, lambda: datetime.now(UTC))
    try:
        yield adapter, called
    finally:
        await adapter.close()
        await runner.cleanup()


async def ask(adapter: KazangAdapter, question: Question) -> Reply:
    return await adapter.exchange(adapter.prepare(question, 7, utc_now()))


def refusal(code: str, words: str = "words") -> dict[str, str]:
    return {"response_code": code, "response_message": words}


async def answered(question: Question, **answers: object) -> tuple[Reply, list[str]]:
    """The reply where each method is answered as named; an iterator is answered one by one."""
    steps: dict[str, Iterator[object]] = {
        method: answer if isinstance(answer, Iterator) else repeat(answer)
        for method, answer in {"buyElectricity": QUOTE, **answers}.items()
    }

    def script(method: str, _: dict[str, str]) -> object:
        return next(steps[method]) if method in steps else None

    async with scripted_kazang(script) as (adapter, called):
        return await ask(adapter, question), called


async def confirmed(answer: object, question: Question = VEND) -> Reply:
    """The reply where the confirm is answered so."""
    reply, _ = await answered(question, buyElectricityConfirm=answer, reprint=refusal("1"))
    return reply
