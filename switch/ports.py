"""What the switch needs from outside: the event log, a clock, chance, identity, a work list."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.event import Event
from domain.meter import Meter
from domain.notification import Answer
from domain.sale import UtilityType
from ledger import Batch, Recorded
from switch.command import Sold

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


class PurchaseFinder(Protocol):
    """Finds purchases in the read models; the streams themselves say what they are."""

    async def sold(
        self, utility_type: UtilityType, number: str, reference: str | None, limit: int
    ) -> Sequence[str]:
        """Ids of the meter's approved purchases, the one asked for last first; `reference`: only
        those whose sale has it as the provider's reference or as a receipt number, in any case and
        whatever punctuation it was read out with."""
        ...


class NotificationFinder(Protocol):
    """Finds notifications that wait for an attempt; their streams decide."""

    async def notifications_due(self, subscriber: str, now: datetime, limit: int) -> Sequence[str]:
        """Ids of purchases that `subscriber` is to be told of by `now`, the longest due first."""
        ...


class Notice(msgspec.Struct, frozen=True):
    """What a subscriber is told: the purchase and what was sold. `message` is the channel's request
    as JSON, masked."""

    purchase_id: str
    message: str
    sold: Sold


class UnreadableError(Exception):
    """The request in a notice can't be read, so there is nothing to tell."""


class Notifier(Protocol):
    """Brings notices to subscribers."""

    async def notify(self, subscriber: str, notice: Notice) -> Answer:
        """One attempt; a network's failure is an answer without a status. Raises UnreadableError.
        `subscriber` is one of the settings."""
        ...
