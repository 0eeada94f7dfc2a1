"""The writer's connection breaks: nothing is lost, nothing is written twice, nobody waits for ever.

The hard case is a commit whose end was not seen. It is settled by reading back.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from ledger import (
    Ledger,
    LedgerBusy,
    LedgerClosed,
    LedgerSettings,
    LedgerUnavailable,
    OutcomeUnknown,
    Recorded,
    VersionConflict,
)
from ledger.embedded import EmbeddedServer
from tests.ledger_events import noted
from tests.ledger_proxy import Cut, Wire

TERMINATIONS = 60
IMPATIENT = LedgerSettings(unavailable_seconds_max=0.5, reconnect_seconds_max=0.05)


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    async with Wire(database_url) as made:
        yield made


async def in_ledger(database_url: str) -> list[Recorded]:
    """Everything, read over a sound connection."""
    ledger = await Ledger.open(database_url)
    recorded = await ledger.read_all(after=0, limit=1_000_000)
    await ledger.close()
    return recorded


@pytest.mark.parametrize("cut", ["request lost", "reply lost"])
async def test_an_append_survives_a_connection_cut_during_its_commit(
    wire: Wire, database_url: str, cut: Cut
) -> None:
    ledger = await Ledger.open(wire.database_url)
    await ledger.append("before", 0, noted("a"))
    wire.cut_next(cut)

    written = await ledger.append("note/1", 0, noted("b", "c"))

    assert wire.cuts_made == 1
    assert [r.version for r in written] == [1, 2]
    assert await in_ledger(database_url) == [*await ledger.read("before"), *written]
    await ledger.close()


async def test_a_commit_cut_again_and_again_is_written_once(wire: Wire, database_url: str) -> None:
    ledger = await Ledger.open(wire.database_url)
    wire.cut_next("request lost", "reply lost", "reply lost", "request lost")

    answers = await asyncio.gather(
        *(ledger.append(f"note/{n}", 0, noted("a", "b")) for n in range(20)),
    )
    more = [await ledger.append("note/0", 2 + n, noted("c")) for n in range(3)]

    assert wire.cuts_made == 4
    expected = [r for answer in [*answers, *more] for r in answer]
    assert await in_ledger(database_url) == sorted(expected, key=lambda r: r.position)
    await ledger.close()


async def test_a_conflict_is_still_a_conflict_when_its_commit_was_cut(
    wire: Wire, database_url: str
) -> None:
    """Reading back finds events in the stream, but they are another writer's."""
    other = await Ledger.open(database_url)
    first = await other.append("message/1", 0, noted("the other's"))
    ledger = await Ledger.open(wire.database_url)
    wire.cut_next("reply lost")

    mine, neighbour = await asyncio.gather(
        ledger.append("message/1", 0, noted("mine")),
        ledger.append("message/2", 0, noted("fine")),
        return_exceptions=True,
    )

    assert isinstance(mine, VersionConflict)
    assert isinstance(neighbour, list)
    assert await in_ledger(database_url) == [*first, *neighbour]
    await ledger.close()
    await other.close()


async def test_a_commit_that_reaches_the_server_late_is_not_written_beside_its_repeat(
    wire: Wire, database_url: str
) -> None:
    """A broken network may deliver a request after its writer has gone on without it."""
    ledger = await Ledger.open(wire.database_url)
    wire.cut_next("request late")

    written = await ledger.append("note/1", 0, noted("a"))
    wire.release()
    await asyncio.sleep(0.2)

    assert wire.cuts_made == 1
    assert await in_ledger(database_url) == written
    await ledger.close()


async def test_a_late_commit_is_not_written_after_it_was_reported_as_not_written(
    wire: Wire, database_url: str
) -> None:
    """Its successor ends the lost connection at the server before it reads back."""
    ledger = await Ledger.open(wire.database_url)
    wire.cut_next("request late")
    append = asyncio.create_task(ledger.append("note/1", 0, noted("a")))
    await wire.cut()
    # The caller goes away: nobody repeats the append, so only the late one could write it.
    append.cancel()
    await ledger.append("note/2", 0, noted("b"))
    wire.release()
    await asyncio.sleep(0.2)

    assert [r.stream for r in await in_ledger(database_url)] == ["note/2"]
    await ledger.close()


async def test_what_cannot_be_settled_is_reported_as_unknown(wire: Wire, database_url: str) -> None:
    ledger = await Ledger.open(wire.database_url, IMPATIENT)
    wire.cut_next("reply lost")
    in_flight = asyncio.create_task(ledger.append("note/1", 0, noted("a")))
    await wire.cut()
    wire.refuse(True)
    queued = asyncio.create_task(ledger.append("note/2", 0, noted("b")))

    with pytest.raises(OutcomeUnknown):
        await in_flight
    with pytest.raises(LedgerUnavailable) as certain:
        await queued
    assert not isinstance(certain.value, OutcomeUnknown)

    # The truth in this case, which the caller finds by reading once the server is back.
    wire.refuse(False)
    assert [r.stream for r in await in_ledger(database_url)] == ["note/1"]
    assert await ledger.append("note/2", 0, noted("b"))
    await ledger.close()


