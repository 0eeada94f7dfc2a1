"""Histories: the events of a stream, up to any moment, for those who look into the past."""

from datetime import datetime

from domain.event import Event
from ledger import Ledger, Recorded


class History:
    """Reads streams from the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def of(self, stream: str, until: datetime | None = None) -> list[Recorded]:
        """The stream's events by version; with `until` (UTC), those that had happened by then.

        Raises the ledger's errors."""
        recorded = await self._ledger.read(stream)
        if until is None:
            return recorded
        return [entry for entry in recorded if moment(entry) <= until]


def moment(entry: Recorded) -> datetime:
    """When it happened, in UTC."""
    assert isinstance(entry.event, Event)
    return entry.event.at
