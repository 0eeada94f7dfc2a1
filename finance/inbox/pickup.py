"""Taking the other party's files from its server into the inbox.

A file is taken once two looks have seen it the same: before, it may still be written. Then it is
moved away. What dies between the two is found again, known again by its bytes, and moved.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from posixpath import join

import msgspec
import structlog

from domain.inbox import FileSource
from domain.operator import Actor
from finance.calendar import business_date
from finance.context import Context
from finance.inbox.inbox import Inbox
from finance.process.pickup import DATE, Pickup, PickupKind, Place
from finance.process.process import ReconciliationProcess
from finance.transfer.opening import open_store
from finance.transfer.store import (
    NAME_CHARACTERS_MAX,
    AlreadyThereError,
    Entry,
    NoFolderError,
    Store,
    TransferError,
)

_log = structlog.get_logger(__name__)

REFUSED = "Refused"
"""The folder beside `processed` for what the inbox does not take."""
REASON = ".reason"


class PickupPlace:
    """One place of one process, and what earlier looks have shown of it; that is forgotten at a
    restart, which costs a look."""

    def __init__(
        self, context: Context, inbox: Inbox, process: ReconciliationProcess, pickup: Pickup
    ) -> None:
        self.pickup = pickup
        self.process = process
        self._context = context
        self._inbox = inbox
        self._folders: dict[str, _Seen] = {}

    async def look(self) -> int:
        """Takes the files that are ready; returns how many were new. Raises TransferError when the
        place can't be reached, and what the ledger and the database raise; what was not taken is
        there at the next look."""
        room = self._context.settings.pickup_files_max
        places = self._places()
        self._folders = {place.folder: self._folders.get(place.folder, _Seen()) for place in places}
        taken = 0
        for place in places:
            try:
                done, new = await self._look_at(place, self._folders[place.folder], room)
            except NoFolderError:
                if len(places) == 1:
                    raise
                continue  # a day's folder may be made when there is something to put into it
            room, taken = room - done, taken + new
        return taken

    def _places(self) -> list[Place]:
        place = self.pickup.place
        if DATE not in place.folder:
            return [place]
        today = business_date(self._context.clock(), self.process.calendar)
        back = range(self.pickup.days_back, -1, -1)
        return [place.of_date(today - timedelta(days=days)) for days in back]

    async def _look_at(self, place: Place, seen: "_Seen", room: int) -> tuple[int, int]:
        """How many files were tried, and how many of them were new."""
        async with open_store(place, self._context.settings.transfer_seconds) as store:
            ready = seen.ready(await store.listed(self.pickup.pattern))[:room]
            taking = _Taking(self._context, self._inbox, self.process, self.pickup, place, store)
            new = 0
            for entry in ready:
                new += await taking.take(entry, seen.stuck)
        return len(ready), new


@dataclass
class _Seen:
    """A folder at the last look: marks of its files by name. `stuck`: those that are done with and
    could not be moved away."""

    marks: dict[str, str] = field(default_factory=dict[str, str])
    stuck: dict[str, str] = field(default_factory=dict[str, str])

    def ready(self, found: Sequence[Entry]) -> list[Entry]:
        """Those that the last look saw just so."""
        before, self.marks = self.marks, {entry.name: entry.mark for entry in found}
        self.stuck = {
            name: mark for name, mark in self.stuck.items() if self.marks.get(name) == mark
        }
        return [
            entry
            for entry in found
            if before.get(entry.name) == entry.mark and entry.name not in self.stuck
        ]


def pickup_places(context: Context, inbox: Inbox) -> list[PickupPlace]:
    """Every place that the settings name."""
    return [
        PickupPlace(context, inbox, process, pickup)
        for process in context.processes.values()
        for pickup in process.pickup
    ]


@dataclass(frozen=True)
class _Taking:
    """One open place of one process."""

    context: Context
    inbox: Inbox
    process: ReconciliationProcess
    pickup: Pickup
    place: Place
    store: Store

    async def take(self, entry: Entry, stuck: dict[str, str]) -> bool:
        """Uploads a file and moves it away; whether it was new. What the server does wrong with it
        is logged, and tried again at a later look."""
        told = {"place": self.place.address, "file": entry.name}
        try:
            new, refused = await self._uploaded(entry)
        except TransferError as error:
            _log.warning("a file was not picked up", reason=str(error), **told)
            return False
        if refused:
            _log.error("a file was refused", reason=refused, process=self.process.id, **told)
        elif new:
            _log.info("a file was picked up", process=self.process.id, **told)
        try:
            name = await self._moved(entry, REFUSED if refused else self.pickup.processed)
        except TransferError as error:
            stuck[entry.name] = entry.mark
            _log.error("a file was not moved away", reason=str(error), **told)
        else:
            if refused:
                await self._explain(name, refused)
        return new

    async def _uploaded(self, entry: Entry) -> tuple[bool, str]:
        """Whether the file was new, and why it was refused."""
        size_max = self.context.settings.upload_bytes_max
        if entry.size_bytes > size_max:
            return False, f"it has {entry.size_bytes} bytes; {size_max} are allowed"
        kind = self.place.kind
        actor = Actor(name=kind.value.lower(), address=self.store.host)
        try:
            uploaded = await self.inbox.upload(
                (self.process.id,),
                entry.name,
                self.store.read(entry),
                actor,
                FileSource.SFTP if kind is PickupKind.SFTP else FileSource.S3,
            )
        except ValueError as error:
            return False, str(error)
        return any(not one.again for one in uploaded), ""

    async def _moved(self, entry: Entry, folder: str) -> str:
        """Moves the file away; the name that it has there."""
        try:
            await self.store.move(entry, folder, entry.name)
        except AlreadyThereError:
            # Another file of this name came before: both are kept.
            name = _numbered(entry.name, self.context.clock())
            await self.store.move(entry, folder, name)
            return name
        return entry.name

    async def _explain(self, name: str, reason: str) -> None:
        """Puts the reason beside a refused file, for those who sent it."""
        folder = join(self.place.folder, REFUSED)
        below = msgspec.structs.replace(self.place, folder=folder)
        try:
            async with open_store(below, self.context.settings.transfer_seconds) as store:
                await store.write(_cut(name, REASON), _once(f"{reason}\n".encode()))
        except TransferError as error:
            _log.warning("the reason was not put beside a refused file", reason=str(error))


def _numbered(name: str, at: datetime) -> str:
    return _cut(name, f".{at:%Y%m%dT%H%M%S%fZ}")


def _cut(name: str, ending: str) -> str:
    return name[: NAME_CHARACTERS_MAX - len(ending)] + ending


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
