"""Deciding on a stream: its state, what follows from it, and an append that holds only if nobody
else wrote meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self, TypeVar

import msgspec

from ledger.errors import LedgerBusy, VersionConflict
from ledger.recorded import Recorded


class Folded(Protocol):
    """A state that events fold into."""

    @property
    def version(self) -> int: ...

    def after(self, event: Any, version: int) -> Self: ...  # noqa: ANN401 (its own events)


class Log(Protocol):
    """The part of the ledger that deciding takes; see `Ledger` for what is raised."""

    async def append(
        self,
        stream: str,
        after_version: int,
        events: Sequence[Any],  # pyright: ignore[reportExplicitAny]
    ) -> list[Recorded]: ...

    async def read(self, stream: str, after_version: int = 0) -> list[Recorded]: ...


F = TypeVar("F", bound=Folded)


class TooManyConflictsError(Exception):
    """The stream moved on every attempt to decide; nothing was written."""


def fold(state: F, recorded: Sequence[Recorded]) -> F:
    """`state` after the recorded events, in order."""
    for entry in recorded:
        state = state.after(entry.event, entry.version)
    return state


async def decide(
    log: Log,
    stream: str,
    state: F,
    deciding: Callable[[F], Sequence[msgspec.Struct]],
    *,
    conflicts_max: int,
    busy_seconds: float,
) -> F:
    """Appends what `deciding` makes of the state; when the stream has moved, catches up and decides
    anew. No events: nothing is written. Returns the state afterwards. `busy_seconds`: the pause
    when the ledger's queue is full.

    Raises TooManyConflictsError after `conflicts_max` conflicts or full queues, and what the ledger
    raises."""
    for _ in range(conflicts_max):
        events = deciding(state)
        if not events:
            return state
        try:
            return fold(state, await log.append(stream, state.version, events))
        except VersionConflict:
            state = fold(state, await log.read(stream, state.version))
        except LedgerBusy:
            # What is decided here has mostly happened already: worth waiting to record it.
            await asyncio.sleep(busy_seconds)
    raise TooManyConflictsError(stream)
