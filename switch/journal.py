"""The journal of one lookup: its message stream, appended to by several answers at once."""

import asyncio
from collections.abc import Sequence

from domain.event import Event
from domain.message import message_stream
from switch.ports import EventLog


class Journal:
    """Appends in turn; only the process that claimed the message id writes to its lookup."""

    def __init__(self, log: EventLog, message_id: str) -> None:
        self._log = log
        self._stream = message_stream(message_id)
        self._version = 0
        self._turn = asyncio.Lock()

    async def append(self, events: Sequence[Event]) -> None:
        """Raises VersionConflict on the first append when the id is taken."""
        async with self._turn:
            recorded = await self._log.append(self._stream, self._version, events)
            self._version = recorded[-1].version
