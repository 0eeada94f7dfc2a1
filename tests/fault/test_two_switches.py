"""Two switches on one database, killed in turn with `kill -9` or stalled for a while, and tills
that ask the other one when an answer does not come: whichever is asked, and however often, the two
are one switch.

The short form runs always. The long form: `pytest -m long tests/fault/test_two_switches.py`."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import pytest

from ledger.embedded import EmbeddedServer
from tests.channel import Reply
from tests.tills import GONE, UPTIME_SECONDS, Message, Send, Sending, Tills, trading
from tests.world import LATE_SALE_SECONDS, World

KILLS_SHORT = 4
KILLS_LONG = 20
STALLS = 10
STALLED_SECONDS = 5.0
"""Longer than the longest lease of the world's settings."""
RETRIES_MAX = 5
HASTY = 0.2
"""Purchases whose retry is sent while the original is still being answered."""
REGRETTED = 0.05
"""Purchases that are reversed while they are still being answered."""
HASTE_SECONDS = 0.1
HUNG_UP = 0.1
"""Messages whose till hangs up, mostly before their answer."""
HANG_UP_SECONDS = 0.1
BOTH_AT_ONCE = 0.3
"""Retries that go to both switches at the same instant."""
ASKED_AGAIN = 0.2
"""Purchases that are retried though their end is known: it must stay the same."""
OWN_ID = 0.5
"""Retries with an id of their own."""
PASSED_OVER = 0.8
"""Messages that would have gone to a switch which is down, and go to the other at once."""
TROUBLES = tuple(
    (provider, mode) for provider in ("ipay", "contour") for mode in ("refuse", "slow")
)
"""What a provider does around a kill. Closed: vends go to the next one. Slow, though within the
wait: retries come in while the vend is still being answered."""
SLOW_MS = 400


class RestlessTills(Tills):
    """Tills of two switches: what one of them leaves open, they ask the other."""

    count = 40

    def __init__(self, running: World, seed: int) -> None:
        super().__init__(running, seed)
        self.switches = list(running.switches)

    async def buy(self, purchase_id: str, message: Message) -> None:
        """Buys at one switch and retries at the other until an answer is definite, now and then
        before the first has answered at all."""
        at = self._somewhere()
        asked = [self._buy(purchase_id, message, at)]
        if self._chance(HASTY):
            asked.append(self._retry(purchase_id, message, 1 - at, HASTE_SECONDS))
        if self._chance(REGRETTED):
            asked.append(self._reverse_soon(purchase_id))
        await asyncio.gather(*asked)
        for _ in range(RETRIES_MAX):
            if self.closing or self.knows(purchase_id):
                break
            at = 1 - at
            asked = [self._retry(purchase_id, message, at)]
            if self._chance(BOTH_AT_ONCE):
                asked.append(self._retry(purchase_id, message, 1 - at))
            await asyncio.gather(*asked)
        if self.knows(purchase_id) and self._chance(ASKED_AGAIN):
            await self._retry(purchase_id, message, 1 - at)

    async def advise(self, message: Message, send: Send) -> None:
        """Repeats the advice, each time at the other switch, until it is acknowledged."""
        at = self._somewhere()
        for _ in range(RETRIES_MAX):
            if await self.acknowledged(message, send(self.switches[at].client, message)):
                break
            at = 1 - at

    async def sent(self, sending: Sending) -> Reply | None:
        """As others do; now and then hangs up very soon."""
        if not self._chance(HUNG_UP):
            return await super().sent(sending)
        try:
            return await asyncio.wait_for(sending, self.rng.uniform(0, HANG_UP_SECONDS))
        except GONE:
            self.counts["hung up"] += 1
            return None

    async def _buy(self, purchase_id: str, message: Message, at: int) -> None:
        sending = self.switches[at].client.buy(message)
        self.hear(purchase_id, "purchase", await self.sent(sending))

    async def _retry(
        self, purchase_id: str, message: Message, at: int, within_seconds: float = 0.0
    ) -> None:
        """The retry has the id of its purchase or one of its own."""
        await asyncio.sleep(self.rng.uniform(0, within_seconds))
        if self._chance(OWN_ID):
            message = {**message, "id": str(uuid4())}
        sending = self.switches[at].client.retry(purchase_id, message)
        self.hear(purchase_id, "retry", await self.sent(sending))

    async def _reverse_soon(self, purchase_id: str) -> None:
        await asyncio.sleep(self.rng.uniform(0, HASTE_SECONDS))
        await self.reverse(purchase_id)

    def _somewhere(self) -> int:
        """One of the two; mostly not one that is down."""
        at = self.rng.randrange(2)
        down = self.switches[at].process.returncode is not None
        return 1 - at if down and self._chance(PASSED_OVER) else at

    def _chance(self, of: float) -> bool:
        return self.rng.random() < of


Blow: TypeAlias = Callable[[World, RestlessTills, int], Awaitable[None]]


async def kill(running: World, tills: RestlessTills, at: int) -> None:
    await tills.switches[at].kill()
    tills.switches[at] = await running.start_switch()


async def stall(_: World, tills: RestlessTills, at: int) -> None:
    """Longer than any lease: the other switch takes over, and then this one wakes up with answers
    to read and things to write."""
    tills.switches[at].process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(STALLED_SECONDS)
    tills.switches[at].process.send_signal(signal.SIGCONT)


async def strike(running: World, tills: RestlessTills, blow: Blow, times: int) -> None:
    """Hits one switch after the other at random moments while both are at work, and a provider has
    its troubles meanwhile."""
    in_flight: set[str] = set()
    for number in range(times):
        provider, mode = tills.rng.choice(TROUBLES)
        await running.fault(provider, mode, latency_ms=SLOW_MS)
        await asyncio.sleep(tills.rng.uniform(*UPTIME_SECONDS))
        in_flight |= tills.waiting
        await blow(running, tills, number % 2)
        await running.fault(provider, "none")
    assert in_flight
    assert tills.counts["hung up"]


async def prove_killed(
    folder: Path, url: str, kills: int, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    async with trading(RestlessTills, folder, url, seed=seed, capsys=capsys, switches=2) as (
        running,
        tills,
    ):
        await strike(running, tills, kill, kills)
    assert tills.counts["no answer"]
    assert tills.counts["retry 202"]


async def test_two_switches_killed_a_few_times(
    tmp_path: Path, server: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await prove_killed(tmp_path, server.database_url, KILLS_SHORT, capsys, seed=5)


@pytest.mark.long
@pytest.mark.parametrize("seed", [21, 22])
async def test_two_switches_killed_twenty_times(
    tmp_path: Path, server: EmbeddedServer, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    await prove_killed(tmp_path, server.database_url, KILLS_LONG, capsys, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", [31, 32])
async def test_two_switches_stalled_ten_times(
    tmp_path: Path, server: EmbeddedServer, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    """Stalled for less than the late-sale window: whoever wakes up may still send what it had only
    written down."""
    async with trading(
        RestlessTills,
        tmp_path,
        server.database_url,
        seed=seed,
        capsys=capsys,
        switches=2,
        late_sale_seconds=LATE_SALE_SECONDS + STALLED_SECONDS,
    ) as (running, tills):
        await strike(running, tills, stall, STALLS)
    assert tills.counts["retry 202"]
