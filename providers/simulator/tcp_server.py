"""A simulated provider on a TCP port, with its faults, whatever it speaks over TCP."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar, cast

from domain.exchange import Operation
from providers.protocols.errors import ProtocolError
from providers.simulator.faults import Fault, FaultBoard, FaultMode
from providers.simulator.fleet import FleetProvider
from providers.simulator.vending import Vending
from providers.simulator.wire_fault import SILENCE_SECONDS_MAX, Plan, Planner, trickled

AskedT = TypeVar("AskedT")
AnswerT = TypeVar("AnswerT")


class Conversation(Protocol[AskedT, AnswerT]):
    """What one protocol over TCP reads, decides and writes on one connection. Nothing in it waits,
    so each call is one indivisible step."""

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        """The messages that `chunk` completes. Raises ProtocolError, which ends the connection."""
        ...

    def read(self, message: bytes) -> AskedT:
        """Raises ProtocolError, which ends the connection."""
        ...

    def operation(self, asked: AskedT) -> Operation:
        """What is asked, for faults: VEND is the step that sells and no other."""
        ...

    def meter(self, asked: AskedT) -> str | None: ...

    def till(self, asked: AskedT) -> Fault | None:
        """Where the client's own terminal misbehaves."""
        ...

    def answer(self, asked: AskedT, *, reversible: bool) -> AnswerT:
        """Carries it out."""
        ...

    def system_error(self, asked: AskedT) -> AnswerT:
        """The protocol's own system error."""
        ...

    def misaddressed(self, answer: AnswerT) -> AnswerT:
        """The same answer, naming another message."""
        ...

    def write(self, answer: AnswerT) -> bytes:
        """All that goes out, framing included."""
        ...

    def garbled(self, answer: AnswerT) -> bytes:
        """As `write`, damaged, but so that the client sees where it ends."""
        ...


class TcpProviderServer(Generic[AskedT, AnswerT]):
    """Start it, read its `port`, stop it. `refuse` closes the port and `accept` reopens it.
    `converse` begins a connection's conversation."""

    def __init__(
        self,
        provider: FleetProvider,
        vending: Vending,
        board: FaultBoard,
        converse: Callable[[], Conversation[AskedT, AnswerT]],
    ) -> None:
        self.provider = provider
        self.port = provider.port
        self._planner = Planner(provider, vending, board)
        self._converse = converse
        self._host = "127.0.0.1"
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection[AskedT, AnswerT]] = set()
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
            lambda: _Connection(self._converse(), self._connections, self._receive),
            self._host,
            self.port,
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

    def _receive(self, connection: "_Connection[AskedT, AnswerT]", message: bytes) -> None:
        talk = connection.conversation
        try:
            asked = talk.read(message)
        except ProtocolError:
            connection.close()
            return
        plan = self._planner.plan(talk.operation(asked), talk.meter(asked), talk.till(asked))
        if plan.plain:
            connection.send(talk.write(talk.answer(asked, reversible=plan.reversible)))
            return
        task = asyncio.get_running_loop().create_task(_act(connection, asked, plan))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Connection(asyncio.Protocol, Generic[AskedT, AnswerT]):
    """A client's connection; messages go to the server one by one."""

    def __init__(
        self,
        conversation: Conversation[AskedT, AnswerT],
        all_connections: "set[_Connection[AskedT, AnswerT]]",
        receive: Callable[["_Connection[AskedT, AnswerT]", bytes], None],
    ) -> None:
        self.conversation = conversation
        self._all = all_connections
        self._receive = receive
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast and no check: uvloop's transports don't inherit asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._transport = None
        self._all.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            messages = self.conversation.feed(data)
        except ProtocolError:
            self.close()
            return
        for message in messages:
            self._receive(self, message)

    def send(self, wire: bytes) -> None:
        if self._transport is not None:
            self._transport.write(wire)

    def send_half(self, wire: bytes) -> None:
        """Half an answer."""
        self.send(wire[: len(wire) // 2])

    async def trickle(self, wire: bytes) -> None:
        """An answer byte by byte, for as long as the client stays."""
        async for byte in trickled(wire, lambda: self._transport is None):
            self.send(byte)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def expire(self) -> None:
        """Stays silent, and closes should the client never do it."""
        asyncio.get_running_loop().call_later(SILENCE_SECONDS_MAX, self.close)


async def _act(connection: _Connection[AskedT, AnswerT], asked: AskedT, plan: Plan) -> None:
    """One request with a latency or a fault."""
    talk = connection.conversation
    if plan.delay_seconds:
        await asyncio.sleep(plan.delay_seconds)
    match plan.mode:
        case FaultMode.SILENT_BEFORE_SALE:
            connection.expire()
            return
        case FaultMode.DROP_AFTER_REQUEST:
            connection.close()
            return
        case FaultMode.SYSTEM_ERROR_BEFORE_SALE:
            connection.send(talk.write(talk.system_error(asked)))
            return
        case FaultMode.LATE_SALE:
            connection.close()
            await asyncio.sleep(plan.fault_seconds)
        case FaultMode.SLOW:
            await asyncio.sleep(plan.fault_seconds)
        case _:
            pass
    answer = talk.answer(asked, reversible=plan.reversible)
    if plan.mode is FaultMode.TRICKLED_ANSWER:
        await connection.trickle(talk.write(answer))
        return
    _send(connection, asked, answer, plan.mode)


def _send(
    connection: _Connection[AskedT, AnswerT], asked: AskedT, answer: AnswerT, mode: FaultMode
) -> None:
    """What goes out once the sale was made."""
    talk = connection.conversation
    match mode:
        case FaultMode.SILENT_AFTER_SALE | FaultMode.LATE_SALE:
            connection.expire()
        case FaultMode.DROP_MID_ANSWER:
            connection.send_half(talk.write(answer))
            connection.close()
        case FaultMode.STALLED_ANSWER:
            connection.send_half(talk.write(answer))
            connection.expire()
        case FaultMode.GARBLED_ANSWER:
            connection.send(talk.garbled(answer))
        case FaultMode.WRONG_REFERENCE:
            connection.send(talk.write(talk.misaddressed(answer)))
        case FaultMode.SYSTEM_ERROR_AFTER_SALE:
            connection.send(talk.write(talk.system_error(asked)))
        case _:
            connection.send(talk.write(answer))
