"""The one connection a writer has: group commits through libpq in pipeline mode.

Lock, statement and commit of a batch go out together and come back together, one round trip.
Driven below the driver's cursors because those cost several times what the commit does.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection, pq, sql

from ledger.arrays import BYTEA_OID, TEXT_OID, bytes_array, int4_array, int8_array
from ledger.database import LOCK_CLASS, connect, statement, table
from ledger.errors import UnsupportedServer
from ledger.pending import PendingAppend
from ledger.settings import LedgerSettings

_ZOMBIE_MILLISECONDS_MAX = 5_000
# Seen after a server's crash: a new connection, whose socket had the number of the lost one that
# libpq had closed, was missing from the event loop, and its commit waited out the whole limit. So
# nobody waits for the event loop alone.
_LOOK_SECONDS = 0.5
_BINARY = pq.Format.BINARY
_TEXT = pq.Format.TEXT
_GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_FATAL = (b"FATAL", b"PANIC")


class ConnectionLost(Exception):  # noqa: N818 - not an error of the caller's
    """The connection is gone; whether the last commit took place is unknown."""


class CommitRefused(Exception):  # noqa: N818 - not an error of the caller's
    """The server answered the commit with an error: for certain nothing of it was written."""

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


@dataclass(frozen=True)
class Committed:
    """What a commit did: the position before its first event, and the appends it left out."""

    last_position: int
    rejected: frozenset[int]
    """Indices into the batch of those whose stream was not at their version."""


class WriterConnection:
    """A connection that writes batches. Made by `open`; good for one commit at a time."""

    def __init__(self, connection: AsyncConnection, settings: LedgerSettings) -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._seconds_max = settings.commit_seconds_max
        self._loop = asyncio.get_running_loop()
        self._socket = self._libpq.socket
        self._readable: asyncio.Future[None] | None = None
        self._lost = False

    @classmethod
    async def open(
        cls,
        database_url: str,
        settings: LedgerSettings,
        name: str,
        unsettled: Sequence[PendingAppend],
    ) -> tuple["WriterConnection", list[int | None]]:
        """Connects as writer `name` and settles the appends whose commit nobody saw end.

        Returns the connection and for each unsettled append the position of its first event, or
        None: then it is not in the ledger and cannot get there any more by itself. Raises
        psycopg.Error when the server cannot be reached, or refuses.
        """
        connection = await connect(database_url, settings, name=name)
        try:
            await _end_predecessors(connection, name)
            lock = await _lock_statement(connection, settings)
            found = await _find(connection, settings, lock, unsettled)
            # One plan for good: an index lookup a stream, however small the table was when the
            # statement was prepared and however large it is when the plan is used.
            await connection.execute(
                "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
                "SET enable_bitmapscan = off; SET enable_nestloop = off; SET jit = off"
            )
            writer = cls(connection, settings)
            insert = statement("append.sql", settings).as_bytes(connection)
            await writer._enter_pipeline({b"lock": lock.encode(), b"append": insert})
        except BaseException:
            await connection.close()
            raise
        return writer, found

    @property
    def lost(self) -> bool:
        """Whether the connection is known to be gone."""
        return self._lost

    async def commit(self, batch: Sequence[PendingAppend]) -> Committed:
        """Writes a batch as one transaction. No stream may come twice in it.

        Raises ConnectionLost or CommitRefused.
        """
        libpq = self._libpq
        try:
            libpq.send_query_prepared(b"begin", None)
            libpq.send_query_prepared(b"lock", None)
            libpq.send_query_prepared(b"append", _parameters(batch), [_BINARY] * 6, _TEXT)
            libpq.send_query_prepared(b"commit", None)
            _, _, written, committed = await self._results(4)
        except CommitRefused:
            await self._roll_back()
            raise
        except psycopg.Error as error:
            raise self._gone(str(error)) from error
        assert committed.command_status == b"COMMIT", committed.command_status
        return _committed(batch, written)

    async def close(self) -> None:
        """Closes the connection; a commit under way is broken off."""
        self._gone("closed")
        await self._connection.close()

    async def _enter_pipeline(self, statements: dict[bytes, bytes]) -> None:
        libpq = self._libpq
        libpq.nonblocking = 1
        libpq.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._on_readable)
        statements |= {b"begin": b"BEGIN", b"commit": b"COMMIT", b"rollback": b"ROLLBACK"}
        try:
            for name, text in statements.items():
                libpq.send_prepare(name, text)
            await self._results(len(statements))
        except ConnectionLost as error:
            raise psycopg.OperationalError(str(error)) from error
        except CommitRefused as error:
            self._gone(str(error))
            raise psycopg.ProgrammingError(str(error)) from error

    async def _roll_back(self) -> None:
        try:
            self._libpq.send_query_prepared(b"rollback", None)
            await self._results(1)
        except (psycopg.Error, ConnectionLost, CommitRefused) as error:
            # The refusal stands: the transaction cannot outlive its connection.
            self._gone(str(error))

    async def _results(self, expected: int) -> list[pq.abc.PGresult]:
        """Sends what is queued and takes the answers up to the sync, the `expected` number."""
        try:
            async with asyncio.timeout(self._seconds_max):
                self._libpq.pipeline_sync()
                await self._flush()
                results = await self._receive()
        except TimeoutError as error:
            raise self._gone(f"no answer within {self._seconds_max} s") from error
        except psycopg.Error as error:
            raise self._gone(str(error)) from error
        except asyncio.CancelledError:
            self._gone("broken off")  # half an exchange: nothing can follow on this connection
            raise
        for result in results:
            if result.status not in _GOOD:
                raise self._failure(result)
        assert len(results) == expected, [result.status for result in results]
        return results

    async def _flush(self) -> None:
        while self._libpq.flush():
            writable: asyncio.Future[None] = self._loop.create_future()
            self._loop.add_writer(self._socket, _set, writable)
            try:
                await writable
            finally:
                self._loop.remove_writer(self._socket)

    async def _receive(self) -> list[pq.abc.PGresult]:
        libpq = self._libpq
        results: list[pq.abc.PGresult] = []
        while True:
            while not libpq.is_busy():
                result = libpq.get_result()
                if result is None:  # between two statements
                    if libpq.status == pq.ConnStatus.BAD:
                        raise psycopg.OperationalError(libpq.get_error_message())
                    continue
                if result.status == pq.ExecStatus.PIPELINE_SYNC:
                    return results
                results.append(result)
            if self._lost:
                raise psycopg.OperationalError("the connection is closed")
            self._readable = self._loop.create_future()
            look = self._loop.call_later(_LOOK_SECONDS, self._on_readable)
            try:
                await self._readable
            finally:
                look.cancel()

    def _on_readable(self) -> None:
        try:
            self._libpq.consume_input()
        except psycopg.Error as error:
            self._gone(str(error))
        if self._readable is not None:
            _set(self._readable)

    def _failure(self, result: pq.abc.PGresult) -> ConnectionLost | CommitRefused:
        severity = result.error_field(pq.DiagnosticField.SEVERITY_NONLOCALIZED) or b""
        message = result.get_error_message()
        if severity in _FATAL or self._libpq.status == pq.ConnStatus.BAD:
            return self._gone(message)
        state = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
        return CommitRefused(message, state.decode())

    def _gone(self, why: str) -> ConnectionLost:
        if not self._lost:
            self._lost = True
            self._loop.remove_reader(self._socket)
        return ConnectionLost(why)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _parameters(batch: Sequence[PendingAppend]) -> list[bytes]:
    """The six arrays of append.sql."""
    streams: list[bytes] = []
    after: list[int] = []
    numbers: list[int] = []
    versions: list[int] = []
    topics: list[str] = []
    states: list[bytes] = []
    for number, append in enumerate(batch, 1):
        count = len(append.states)
        version = append.after_version
        streams.append(append.stream.encode())
        after.append(version)
        numbers.extend([number] * count)
        versions.extend(range(version + 1, version + count + 1))
        topics.extend(append.topics)
        states.extend(append.states)
    return [
        bytes_array(TEXT_OID, streams),
        int8_array(after),
        int4_array(numbers),
        int8_array(versions),
        bytes_array(TEXT_OID, [topic.encode() for topic in topics]),
        bytes_array(BYTEA_OID, states),
    ]


def _committed(batch: Sequence[PendingAppend], row: pq.abc.PGresult) -> Committed:
    assert row.ntuples == 1, row.ntuples
    position = int(row.get_value(0, 0) or b"")
    events = int(row.get_value(0, 1) or b"")
    rejected = row.get_value(0, 2)
    indices = frozenset(int(number) - 1 for number in rejected.split(b",")) if rejected else ()
    accepted = sum(len(a.states) for index, a in enumerate(batch) if index not in indices)
    assert events == accepted, (events, accepted)
    return Committed(position, frozenset(indices))


async def _end_predecessors(connection: AsyncConnection, name: str) -> None:
    """Ends this writer's lost connections on the server's side and waits until they are gone.

    After a broken network the server may still hold a batch that it has not begun with. If that
    one came after the reading back, an append reported as not written would be written.
    """
    ended = await connection.execute(
        "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity"
        " WHERE application_name = %s AND pid <> pg_backend_pid()",
        [_ZOMBIE_MILLISECONDS_MAX, name],
    )
    if not all(row[0] for row in await ended.fetchall()):
        raise psycopg.OperationalError("a lost connection of this writer has not ended yet")


async def _lock_statement(connection: AsyncConnection, settings: LedgerSettings) -> str:
    """The writers' lock of one table, by the table's own number, held until the commit."""
    name = f"{settings.schema}.{settings.table}"
    found = await connection.execute("SELECT to_regclass(%s)::oid::bigint", [name])
    row = await found.fetchone()
    if row is None or row[0] is None:
        raise UnsupportedServer(f"there is no table {name}")
    oid = int(row[0])
    signed = oid - 2**32 if oid >= 2**31 else oid
    return f"SELECT pg_advisory_xact_lock({LOCK_CLASS}, {signed})"


async def _find(
    connection: AsyncConnection,
    settings: LedgerSettings,
    lock: str,
    appends: Sequence[PendingAppend],
) -> list[int | None]:
    """Where each append's first event is, if the ledger holds exactly its events."""
    if not appends:
        return []
    query = sql.SQL(
        "SELECT originator_id, originator_version, topic, state, notification_id FROM {}"
        " JOIN unnest(%s::text[], %s::bigint[], %s::bigint[]) AS asked (stream, above, upto)"
        " ON originator_id = stream AND originator_version > above AND originator_version <= upto"
    ).format(table(settings))
    parameters = [
        [append.stream for append in appends],
        [append.after_version for append in appends],
        [append.after_version + len(append.states) for append in appends],
    ]
    async with connection.transaction():
        await connection.execute(lock.encode())
        rows = await (await connection.execute(query, parameters, binary=True)).fetchall()
    stored = {(row[0], row[1]): (row[2], bytes(row[3]), int(row[4])) for row in rows}
    return [_position_of(append, stored) for append in appends]


def _position_of(
    append: PendingAppend, stored: dict[tuple[str, int], tuple[str, bytes, int]]
) -> int | None:
    first: int | None = None
    for offset, (topic, state) in enumerate(zip(append.topics, append.states, strict=True)):
        found = stored.get((append.stream, append.after_version + 1 + offset))
        if found is None or found[:2] != (topic, state):
            return None
        first = found[2] if first is None else first
    return first
