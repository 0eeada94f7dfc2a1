"""The past of one stream: its masked events, and its state after any number of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from api.console.replay.subject import Kind, Subject
from api.console.transaction.lookup_story import Lookup
from api.console.transaction.masking import Entry
from api.console.transaction.story import folded
from domain.event import Event
from domain.lookup import LookupRequested
from domain.meter import Meter
from domain.provider import Provider
from domain.purchase import Purchase, PurchaseRequested
from domain.service import Service, ServiceRequested
from domain.utility import Utility


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """An id that was used up, and by what."""

    version: int = 0
    by: Event | None = None

    def after(self, event: Event, version: int) -> "Claimed":
        """The state after `event`."""
        return Claimed(version=version, by=self.by or event)


State = Purchase | Service | Lookup | Claimed | Meter | Provider | Utility


@dataclass(frozen=True)
class Past:
    """A stream's events; step n is the state after the first n of them, step 0 before any."""

    subject: Subject
    entries: tuple[Entry, ...]

    @property
    def last(self) -> int:
        return len(self.entries)

    def state(self, step: int) -> State:
        """The state after so many events."""
        return folded(self._nothing(), self.entries[:step])

    def step_at(self, at: datetime) -> int:
        """How many events had happened by then: those before the first that is later.

        Processes' clocks may differ by a little, so an event may carry an earlier time than the one
        before it; it is not counted before that one."""
        for step, entry in enumerate(self.entries):
            if entry.event.at > at:
                return step
        return self.last

    def _nothing(self) -> State:
        """Before the first event."""
        match self.subject.kind:
            case Kind.METER:
                key, kind = self.subject.key, self.subject.utility_type
                return Meter(number=key, utility_type=kind)
            case Kind.PROVIDER:
                return Provider(provider=self.subject.key)
            case Kind.UTILITY:
                return Utility(utility=self.subject.key)
            case Kind.TRANSACTION:
                return _of_message(self.entries)


def _of_message(entries: Sequence[Entry]) -> State:
    first = entries[0].event if entries else None
    if isinstance(first, PurchaseRequested):
        return Purchase()
    if isinstance(first, LookupRequested):
        return Lookup()
    if isinstance(first, ServiceRequested):
        return Service()
    return Claimed()
