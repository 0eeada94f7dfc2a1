"""`kill -9` of the switch, or of its database, at random moments under load: what was acknowledged
is never lost, nothing is sold twice, and what was in flight gets its end after the restart without
anyone asking.

The short form runs always. The long form: `pytest -m long tests/fault/test_switch_killed.py`."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import msgspec
import pytest

from domain.purchase import PurchaseStatus
from ledger.embedded import EmbeddedServer
from providers.simulator.fleet import Fleet
from providers.simulator.fleet_file import load_fleet
from tests.channel import (
    Reply,
    confirmation_message,
    lookup_message,
    purchase_message,
    reversal_message,
)
from tests.world import (
    LATE_MS,
    NEVER_UNHEALTHY,
    SETTLED_SECONDS_MAX,
    SwitchProcess,
    World,
    assert_ledgers_agree,
    sold_tokens,
    tokens_of,
    until,
    world,
)

KILLS_SHORT = 4
KILLS_LONG = 20
STOPS = 3
TILLS = 24
UPTIME_SECONDS = (0.2, 1.5)
"""Between being ready and being killed."""
METERS = {
    "TST001": 10_000,
    "TST004": 10_000,
    "TST010": 10_000,
    "TST011": 10_000,
    "37012065183": 15_000,
    "07732858985": 7_500,
    "37826798391": 5_000,
    "01372780823": 12_300,
    "04878264961": 9_900,
    "07581433807": 4_200,
    "04603159650": 3_300,
    "04109082901": 6_600,
}
"""What is bought for each: most sell at once, some never answer, drop, or sell late."""

GONE = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, asyncio.TimeoutError)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server of its own, with fsync on: what it has committed it keeps."""
    own = EmbeddedServer(tmp_path / "postgres")
    own.start()
    yield own
    own.stop()
    own.remove()


class Tills:
    """Channels that never stop, and write down what they were told."""

    def __init__(self, running: World, seed: int) -> None:
        self.running = running
        self.rng = random.Random(seed)
        self.sold: dict[str, tuple[str, ...]] = {}
        self.advised: dict[str, str] = {}
        """Acknowledged advices, and their purchase."""
        self.refused: set[str] = set()
        self.begun: set[str] = set()
        self.waiting: set[str] = set()
        """Purchases whose answer is still to come."""
        self.unanswered: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.closing = False
        self.up = asyncio.Event()
        """Set while there is a switch to talk to."""
        self.up.set()

    async def buy(self) -> None:
        """One till: buys again and again, confirms or reverses some of it."""
        while not self.closing:
            await self.up.wait()
            meter, cents = self.rng.choice(tuple(METERS.items()))
            amount = {"amount": cents, "currency": "710"}
            message = purchase_message(
                meter={"meterId": meter},
                purchaseAmount=amount,
                tenders=[{"amount": amount, "tenderType": "CASH"}],
            )
            purchase_id = message["id"]
            self.begun.add(purchase_id)
            self.waiting.add(purchase_id)
            reply = await self._sent(self.running.client.buy(message))
            self.waiting.discard(purchase_id)
            if reply is None:
                self.unanswered.add(purchase_id)
                continue
            self.counts[f"purchase {reply.status}"] += 1
            if reply.status == 201:
                self.sold[purchase_id] = tokens_of(reply.body)
                await self._advise(purchase_id)
            elif reply.status != 504:
                self.refused.add(purchase_id)

    async def _advise(self, purchase_id: str) -> None:
        match self.rng.randrange(4):
            case 0:
                message = reversal_message(requestId=purchase_id)
                reply = await self._sent(self.running.client.reverse(message))
            case 1:
                message = confirmation_message(requestId=purchase_id)
                reply = await self._sent(self.running.client.confirm(message))
            case _:
                return
        if reply is not None and reply.status == 202:
            self.advised[message["id"]] = purchase_id
            self.counts["advice 202"] += 1

    async def _sent(self, sending: Any) -> Reply | None:  # noqa: ANN401 (a coroutine)
        """The answer, or None when the switch went away before it came."""
        try:
            return await sending
        except GONE:
            self.counts["no answer"] += 1
            return None


def timely(fleet: Fleet) -> Fleet:
    """No provider sells later than the settings say that it may."""
    meters = tuple(
        msgspec.structs.replace(meter, latency_ms=min(meter.latency_ms, LATE_MS))
        for meter in fleet.meters
    )
    return msgspec.structs.replace(fleet, meters=meters)


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


async def assert_nothing_is_lost(running: World, tills: Tills) -> Counter[str]:
    """Compares what the tills wrote down with the ledger; how the purchases ended."""
    purchases = await running.purchases()
    for purchase_id, tokens in tills.sold.items():
        assert purchases[purchase_id].status is PurchaseStatus.APPROVED
        assert sold_tokens(purchases[purchase_id]) == tokens
    for purchase_id in tills.refused & set(purchases):
        assert purchases[purchase_id].status is PurchaseStatus.DECLINED
    for advice_id, purchase_id in tills.advised.items():
        assert advice_id in purchases[purchase_id].advices
        assert not purchases[purchase_id].advices[advice_id].pending
    assert set(purchases) <= tills.begun
    assert_ledgers_agree(purchases, await running.sales())
    return Counter(purchases[p].status.lower() for p in tills.unanswered & set(purchases))


@asynccontextmanager
async def trading(
    folder: Path, url: str, seed: int, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[tuple[World, Tills]]:
    """Tills at work while the body does its worst; afterwards, the proof that nothing is lost."""
    began = monotonic()
    async with world(folder, url, fleet=timely(load_fleet()), settings=NEVER_UNHEALTHY) as running:
        for meter in METERS:
            reply = await running.client.look_up(lookup_message(meter={"meterId": meter}))
            assert reply.status == 201, reply.body
        tills = Tills(running, seed)
        async with asyncio.TaskGroup() as group:
            for _ in range(TILLS):
                group.create_task(tills.buy())
            yield running, tills
            tills.closing = True
        worked = monotonic() - began
        await running.settled(tills.begun)
        await running.nothing_open()
        recovered = await assert_nothing_is_lost(running, tills)
        await running.read_models_equal_a_fresh_rebuild()
        assert tills.counts["purchase 500"] == 0
        assert tills.sold
        assert tills.advised
        with capsys.disabled():
            print(
                f"\n{worked:.0f} s of work, {monotonic() - began:.0f} s in all,"
                f" {len(tills.begun)} purchases begun: {dict(sorted(tills.counts.items()))};"
                f" of those without an answer that reached the ledger: {dict(recovered)}"
            )


async def prove_killed(
    folder: Path, url: str, kills: int, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    async with trading(folder, url, seed, capsys) as (running, tills):
        switch = running.switches[0]
        in_flight: set[str] = set()
        for number in range(kills):
            switch, cut_off = await kill_and_restart(running, tills, switch)
            in_flight |= cut_off
            # Every second kill comes while the last one's recoveries are under way.
            if number % 2:
                await running.settled(cut_off)
        assert in_flight
    assert tills.unanswered


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
    async with trading(tmp_path, server.database_url, 7, capsys) as (running, tills):
        for _ in range(STOPS):
            await asyncio.sleep(tills.rng.uniform(*UPTIME_SECONDS))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.revive)
            sold = len(tills.sold)

            async def sells_again(before: int = sold) -> bool:
                return len(tills.sold) > before

            await until(sells_again, "sales after the database came back", SETTLED_SECONDS_MAX)
        (switch,) = running.switches
        assert switch.process.returncode is None
