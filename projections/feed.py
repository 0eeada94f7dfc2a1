"""The feed: what the ledger took in lately, read and decoded once for all read models of a process.

Each read model has its own place in it. One that is further behind than the feed goes back reads
the ledger itself, until it has caught up.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager

import structlog

from domain.event import Event
from ledger import Batch, Ledger, LedgerError, Recorded

_log = structlog.get_logger(__name__)

Topics = Collection[type[Event]]


class Feed:
    """Follows the ledger while somebody reads. `batch`: events read at once; `linger_seconds`: the
    pause after each wake-up; `events_max`: how many are held; `restart_seconds`: the pause after
    an error."""

    def __init__(
        self,
        ledger: Ledger,
        topics: Topics,
        *,
        batch: int,
        linger_seconds: float,
        events_max: int,
        restart_seconds: float,
    ) -> None:
        self._ledger = ledger
        self._topics = frozenset(topics)
        self._batch = batch
        self._linger_seconds = linger_seconds
        self._events_max = events_max
        self._restart_seconds = restart_seconds
        self._readers = 0
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        # All events of the topics above `_above` and up to `_upto` are held, by position.
        self._held: list[Recorded] = []
        self._above = 0
        self._upto = 0
        self._moved = asyncio.Event()

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[None]:
        """Keeps the feed running. Raises LedgerError when it can't begin."""
        self._readers += 1
        try:
            async with self._starting:
                if self._task is None:
                    self._held = []
                    self._above = self._upto = await self._ledger.last_position()
                    self._task = asyncio.create_task(self._run(), name="projection feed")
            yield
        finally:
            self._readers -= 1
            if self._readers == 0 and self._task is not None:
                task, self._task = self._task, None
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def after(self, position: int, topics: Topics, limit: int) -> Batch:
        """At most `limit` events of `topics` above `position`, as soon as the ledger goes on beyond
        it; to be called while `reading`. Raises LedgerError."""
        while self._upto <= position:
            await self._moved.wait()
        if position < self._above:
            return await events_after(self._ledger, position, topics, limit)
        wanted = frozenset(topics)
        first = bisect_right(self._held, position, key=lambda entry: entry.position)
        found: list[Recorded] = []
        for entry in self._held[first:]:
            if type(entry.event) in wanted:
                found.append(entry)
                if len(found) == limit:
                    return Batch(entry.position, found)
        return Batch(self._upto, found)

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (LedgerError, OSError) as error:
                _log.warning("projection feed pauses", error=str(error))
            await asyncio.sleep(self._restart_seconds)

    async def _follow(self) -> None:
        tail = self._ledger.tail(
            self._upto,
            batch=self._batch,
            topics=self._topics,
            linger_seconds=self._linger_seconds,
        )
        async for batch in tail:
            self._held += batch.recorded
            self._upto = batch.last_position
            if len(self._held) > self._events_max:
                dropped = len(self._held) - self._events_max // 2
                self._above = self._held[dropped - 1].position
                del self._held[:dropped]
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()


async def events_after(ledger: Ledger, position: int, topics: Topics, limit: int) -> Batch:
    """The same from the ledger itself; nothing above `position` is an answer too."""
    end = await ledger.last_position()
    found = await ledger.read_all(position, limit, topics)
    recorded = [entry for entry in found if entry.position <= end]
    return Batch(reached(recorded, limit, end), recorded)


def reached(recorded: list[Recorded], limit: int, end: int) -> int:
    """A full batch ends where its last event is; a short one means nothing more up to `end`."""
    return recorded[-1].position if len(recorded) == limit else end
