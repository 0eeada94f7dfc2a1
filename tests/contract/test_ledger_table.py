"""Opening the ledger, and what the table refuses."""

import asyncio

import psycopg
import pytest

from ledger import Ledger, LedgerSettings, LedgerUnavailable, UnsupportedServer
from ledger.database import refuse_unsupported
from tests.ledger_events import noted


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stored_events SET state = ''",
        "DELETE FROM stored_events",
        "DELETE FROM stored_events WHERE false",
        "TRUNCATE stored_events",
    ],
)
async def test_nothing_is_updated_or_deleted_not_even_by_the_owner(
    ledger: Ledger, database_url: str, statement: str
) -> None:
    written = await ledger.append("note/1", 0, noted("a"))

    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            await connection.execute(statement.encode())
    assert await ledger.read("note/1") == written


async def test_many_processes_may_open_a_new_ledger_at_once(database_url: str) -> None:
    opened = await asyncio.gather(*(Ledger.open(database_url) for _ in range(8)))
    appended = await asyncio.gather(
        *(ledger.append(f"note/{n}", 0, noted("a")) for n, ledger in enumerate(opened))
    )

    assert sorted(r[0].position for r in appended) == list(range(1, 9))
    for ledger in opened:
        await ledger.close()


async def test_a_role_that_may_only_read_and_insert_can_work(database_url: str) -> None:
    """In production the table is made by one role and written by another."""
    owner = await Ledger.open(database_url)
    await owner.close()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(
            "CREATE ROLE clerk; GRANT SELECT, INSERT ON stored_events TO clerk;"
            "GRANT UPDATE ON SEQUENCE stored_events_notification_id_seq TO clerk"
        )
        try:
            separator = "&" if "?" in database_url else "?"
            clerk = await Ledger.open(f"{database_url}{separator}options=-c%20role%3Dclerk")
            assert await clerk.append("note/1", 0, noted("a")) == await clerk.read("note/1")
            await clerk.close()
        finally:
            await connection.execute("DROP OWNED BY clerk; DROP ROLE clerk")


async def test_a_replica_is_refused(database_url: str) -> None:
    """As far as one server can show it: a server that takes no writes is not opened."""
    separator = "&" if "?" in database_url else "?"
    read_only = f"{database_url}{separator}options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(LedgerUnavailable):
        await Ledger.open(read_only)


@pytest.mark.parametrize(
    ("version", "number"),
    [
        ("PostgreSQL 14.12 on x86_64-pc-linux-gnu", 140_012),
        ("CockroachDB CCL v26.3.0 (x86_64-pc-linux-gnu)", 180_000),
    ],
)
def test_a_server_on_which_the_rules_do_not_hold_is_refused(version: str, number: int) -> None:
    with pytest.raises(UnsupportedServer):
        refuse_unsupported(version, number)
    refuse_unsupported("PostgreSQL 15.0", 150_000)


async def test_a_server_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(LedgerUnavailable):
        await Ledger.open("postgresql://nobody@127.0.0.1:1/none")


@pytest.mark.parametrize("name", ["", "Public", "a b", "a;b", 'a"b', "x" * 39])
def test_a_name_that_would_need_quoting_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="up to 38"):
        LedgerSettings(schema=name)


async def test_a_long_stream_is_read_whole_in_several_pages(database_url: str) -> None:
    ledger = await Ledger.open(database_url, LedgerSettings(read_events_max=7))
    for n in range(3):
        await ledger.append("note/1", n * 7, noted(*"abcdefg"))

    assert [r.version for r in await ledger.read("note/1")] == list(range(1, 22))
    assert [r.version for r in await ledger.read("note/1", after_version=18)] == [19, 20, 21]
    await ledger.close()
