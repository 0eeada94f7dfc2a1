"""Group commit behind the eventsourcing library's recorder interface.

With it a stock Application writes through the same statement and lock as the ledger:
PERSISTENCE_MODULE=eventsourcing.postgres, ORIGINATOR_ID_TYPE=text and
APPLICATION_RECORDER_TOPIC=ledger.recorder:GroupCommitRecorder.
"""

import asyncio
import dataclasses
import threading
import weakref
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar, cast

import psycopg
from eventsourcing.persistence import (
    DataError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import make_conninfo

from ledger.database import LOCK_CLASS, SETUP_LOCK, refuse_unsupported, statement
from ledger.errors import (
    EventRejected,
    LedgerError,
    LedgerUnavailable,
    UnsupportedServer,
    VersionConflict,
)
from ledger.group_commit import GroupCommit
from ledger.settings import DEFAULT_SETTINGS, LedgerSettings

_T = TypeVar("_T")
_CONNECTION_KEYS = ("dbname", "host", "port", "user", "password")


class GroupCommitRecorder(PostgresApplicationRecorder):
    """The library's recorder; only the writing is ours, shared by all threads that call it.

    The writer runs in an event loop of its own thread, started at the first write. It ends with
    `close`, with the recorder or with the program.
    """

    def __init__(
        self,
        datastore: PostgresDatastore,
        *,
        events_table_name: str = "stored_events",
        settings: LedgerSettings = DEFAULT_SETTINGS,
    ) -> None:
        if datastore.originator_id_type != "text":
            raise ProgrammingError("the ledger's streams have text ids: originator_id_type='text'")
        if datastore.enable_db_functions:
            raise ProgrammingError("the library's functions insert without the lock: switch off")
        super().__init__(datastore, events_table_name=events_table_name)
        self._settings = dataclasses.replace(
            settings, schema=datastore.schema, table=events_table_name
        )
        self._starting = threading.Lock()
        self._thread: _WriterThread | None = None

    def create_table(self) -> None:
        """The library's table and types, and the trigger that keeps it append-only."""
        with self.datastore.get_connection() as connection:
            version = connection.execute("SELECT version() AS version").fetchone()
            assert version is not None
            try:
                refuse_unsupported(version["version"], connection.info.server_version)
            except UnsupportedServer as error:
                raise NotSupportedError(str(error)) from error
        super().create_table()
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, SETUP_LOCK])
            cursor.execute(statement("schema.sql", self._settings))

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **_: Any,  # noqa: ANN401 - the library's signature
    ) -> Sequence[int] | None:
        """Writes the events of one aggregate, all or none; returns their notification ids.

        Raises the library's IntegrityError when the aggregate has moved, OperationalError when
        the database stayed away, DataError for what cannot be stored, and NotSupportedError for
        several aggregates at once: an append of the ledger touches one stream.
        """
        if not stored_events:
            return []
        stream = str(stored_events[0].originator_id)
        after = stored_events[0].originator_version - 1
        for number, event in enumerate(stored_events, after + 1):
            if str(event.originator_id) != stream:
                raise NotSupportedError("an append of the ledger touches one stream")
            if event.originator_version != number:
                raise IntegrityError(f"versions of {stream!r} do not follow each other")
        try:
            position = self._writer().append(stream, after, stored_events)
        except VersionConflict as error:
            raise IntegrityError(str(error)) from error
        except EventRejected as error:
            raise DataError(str(error)) from error
        except (LedgerError, psycopg.Error, TimeoutError) as error:
            raise OperationalError(str(error)) from error
        return list(range(position, position + len(stored_events)))

    def close(self) -> None:
        """Writes what is under way and ends the writer. The datastore stays open."""
        with self._starting:
            if self._thread is not None:
                self._thread.close()
                self._thread = None

    def _writer(self) -> "_WriterThread":
        with self._starting:
            if self._thread is None:
                self._thread = _WriterThread(self._database_url(), self._settings)
                weakref.finalize(self, self._thread.close)
            return self._thread

    def _database_url(self) -> str:
        pool = self.datastore.pool
        known = cast("dict[str, Any]", pool.kwargs)  # as the library's datastore makes it
        parts = {key: known[key] for key in _CONNECTION_KEYS}
        if pool.get_password_func is not None:
            parts["password"] = pool.get_password_func()
        return make_conninfo(**{key: value for key, value in parts.items() if value != ""})


class _WriterThread:
    """A group commit in a thread of its own."""

    def __init__(self, database_url: str, settings: LedgerSettings) -> None:
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        # A daemon: a program that forgets to close must still be able to end.
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._group_commit = self._call(_started(database_url, settings))
        except BaseException:
            self._stop_loop()
            raise

    def append(self, stream: str, after_version: int, events: Sequence[StoredEvent]) -> int:
        topics = [event.topic for event in events]
        states = [bytes(event.state) for event in events]
        return self._call(self._append(stream, after_version, topics, states))

    def close(self) -> None:
        if self._loop.is_closed():
            return
        try:
            self._call(self._group_commit.close())
        finally:
            self._stop_loop()

    async def _append(
        self, stream: str, after_version: int, topics: list[str], states: list[bytes]
    ) -> int:
        return await self._group_commit.submit(stream, after_version, topics, states)

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Runs `work` in the thread and waits. The writer's own limits come first; this one is
        for a loop that has died."""
        settings = self._settings
        seconds_max = 2 * (
            settings.unavailable_seconds_max
            + settings.commit_seconds_max
            + settings.close_seconds_max
        )
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds_max)
        except TimeoutError as error:
            future.cancel()
            raise LedgerUnavailable(f"no answer from the writer in {seconds_max} s") from error

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(self._settings.close_seconds_max)
        if not self._thread.is_alive():
            self._loop.close()


async def _started(database_url: str, settings: LedgerSettings) -> GroupCommit:
    group_commit = GroupCommit(database_url, settings)
    await group_commit.start()
    return group_commit
