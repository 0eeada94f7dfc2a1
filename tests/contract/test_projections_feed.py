"""The feed gives every reader every event of its kinds, once and in order, wherever it begins."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from domain.event import Event
from domain.operator import Actor
from domain.provider import ProviderDisabled, ProviderEnabled, WeightSet
from domain.steered import source
from ledger import Ledger, Recorded
from projections.feed import Feed

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
BY = source(Actor("test"))
KINDS: tuple[type[Event], ...] = (WeightSet, ProviderEnabled, ProviderDisabled)
SECONDS_MAX = 30.0
EVENTS = 400


def made(number: int) -> Event:
    """Every third is of the first kind, and so on."""
    match number % 3:
        case 0:
            return WeightSet(at=AT, provider="p", weight=number, **BY)
        case 1:
            return ProviderEnabled(at=AT, provider="p", **BY)
        case _:
            return ProviderDisabled(at=AT, provider="p", **BY)


async def write(ledger: Ledger, first: int, count: int, pause: float = 0.0) -> None:
    for number in range(first, first + count):
        await ledger.append(f"provider/{number}", 0, [made(number)])
        if pause:
            await asyncio.sleep(pause)


def feed_on(ledger: Ledger, *, events_max: int = 5_000, batch: int = 50) -> Feed:
    return Feed(
        ledger,
        KINDS,
        batch=batch,
        linger_seconds=0.001,
        events_max=events_max,
        restart_seconds=0.01,
    )


async def read(
    feed: Feed, after: int, topics: Sequence[type[Event]], upto: int, limit: int
) -> list[Recorded]:
    """What one reader gets until it has been told of everything up to `upto`."""
    found: list[Recorded] = []
    async with asyncio.timeout(SECONDS_MAX), feed.reading():
        while after < upto:
            batch = await feed.after(after, topics, limit)
            assert batch.last_position > after
            assert len(batch.recorded) <= limit
            assert all(after < e.position <= batch.last_position for e in batch.recorded)
            found += batch.recorded
            after = batch.last_position
    return found


@pytest.mark.parametrize("events_max", [10, 100, 5_000])
async def test_readers_anywhere_miss_nothing_and_get_nothing_twice(
    ledger: Ledger, events_max: int
) -> None:
    chance = random.Random(events_max)
    await write(ledger, 0, EVENTS // 2)
    feed = feed_on(ledger, events_max=events_max)
    wants = [(chance.randrange(EVENTS), chance.sample(KINDS, k)) for k in (1, 2, 3) * 3]
    readers = [
        asyncio.create_task(read(feed, after, kinds, EVENTS, chance.randint(1, 40)))
        for after, kinds in wants
    ]
    await write(ledger, EVENTS // 2, EVENTS // 2)
    everything = await ledger.read_all(0, EVENTS)
    for (after, kinds), reader in zip(wants, readers, strict=True):
        wanted = [e for e in everything if e.position > after and type(e.event) in kinds]
        assert await reader == wanted


async def test_a_feed_that_nobody_read_for_a_while_begins_anew(ledger: Ledger) -> None:
    feed = feed_on(ledger)
    await write(ledger, 0, 9)
    assert len(await read(feed, 0, KINDS, 9, 100)) == 9
    await write(ledger, 9, 9)
    assert [e.position for e in await read(feed, 9, KINDS, 18, 100)] == list(range(10, 19))


async def test_what_is_of_no_interest_moves_the_place_on(ledger: Ledger) -> None:
    feed = feed_on(ledger)
    reader = asyncio.create_task(read(feed, 0, [WeightSet], 2, 10))
    await ledger.append("provider/a", 0, [made(1), made(2)])
    assert await reader == []


async def test_a_reader_that_is_slow_keeps_nobody_waiting(ledger: Ledger) -> None:
    feed = feed_on(ledger, events_max=20, batch=5)
    async with feed.reading():
        await write(ledger, 0, 1)
        slow = await feed.after(0, KINDS, 1)
        await write(ledger, 1, 99)
        assert len(await read(feed, 0, KINDS, 100, 7)) == 100
        rest = await read(feed, slow.last_position, KINDS, 100, 13)
        assert [e.position for e in rest] == list(range(2, 101))


async def test_many_join_and_leave_at_once(ledger: Ledger) -> None:
    feed = feed_on(ledger, events_max=50)
    writer = asyncio.create_task(write(ledger, 0, EVENTS, pause=0.0005))

    async def visitor(seed: int) -> None:
        chance = random.Random(seed)
        after, seen = 0, list[int]()
        while after < EVENTS:
            upto = min(EVENTS, after + chance.randint(1, 60))
            some = await read(feed, after, KINDS, upto, chance.randint(1, 30))
            seen += [entry.position for entry in some]
            after = seen[-1]
            await asyncio.sleep(chance.random() / 100)
        assert seen == list(range(1, EVENTS + 1))

    async with asyncio.timeout(SECONDS_MAX):
        await asyncio.gather(*(visitor(seed) for seed in range(6)))
        await writer
