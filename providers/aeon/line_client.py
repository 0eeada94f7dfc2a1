"""Text messages over TCP that end with a mark, several on one connection, one connection a sale.

What may be called not sent is decided here, and only by certainty: no connection was had, or the
one at hand was known to be closed before a byte of the message was given to it. From the moment of
the write on, every failure is unanswered.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

from providers.heard import NotSentError, UnansweredError


class LineConnection(asyncio.Protocol):
    """One TCP connection. An answer ends with `end` and has at most `answer_bytes_max` bytes;
    white space after it belongs to no message."""

    def __init__(self, end: bytes, answer_bytes_max: int) -> None:
        self._end = end
        self._answer_bytes_max = answer_bytes_max
        self._received = bytearray()
        self._searched = 0
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast and no check: uvloop's transports don't inherit asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            if data.strip():
                # Nobody asked: whatever this belongs to, it must not be read as a later answer.
                self.abort()
            return
        self._received += data
        # The mark may have begun in the chunk before.
        start = max(0, self._searched - len(self._end) + 1)
        found = self._received.find(self._end, start)
        self._searched = len(self._received)
        stop = len(self._received) if found < 0 else found + len(self._end)
        if stop > self._answer_bytes_max:
            self._fail(f"answer is longer than {self._answer_bytes_max} bytes")
        elif found >= 0:
            self._answer.set_result(bytes(self._received[:stop]))
            if self._received[stop:].strip():
                self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._transport = None
        self._fail("connection closed before the answer was whole")

    def _fail(self, detail: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(UnansweredError(detail, self._partial))
        self.abort()

    @property
    def _partial(self) -> bytes:
        return bytes(self._received[: self._answer_bytes_max])

    def abort(self) -> None:
        """Closes at once; data that still arrives is lost."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    async def exchange(self, wire: bytes, by: float) -> bytes:
        """Writes one message and returns the next answer, by `by` (the event loop's seconds).

        Raises UnansweredError; NotSentError when the connection is known to be closed, or it is
        too late."""
        if self._transport is None or self._transport.is_closing():
            raise NotSentError("connection was closed")
        if asyncio.get_running_loop().time() >= by:
            # We were stalled: others may act on our silence by now, and must not be crossed.
            raise NotSentError("no time was left")
        self._received.clear()
        self._searched = 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(wire)
        try:
            async with asyncio.timeout_at(by):
                return await self._answer
        except TimeoutError:
            raise UnansweredError("no answer in time", self._partial) from None
        finally:
            self._answer = None


class LineClient:
    """Makes the connections to one provider, at most `busy_max` at once."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        answer_end: bytes,
        answer_bytes_max: int,
        connect_seconds: float,
        busy_max: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._answer_end = answer_end
        self._answer_bytes_max = answer_bytes_max
        self._connect_seconds = connect_seconds
        self._busy_max = busy_max
        self._free = asyncio.Semaphore(busy_max)

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[LineConnection]:
        """A new connection that nobody else uses, closed at the end, whatever ends it. It must be
        had within `connect_seconds`, waiting for one of the `busy_max` included.

        Raises NotSentError when there is none."""
        by = asyncio.get_running_loop().time() + self._connect_seconds
        try:
            async with asyncio.timeout_at(by):
                await self._free.acquire()
        except TimeoutError:
            raise NotSentError(f"all {self._busy_max} connections were busy") from None
        try:
            connection = await self._connect(by)
            try:
                yield connection
            finally:
                connection.abort()
        finally:
            self._free.release()

    async def _connect(self, by: float) -> LineConnection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(by):
                _, connection = await loop.create_connection(
                    lambda: LineConnection(self._answer_end, self._answer_bytes_max),
                    self._host,
                    self._port,
                    ssl=self._tls,
                )
        except TimeoutError:
            raise NotSentError("no connection in time") from None
        except OSError as error:
            raise NotSentError(f"no connection: {error}") from None
        return connection
