"""The archive: bytes that events name by their SHA-256 because they are too large to be in one.

It lives in the ledger's database and schema, is append-only as the ledger is, and knows nothing of
what the bytes mean. Whoever writes an event puts the bytes here first, so that an event never names
what isn't there; bytes that no event names do no harm.
"""

import hashlib
from importlib.resources import files
from typing import Any, LiteralString, cast

import psycopg
from psycopg import AsyncConnection, sql

from ledger.database import LOCK_CLASS, SETUP_LOCK
from ledger.errors import LedgerError
from ledger.settings import DEFAULT_SETTINGS, LedgerSettings

CONTENT_BYTES_MAX = 64 * 1024 * 1024
_TABLE = "archived_content"
_TRIGGER = f"{_TABLE}_append_only"

Connection = AsyncConnection[tuple[Any, ...]]


class NotArchived(LedgerError):  # noqa: N818 - reads like the others
    """The archive has no such bytes, or they are no longer what their checksum says."""


class Archive:
    """Puts and gets bytes over whatever connection it is handed, in that one's transaction."""

    def __init__(self, settings: LedgerSettings = DEFAULT_SETTINGS) -> None:
        self._settings = settings
        table = sql.Identifier(settings.schema, _TABLE)
        self._put = sql.SQL("INSERT INTO {} VALUES (%b, %b) ON CONFLICT DO NOTHING").format(table)
        self._get = sql.SQL("SELECT content FROM {} WHERE sha256 = %b").format(table)

    async def set_up(self, connection: Connection) -> None:
        """Creates the table unless it is there; the ledger's own is there already."""
        found = await connection.execute(
            "SELECT 1 FROM pg_trigger WHERE tgname = %s AND tgrelid = to_regclass(%s)",
            (_TRIGGER, f"{self._settings.schema}.{_TABLE}"),
        )
        if await found.fetchone() is not None:
            return
        async with connection.transaction():
            await connection.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_CLASS, SETUP_LOCK)
            )
            await connection.execute(self._statement())

    async def put(self, connection: Connection, content: bytes) -> str:
        """Keeps `content`; durable when the connection's transaction is. Returns its SHA-256 in
        hexadecimal. Raises ValueError above CONTENT_BYTES_MAX, and psycopg.Error."""
        if len(content) > CONTENT_BYTES_MAX:
            raise ValueError(f"at most {CONTENT_BYTES_MAX} bytes at once: {len(content)}")
        digest = hashlib.sha256(content)
        await connection.execute(self._put, (digest.digest(), content))
        return digest.hexdigest()

    async def get(self, connection: Connection, sha256: str) -> bytes:
        """The bytes with this checksum, which is checked. Raises NotArchived, psycopg.Error."""
        cursor = psycopg.AsyncCursor(connection)
        await cursor.execute(self._get, (bytes.fromhex(sha256),), binary=True)
        row = await cursor.fetchone()
        if row is None:
            raise NotArchived(f"nothing is archived as {sha256}")
        content = bytes(row[0])
        if hashlib.sha256(content).hexdigest() != sha256:
            raise NotArchived(f"what is archived as {sha256} was changed")
        return content

    def _statement(self) -> sql.Composed:
        schema = self._settings.schema
        text = files("ledger").joinpath("archive.sql").read_text(encoding="utf-8")
        trusted = cast("LiteralString", text)  # shipped with the program
        return sql.SQL(trusted).format(
            archive=sql.Identifier(schema, _TABLE),
            append_only=sql.Identifier(_TRIGGER),
            refuse_change=sql.Identifier(schema, f"{self._settings.table}_refuse_change"),
        )
