"""A message whose time is up is not written any more: whoever waited for us acts without us now."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from providers.aeon.line_client import LineClient
from providers.config import Connections
from providers.heard import NotSentError
from providers.ipaymsg.frame_client import FrameClient
from providers.protocols.ipaymsg.frames import frame

WAIT_SECONDS = 30.0


@asynccontextmanager
async def echo() -> AsyncGenerator[tuple[int, bytearray]]:
    """A port that sends back what it gets; what that was."""
    got = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1_000):
            got.extend(data)
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], got


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_no_frame_is_written_too_late_on_a_kept_connection() -> None:
    async with echo() as (port, got):
        client = FrameClient(
            "127.0.0.1", port, connect_seconds=WAIT_SECONDS, limits=Connections(idle_seconds=60)
        )
        await client.exchange(b"in time", bytes, WAIT_SECONDS, now() + WAIT_SECONDS)
        with pytest.raises(NotSentError):
            await client.exchange(b"too late", bytes, WAIT_SECONDS, now())
        await client.exchange(b"in time", bytes, WAIT_SECONDS, now() + WAIT_SECONDS)
        await client.close()
    assert bytes(got) == frame(b"in time") * 2


async def test_no_line_is_written_too_late_in_the_middle_of_a_talk() -> None:
    async with echo() as (port, got):
        client = LineClient(
            "127.0.0.1",
            port,
            answer_end=b"\n",
            answer_bytes_max=1_000,
            connect_seconds=WAIT_SECONDS,
            busy_max=1,
        )
        async with client.connection() as line:
            await line.exchange(b"in time\n", now() + WAIT_SECONDS)
            with pytest.raises(NotSentError):
                await line.exchange(b"too late\n", now())
            await line.exchange(b"in time\n", now() + WAIT_SECONDS)
    assert bytes(got) == b"in time\n" * 2
