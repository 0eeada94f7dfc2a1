"""How many appends the ledger takes: beside the library's recorder and beside plain INSERT.

An append is two events of 300 bytes to a new stream, durable before it counts. The three writers
take turns in short slices on one server, so that a noisy machine is noisy for all of them.
"""

import asyncio
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from urllib.parse import parse_qs, urlsplit, urlunsplit

import msgspec
import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from bench.result import Row, percentile
from ledger import Ledger
from ledger.embedded import EmbeddedServer

CONCURRENCY = (1, 16, 64, 256)
STATE_BYTES = 300
EVENTS_PER_APPEND = 2
# More connections than this make the other two slower here, not faster.
CONNECTIONS_MAX = 64
SLICES = 5
WARM_UP_SECONDS = 0.3
YARDSTICK = "library recorder"


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """An event whose state is 300 bytes long."""

    text: str


EVENT = Sold(text="x" * (STATE_BYTES - len(msgspec.json.encode(Sold(text="")))))
TOPIC = f"{Sold.__module__}:{Sold.__qualname__}"
STATE = msgspec.json.encode(EVENT)


@dataclass
class Measured:
    """What the slices of one case add up to."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list[float])


class Writer(ABC):
    """One way to append. `slice` keeps `concurrency` appends under way for `seconds`."""

    name: str

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self._slices = 0

    @abstractmethod
    async def open(self) -> None:
        """Connects and creates the table."""

    @abstractmethod
    async def slice(self, seconds: float, concurrency: int) -> Measured:
        """Appends and measures."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnects."""

    def next_prefix(self) -> str:
        """A part of stream names that no earlier slice had."""
        self._slices += 1
        return f"message/{self._slices:06}"


class OurLedger(Writer):
    """`Ledger.append`, encoding of the events included."""

    name = "ledger"

    async def open(self) -> None:
        """See Writer."""
        self._ledger = await Ledger.open(self.database_url)

    async def slice(self, seconds: float, concurrency: int) -> Measured:
        """See Writer."""
        append = self._ledger.append
        events = [EVENT] * EVENTS_PER_APPEND

        async def one(stream: str) -> None:
            await append(stream, 0, events)

        return await _slice_of_tasks(one, self.next_prefix(), seconds, concurrency)

    async def close(self) -> None:
        """See Writer."""
        await self._ledger.close()


class PlainInsert(Writer):
    """Two rows by one INSERT in a transaction of its own, no lock: no order, no check."""

    name = "plain INSERT"

    async def open(self) -> None:
        """See Writer."""
        opened = await Ledger.open(self.database_url)  # the same table
        await opened.close()
        self._pool = AsyncConnectionPool(
            self.database_url,
            kwargs={"autocommit": True},
            min_size=CONNECTIONS_MAX,
            max_size=CONNECTIONS_MAX,
            open=False,
        )
        await self._pool.open(wait=True)

    async def slice(self, seconds: float, concurrency: int) -> Measured:
        """See Writer."""
        query = (
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES (%s, 1, %s, %s), (%s, 2, %s, %s) RETURNING notification_id"
        )

        async def one(stream: str) -> None:
            async with self._pool.connection() as connection:
                cursor = connection.cursor(binary=True)
                parameters = [stream, TOPIC, STATE, stream, TOPIC, STATE]
                await cursor.execute(query, parameters, prepare=True)
                await cursor.fetchall()

        return await _slice_of_tasks(one, self.next_prefix(), seconds, concurrency)

    async def close(self) -> None:
        """See Writer."""
        await self._pool.close()


