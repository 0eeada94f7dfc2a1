"""The simulators as a process: all ports, the control port, one line of JSON when ready."""

import asyncio
import contextlib
import json
import random
import signal
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvloop
from aiohttp import web

from providers.simulator.control import control_app
from providers.simulator.fleet import Fleet
from providers.simulator.fleet_file import DEFAULT_FLEET, load_fleet
from providers.simulator.simulation import Simulation

CONTROL_PORT = 9100
STOP_SECONDS_MAX = 2.0


class Ready(msgspec.Struct, frozen=True):
    """The ports that were bound."""

    control_port: int
    providers: dict[str, int]


async def serve(
    fleet: Fleet,
    *,
    host: str = "127.0.0.1",
    control_port: int = CONTROL_PORT,
    data_dir: Path | None = None,
    clock: Callable[[], datetime],
    rng: random.Random,
    ready: Callable[[Ready], None] = lambda _: None,
) -> None:
    """Serves until cancelled; calls `ready` once every port is open. Port 0 takes a free one.

    Raises OSError when a port is taken or `data_dir` can't be used."""
    simulation = Simulation(fleet, clock=clock, rng=rng, data_dir=data_dir)
    runner = web.AppRunner(
        control_app(simulation), access_log=None, shutdown_timeout=STOP_SECONDS_MAX
    )
    await simulation.start(host)
    try:
        await runner.setup()
        await web.TCPSite(runner, host, control_port).start()
        bound = int(runner.addresses[0][1])
        ready(Ready(bound, simulation.ports))
        await asyncio.get_running_loop().create_future()
    finally:
        await runner.cleanup()
        await simulation.stop()


def run(
    fleet_file: Path | None = None,
    *,
    host: str = "127.0.0.1",
    control_port: int = CONTROL_PORT,
    data_dir: Path | None = None,
    seed: int | None = None,
    free_ports: bool = False,
) -> None:
    """Serves the fleet of `fleet_file` (default: the one shipped) until SIGINT or SIGTERM, with one
    JSON line on standard output when ready. `free_ports` ignores the file's ports; `seed` makes
    chance repeatable.

    Raises FleetError for a bad file, OSError for a port that is taken."""
    fleet = load_fleet(fleet_file or DEFAULT_FLEET)
    if free_ports:
        fleet = with_free_ports(fleet)
    serving = serve(
        fleet,
        host=host,
        control_port=control_port,
        data_dir=data_dir,
        clock=_now,
        rng=random.Random(seed),
        ready=_announce,
    )
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        uvloop.run(_until_signal(serving))


def with_free_ports(fleet: Fleet) -> Fleet:
    """The same fleet, each provider on whatever port is free."""
    return msgspec.structs.replace(
        fleet,
        providers=tuple(msgspec.structs.replace(provider, port=0) for provider in fleet.providers),
    )


async def _until_signal(serving: Coroutine[object, object, None]) -> None:
    task = asyncio.ensure_future(serving)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    await task


def _announce(ready: Ready) -> None:
    line = {"ready": True, "control_port": ready.control_port, "providers": ready.providers}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _now() -> datetime:
    return datetime.now(UTC)
