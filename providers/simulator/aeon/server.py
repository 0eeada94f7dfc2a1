"""A simulated AEON provider on a TCP port, with its faults."""

import asyncio
from collections.abc import Callable
from typing import cast

from providers.protocols.aeon import (
    ANSWER_END,
    REQUEST_END,
    decode_request,
    encode_response,
)
from providers.protocols.aeon.messages import Request, Response
from providers.protocols.errors import ProtocolError
from providers.simulator.aeon.answering import (
    OPERATIONS,
    AeonAnswering,
    Session,
    meter_of,
    misaddressed,
)
from providers.simulator.faults import FaultBoard, FaultMode, garble
from providers.simulator.fleet import FleetProvider
from providers.simulator.vending import Vending
from providers.simulator.wire_fault import SILENCE_SECONDS_MAX, Plan, Planner, trickled

REQUEST_BYTES_MAX = 65_536
"""A longer line closes the connection."""


class AeonServer:
    """Start it, read its `port`, stop it. `refuse` closes the port and `accept` reopens it."""

    def __init__(self, provider: FleetProvider, vending: Vending, board: FaultBoard) -> None:
        self.provider = provider
        self.port = provider.port
        self._answering = AeonAnswering(provider, vending)
        self._planner = Planner(provider, vending, board)
        self._host = "127.0.0.1"
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str) -> None:
        """Raises OSError when the port is taken."""
        self._host = host
        await self.accept()

    async def accept(self) -> None:
        """Listens, on the same port as before."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self._connections, self._receive), self._host, self.port
        )
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def refuse(self) -> None:
        """Stops listening and drops every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)

    async def stop(self) -> None:
        """Refuses, and forgets sales that were still to come late."""
        await self.refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _receive(self, connection: "_Connection", line: bytes) -> None:
        try:
            request = decode_request(line, REQUEST_BYTES_MAX)
        except ProtocolError:
            connection.close()
            return
        operation = OPERATIONS[type(request)]
        plan = self._planner.plan(operation, meter_of(connection.session, request))
        if plan.plain:
            connection.send(encode_response(self._answering.answer(connection.session, request)))
            return
        task = asyncio.get_running_loop().create_task(self._act(connection, request, plan))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _act(self, connection: "_Connection", request: Request, plan: Plan) -> None:
        """One request with a latency or a fault."""
        session = connection.session
        if plan.delay_seconds:
            await asyncio.sleep(plan.delay_seconds)
        match plan.mode:
            case FaultMode.SILENT_BEFORE_SALE:
                connection.expire(SILENCE_SECONDS_MAX)
                return
            case FaultMode.DROP_AFTER_REQUEST:
                connection.close()
                return
            case FaultMode.SYSTEM_ERROR_BEFORE_SALE:
                connection.send(encode_response(self._answering.system_error(session, request)))
                return
            case FaultMode.LATE_SALE:
                connection.close()
                await asyncio.sleep(plan.fault_seconds)
            case FaultMode.SLOW:
                await asyncio.sleep(plan.fault_seconds)
            case _:
                pass
        answer = self._answering.answer(session, request)
        if plan.mode is FaultMode.TRICKLED_ANSWER:
            await connection.trickle(encode_response(answer))
            return
        self._send(connection, request, answer, plan.mode)

    def _send(
        self, connection: "_Connection", request: Request, answer: Response, mode: FaultMode
    ) -> None:
        """What goes out once the sale was made."""
        match mode:
            case FaultMode.SILENT_AFTER_SALE | FaultMode.LATE_SALE:
                connection.expire(SILENCE_SECONDS_MAX)
            case FaultMode.DROP_MID_ANSWER:
                connection.send_half(encode_response(answer))
                connection.close()
            case FaultMode.STALLED_ANSWER:
                connection.send_half(encode_response(answer))
                connection.expire(SILENCE_SECONDS_MAX)
            case FaultMode.GARBLED_ANSWER:
                connection.send(_garbled(answer))
            case FaultMode.WRONG_REFERENCE:
                connection.send(encode_response(misaddressed(answer)))
            case FaultMode.SYSTEM_ERROR_AFTER_SALE:
                error = self._answering.system_error(connection.session, request)
                connection.send(encode_response(error))
            case _:
                connection.send(encode_response(answer))


def _garbled(answer: Response) -> bytes:
    """Damage before the mark, so that the client sees the end of an answer it can't read."""
    content, mark, rest = encode_response(answer).rpartition(ANSWER_END)
    return garble(content) + mark + rest


class _Connection(asyncio.Protocol):
    """A client's connection and its session; lines go to the server one by one."""

    def __init__(
        self,
        all_connections: "set[_Connection]",
        receive: Callable[["_Connection", bytes], None],
    ) -> None:
        self.session = Session()
        self._all = all_connections
        self._receive = receive
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast and no check: uvloop's transports don't inherit asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._transport = None
        self._all.discard(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        *lines, rest = self._received.split(REQUEST_END)
        self._received = rest
        if len(rest) > REQUEST_BYTES_MAX:
            self.close()
            return
        for line in lines:
            self._receive(self, bytes(line))

    def send(self, wire: bytes) -> None:
        if self._transport is not None:
            self._transport.write(wire)

    def send_half(self, wire: bytes) -> None:
        """Half an answer."""
        if self._transport is not None:
            self._transport.write(wire[: len(wire) // 2])

    async def trickle(self, wire: bytes) -> None:
        """An answer byte by byte, for as long as the client stays."""
        async for byte in trickled(wire, lambda: self._transport is None):
            if self._transport is not None:
                self._transport.write(byte)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def expire(self, seconds: float) -> None:
        """Closes after so long, should the client not do it."""
        asyncio.get_running_loop().call_later(seconds, self.close)
