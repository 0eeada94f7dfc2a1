"""The archive keeps bytes under their checksum, never changes them, and notices a change."""

import hashlib

import psycopg
import pytest

from ledger import Archive, Ledger, NotArchived
from ledger.archive import CONTENT_BYTES_MAX, Connection


async def opened(database_url: str) -> tuple[Archive, Connection]:
    await (await Ledger.open(database_url)).close()
    connection = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    archive = Archive()
    await archive.set_up(connection)
    return archive, connection


async def test_what_is_put_is_got_by_its_checksum(database_url: str) -> None:
    archive, connection = await opened(database_url)
    async with connection:
        for content in (b"", b"one", bytes(range(256)) * 1_000):
            name = await archive.put(connection, content)
            assert name == hashlib.sha256(content).hexdigest()
            assert await archive.get(connection, name) == content


async def test_the_same_bytes_twice_are_there_once(database_url: str) -> None:
    archive, connection = await opened(database_url)
    async with connection:
        assert await archive.put(connection, b"twice") == await archive.put(connection, b"twice")
        cursor = await connection.execute("SELECT count(*) FROM archived_content")
        assert await cursor.fetchone() == (1,)


async def test_setting_up_again_changes_nothing(database_url: str) -> None:
    archive, connection = await opened(database_url)
    async with connection:
        name = await archive.put(connection, b"kept")
        await archive.set_up(connection)
        assert await archive.get(connection, name) == b"kept"


async def test_what_was_never_put_is_an_error(database_url: str) -> None:
    archive, connection = await opened(database_url)
    async with connection:
        with pytest.raises(NotArchived, match="nothing is archived as 00"):
            await archive.get(connection, "00" * 32)


async def test_nothing_is_put_when_the_transaction_is_not_committed(database_url: str) -> None:
    archive, connection = await opened(database_url)
    async with connection:
        async with connection.transaction(force_rollback=True):
            name = await archive.put(connection, b"gone")
        with pytest.raises(NotArchived):
            await archive.get(connection, name)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE archived_content SET content = ''",
        "DELETE FROM archived_content",
        "TRUNCATE archived_content",
    ],
)
async def test_nothing_is_changed_or_deleted(database_url: str, change: str) -> None:
    archive, connection = await opened(database_url)
    async with connection:
        name = await archive.put(connection, b"evidence")
        with pytest.raises(psycopg.errors.RestrictViolation):
            await connection.execute(change.encode())
        assert await archive.get(connection, name) == b"evidence"


async def test_bytes_that_were_tampered_with_are_not_handed_out(database_url: str) -> None:
    archive, connection = await opened(database_url)
    async with connection:
        name = await archive.put(connection, b"R100.00")
        await connection.execute("SET session_replication_role = replica")  # past the trigger
        await connection.execute("UPDATE archived_content SET content = 'R900.00'")
        with pytest.raises(NotArchived, match="was changed"):
            await archive.get(connection, name)


async def test_too_much_at_once_is_refused(database_url: str) -> None:
    archive, connection = await opened(database_url)
    async with connection:
        with pytest.raises(ValueError, match=str(CONTENT_BYTES_MAX)):
            await archive.put(connection, bytes(CONTENT_BYTES_MAX + 1))
