"""Load over HTTP: connections that ask, wait for the answer, and ask again."""

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from bench.result import Row, percentile

CONNECTIONS = 64
WARM_UP_SECONDS = 1.0


class BenchError(Exception):
    """The run can't be trusted: something was refused or did not start."""


@dataclass
class Measured:
    """Latencies in seconds, and the time that they took together."""

    latencies: list[float] = field(default_factory=list[float])
    seconds: float = 0.0


@dataclass(frozen=True)
class Target:
    """Where requests go: a path and a JSON body for each message id."""

    port: int
    path: Callable[[str], str]
    body: Callable[[str], bytes]


async def measure(
    targets: Mapping[str, Target],
    seconds: float,
    rounds: int,
    connections: int,
    say: Callable[[str], None],
) -> dict[str, Measured]:
    """Each target for `seconds` in each of `rounds`, in turn, after a warm-up. Raises
    BenchError."""
    measured = {case: Measured() for case in targets}
    for case, target in targets.items():
        await load(target, WARM_UP_SECONDS, connections, Measured())
        say(f"warmed up: {case}")
    for number in range(1, rounds + 1):
        for case, target in targets.items():
            await load(target, seconds, connections, measured[case])
            say(f"round {number} of {rounds}: {case}")
    return measured


def rows(measured: Mapping[str, Measured], yardstick: str) -> list[Row]:
    """Requests a second with the ratio to `yardstick`, p50 and p99."""
    rate = {case: len(m.latencies) / m.seconds for case, m in measured.items()}
    made: list[Row] = []
    for case, m in measured.items():
        ordered = sorted(m.latencies)
        made.append(Row(case, "requests", rate[case], "1/s", rate[case] / rate[yardstick]))
        for name, share in (("p50", 0.50), ("p99", 0.99)):
            made.append(Row(case, name, percentile(ordered, share) * 1_000, "ms"))
    return made


async def ask_once(target: Target) -> None:
    """One request. Raises BenchError unless it is answered 201."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    status = await _exchange(reader, writer, _request(target, str(uuid4())))
    writer.close()
    if status != 201:
        raise BenchError(f"answered {status}")


async def load(target: Target, seconds: float, connections: int, into: Measured) -> None:
    """Keeps `connections` busy for `seconds`; each waits for its answer before asking again."""
    began = time.perf_counter()
    end = began + seconds

    async def keep_busy() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        while (sent := time.perf_counter()) < end:
            status = await _exchange(reader, writer, _request(target, str(uuid4())))
            if status != 201:
                raise BenchError(f"answered {status}")
            into.latencies.append(time.perf_counter() - sent)
        writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(keep_busy())
    into.seconds += time.perf_counter() - began


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> int:
    """One request and its whole answer; the status."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    marker = head.lower().index(b"content-length:") + len(b"content-length:")
    await reader.readexactly(int(head[marker : head.index(b"\r\n", marker)]))
    return int(head.split(b" ", 2)[1])


_HEADERS = (
    "Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
    f"Authorization: Basic {base64.b64encode(b'test:test').decode()}\r\n"
)


def _request(target: Target, message_id: str) -> bytes:
    body = target.body(message_id)
    head = f"POST {target.path(message_id)} HTTP/1.1\r\n{_HEADERS}Content-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body
