"""The tailing reader: every event once, in order, soon; whatever is filtered, whoever sleeps."""

import asyncio
from collections.abc import Collection
from contextlib import aclosing

import msgspec
import psycopg
import pytest

from ledger import Batch, Ledger, LedgerSettings
from ledger.ledger import TAIL_BATCH
from tests.ledger_events import Counted, Noted, noted

# Far beyond any test's patience: only a NOTIFY can wake a tail that has this.
NEVER_POLL = LedgerSettings(poll_seconds=3600)


async def collect(
    ledger: Ledger,
    after: int,
    upto: int,
    batch: int = TAIL_BATCH,
    topics: Collection[type[msgspec.Struct]] = (),
) -> list[Batch]:
    """The batches of a tail until it has looked as far as `upto`."""
    batches: list[Batch] = []
    async with aclosing(ledger.tail(after, batch, topics)) as tail:
        async for found in tail:
            batches.append(found)
            if found.last_position >= upto:
                break
    return batches


async def test_a_tail_gives_the_past_and_then_the_present(ledger: Ledger) -> None:
    past = [r for n in range(5) for r in await ledger.append(f"note/{n}", 0, noted("a", "b"))]
    tailing = asyncio.create_task(collect(ledger, after=3, upto=14))
    await asyncio.sleep(0.05)
    present = [r for n in range(2) for r in await ledger.append(f"new/{n}", 0, noted("c", "d"))]

    batches = await tailing
    assert [r for batch in batches for r in batch.recorded] == [*past[3:], *present]


async def test_batches_are_no_larger_than_asked_for(ledger: Ledger) -> None:
    for n in range(10):
        await ledger.append(f"note/{n}", 0, noted("a", "b", "c"))

    batches = await collect(ledger, after=0, upto=30, batch=7)

    assert [len(batch.recorded) for batch in batches] == [7, 7, 7, 7, 2]
    assert [batch.last_position for batch in batches] == [7, 14, 21, 28, 30]


async def test_a_tail_is_woken_by_a_commit_and_does_not_wait_for_the_poll(
    database_url: str,
) -> None:
    ledger = await Ledger.open(database_url, NEVER_POLL)
    tailing = asyncio.create_task(collect(ledger, after=0, upto=50))
    for n in range(50):
        await asyncio.sleep(0.002)
        await ledger.append(f"note/{n}", 0, noted("a"))
    batches = await asyncio.wait_for(tailing, 30)

    assert [r.position for b in batches for r in b.recorded] == list(range(1, 51))
    await ledger.close()


async def test_a_tail_finds_by_polling_what_nobody_told_it(database_url: str) -> None:
    """An INSERT without NOTIFY, as a restored backup would do it."""
    ledger = await Ledger.open(database_url, LedgerSettings(poll_seconds=0.05))
    tailing = asyncio.create_task(collect(ledger, after=0, upto=1))
    await asyncio.sleep(0.1)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute(
            "INSERT INTO stored_events VALUES ('quiet/1', 1, 'tests.ledger_events:Noted', %s, 1)",
            [b'{"text":"hush"}'],
        )
    batches = await asyncio.wait_for(tailing, 30)

    assert batches[-1].recorded[0].event == Noted(text="hush")
    await ledger.close()


async def test_a_filtered_tail_moves_on_over_what_it_does_not_show(database_url: str) -> None:
    """Its cursor must not stay behind, or every look would start at the beginning again."""
    ledger = await Ledger.open(database_url, LedgerSettings(tail_positions_max=10))
    for n in range(12):
        await ledger.append(f"note/{n}", 0, noted("a", "b", "c"))
    await ledger.append("count/1", 0, [Counted(number=1), *noted("d"), Counted(number=2)])

    batches = await collect(ledger, after=0, upto=39, batch=5, topics=[Counted])

    assert [r.event for b in batches for r in b.recorded] == [Counted(number=1), Counted(number=2)]
    assert [batch.last_position for batch in batches] == [10, 20, 30, 39]
    assert [len(batch.recorded) for batch in batches] == [0, 0, 0, 2]
    await ledger.close()


async def test_a_full_filtered_batch_keeps_the_cursor_at_its_last_event(ledger: Ledger) -> None:
    for n in range(6):
        await ledger.append(f"count/{n}", 0, [Counted(number=n), *noted("between")])

    batches = await collect(ledger, after=0, upto=12, batch=2, topics=[Counted])

    assert [r.event for b in batches for r in b.recorded] == [Counted(number=n) for n in range(6)]
    assert [batch.last_position for batch in batches] == [3, 7, 11, 12]


async def test_several_topics_are_read_together_in_order(ledger: Ledger) -> None:
    for n in range(4):
        await ledger.append(f"mixed/{n}", 0, [Counted(number=n), *noted(str(n))])

    both = await ledger.read_all(after=2, limit=3, topics=[Counted, Noted])
    only = await ledger.read_all(after=0, limit=100, topics=[Counted])

    assert [r.position for r in both] == [3, 4, 5]
    assert [r.position for r in only] == [1, 3, 5, 7]


@pytest.mark.parametrize("last", [2**15 - 1, 2**15, 2**31 - 1, 2**32, 2**53 + 1])
async def test_positions_of_any_size_are_tailed_and_read(
    ledger: Ledger, database_url: str, last: int
) -> None:
    """A driver sends small numbers in small types, which overflow when they are added up."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute(
            "INSERT INTO stored_events VALUES ('old/1', %s, 'tests.ledger_events:Noted', %s, %s)",
            [last, b'{"text":"long ago"}', last],
        )
    written = await ledger.append("note/1", 0, noted("a", "b"))
    later = await ledger.append("old/1", last, noted("c"))

    assert [r.position for r in [*written, *later]] == [last + 1, last + 2, last + 3]
    assert later[0].version == last + 1
    batches = await collect(ledger, after=last, upto=last + 3)
    assert [r for batch in batches for r in batch.recorded] == [*written, *later]
    assert await ledger.read_all(after=last, limit=10) == [*written, *later]
    assert await ledger.read("old/1", after_version=last) == later