async def test_a_full_queue_refuses_at_once_and_recovers(wire: Wire) -> None:
    settings = LedgerSettings(queue_appends_max=10, reconnect_seconds_max=0.05)
    ledger = await Ledger.open(wire.database_url, settings)
    wire.cut_next("request lost")
    wire.refuse(True)
    first = asyncio.create_task(ledger.append("first", 0, noted("a")))
    await wire.cut()
    waiting = [asyncio.create_task(ledger.append(f"note/{n}", 0, noted("a"))) for n in range(10)]
    await asyncio.sleep(0)

    with pytest.raises(LedgerBusy):
        await ledger.append("one too many", 0, noted("a"))
    wire.refuse(False)
    answers = await asyncio.gather(first, *waiting)
    assert sorted(answer[0].position for answer in answers) == list(range(1, 12))
    await ledger.close()


async def test_closing_while_the_server_is_away_fails_what_waits_for_certain(wire: Wire) -> None:
    settings = LedgerSettings(close_seconds_max=0.2)
    ledger = await Ledger.open(wire.database_url, settings)
    wire.cut_next("reply lost")
    wire.refuse(True)
    in_flight = asyncio.create_task(ledger.append("note/1", 0, noted("a")))
    await wire.cut()
    queued = asyncio.create_task(ledger.append("note/2", 0, noted("b")))
    await asyncio.sleep(0)
    await ledger.close()

    answers = await asyncio.gather(in_flight, queued, return_exceptions=True)
    assert [type(answer) for answer in answers] == [OutcomeUnknown, LedgerUnavailable]
    with pytest.raises(LedgerClosed):
        await ledger.append("note/3", 0, noted("c"))


async def append_until(done: asyncio.Event, ledger: Ledger, clients: int) -> list[Recorded]:
    """Many clients, each with one stream of its own that it appends to again and again."""

    async def client(number: int) -> list[Recorded]:
        recorded: list[Recorded] = []
        while not done.is_set():
            events = noted(f"{number}.{len(recorded)}", "second")
            recorded += await ledger.append(f"client/{number}", len(recorded), events)
        return recorded

    found = await asyncio.gather(*(client(number) for number in range(clients)))
    return sorted((r for recorded in found for r in recorded), key=lambda r: r.position)


async def test_connections_terminated_at_many_moments_under_load(database_url: str) -> None:
    """Every append is acknowledged, and the ledger holds what was acknowledged, each once."""
    chance = random.Random(2)
    ledger = await Ledger.open(database_url)
    done = asyncio.Event()
    writing = asyncio.create_task(append_until(done, ledger, clients=16))
    seen: list[Recorded] = []

    async def tail() -> None:
        async for batch in ledger.tail(after=0):
            seen.extend(batch.recorded)
            if writing.done() and len(seen) >= len(writing.result()):
                return

    tailing = asyncio.create_task(tail())
    terminated = 0
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as axe:
        while terminated < TERMINATIONS:
            await asyncio.sleep(chance.uniform(0.0, 0.03))
            ended = await axe.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name LIKE 'ppu-ledger%'"
            )
            terminated += ended.rowcount
    done.set()
    acknowledged = await writing
    await ledger.append("last", 0, noted("wakes the tail"))
    await asyncio.wait_for(tailing, 30)

    assert len(acknowledged) > TERMINATIONS
    assert [r.position for r in acknowledged] == list(range(1, len(acknowledged) + 1))
    assert (await in_ledger(database_url))[:-1] == acknowledged
    assert seen[: len(acknowledged)] == acknowledged
    await ledger.close()


async def test_a_server_that_crashes_under_load_loses_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    """`pg_ctl stop -m immediate` and recovery, with fsync on, three times."""
    chance = random.Random(3)
    server = EmbeddedServer(tmp_path / "server")
    ledger = await Ledger.open(server.start(), LedgerSettings(unavailable_seconds_max=60))
    done = asyncio.Event()
    try:
        writing = asyncio.create_task(append_until(done, ledger, clients=16))
        for _ in range(3):
            await asyncio.sleep(chance.uniform(0.02, 0.2))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.revive)
        done.set()
        acknowledged = await asyncio.wait_for(writing, 120)

        assert acknowledged
        assert [r.position for r in acknowledged] == list(range(1, len(acknowledged) + 1))
        assert await in_ledger(server.database_url) == acknowledged
    finally:
        await ledger.close()
        server.stop()
        server.remove()