class LibraryRecorder(Writer):
    """The stock PostgresApplicationRecorder in threads; its events are encoded beforehand."""

    name = YARDSTICK

    async def open(self) -> None:
        """See Writer."""
        address = urlsplit(self.database_url)
        host = parse_qs(address.query).get("host", [address.hostname or ""])[0]
        self._datastore = PostgresDatastore(
            address.path.lstrip("/"),
            host,
            address.port or 5432,
            address.username or "",
            address.password or "",
            pool_size=CONNECTIONS_MAX,
            originator_id_type="text",
        )
        self._recorder = PostgresApplicationRecorder(self._datastore)
        await asyncio.to_thread(self._recorder.create_table)

    async def slice(self, seconds: float, concurrency: int) -> Measured:
        """See Writer."""
        return await asyncio.to_thread(self._slice, seconds, concurrency)

    async def close(self) -> None:
        """See Writer."""
        self._datastore.close()

    def _slice(self, seconds: float, concurrency: int) -> Measured:
        prefix = self.next_prefix()
        together = threading.Barrier(concurrency + 1)
        end = 0.0

        def client(number: int) -> list[float]:
            latencies: list[float] = []
            together.wait()
            together.wait()
            while (begin := perf_counter()) < end:
                stream = f"{prefix}/{number}/{len(latencies)}"
                versions = range(1, EVENTS_PER_APPEND + 1)
                self._recorder.insert_events(
                    [StoredEvent(stream, v, TOPIC, STATE) for v in versions]
                )
                latencies.append(perf_counter() - begin)
            return latencies

        with ThreadPoolExecutor(concurrency) as threads:
            found = [threads.submit(client, number) for number in range(concurrency)]
            together.wait()
            begin = perf_counter()
            end = begin + seconds
            together.wait()
            latencies = [latency for done in found for latency in done.result()]
        return Measured(perf_counter() - begin, latencies)


def run(
    seconds: float = 3.0,
    concurrency: Sequence[int] = CONCURRENCY,
    say: Callable[[str], object] = sys.stderr.write,
) -> list[Row]:
    """Measures every writer at every concurrency for `seconds` in all, on a server of its own.

    Ratios are to the library's recorder at the same concurrency. `say` is told the progress.
    """
    with tempfile.TemporaryDirectory(prefix="ppu-bench-") as folder:
        server = EmbeddedServer(Path(folder) / "server")  # fsync on: durability is the point
        try:
            measured = asyncio.run(_measure(server.start(), seconds, concurrency, say))
        finally:
            server.stop()
            server.remove()
    return _rows(measured, concurrency)


async def _measure(
    database_url: str, seconds: float, concurrency: Sequence[int], say: Callable[[str], object]
) -> dict[tuple[str, int], Measured]:
    writers = [kind(_database(database_url, kind.name)) for kind in _WRITERS]
    measured = {(writer.name, count): Measured() for writer in writers for count in concurrency}
    for writer in writers:
        await writer.open()
        await writer.slice(WARM_UP_SECONDS, max(concurrency))
    for turn in range(SLICES):
        for count in concurrency:
            for writer in writers:
                found = await writer.slice(seconds / SLICES, count)
                total = measured[writer.name, count]
                total.seconds += found.seconds
                total.latencies += found.latencies
            say(f"round {turn + 1} of {SLICES}: {count} concurrent appends done\n")
    for writer in writers:
        await writer.close()
    return measured


_WRITERS: tuple[type[Writer], ...] = (OurLedger, LibraryRecorder, PlainInsert)


def _rows(measured: dict[tuple[str, int], Measured], concurrency: Sequence[int]) -> list[Row]:
    rows: list[Row] = []
    for count in concurrency:
        yardstick = _figures(measured[YARDSTICK, count])
        for kind in _WRITERS:
            figures = _figures(measured[kind.name, count])
            for (measure, unit), value in figures.items():
                ratio = value / yardstick[measure, unit]
                rows.append(Row(f"{kind.name}, {count} concurrent", measure, value, unit, ratio))
    return rows


def _figures(found: Measured) -> dict[tuple[str, str], float]:
    ordered = sorted(found.latencies)
    return {
        ("appends", "1/s"): len(ordered) / found.seconds,
        ("p50", "ms"): percentile(ordered, 0.5) * 1000,
        ("p99", "ms"): percentile(ordered, 0.99) * 1000,
    }


async def _slice_of_tasks(
    append: Callable[[str], Awaitable[None]],
    prefix: str,
    seconds: float,
    concurrency: int,
) -> Measured:
    latencies: list[float] = []
    begin = perf_counter()
    end = begin + seconds

    async def client(number: int) -> None:
        done = 0
        while (started := perf_counter()) < end:
            await append(f"{prefix}/{number}/{done}")
            latencies.append(perf_counter() - started)
            done += 1

    await asyncio.gather(*(client(number) for number in range(concurrency)))
    return Measured(perf_counter() - begin, latencies)


def _database(server_url: str, writer: str) -> str:
    """A database of the writer's own, so that no table grows by another's events."""
    name = "bench_" + writer.lower().replace(" ", "_")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
