"""A simulated XMLVend provider on an HTTP port, with its faults."""

import asyncio

from aiohttp import web

from providers.protocols.errors import ProtocolError
from providers.protocols.xmlvend import decode_request, encode_response
from providers.protocols.xmlvend_messages import FaultResp, Request, Response
from providers.protocols.xmlvend_read import REQUEST_BYTES_MAX
from providers.simulator.faults import FaultBoard, FaultMode, garble
from providers.simulator.fleet import FleetProvider
from providers.simulator.vending import Vending
from providers.simulator.wire_fault import SILENCE_SECONDS_MAX, Plan, Planner
from providers.simulator.xmlvend_answering import (
    XmlvendAnswering,
    meter_of,
    misaddressed,
    operation_of,
)

PATH = "/xmlvend/xmlvend.wsdl"
STOP_SECONDS_MAX = 0.1
"""How long stopping waits for requests that are being answered."""

ACCEPTED_SECONDS = 0.01
"""How long an accepted connection may take to reach its handler."""
SILENCE_LOOK_SECONDS = 0.05
"""How often a silent handler looks whether its client is still there."""

_BEFORE_STATUS = {FaultMode.HTTP_500_BEFORE_SALE: 500, FaultMode.HTTP_504_BEFORE_SALE: 504}
_AFTER_STATUS = {FaultMode.HTTP_500_AFTER_SALE: 500, FaultMode.HTTP_504_AFTER_SALE: 504}


class XmlvendServer:
    """Start it, read its `port`, stop it. `refuse` closes the port and `accept` reopens it."""

    def __init__(self, provider: FleetProvider, vending: Vending, board: FaultBoard) -> None:
        self.provider = provider
        self.port = provider.port
        self._answering = XmlvendAnswering(provider, vending)
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
        app = web.Application(client_max_size=REQUEST_BYTES_MAX)
        app.router.add_post(PATH, self._receive)
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
            asked = decode_request(await request.read())
        except ProtocolError as error:
            fault = FaultResp("XMLVendSchemaEx", str(error))
            return _soap(encode_response(fault), 500)
        plan = self._planner.plan(operation_of(asked), meter_of(asked))
        if plan.plain:
            return _answer(self._answering.answer(asked, reversible=plan.reversible))
        return await self._act(request, asked, plan)

    async def _act(self, request: web.Request, asked: Request, plan: Plan) -> web.StreamResponse:
        """One request with a latency or a fault."""
        if plan.delay_seconds:
            await asyncio.sleep(plan.delay_seconds)
        match plan.mode:
            case FaultMode.SILENT_BEFORE_SALE:
                return await _silence(request)
            case FaultMode.DROP_AFTER_REQUEST:
                return _dropped(request)
            case FaultMode.SYSTEM_ERROR_BEFORE_SALE:
                return _answer(self._answering.system_error(asked))
            case FaultMode.HTTP_500_BEFORE_SALE | FaultMode.HTTP_504_BEFORE_SALE:
                return web.Response(status=_BEFORE_STATUS[plan.mode])
            case FaultMode.LATE_SALE:
                self._later(asked, plan)
                return _dropped(request)
            case FaultMode.SLOW:
                await asyncio.sleep(plan.fault_seconds)
            case _:
                pass
        answer = self._answering.answer(asked, reversible=plan.reversible)
        return await self._send(request, asked, answer, plan.mode)

    def _later(self, asked: Request, plan: Plan) -> None:
        async def carry_out() -> None:
            await asyncio.sleep(plan.fault_seconds)
            self._answering.answer(asked, reversible=plan.reversible)

        task = asyncio.get_running_loop().create_task(carry_out())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(
        self, request: web.Request, asked: Request, answer: Response, mode: FaultMode
    ) -> web.StreamResponse:
        """What goes out once the sale was made."""
        match mode:
            case FaultMode.SILENT_AFTER_SALE:
                return await _silence(request)
            case FaultMode.DROP_MID_ANSWER:
                return await _half(request, encode_response(answer))
            case FaultMode.GARBLED_ANSWER:
                return _soap(garble(encode_response(answer)))
            case FaultMode.WRONG_REFERENCE:
                return _answer(misaddressed(answer))
            case FaultMode.SYSTEM_ERROR_AFTER_SALE:
                return _answer(self._answering.system_error(asked))
            case FaultMode.HTTP_500_AFTER_SALE | FaultMode.HTTP_504_AFTER_SALE:
                return web.Response(status=_AFTER_STATUS[mode])
            case _:
                return _answer(answer)


def _answer(response: Response) -> web.Response:
    return _soap(encode_response(response), 500 if isinstance(response, FaultResp) else 200)


def _soap(body: bytes, status: int = 200) -> web.Response:
    response = web.Response(body=body, status=status, content_type="text/xml", charset="utf-8")
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


async def _half(request: web.Request, body: bytes) -> web.StreamResponse:
    """Half of the answer, then the end."""
    response = web.StreamResponse()
    response.content_type = "text/xml"
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    return _dropped_after(request, response)


def _dropped_after(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    response.force_close()
    return response
