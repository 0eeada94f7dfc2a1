"""The server answers, but says no: one append is at fault, or it passes, or it does not."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from ledger import Ledger, LedgerClosed, LedgerError, LedgerSettings, LedgerUnavailable
from ledger.writer_connection import WriterConnection
from tests.ledger_events import noted


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection beside the ledger's."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        yield connection


async def test_an_append_that_the_server_refuses_fails_alone(
    ledger: Ledger, owner: psycopg.AsyncConnection
) -> None:
    await owner.execute("ALTER TABLE stored_events ADD CHECK (originator_id <> 'poison')")

    answers = await asyncio.gather(
        *(ledger.append(name, 0, noted("a")) for name in ("a", "poison", "b", "c")),
        return_exceptions=True,
    )

    assert [isinstance(answer, list) for answer in answers] == [True, False, True, True]
    refused = answers[1]
    assert isinstance(refused, LedgerError)
    assert "violates check constraint" in str(refused)
    assert [r.stream for r in await ledger.read_all(after=0, limit=10)] == ["a", "b", "c"]


async def test_a_lock_that_is_held_for_too_long_is_waited_for_and_then_reported(
    database_url: str, owner: psycopg.AsyncConnection
) -> None:
    settings = LedgerSettings(statement_seconds_max=0.1, unavailable_seconds_max=1.0)
    ledger = await Ledger.open(database_url, settings)
    async with owner.transaction():
        await owner.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")
        with pytest.raises(LedgerUnavailable, match="statement timeout"):
            await ledger.append("note/1", 0, noted("too long"))
        waiting = asyncio.create_task(ledger.append("note/1", 0, noted("in time")))
        await asyncio.sleep(0.3)
        assert not waiting.done()

    written = await waiting
    assert await ledger.read("note/1") == written
    await ledger.close()


async def test_a_server_that_takes_no_writes_for_a_while_is_waited_for(
    database_url: str, owner: psycopg.AsyncConnection
) -> None:
    """As after a failover, while the old address still leads to a replica."""
    ledger = await Ledger.open(database_url, LedgerSettings(unavailable_seconds_max=0.5))
    row = await (await owner.execute("SELECT current_database()")).fetchone()
    assert row is not None
    await owner.execute(f"ALTER DATABASE {row[0]} SET default_transaction_read_only = on".encode())
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'ppu-ledger-%'"
    )
    with pytest.raises(LedgerUnavailable, match="read-only"):
        await ledger.append("note/1", 0, noted("a"))

    await owner.execute("SET default_transaction_read_only = off")
    await owner.execute(f"ALTER DATABASE {row[0]} RESET default_transaction_read_only".encode())
    assert await ledger.append("note/1", 0, noted("a"))
    await ledger.close()


async def test_nobody_waits_for_a_writer_that_has_stopped(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the program itself must not turn into a silent hang."""

    async def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(WriterConnection, "commit", broken)
    appends = [ledger.append(f"note/{n}", 0, noted("a")) for n in range(3)]
    answers = await asyncio.wait_for(asyncio.gather(*appends, return_exceptions=True), 10)

    assert all(isinstance(answer, LedgerUnavailable) for answer in answers)
    with pytest.raises(LedgerClosed):
        await ledger.append("note/9", 0, noted("a"))
