"""Group commit: the appends of concurrent callers, written as one statement in one transaction.

While one commit is under way the next batch collects; whoever comes then shares the next commit.
"""

import asyncio
import logging
from uuid import uuid4

import psycopg

from ledger.errors import (
    LedgerClosed,
    LedgerError,
    LedgerUnavailable,
    OutcomeUnknown,
    VersionConflict,
)
from ledger.pending import AppendQueue, PendingAppend, admit
from ledger.settings import LedgerSettings
from ledger.writer_connection import CommitRefused, Committed, ConnectionLost, WriterConnection

# Refusals that pass by themselves: lock or statement timeout, deadlock, out of some resource, and
# the unique index where a writer that is not ours was between our look and our insert.
_PASSING = ("40", "53", "55P03", "57014", "23505", "25006")


# The server became a replica: nothing was written, and only another connection can help.
_READ_ONLY = "25006"

_log = logging.getLogger(__name__)


class GroupCommit:
    """The writer of one process. Belongs to the event loop that it was started in."""

    def __init__(self, database_url: str, settings: LedgerSettings) -> None:
        self._database_url = database_url
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._queue = AppendQueue(settings)
        # Part of a commit whose end was not seen, and not settled since.
        self._unsettled: list[PendingAppend] = []
        self._connection: WriterConnection | None = None
        # Known to the server, so that a successor can end this writer's lost connections.
        self._name = f"ppu-ledger-{uuid4().hex}"
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connects and begins to write. Raises psycopg.Error when the server cannot be reached."""
        self._connection, _ = await self._open_connection()
        self._task = self._loop.create_task(self._run(), name=self._name)

    def submit(
        self, stream: str, after_version: int, topics: list[str], states: list[bytes]
    ) -> asyncio.Future[int]:
        """Queues one append; the future becomes the position of its first event.

        The future's errors are those of `Ledger.append`. Raises EventRejected, LedgerBusy or
        LedgerClosed.
        """
        size = admit(stream, after_version, states, self._settings)
        if self._closing:
            raise LedgerClosed("the ledger is closed")
        loop = self._loop
        append = PendingAppend(
            stream,
            after_version,
            topics,
            states,
            size,
            loop.time() + self._settings.unavailable_seconds_max,
            loop.create_future(),
        )
        self._queue.put(append)
        self._wake.set()
        return append.answer

    async def close(self) -> None:
        """Writes what was queued, within the setting; fails the rest for certain; disconnects."""
        if self._closing:
            return
        self._closing = True
        self._wake.set()
        if self._task is not None:
            _, running = await asyncio.wait({self._task}, timeout=self._settings.close_seconds_max)
            if running:
                self._task.cancel()
                await asyncio.wait(running)
        self._fail_all("the ledger was closed")
        if self._connection is not None:
            await self._connection.close()

    async def _run(self) -> None:
        try:
            await self._write_until_closed()
        except Exception as error:
            # A fault of this program. Nobody may wait for a writer that is no more.
            _log.exception("the ledger's writer has stopped")
            self._closing = True
            self._fail_all(f"the ledger's writer has stopped: {error!r}")

    async def _write_until_closed(self) -> None:
        while True:
            if not (self._queue or self._unsettled):
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            connection = await self._connected()
            if connection is None:
                continue
            batch = self._queue.take()
            if batch:
                await self._commit(connection, batch)

    async def _commit(self, connection: WriterConnection, batch: list[PendingAppend]) -> None:
        # Registered before the first await: if this task is broken off, `close` knows of them.
        self._unsettled = batch
        try:
            done = await connection.commit(batch)
        except ConnectionLost:
            return
        except CommitRefused as refusal:
            self._unsettled = []
            if refusal.sqlstate == _READ_ONLY:
                await connection.close()
            await self._refused(batch, refusal)
            return
        self._unsettled = []
        _answer(batch, done)

    async def _refused(self, batch: list[PendingAppend], refusal: CommitRefused) -> None:
        """Nothing was written. What passes is tried again; else one append must be at fault."""
        now = self._loop.time()
        if refusal.sqlstate.startswith(_PASSING):
            self._queue.put_back(batch)
            self._expire(f"the server refuses the commit: {refusal}")
            await asyncio.sleep(self._settings.reconnect_seconds_min)
        elif len(batch) > 1:
            for append in batch:
                append.alone = True
                append.deadline = max(append.deadline, now + self._settings.commit_seconds_max)
            self._queue.put_back(batch)
        else:
            batch[0].failed(LedgerError(f"the server refuses the append: {refusal}"))

    async def _connected(self) -> WriterConnection | None:
        """A working connection with nothing left to settle, or None when nobody waits for one.

        Bounded: every append in turn gives up at its deadline, and without one we do not try.
        """
        if self._connection is not None and not self._connection.lost:
            return self._connection
        pause = self._settings.reconnect_seconds_min
        while self._queue or self._unsettled:
            try:
                await self._reconnect()
            except (psycopg.Error, LedgerError, OSError, TimeoutError) as error:
                self._expire(f"the database is away: {error}")
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._settings.reconnect_seconds_max)
            else:
                return self._connection
        return None

    async def _reconnect(self) -> None:
        if self._connection is not None:
            lost, self._connection = self._connection, None
            await lost.close()
        self._connection, found = await self._open_connection()
        unsettled, self._unsettled = self._unsettled, []
        missing: list[PendingAppend] = []
        for append, position in zip(unsettled, found, strict=True):
            if position is None:
                missing.append(append)
            else:
                append.written_at(position)
        # Not in the ledger: written as if for the first time, and judged as if for the first time.
        self._queue.put_back(missing)

    async def _open_connection(self) -> tuple[WriterConnection, list[int | None]]:
        async with asyncio.timeout(2 * self._settings.commit_seconds_max):
            return await WriterConnection.open(
                self._database_url, self._settings, self._name, self._unsettled
            )

    def _expire(self, why: str) -> None:
        now = self._loop.time()
        for append in self._queue.take_expired(now):
            append.failed(LedgerUnavailable(why))
        for append in self._unsettled:
            if append.deadline <= now:
                append.failed(OutcomeUnknown(why))
        self._unsettled = [append for append in self._unsettled if append.deadline > now]

    def _fail_all(self, why: str) -> None:
        for append in self._queue.take_expired(float("inf")):
            append.failed(LedgerUnavailable(why))
        for append in self._unsettled:
            append.failed(OutcomeUnknown(why))
        self._unsettled = []


def _answer(batch: list[PendingAppend], done: Committed) -> None:
    position = done.last_position + 1
    for index, append in enumerate(batch):
        if index in done.rejected:
            append.failed(VersionConflict(append.stream, append.after_version))
        else:
            append.written_at(position)
            position += len(append.states)
