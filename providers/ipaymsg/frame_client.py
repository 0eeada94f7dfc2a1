"""Frames over TCP, one request and one response at a time on a connection, connections reused.

What may be called not sent is decided here, and only by certainty: no connection was had, or the
one at hand was known to be closed before a byte was given to it. From the moment of the write on,
every failure is unanswered: a peer that closed an idle connection just then may have read first.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar, cast

from providers.config import Connections
from providers.heard import NotSentError, UnansweredError
from providers.protocols.errors import ProtocolError
from providers.protocols.ipaymsg.frames import Deframer, frame

AnswerT = TypeVar("AnswerT")


class FrameConnection(asyncio.Protocol):
    """One TCP connection. `idle_until` is in the event loop's seconds."""

    def __init__(self) -> None:
        self.idle_until = 0.0
        self._deframer = Deframer()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast and no check: uvloop's transports don't inherit asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
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
        self._answer.set_result(frames[0])
        if len(frames) > 1 or not self._deframer.empty:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._transport = None
        self._fail("connection closed before the answer was whole", self._deframer.partial)

    def _fail(self, detail: str, received: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(UnansweredError(detail, received))
        self.abort()

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def abort(self) -> None:
        """Closes at once; data that still arrives is lost."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    async def exchange(self, wire: bytes, deadline: float) -> bytes:
        """Writes one frame and returns the next frame's payload, by `deadline`.

        Raises UnansweredError; NotSentError when the connection is known to be closed, or it is
        too late."""
        if self._transport is None or self._transport.is_closing():
            raise NotSentError("connection was closed")
        if asyncio.get_running_loop().time() >= deadline:
            # We were stalled: others may act on our silence by now, and must not be crossed.
            raise NotSentError("no time was left")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(wire)
        try:
            async with asyncio.timeout_at(deadline):
                return await self._answer
        except TimeoutError:
            raise UnansweredError("no answer in time", self._deframer.partial) from None
        finally:
            self._answer = None


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
        try:
            async with asyncio.timeout_at(by):
                await self._free.acquire()
        except TimeoutError:
            detail = f"all {self._limits.busy_max} connections were busy"
            raise NotSentError(detail) from None
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
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(by):
                _, connection = await loop.create_connection(
                    FrameConnection, self._host, self._port, ssl=self._tls
                )
        except TimeoutError:
            raise NotSentError("no connection in time") from None
        except OSError as error:
            raise NotSentError(f"no connection: {error}") from None
        return connection
