"""One question at a time on a TCP connection, whatever its messages look like.

What may be called not sent is decided here, and only by certainty: no connection was had, or the
one at hand was known to be closed before a byte of the message was given to it. From the moment of
the write on, every failure is unanswered: a peer that closed an idle connection just then may have
read first.
"""

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar, cast

from providers.heard import NotSentError, UnansweredError


class TcpConnection(asyncio.Protocol, ABC):
    """One TCP connection. A subclass reads answers in `data_received` and hands
    each on by `_succeed` or `_fail`."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast and no check: uvloop's transports don't inherit asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._transport = None
        self._fail("connection closed before the answer was whole", self._partial)

    @property
    @abstractmethod
    def _partial(self) -> bytes:
        """What arrived of an answer that isn't whole."""

    @property
    def _asked(self) -> bool:
        """Whether an answer is awaited."""
        return self._answer is not None and not self._answer.done()

    def _succeed(self, answer: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

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

    async def exchange(self, wire: bytes, by: float) -> bytes:
        """Writes one message and returns the next answer, by `by` (the event loop's seconds).

        Raises UnansweredError; NotSentError when the connection is known to be closed, or it is
        too late."""
        if self._transport is None or self._transport.is_closing():
            raise NotSentError("connection was closed")
        if asyncio.get_running_loop().time() >= by:
            # We were stalled: others may act on our silence by now, and must not be crossed.
            raise NotSentError("no time was left")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(wire)
        try:
            async with asyncio.timeout_at(by):
                return await self._answer
        except TimeoutError:
            raise UnansweredError("no answer in time", self._partial) from None
        finally:
            self._answer = None


ConnectionT = TypeVar("ConnectionT", bound=TcpConnection)


async def acquire_slot(free: asyncio.Semaphore, busy_max: int, by: float) -> None:
    """One of `busy_max` slots, by `by` (the event loop's seconds). Raises NotSentError."""
    try:
        async with asyncio.timeout_at(by):
            await free.acquire()
    except TimeoutError:
        raise NotSentError(f"all {busy_max} connections were busy") from None


async def connect(
    make: Callable[[], ConnectionT],
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    by: float,
) -> ConnectionT:
    """A new connection, by `by` (the event loop's seconds). Raises NotSentError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(by):
            _, connection = await loop.create_connection(make, host, port, ssl=tls)
    except TimeoutError:
        raise NotSentError("no connection in time") from None
    except OSError as error:
        raise NotSentError(f"no connection: {error}") from None
    return connection
