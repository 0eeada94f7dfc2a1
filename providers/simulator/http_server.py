"""A simulated provider on an HTTP port, with its faults, whatever it speaks over HTTP."""

import asyncio
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

import msgspec
from aiohttp import web

from domain.exchange import Operation
from providers.simulator.faults import Fault, FaultBoard, FaultMode, garble
from providers.simulator.fleet import FleetProvider
from providers.simulator.vending import Vending
from providers.simulator.wire_fault import SILENCE_SECONDS_MAX, Plan, Planner, trickled

STOP_SECONDS_MAX = 0.1
"""How long stopping waits for requests that are being answered."""

ACCEPTED_SECONDS = 0.01
"""How long an accepted connection may take to reach its handler."""
SILENCE_LOOK_SECONDS = 0.05
"""How often a silent handler looks whether its client is still there."""

_BEFORE_STATUS = {FaultMode.HTTP_500_BEFORE_SALE: 500, FaultMode.HTTP_504_BEFORE_SALE: 504}
_AFTER_STATUS = {FaultMode.HTTP_500_AFTER_SALE: 500, FaultMode.HTTP_504_AFTER_SALE: 504}

AskedT = TypeVar("AskedT")
AnswerT = TypeVar("AnswerT")


class Written(msgspec.Struct, frozen=True):
    """An answer as bytes."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    compress: bool = False


class RefusedRequestError(Exception):
    """The request can't be read; `written` says so in the protocol's words."""

    def __init__(self, written: Written) -> None:
        super().__init__(written.status)
        self.written = written


class Dialect(Protocol[AskedT, AnswerT]):
    """What one protocol over HTTP reads, decides and writes. Nothing in it waits, so each call is
    one indivisible step."""

    @property
    def routes(self) -> Iterable[tuple[str, str]]:
        """Method and path of every address that is served."""
        ...

    @property
    def request_bytes_max(self) -> int: ...

    def read(self, request: web.Request, body: bytes) -> AskedT:
        """Raises RefusedRequestError."""
        ...

    def operation(self, asked: AskedT) -> Operation | None:
        """What is asked, for faults: VEND is the step that sells and no other. None is what comes
        before any question, such as signing in: no fault hits it."""
        ...

    def meter(self, asked: AskedT) -> str | None: ...

    def answer(self, asked: AskedT, *, reversible: bool) -> AnswerT:
        """Carries it out."""
        ...

    def system_error(self, asked: AskedT) -> AnswerT:
        """The protocol's own system error."""
        ...

    def misaddressed(self, answer: AnswerT) -> AnswerT:
        """The same answer, naming another message."""
        ...

    def write(self, answer: AnswerT) -> Written: ...


