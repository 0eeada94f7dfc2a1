"""A whole system to put load on: PostgreSQL with fsync, the simulated providers, and the switch,
each a process of its own. The load comes from the caller's, and all share the machine's cores. The
switch feeds its read models while it sells, as it does in production."""

import json
import logging
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from api.channel.sign_in import hash_password
from bench.load import BenchError
from ledger.embedded import EmbeddedServer
from ppu.simulators import simulator_process
from providers.simulator.configs import loopback_configs
from providers.simulator.fleet_file import DEFAULT_FLEET, load_fleet

STOP_SECONDS_MAX = 60.0
ROOT = "/prepaidutility/v3"
OPERATOR = "operator"
"""Signs in to the console, with the same word as password."""
SENDER: dict[str, Any] = {
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
}
"""The members of a message that say who sent it."""


@contextmanager
def system(*providers: str, database_url: str | None = None) -> Generator[int]:
    """The interface's port, with the default fleet behind it; `providers`: only those. On a
    database of its own, or on the one given; the console's user is OPERATOR. Raises BenchError."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ppu-bench-")))
        url = database_url
        if url is None:
            server = EmbeddedServer(folder / "postgres")
            stack.callback(server.remove)
            url = server.start()
            stack.callback(server.stop)
        simulators = stack.enter_context(simulator_process(None, 0, None, free_ports=True))
        configs = [
            msgspec.to_builtins(config)
            for config in loopback_configs(load_fleet(DEFAULT_FLEET), simulators.providers)
            if not providers or config.id in providers
        ]
        yield stack.enter_context(_switch(folder, url, configs))


@contextmanager
def _switch(folder: Path, url: str, providers: list[dict[str, Any]]) -> Generator[int]:
    """A switch process; yields its port."""
    path = folder / "switch.json"
    config = {
        "database_url": url,
        "interface": {"port": 0, "users": {"test": hash_password("test")}},
        "console": {
            "users": {OPERATOR: {"password": hash_password(OPERATOR), "role": "administrator"}},
            "secure_cookie": False,
        },
        "providers": providers,
    }
    path.write_text(json.dumps(config))
    child = subprocess.Popen(  # noqa: S603 (our own module)
        [sys.executable, "-m", "bench.running", str(path)],
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


def _serve(path: Path) -> None:
    """The switch process of a run, with the no-op endpoints."""
    import uvloop

    from ppu.config import Config
    from ppu.log import configure_log
    from ppu.process import serve

    # The first line on stdout is the port; whatever is logged goes to stderr.
    configure_log(logging.WARNING)

    config = msgspec.json.decode(path.read_bytes(), type=Config)
    assert config.database_url is not None

    def announce(port: int) -> None:
        print(json.dumps({"port": port}), flush=True)

    uvloop.run(serve(config, config.database_url, announce, include_noop=True))


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
