"""Connections to the ledger's database, and what must be true of the server."""

from importlib.resources import files
from typing import LiteralString, cast

import psycopg
from psycopg import AsyncConnection, sql

from ledger.errors import UnsupportedServer
from ledger.settings import LedgerSettings

SERVER_VERSION_MIN = 150_000
# Any number: it keeps this project's advisory locks apart from those of others.
LOCK_CLASS = 0x707075
SETUP_LOCK = 0


async def connect(
    database_url: str, settings: LedgerSettings, *, name: str = "ppu-ledger"
) -> AsyncConnection:
    """An autocommit connection with the ledger's time limits.

    `name` is the application name that the server shows. Raises psycopg.OperationalError.
    """
    connection = await AsyncConnection.connect(
        database_url,
        autocommit=True,
        connect_timeout=max(1, round(settings.connect_seconds_max)),
        application_name=name,
        client_encoding="utf8",
        # A peer that is gone without a word is noticed in about half a minute.
        keepalives=1,
        keepalives_idle=15,
        keepalives_interval=5,
        keepalives_count=3,
    )
    try:
        await connection.execute(
            "SELECT set_config('statement_timeout', %s, false)",
            [f"{round(settings.statement_seconds_max * 1000)}ms"],
        )
    except BaseException:
        await connection.close()
        raise
    return connection


async def set_up(connection: AsyncConnection, settings: LedgerSettings) -> None:
    """Creates the table unless it is there. Any number of processes may do so at once.

    Raises UnsupportedServer, and psycopg.Error when the role lacks the right.
    """
    await check_server(connection)
    if await _is_set_up(connection, settings):
        return  # and a role that may not create anything can still open the ledger
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, SETUP_LOCK])
        await connection.execute(statement("schema.sql", settings))


async def check_server(connection: AsyncConnection) -> None:
    """Raises UnsupportedServer unless the ledger's rules hold on this server."""
    row = await (
        await connection.execute("SELECT version(), current_setting('server_version_num')")
    ).fetchone()
    assert row is not None
    refuse_unsupported(str(row[0]), int(row[1]))
    replica = await (await connection.execute("SELECT pg_is_in_recovery()")).fetchone()
    assert replica is not None
    if replica[0]:
        raise UnsupportedServer("this server is a replica; the ledger needs the primary")


def refuse_unsupported(version: str, version_number: int) -> None:
    """Raises UnsupportedServer for a server that is too old or only speaks like PostgreSQL."""
    if "CockroachDB" in version:
        raise UnsupportedServer(
            "CockroachDB has no advisory locks and no NOTIFY: positions would not be in the "
            "order of commits. Use PostgreSQL 15 or newer"
        )
    if version_number < SERVER_VERSION_MIN:
        raise UnsupportedServer(f"PostgreSQL 15 or newer is needed; this is {version}")


def statement(file_name: str, settings: LedgerSettings) -> sql.Composed:
    """The SQL of a file of this room, for the table of the settings. Names are the library's."""
    schema, name = settings.schema, settings.table
    text = files("ledger").joinpath(file_name).read_text(encoding="utf-8")
    trusted = cast("LiteralString", text)  # shipped with the program
    return sql.SQL(trusted).format(
        schema=sql.Identifier(schema),
        table=table(settings),
        index=sql.Identifier(f"{name}_notification_id_idx"),
        sequence=sql.Literal(f"{schema}.{name}_notification_id_seq"),
        refuse_change=sql.Identifier(schema, f"{name}_refuse_change"),
        append_only=sql.Identifier(_trigger(settings)),
        channel=sql.Literal(settings.table),
    )


def table(settings: LedgerSettings) -> sql.Identifier:
    """The qualified name of the table."""
    return sql.Identifier(settings.schema, settings.table)


def is_lost(error: psycopg.Error) -> bool:
    """Whether an error means that the connection or the server is gone, not a refused statement.

    57P01 to 57P05: shutdown, crash, still starting, dropped. 08: connection. None: the client.
    """
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError)
    return state.startswith(("08", "57P")) or state == "25006"  # 25006: became a replica


def _trigger(settings: LedgerSettings) -> str:
    return f"{settings.table}_append_only"


async def _is_set_up(connection: AsyncConnection, settings: LedgerSettings) -> bool:
    """The trigger is made last: where it is, everything is."""
    found = await connection.execute(
        "SELECT 1 FROM pg_trigger WHERE tgname = %s AND tgrelid = to_regclass(%s)",
        [_trigger(settings), f"{settings.schema}.{settings.table}"],
    )
    return await found.fetchone() is not None