class HttpProviderServer(Generic[AskedT, AnswerT]):
    """Start it, read its `port`, stop it. `refuse` closes the port and `accept` reopens it."""

    def __init__(
        self,
        provider: FleetProvider,
        vending: Vending,
        board: FaultBoard,
        dialect: Dialect[AskedT, AnswerT],
    ) -> None:
        self.provider = provider
        self.port = provider.port
        self._dialect = dialect
        self._planner = Planner(provider, vending, board)
        self._host = "127.0.0.1"
        self._runner: web.AppRunner | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str) -> None:
        """Raises OSError when the port is taken."""
        self._host = host
        await self.accept()

    async def accept(self) -> None:
        """Listens, on the same port as before."""
        if self._runner is not None:
            return
        app = web.Application(client_max_size=self._dialect.request_bytes_max)
        for method, path in self._dialect.routes:
            app.router.add_route(method, path, self._receive)
        # A client that goes away does not end its handler: a sale under way is carried out.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_SECONDS_MAX)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self.port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = int(runner.addresses[0][1])

    async def refuse(self) -> None:
        """Stops listening and drops every connection."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for site in list(runner.sites):
            await site.stop()
        # Connections that were accepted just before must be there to be dropped.
        await asyncio.sleep(ACCEPTED_SECONDS)
        await runner.cleanup()

    async def stop(self) -> None:
        """Refuses, and forgets sales that were still to come late."""
        await self.refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        try:
            asked = self._dialect.read(request, await request.read())
        except RefusedRequestError as error:
            return _response(error.written)
        plan = self.plan(asked)
        if plan.plain:
            return self._whole(self._dialect.answer(asked, reversible=plan.reversible))
        return await self._act(request, asked, plan)

    def plan(self, asked: AskedT, till: Fault | None = None) -> Plan:
        """How to treat the request; `till`: where the client's own terminal misbehaves."""
        dialect = self._dialect
        return self._planner.plan(dialect.operation(asked), dialect.meter(asked), till)

    async def _act(self, request: web.Request, asked: AskedT, plan: Plan) -> web.StreamResponse:
        """One request with a latency or a fault."""
        if plan.delay_seconds:
            await asyncio.sleep(plan.delay_seconds)
        match plan.mode:
            case FaultMode.SILENT_BEFORE_SALE:
                return await _silence(request)
            case FaultMode.DROP_AFTER_REQUEST:
                return _dropped(request)
            case FaultMode.SYSTEM_ERROR_BEFORE_SALE:
                return self._whole(self._dialect.system_error(asked))
            case FaultMode.HTTP_500_BEFORE_SALE | FaultMode.HTTP_504_BEFORE_SALE:
                return web.Response(status=_BEFORE_STATUS[plan.mode])
            case FaultMode.LATE_SALE:
                self._later(asked, plan)
                return _dropped(request)
            case FaultMode.SLOW:
                await asyncio.sleep(plan.fault_seconds)
            case _:
                pass
        answer = self._dialect.answer(asked, reversible=plan.reversible)
        return await self._send(request, asked, answer, plan.mode)

    def _later(self, asked: AskedT, plan: Plan) -> None:
        async def carry_out() -> None:
            await asyncio.sleep(plan.fault_seconds)
            self._dialect.answer(asked, reversible=plan.reversible)

        task = asyncio.get_running_loop().create_task(carry_out())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(
        self, request: web.Request, asked: AskedT, answer: AnswerT, mode: FaultMode
    ) -> web.StreamResponse:
        """What goes out once the sale was made."""
        match mode:
            case FaultMode.SILENT_AFTER_SALE:
                return await _silence(request)
            case FaultMode.DROP_MID_ANSWER:
                return _closed(request, await _half(request, self._dialect.write(answer)))
            case FaultMode.STALLED_ANSWER:
                await _half(request, self._dialect.write(answer))
                return await _silence(request)
            case FaultMode.TRICKLED_ANSWER:
                return await _trickled(request, self._dialect.write(answer))
            case FaultMode.GARBLED_ANSWER:
                written = self._dialect.write(answer)
                return _response(msgspec.structs.replace(written, body=garble(written.body)))
            case FaultMode.WRONG_REFERENCE:
                return self._whole(self._dialect.misaddressed(answer))
            case FaultMode.SYSTEM_ERROR_AFTER_SALE:
                return self._whole(self._dialect.system_error(asked))
            case FaultMode.HTTP_500_AFTER_SALE | FaultMode.HTTP_504_AFTER_SALE:
                return web.Response(status=_AFTER_STATUS[mode])
            case _:
                return self._whole(answer)

    def _whole(self, answer: AnswerT) -> web.Response:
        return _response(self._dialect.write(answer))


def _response(written: Written) -> web.Response:
    response = web.Response(
        body=written.body,
        status=written.status,
        content_type=written.content_type,
        charset="utf-8",
    )
    if written.compress:
        response.enable_compression()
    return response


async def _silence(request: web.Request) -> web.StreamResponse:
    for _ in range(int(SILENCE_SECONDS_MAX / SILENCE_LOOK_SECONDS)):
        if request.transport is None:
            break
        await asyncio.sleep(SILENCE_LOOK_SECONDS)
    return _dropped(request)


def _dropped(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _begun(request: web.Request, written: Written) -> web.StreamResponse:
    """The answer's headers."""
    response = web.StreamResponse()
    response.content_type = written.content_type
    response.content_length = len(written.body)
    await response.prepare(request)
    return response


async def _half(request: web.Request, written: Written) -> web.StreamResponse:
    """Half of the answer."""
    response = await _begun(request, written)
    await response.write(written.body[: len(written.body) // 2])
    return response


def _closed(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """The end of the connection, once what was written is out."""
    if request.transport is not None:
        request.transport.close()
    response.force_close()
    return response


async def _trickled(request: web.Request, written: Written) -> web.StreamResponse:
    response = await _begun(request, written)
    async for byte in trickled(written.body, lambda: request.transport is None):
        await response.write(byte)
    return response
