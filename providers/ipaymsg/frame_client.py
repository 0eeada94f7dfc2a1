"""Frames over TCP, one request and one response at a time on a connection, connections reused."""

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar

from providers.config import Connections
from providers.heard import NotSentError
from providers.protocols.errors import ProtocolError
from providers.protocols.ipaymsg.frames import Deframer, frame
from providers.tcp_connection import TcpConnection, acquire_slot, connect

AnswerT = TypeVar("AnswerT")


class FrameConnection(TcpConnection):
    """One TCP connection; an answer is a frame's payload. `idle_until` is in the event loop's
    seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.idle_until = 0.0
        self._deframer = Deframer()

    def data_received(self, data: bytes) -> None:
        if not self._asked:
            # Nobody asked: whatever this belongs to, it must not be read as a later answer.
            self.abort()
            return
        try:
            frames = self._deframer.feed(data)
        except ProtocolError as error:
            self._fail(str(error), bytes(data))
            return
        if not frames:
            return
        self._succeed(frames[0])
        if len(frames) > 1 or not self._deframer.empty:
            self.abort()

    @property
    def _partial(self) -> bytes:
        return self._deframer.partial


class FrameClient:
    """The connections to one provider."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        connect_seconds: float,
        limits: Connections,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._limits = limits
        self._free = asyncio.Semaphore(limits.busy_max)
        self._idle: list[FrameConnection] = []

    async def exchange(
        self,
        payload: bytes,
        read: Callable[[bytes], AnswerT],
        seconds: float,
        deadline: float,
    ) -> AnswerT:
        """Sends `payload` in a frame and returns what `read` makes of the answering frame.

        A connection must be had within `connect_seconds`, the answer within `seconds` from then,
        and all of it by `deadline` (the event loop's seconds). `read` raises UnansweredError for a
        frame that is no answer to this message; its connection is then closed, as what comes next
        on it can't be trusted.

        Raises NotSentError or UnansweredError. Cancelling it closes the connection."""
        try:
            wire = frame(payload)
        except ValueError as error:
            raise NotSentError(str(error)) from None
        connection = await self._take(deadline)
        try:
            by = min(asyncio.get_running_loop().time() + seconds, deadline)
            answer = read(await connection.exchange(wire, by))
        except BaseException:
            connection.abort()
            raise
        finally:
            self._free.release()
        self._keep(connection)
        return answer

    async def close(self) -> None:
        """Closes the idle connections; busy ones close when their exchange ends."""
        self._limits = Connections(busy_max=self._limits.busy_max, idle_seconds=0)
        while self._idle:
            self._idle.pop().abort()

    async def _take(self, deadline: float) -> FrameConnection:
        """A connection that nobody else uses, and one of the slots in `_free` with it."""
        now = asyncio.get_running_loop().time()
        by = min(now + self._connect_seconds, deadline)
        await acquire_slot(self._free, self._limits.busy_max, by)
        try:
            return self._reuse(now) or await self._connect(by)
        except BaseException:
            self._free.release()
            raise

    def _keep(self, connection: FrameConnection) -> None:
        if self._limits.idle_seconds <= 0 or not connection.usable:
            connection.abort()
            return
        connection.idle_until = asyncio.get_running_loop().time() + self._limits.idle_seconds
        self._idle.append(connection)

    def _reuse(self, now: float) -> FrameConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and now < connection.idle_until:
                return connection
            connection.abort()
        return None

    async def _connect(self, by: float) -> FrameConnection:
        return await connect(FrameConnection, self._host, self._port, self._tls, by)
