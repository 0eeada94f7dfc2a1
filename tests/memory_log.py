"""An event log in memory, for tests of decisions: same promises as the ledger, no durability."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from domain.event import Event
from ledger import Batch, Recorded, VersionConflict


class MemoryLog:
    """Positions in the order of appends; `appends` keeps what was written together. `around` is
    called with ("before" | "after", events) of every append, so that a test can kill the process or
    fail the append there."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []
        self.streams: dict[str, list[Recorded]] = defaultdict(list)
        self.appends: list[list[Recorded]] = []
        self.around: Callable[[str, Sequence[Event]], None] = lambda _moment, _events: None
        self._grown = asyncio.Condition()

    async def append(
        self, stream: str, after_version: int, events: Sequence[Event]
    ) -> list[Recorded]:
        self.around("before", events)
        await asyncio.sleep(0)
        known = self.streams[stream]
        if len(known) != after_version:
            raise VersionConflict(stream, after_version)
        new = [
            Recorded(len(self.recorded) + index, stream, after_version + index, event)
            for index, event in enumerate(events, start=1)
        ]
        known += new
        self.recorded += new
        self.appends.append(new)
        async with self._grown:
            self._grown.notify_all()
        self.around("after", events)
        return new

    async def read(
        self, stream: str, after_version: int = 0, *, limit: int | None = None
    ) -> list[Recorded]:
        await asyncio.sleep(0)
        return self.streams[stream][after_version:][:limit]

    async def last_position(self) -> int:
        return len(self.recorded)

    async def tail(
        self, after: int, *, topics: Collection[type[Event]] = (), linger_seconds: float = 0.0
    ) -> AsyncIterator[Batch]:
        while True:
            await asyncio.sleep(linger_seconds)
            async with self._grown:
                while len(self.recorded) <= after:
                    await self._grown.wait()
            fresh = self.recorded[after:]
            after += len(fresh)
            wanted = [r for r in fresh if not topics or isinstance(r.event, tuple(topics))]
            yield Batch(after, wanted)

    def events(self, stream: str) -> list[str]:
        """The kinds of event in a stream, in order."""
        return [type(recorded.event).__name__ for recorded in self.streams[stream]]
