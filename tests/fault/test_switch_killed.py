"""`kill -9` of the switch, or of its database, at random moments under load: what was acknowledged
is never lost, nothing is sold twice, and what was in flight gets its end after the restart without
anyone asking.

The short form runs always. The long form: `pytest -m long tests/fault/test_switch_killed.py`."""

import asyncio
from pathlib import Path

import pytest

from ledger.embedded import EmbeddedServer
from tests.tills import UPTIME_SECONDS, Tills, trading
from tests.world import SETTLED_SECONDS_MAX, SwitchProcess, World, until

KILLS_SHORT = 4
KILLS_LONG = 20
STOPS = 3


async def kill_and_restart(
    running: World, tills: Tills, switch: SwitchProcess
) -> tuple[SwitchProcess, set[str]]:
    """Kills at a random moment; the new switch, and what was in flight at that moment."""
    await asyncio.sleep(tills.rng.uniform(*UPTIME_SECONDS))
    in_flight = set(tills.waiting)
    tills.up.clear()
    await switch.kill()
    switch = await running.start_switch()
    tills.up.set()
    return switch, in_flight


async def prove_killed(
    folder: Path, url: str, kills: int, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    async with trading(Tills, folder, url, seed=seed, capsys=capsys) as (running, tills):
        switch = running.switches[0]
        in_flight: set[str] = set()
        for number in range(kills):
            switch, cut_off = await kill_and_restart(running, tills, switch)
            in_flight |= cut_off
            # Every second kill comes while the last one's recoveries are under way.
            if number % 2:
                await running.settled(cut_off)
        assert in_flight
    assert tills.counts["no answer"]


async def test_killed_a_few_times(
    tmp_path: Path, server: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await prove_killed(tmp_path, server.database_url, KILLS_SHORT, capsys, seed=3)


@pytest.mark.long
async def test_killed_twenty_times(
    tmp_path: Path, server: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await prove_killed(tmp_path, server.database_url, KILLS_LONG, capsys, seed=20)


async def test_the_database_is_stopped_at_once_a_few_times(
    tmp_path: Path, server: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    url = server.database_url
    async with trading(Tills, tmp_path, url, seed=7, capsys=capsys) as (running, tills):
        for _ in range(STOPS):
            await asyncio.sleep(tills.rng.uniform(*UPTIME_SECONDS))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.revive)
            sold = len(tills.told)

            async def sells_again(before: int = sold) -> bool:
                return len(tills.told) > before

            await until(sells_again, "sales after the database came back", SETTLED_SECONDS_MAX)
        (switch,) = running.switches
        assert switch.process.returncode is None
