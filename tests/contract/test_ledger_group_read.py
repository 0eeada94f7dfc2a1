"""Streams read at the same time share a query, and each reader gets its own stream."""

import asyncio

import psycopg
import pytest

from ledger import Ledger, LedgerSettings, UnknownTopic
from tests.ledger_events import Noted, noted


async def test_readers_at_the_same_time_each_get_their_own_stream(ledger: Ledger) -> None:
    streams = [f"note/{number}" for number in range(300)]
    await asyncio.gather(*(ledger.append(s, 0, noted(f"{s} a", f"{s} b")) for s in streams))

    read = await asyncio.gather(*(ledger.read(stream) for stream in streams))

    for stream, recorded in zip(streams, read, strict=True):
        assert [(r.stream, r.version, r.event) for r in recorded] == [
            (stream, 1, Noted(text=f"{stream} a")),
            (stream, 2, Noted(text=f"{stream} b")),
        ]


async def test_the_same_stream_may_be_read_from_several_versions_at_once(ledger: Ledger) -> None:
    await ledger.append("note/1", 0, noted("a", "b", "c"))

    read = await asyncio.gather(*(ledger.read("note/1", after) for after in (0, 1, 2, 3)))

    assert [[r.version for r in recorded] for recorded in read] == [[1, 2, 3], [2, 3], [3], []]


async def test_a_stream_longer_than_a_page_is_read_whole_beside_a_short_one(
    database_url: str,
) -> None:
    ledger = await Ledger.open(database_url, LedgerSettings(read_events_max=4, read_streams_max=2))
    try:
        await ledger.append("note/long", 0, noted(*map(str, range(11))))
        await ledger.append("note/short", 0, noted("only"))
        long, short, none = await asyncio.gather(
            ledger.read("note/long"), ledger.read("note/short"), ledger.read("note/none")
        )
    finally:
        await ledger.close()
    assert [r.version for r in long] == list(range(1, 12))
    assert [r.version for r in short] == [1]
    assert none == []


async def test_an_unreadable_event_fails_its_own_reader_only(
    ledger: Ledger, database_url: str
) -> None:
    await ledger.append("note/good", 0, noted("fine"))
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES ('note/bad', 1, 'no.such.module:Event', '{}')"
        )

    good, bad = await asyncio.gather(
        ledger.read("note/good"), ledger.read("note/bad"), return_exceptions=True
    )

    assert isinstance(bad, UnknownTopic)
    assert isinstance(good, list)
    assert len(good) == 1


async def test_a_reader_that_goes_away_does_not_disturb_the_others(ledger: Ledger) -> None:
    await ledger.append("note/1", 0, noted("a"))
    leaving = asyncio.create_task(ledger.read("note/1"))
    staying = asyncio.create_task(ledger.read("note/1"))
    await asyncio.sleep(0)

    leaving.cancel()

    assert len(await staying) == 1
    with pytest.raises(asyncio.CancelledError):
        await leaving
