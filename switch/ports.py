"""What the switch needs from outside: the event log, a clock, chance, identity, a work list."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from domain.event import Event
from domain.meter import Meter
from ledger import Batch, Recorded

Clock = Callable[[], datetime]
"""Now, in UTC."""

Draw = Callable[[], int]
"""A uniform whole number from 0 to domain.routing.DRAW_MAX - 1."""

NewId = Callable[[], str]
"""A message id nobody has used."""


class EventLog(Protocol):
    """The part of the ledger that the switch uses; see `ledger.Ledger` for what is raised."""

    async def append(
        self, stream: str, after_version: int, events: Sequence[Event]
    ) -> list[Recorded]: ...

    async def read(self, stream: str, after_version: int = 0) -> list[Recorded]: ...

    async def last_position(self) -> int: ...

    def tail(
        self, after: int, *, topics: Collection[type[Event]] = (), linger_seconds: float = 0.0
    ) -> AsyncIterator[Batch]: ...


DueAt = tuple[datetime, str]
"""When a purchase became due for attention, and its id."""


class WorkFinder(Protocol):
    """Finds candidates for work in the read models; the streams themselves decide."""

    async def purchases_due(
        self, now: datetime, after: DueAt | None, limit: int
    ) -> Sequence[DueAt]:
        """Purchases that lack an outcome or have advices waiting, due by `now`, the longest due
        first; `after`: only what comes after that one."""
        ...

    async def meters_due(self, broadcast_before: datetime, limit: int) -> Sequence[Meter]:
        """Known meters (number and utility type count) last broadcast before that moment."""
        ...
