"""Streams as state: loading, and recording decisions against whatever others wrote meanwhile."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.event import Event
from domain.message import message_stream
from domain.meter import Meter, MeterSeen, meter_stream
from domain.provider import Provider, provider_stream
from domain.purchase import Purchase, PurchaseRequested
from domain.sale import UtilityType
from domain.service import Service, ServiceRequested
from domain.utility import Utility, utility_stream
from ledger.decide import Folded, TooManyConflictsError, fold
from ledger.decide import decide as decide_on
from switch.ports import EventLog

__all__ = [
    "Folded",
    "NotAPurchaseError",
    "NotAServiceError",
    "Streams",
    "TooManyConflictsError",
    "fold",
]

F = TypeVar("F", bound=Folded)


class NotAPurchaseError(Exception):
    """The message id belongs to something else, or to nothing."""


class NotAServiceError(Exception):
    """The message id belongs to no trial, reprint, fault report or key change."""


class Streams:
    """Loads and records the streams that decisions are made from."""

    def __init__(self, log: EventLog, conflict_retries_max: int, busy_wait_seconds: float) -> None:
        self._log = log
        self._conflict_retries_max = conflict_retries_max
        self._busy_wait_seconds = busy_wait_seconds

    async def meter(self, utility_type: UtilityType, number: str) -> Meter:
        """The meter; version 0 and not known when no channel ever named it."""
        recorded = await self._log.read(meter_stream(utility_type, number))
        return fold(Meter(number=number, utility_type=utility_type), recorded)

    async def purchase(self, purchase_id: str) -> Purchase:
        """The purchase. Raises NotAPurchaseError when the id is no purchase's."""
        recorded = await self._log.read(message_stream(purchase_id))
        if not recorded or not isinstance(recorded[0].event, PurchaseRequested):
            raise NotAPurchaseError(purchase_id)
        return fold(Purchase(), recorded)

    async def service(self, message_id: str) -> Service:
        """The trial, reprint, fault report or key change. Raises NotAServiceError when the id is
        none's."""
        recorded = await self._log.read(message_stream(message_id))
        if not recorded or not isinstance(recorded[0].event, ServiceRequested):
            raise NotAServiceError(message_id)
        return fold(Service(), recorded)

    async def provider(self, provider: str) -> Provider:
        recorded = await self._log.read(provider_stream(provider))
        return fold(Provider(provider=provider), recorded)

    async def utility(self, utility: str) -> Utility:
        recorded = await self._log.read(utility_stream(utility))
        return fold(Utility(utility=utility), recorded)

    async def record(self, stream: str, state: F, decide: Callable[[F], Sequence[Event]]) -> F:
        """Appends what `decide` makes of the state; when the stream has moved, catches up and
        decides anew. No events: nothing is written. Returns the state afterwards.

        Raises TooManyConflictsError after the settings' number of conflicts or full queues."""
        return await decide_on(
            self._log,
            stream,
            state,
            decide,
            conflicts_max=self._conflict_retries_max,
            busy_seconds=self._busy_wait_seconds,
        )

    async def record_meter(
        self, meter: Meter, decide: Callable[[Meter], Sequence[Event]], seen: MeterSeen
    ) -> Meter:
        """As `record`, for a meter; its first event is always `seen`."""

        def with_seen(state: Meter) -> Sequence[Event]:
            events = decide(state)
            return [seen, *events] if state.version == 0 and events else events

        return await self.record(meter_stream(meter.utility_type, meter.number), meter, with_seen)
