"""Lookups a second over HTTP: of a meter that nobody has asked for before, which is broadcast to
all ten providers over TCP and HTTP, beside one that the contract table sends to a single one."""

import asyncio
import json
from collections.abc import Callable
from itertools import islice

from bench.load import CONNECTIONS, Measured, Target, ask_once, measure, rows
from bench.result import Row
from bench.running import ROOT, SENDER, system
from providers.simulator.fleet_file import DEFAULT_FLEET, load_fleet
from providers.simulator.homes import MeterBook

KNOWN_METER = "TST001"
SINGLE = "known meter, one provider"
BROADCAST = "new meter, ten providers"
NEW_METERS_MAX = 60_000


def run(
    seconds: float, rounds: int, say: Callable[[str], None], connections: int = CONNECTIONS
) -> list[Row]:
    """Measures each case for `seconds` in each of `rounds`, in turn. Raises BenchError."""
    with system() as port:
        return rows(asyncio.run(_measure(port, seconds, rounds, connections, say)), SINGLE)


async def _measure(
    port: int, seconds: float, rounds: int, connections: int, say: Callable[[str], None]
) -> dict[str, Measured]:
    fleet = load_fleet(DEFAULT_FLEET)
    new = islice(iter(MeterBook(fleet)), len(fleet.meters), len(fleet.meters) + NEW_METERS_MAX)

    def path(message_id: str) -> str:
        return f"{ROOT}/meterLookups/{message_id}"

    single = Target(port, path, lambda message_id: _body(message_id, KNOWN_METER))
    # A meter is new only once, so each request takes the next one of the fleet's homes.
    broadcast = Target(port, path, lambda message_id: _body(message_id, next(new).number))
    await ask_once(single)
    targets = {SINGLE: single, BROADCAST: broadcast}
    return await measure(targets, seconds, rounds, connections, say)


def _body(message_id: str, meter: str) -> bytes:
    return json.dumps(SENDER | {"id": message_id, "meter": {"meterId": meter}}).encode()
