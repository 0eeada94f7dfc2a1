"""Purchases a second over HTTP through a simulated provider on a real TCP socket, two durable
commits each, beside a no-op endpoint of the same server in the same run.

The database (fsync on), the simulated providers and the switch are processes of their own; the
load comes from this one, and all share the machine's cores. The switch feeds its read models while
it sells, as it does in production.
"""

import asyncio
import base64
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from api.channel.noop import ORDINARY_PATH, PATH
from api.channel.sign_in import hash_password
from bench.result import Row, percentile
from ledger.embedded import EmbeddedServer
from ppu.simulators import simulator_process
from providers.simulator.configs import loopback_configs
from providers.simulator.fleet_file import DEFAULT_FLEET, load_fleet

CONNECTIONS = 64
WARM_UP_SECONDS = 1.0
STOP_SECONDS_MAX = 60.0
METER = "TST001"
CENTS = 10_000
ROOT = "/prepaidutility/v3"

NOOP = "no-op endpoint"
"""The web framework's own: Basic, a validated purchase body, an empty answer."""
BARE = "no-op on our own path"
"""The same without the framework: what the interface's own reading and writing costs."""
PURCHASE = "purchase"


class BenchError(Exception):
    """The run can't be trusted: something was refused or did not start."""


@dataclass
class Measured:
    """Latencies in seconds, and the time that they took together."""

    latencies: list[float] = field(default_factory=list[float])
    seconds: float = 0.0


@dataclass(frozen=True)
class Target:
    """Where requests go: a path and a body for each message id."""

    port: int
    path: Callable[[str], str]


def run(
    seconds: float, rounds: int, say: Callable[[str], None], connections: int = CONNECTIONS
) -> list[Row]:
    """Measures each case for `seconds` in each of `rounds`, in turn. Raises BenchError."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ppu-bench-")))
        server = EmbeddedServer(folder / "postgres")
        stack.callback(server.remove)
        url = server.start()
        stack.callback(server.stop)
        simulators = stack.enter_context(simulator_process(None, 0, None, free_ports=True))
        fleet = load_fleet(DEFAULT_FLEET)
        providers = [
            msgspec.to_builtins(config)
            for config in loopback_configs(fleet, simulators.providers)
            if config.protocol == "ipaymsg"
        ]
        port = stack.enter_context(_switch(folder, url, providers))
        targets = {
            NOOP: Target(port, lambda _: ORDINARY_PATH),
            BARE: Target(port, lambda _: PATH),
            PURCHASE: Target(port, lambda message_id: f"{ROOT}/tokenPurchases/{message_id}"),
        }
        return asyncio.run(_measure(targets, seconds, rounds, connections, say))


@contextmanager
def _switch(folder: Path, url: str, providers: list[dict[str, Any]]) -> Generator[int]:
    """A switch process; yields its port."""
    path = folder / "switch.json"
    config = {
        "database_url": url,
        "interface": {"port": 0, "users": {"test": hash_password("test")}},
        "providers": providers,
    }
    path.write_text(json.dumps(config))
    child = subprocess.Popen(  # noqa: S603 (our own module)
        [sys.executable, "-m", "bench.purchase", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    try:
        line = child.stdout.readline()
        if not line:
            raise BenchError("the switch did not start")
        yield int(json.loads(line)["port"])
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(STOP_SECONDS_MAX)


async def _measure(
    targets: dict[str, Target],
    seconds: float,
    rounds: int,
    connections: int,
    say: Callable[[str], None],
) -> list[Row]:
    for port in {target.port for target in targets.values()}:
        await _look_up(port)
    measured = {case: Measured() for case in targets}
    for case, target in targets.items():
        await _load(target, WARM_UP_SECONDS, connections, Measured())
        say(f"warmed up: {case}")
    for number in range(1, rounds + 1):
        for case, target in targets.items():
            await _load(target, seconds, connections, measured[case])
            say(f"round {number} of {rounds}: {case}")
    return _rows(measured)


def _rows(measured: dict[str, Measured]) -> list[Row]:
    rate = {case: len(m.latencies) / m.seconds for case, m in measured.items()}
    rows: list[Row] = []
    for case, m in measured.items():
        ordered = sorted(m.latencies)
        rows.append(Row(case, "requests", rate[case], "1/s", rate[case] / rate[NOOP]))
        for name, share in (("p50", 0.50), ("p99", 0.99)):
            rows.append(Row(case, name, percentile(ordered, share) * 1_000, "ms"))
    return rows


async def _look_up(port: int) -> None:
    message_id = str(uuid4())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    target = Target(port, lambda _: f"{ROOT}/meterLookups/{message_id}")
    status = await _exchange(reader, writer, _request(target, message_id))
    writer.close()
    if status != 201:
        raise BenchError(f"the lookup of {METER} was answered {status}")


async def _load(target: Target, seconds: float, connections: int, into: Measured) -> None:
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
_BODY = {
    "time": "2026-03-01T08:00:00.000Z",
    "originator": {
        "institution": {"id": "test", "name": "Test"},
        "terminalId": "TERM0001",
        "merchant": {
            "merchantType": "5411",
            "merchantId": "MERCHANT0000001",
            "merchantName": {
                "name": "Corner Shop",
                "city": "Cape Town",
                "region": "WC",
                "country": "ZA",
            },
        },
    },
    "client": {"id": "test", "name": "Test"},
    "thirdPartyIdentifiers": [],
    "meter": {"meterId": METER},
    "purchaseAmount": {"amount": CENTS, "currency": "710"},
    "tenders": [{"amount": {"amount": CENTS, "currency": "710"}, "tenderType": "CASH"}],
}
_REST = json.dumps(_BODY)[1:].encode()


def _request(target: Target, message_id: str) -> bytes:
    body = b'{"id":"' + message_id.encode() + b'",' + _REST
    head = f"POST {target.path(message_id)} HTTP/1.1\r\n{_HEADERS}Content-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _serve(path: Path) -> None:
    """The switch process of a run, with the no-op endpoints."""
    import uvloop

    from ppu.config import Config
    from ppu.process import serve

    config = msgspec.json.decode(path.read_bytes(), type=Config)
    assert config.database_url is not None

    def announce(port: int) -> None:
        print(json.dumps({"port": port}), flush=True)

    uvloop.run(serve(config, config.database_url, announce, include_noop=True))


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
