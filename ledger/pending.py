"""Appends on their way: what one waits with, and which of them go into a commit together."""

import asyncio
from collections import deque
from dataclasses import dataclass

from ledger.errors import EventRejected, LedgerBusy
from ledger.settings import LedgerSettings


@dataclass(slots=True, eq=False)
class PendingAppend:
    """One append: its encoded events, and the future of the position of its first event."""

    stream: str
    after_version: int
    topics: list[str]
    states: list[bytes]
    size: int
    deadline: float
    answer: asyncio.Future[int]
    alone: bool = False
    """Committed on its own, after a commit that it was part of was refused as a whole."""

    def written_at(self, position: int) -> None:
        """Tells the caller, unless it has gone away meanwhile."""
        if not self.answer.done():
            self.answer.set_result(position)

    def failed(self, error: Exception) -> None:
        """The same for a failure."""
        if not self.answer.done():
            self.answer.set_exception(error)


def admit(stream: str, after_version: int, states: list[bytes], settings: LedgerSettings) -> int:
    """The size of an append in bytes.

    Raises EventRejected for one that PostgreSQL would refuse or that is larger than allowed: it
    is stopped here, where it cannot hold up its neighbours in a commit.
    """
    try:
        length = len(stream.encode())
    except UnicodeEncodeError as error:
        raise EventRejected(f"{stream!r} is not a stream name") from error
    if not 0 < length <= settings.stream_bytes_max or "\x00" in stream:
        raise EventRejected(f"{stream!r} is not a stream name")
    if after_version < 0:
        raise EventRejected(f"after_version {after_version} is below 0")
    if not 0 < len(states) <= settings.append_events_max:
        raise EventRejected(f"{len(states)} events in one append")
    size = 0
    for state in states:
        if len(state) > settings.event_bytes_max:
            raise EventRejected(f"an event of {len(state)} bytes is too large")
        size += len(state)
    if size > settings.commit_bytes_max:
        raise EventRejected(f"an append of {size} bytes is too large")
    return size


class AppendQueue:
    """Appends that wait for a commit, oldest first, never more than the settings allow."""

    def __init__(self, settings: LedgerSettings) -> None:
        self._settings = settings
        self._waiting: deque[PendingAppend] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, append: PendingAppend) -> None:
        """Adds an append. Raises LedgerBusy when the queue is full."""
        settings = self._settings
        if len(self._waiting) >= settings.queue_appends_max:
            raise LedgerBusy(f"{len(self._waiting)} appends are waiting for a commit")
        if self._bytes + append.size > settings.queue_bytes_max:
            raise LedgerBusy(f"{self._bytes} bytes are waiting for a commit")
        self._waiting.append(append)
        self._bytes += append.size

    def put_back(self, appends: list[PendingAppend]) -> None:
        """Returns appends that were taken, to the front and in their order; never refuses."""
        self._waiting.extendleft(reversed(appends))
        self._bytes += sum(append.size for append in appends)

    def take(self) -> list[PendingAppend]:
        """The appends of the next commit. Those whose caller has gone away are dropped.

        A stream comes at most once in a commit: whether a second append to it holds is known
        only when the first is written or refused, so it waits for the commit after.
        """
        settings = self._settings
        taken: list[PendingAppend] = []
        deferred: list[PendingAppend] = []
        streams: set[str] = set()
        events = size = 0
        while self._waiting and len(taken) < settings.commit_appends_max:
            append = self._waiting[0]
            if append.answer.done():
                self._drop_first(append)
                continue
            if taken and (
                append.alone
                or taken[0].alone
                or events + len(append.states) > settings.commit_events_max
                or size + append.size > settings.commit_bytes_max
            ):
                break
            self._drop_first(append)
            if append.stream in streams:
                deferred.append(append)
                continue
            streams.add(append.stream)
            taken.append(append)
            events += len(append.states)
            size += append.size
        self.put_back(deferred)
        return taken

    def take_expired(self, now: float) -> list[PendingAppend]:
        """Removes and returns the appends that have waited for longer than they may."""
        expired = [append for append in self._waiting if append.deadline <= now]
        if expired:
            self._waiting = deque(append for append in self._waiting if append.deadline > now)
            self._bytes = sum(append.size for append in self._waiting)
        return expired

    def _drop_first(self, append: PendingAppend) -> None:
        self._waiting.popleft()
        self._bytes -= append.size
