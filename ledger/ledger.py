"""The ledger as the rest of the program sees it."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from typing import Self

import msgspec
import psycopg

from ledger.database import connect, set_up
from ledger.errors import LedgerUnavailable
from ledger.group_commit import GroupCommit
from ledger.mapper import EventMapper
from ledger.reader import Reader
from ledger.recorded import Batch, Recorded
from ledger.settings import DEFAULT_SETTINGS, LedgerSettings
from ledger.tail import Tail

TAIL_BATCH = 500


class Ledger:
    """An append-only store of events on PostgreSQL. Made by `open`, used from one event loop."""

    def __init__(
        self, database_url: str, settings: LedgerSettings, writer: GroupCommit, mapper: EventMapper
    ) -> None:
        self._database_url = database_url
        self._settings = settings
        self._writer = writer
        self._mapper = mapper
        self._reader = Reader(database_url, settings, mapper)

    @classmethod
    async def open(
        cls,
        database_url: str,
        settings: LedgerSettings = DEFAULT_SETTINGS,
        mapper: EventMapper | None = None,
    ) -> Self:
        """Connects, and creates the table if it is missing; many processes may do so at once.

        Raises UnsupportedServer, or LedgerUnavailable when the server cannot be reached.
        """
        writer = GroupCommit(database_url, settings)
        try:
            async with await connect(database_url, settings) as connection:
                await set_up(connection, settings)
            await writer.start()
        except psycopg.Error as error:
            raise LedgerUnavailable(f"the ledger cannot be opened: {error}") from error
        ledger = cls(database_url, settings, writer, mapper or EventMapper())
        await ledger._reader.open()
        return ledger

    async def append(
        self, stream: str, after_version: int, events: Sequence[msgspec.Struct]
    ) -> list[Recorded]:
        """Adds events to one stream, all or none, durable on return.

        `after_version` is the last version the caller has seen; 0 means that the stream must not
        exist yet. Cancelling the call does not take back what was sent. Raises

        - VersionConflict: the stream is at another version; nothing was written;
        - LedgerBusy, LedgerClosed, EventRejected: not even queued;
        - LedgerUnavailable: the database stayed away, nothing was written;
        - OutcomeUnknown (a LedgerUnavailable): it stayed away and nobody knows.
        """
        topics, states = self._encode(events)
        position = await self._writer.submit(stream, after_version, topics, states)
        return [
            Recorded(position + offset, stream, after_version + 1 + offset, event)
            for offset, event in enumerate(events)
        ]

    async def read(
        self, stream: str, after_version: int = 0, *, limit: int | None = None
    ) -> list[Recorded]:
        """The stream's events above `after_version`, by version; none if there is no stream. At
        most the first `limit`.

        Raises LedgerUnavailable, UnknownTopic.
        """
        return await self._reader.stream(stream, after_version, limit)

    async def last_position(self) -> int:
        """The position of the last event in the ledger; 0 when it is empty."""
        return await self._reader.last_position()

    async def read_all(
        self, after: int, limit: int, topics: Collection[type[msgspec.Struct]] = ()
    ) -> list[Recorded]:
        """At most `limit` events above position `after`, by position; all topics or the given."""
        return await self._reader.by_position(after, limit, self._topics(topics))

    async def tail(
        self,
        after: int,
        batch: int = TAIL_BATCH,
        topics: Collection[type[msgspec.Struct]] = (),
        linger_seconds: float = 0.0,
    ) -> AsyncGenerator[Batch]:
        """Everything above position `after`, then everything new as it is committed, for ever.

        Batches of at most `batch` events. With `topics`, others are passed over, and a batch may
        be empty with a higher `last_position`. A reader in no hurry lets `linger_seconds` pass
        after it is woken: under load that is one query for many commits.

        Raises LedgerUnavailable when the database stays away for longer than the setting; tail
        again from the last position then.
        """
        tail = Tail(
            self._database_url,
            self._settings,
            self._mapper,
            after,
            batch,
            self._topics(topics),
            linger_seconds,
        )
        async with aclosing(tail.batches()) as batches:
            async for found in batches:
                yield found

    async def close(self) -> None:
        """Writes what was queued (bounded by the settings), fails the rest, disconnects."""
        await self._writer.close()
        await self._reader.close()

    def _topics(self, classes: Collection[type[msgspec.Struct]]) -> list[str]:
        return [self._mapper.topic_of(cls) for cls in classes]

    def _encode(self, events: Sequence[msgspec.Struct]) -> tuple[list[str], list[bytes]]:
        encode = self._mapper.encode
        topics: list[str] = []
        states: list[bytes] = []
        for event in events:
            topic, state = encode(event)
            topics.append(topic)
            states.append(state)
        return topics, states
