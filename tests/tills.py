"""Tills that buy without end while a test does its worst to the switch, and the proof afterwards
that nothing which they were told is lost."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, TypeAlias, TypeVar

import aiohttp
import msgspec
import pytest

from domain.event import Event
from domain.exchange import Operation, ProviderAnswered, ProviderAsked
from domain.purchase import Purchase, PurchaseStatus
from providers.simulator.fleet import Fleet
from providers.simulator.fleet_file import load_fleet
from providers.simulator.sales import SaleRow
from tests.channel import (
    Client,
    Reply,
    confirmation_message,
    lookup_message,
    purchase_message,
    reversal_message,
)
from tests.world import (
    LATE_MS,
    LATE_SALE_SECONDS,
    NEVER_UNHEALTHY,
    World,
    assert_ledgers_agree,
    sold_tokens,
    tokens_of,
    world,
)

UPTIME_SECONDS = (0.2, 1.5)
"""Between all being up and the next blow."""
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
    "14596723016": 5_500,
    "04189592381": 7_700,
}
"""What is bought for each: most sell at once, some never answer, drop, or sell late."""

SOLD = (201, 202)
UNKNOWN = (500, 504)
Message: TypeAlias = dict[str, Any]
Sending: TypeAlias = Coroutine[Any, Any, Reply]
Send: TypeAlias = Callable[[Client, Message], Sending]

GONE = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, asyncio.TimeoutError)


class Tills:
    """Channels that never stop, and write down what they were told."""

    count = 24

    def __init__(self, running: World, seed: int) -> None:
        self.running = running
        self.rng = random.Random(seed)
        self.told: dict[str, set[tuple[str, ...]]] = {}
        """For each purchase, all token sets that anybody was ever told."""
        self.refused: set[str] = set()
        """Purchases of which anybody was ever told for good that nothing was sold."""
        self.reversing: set[str] = set()
        """Purchases that a till wanted back."""
        self.advised: dict[str, str] = {}
        """Acknowledged advices, and their purchase."""
        self.begun: set[str] = set()
        self.waiting: set[str] = set()
        """Purchases that a till is busy with."""
        self.counts: Counter[str] = Counter()
        self.closing = False
        self.up = asyncio.Event()
        """Set while there is a switch to talk to."""
        self.up.set()

    def knows(self, purchase_id: str) -> bool:
        """Whether a till was told how the purchase ended."""
        return purchase_id in self.told or purchase_id in self.refused

    async def work(self) -> None:
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
            purchase_id: str = message["id"]
            self.begun.add(purchase_id)
            self.waiting.add(purchase_id)
            await self.buy(purchase_id, message)
            self.waiting.discard(purchase_id)
            if purchase_id in self.told:
                await self._advise_some(purchase_id)

    async def buy(self, purchase_id: str, message: Message) -> None:
        """Carries one purchase as far as this kind of till does."""
        self.hear(purchase_id, "purchase", await self.sent(self.running.client.buy(message)))

    async def _advise_some(self, purchase_id: str) -> None:
        match self.rng.randrange(4):
            case 0:
                await self.reverse(purchase_id)
            case 1:
                await self.advise(confirmation_message(requestId=purchase_id), Client.confirm)
            case _:
                return

    async def reverse(self, purchase_id: str) -> None:
        """Takes the purchase back. From here on a refusal need not mean that nothing was sold."""
        self.reversing.add(purchase_id)
        await self.advise(reversal_message(requestId=purchase_id), Client.reverse)

    async def advise(self, message: Message, send: Send) -> None:
        """Sends one advice as often as this kind of till does."""
        await self.acknowledged(message, send(self.running.client, message))

    async def acknowledged(self, message: Message, sending: Sending) -> bool:
        """Whether the advice that is being sent is acknowledged."""
        reply = await self.sent(sending)
        if reply is None:
            return False
        self.counts[f"advice {reply.status}"] += 1
        if reply.status == 202:
            self.advised[message["id"]] = message["requestId"]
        elif reply.status not in UNKNOWN:
            self.refused.add(message["requestId"])
        return reply.status == 202

    def hear(self, purchase_id: str, what: str, reply: Reply | None) -> None:
        """Writes an answer about a purchase down; None: it never came."""
        if reply is None:
            return
        self.counts[f"{what} {reply.status}"] += 1
        if reply.status in SOLD:
            self.told.setdefault(purchase_id, set()).add(tokens_of(reply.body))
        elif reply.status not in UNKNOWN and purchase_id not in self.reversing:
            self.refused.add(purchase_id)

    async def sent(self, sending: Sending) -> Reply | None:
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


async def assert_nothing_is_lost(running: World, tills: Tills) -> Counter[str]:
    """Compares what the tills wrote down with the switch's ledger, and that with the simulators'.
    Returns how those purchases ended of whose end no till was told."""
    purchases, sales = await running.purchases(), await running.sales()
    assert_told_is_kept(tills, purchases)
    assert_ledgers_agree(purchases, sales)
    streams = await running.everything()
    assert_one_sale_each(streams, sales)
    for stream, events in streams.items():
        assert_leases_held(stream, events)
    return Counter(state.status.lower() for p, state in purchases.items() if not tills.knows(p))


def assert_told_is_kept(tills: Tills, purchases: dict[str, Purchase]) -> None:
    """What a till was told for certain is so, and whoever told it said the same."""
    assert set(purchases) <= tills.begun
    for purchase_id, token_sets in tills.told.items():
        assert purchases[purchase_id].status is PurchaseStatus.APPROVED, purchase_id
        assert token_sets == {sold_tokens(purchases[purchase_id])}, purchase_id
    for purchase_id in tills.refused & set(purchases):
        assert purchases[purchase_id].status is PurchaseStatus.DECLINED, purchase_id
    for advice_id, purchase_id in tills.advised.items():
        assert advice_id in purchases[purchase_id].advices
        assert not purchases[purchase_id].advices[advice_id].pending


def assert_one_sale_each(streams: dict[str, list[Event]], sales: Iterable[SaleRow]) -> None:
    """However many vends a purchase has had, at most one of them stands at a provider."""
    purchase_of = {
        (event.provider, event.reference): stream
        for stream, events in streams.items()
        for event in events
        if isinstance(event, ProviderAsked) and event.operation is Operation.VEND
    }
    standing = Counter(
        purchase_of[sale.provider, sale.reference] for sale in sales if sale.status == "standing"
    )
    assert not [stream for stream, count in standing.items() if count > 1]


def assert_leases_held(stream: str, events: Iterable[Event]) -> None:
    """Nobody asked a provider about this while an earlier question was open and in its time.
    Lookups are let be: a broadcast asks many at once."""
    asked: ProviderAsked | None = None
    for event in events:
        match event:
            case ProviderAsked(operation=Operation.LOOKUP):
                continue
            case ProviderAsked():
                assert asked is None or asked.deadline <= event.at, (stream, asked, event)
                asked = event
            case ProviderAnswered() if asked is not None and event.exchange == asked.exchange:
                asked = None
            case _:
                continue


TillsT = TypeVar("TillsT", bound=Tills)


@asynccontextmanager
async def trading(
    kind: type[TillsT],
    folder: Path,
    url: str,
    *,
    seed: int,
    capsys: pytest.CaptureFixture[str],
    switches: int = 1,
    late_sale_seconds: float = LATE_SALE_SECONDS,
) -> AsyncGenerator[tuple[World, TillsT]]:
    """Tills at work while the body does its worst; afterwards, the proof that nothing is lost."""
    began = monotonic()
    fleet = timely(load_fleet())
    async with world(
        folder,
        url,
        fleet=fleet,
        switches=switches,
        settings=NEVER_UNHEALTHY,
        late_sale_seconds=late_sale_seconds,
    ) as running:
        for meter in METERS:
            reply = await running.client.look_up(lookup_message(meter={"meterId": meter}))
            assert reply.status == 201, reply.body
        tills = kind(running, seed)
        async with asyncio.TaskGroup() as group:
            for _ in range(tills.count):
                group.create_task(tills.work())
            yield running, tills
            tills.closing = True
        worked = monotonic() - began
        ended = await assert_all_ends_well(running, tills)
        with capsys.disabled():
            print(
                f"\n{worked:.0f} s of work, {monotonic() - began:.0f} s in all,"
                f" {len(tills.begun)} purchases begun: {dict(sorted(tills.counts.items()))};"
                f" of those in the ledger whose end no till was told: {dict(ended)}"
            )


async def assert_all_ends_well(running: World, tills: Tills) -> Counter[str]:
    """Waits, asking nobody, until nothing is left to do; then compares. Returns what
    `assert_nothing_is_lost` does."""
    await running.settled(tills.begun)
    await running.nothing_open()
    ended = await assert_nothing_is_lost(running, tills)
    await running.read_models_equal_a_fresh_rebuild()
    assert not [what for what in tills.counts if what.endswith(" 500")]
    assert tills.told
    assert tills.advised
    return ended
