"""Text messages over TCP that end with a mark, several on one connection, one connection a sale."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from providers.tcp_connection import TcpConnection, acquire_slot, connect


class LineConnection(TcpConnection):
    """One TCP connection. An answer ends with `end` and has at most `answer_bytes_max` bytes;
    white space after it belongs to no message."""

    def __init__(self, end: bytes, answer_bytes_max: int) -> None:
        super().__init__()
        self._end = end
        self._answer_bytes_max = answer_bytes_max
        self._received = bytearray()
        self._searched = 0

    def data_received(self, data: bytes) -> None:
        if not self._asked:
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
            self._fail(f"answer is longer than {self._answer_bytes_max} bytes", self._partial)
        elif found >= 0:
            self._succeed(bytes(self._received[:stop]))
            if self._received[stop:].strip():
                self.abort()

    @property
    def _partial(self) -> bytes:
        return bytes(self._received[: self._answer_bytes_max])

    async def exchange(self, wire: bytes, by: float) -> bytes:
        self._received.clear()
        self._searched = 0
        return await super().exchange(wire, by)


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
        await acquire_slot(self._free, self._busy_max, by)
        try:
            connection = await connect(self._connection, self._host, self._port, self._tls, by)
            try:
                yield connection
            finally:
                connection.abort()
        finally:
            self._free.release()

    def _connection(self) -> LineConnection:
        return LineConnection(self._answer_end, self._answer_bytes_max)
