"""The ledger and the stock eventsourcing library understand each other's tables."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.application import Application
from eventsourcing.domain import (
    BaseAggregate,
    CanInitAggregate,
    CanMutateAggregate,
    MetaDomainEvent,
    event,
)
from eventsourcing.persistence import (
    IntegrityError,
    JSONTranscoder,
    NotSupportedError,
    ProgrammingError,
    RecordConflictError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from ledger import EventMapper, Ledger, LedgerSettings, VersionConflict
from ledger.recorder import GroupCommitRecorder
from tests.ledger_events import Counted, Moved, noted


def datastore_of(
    database_url: str, *, schema: str = "", enable_db_functions: bool = False
) -> PostgresDatastore:
    address = urlsplit(database_url)
    host = parse_qs(address.query).get("host", [address.hostname or ""])[0]
    return PostgresDatastore(
        address.path.lstrip("/"),
        host,
        address.port or 5432,
        address.username or "",
        address.password or "",
        pool_size=4,
        originator_id_type="text",
        schema=schema,
        enable_db_functions=enable_db_functions,
    )


@pytest.fixture
def stock(database_url: str) -> Iterator[PostgresApplicationRecorder]:
    """The library's recorder, as the library makes it."""
    with datastore_of(database_url) as datastore:
        yield PostgresApplicationRecorder(datastore)


@pytest.fixture
def recorder(database_url: str) -> Iterator[GroupCommitRecorder]:
    """Ours behind the library's interface."""
    with datastore_of(database_url) as datastore:
        made = GroupCommitRecorder(datastore)
        made.create_table()
        yield made
        made.close()


async def test_an_auditor_opens_the_ledger_with_the_stock_library_alone(
    ledger: Ledger, stock: PostgresApplicationRecorder
) -> None:
    await ledger.append("meter/1", 0, noted("seen"))
    await ledger.append("meter/1", 1, [Moved(town="Benoni", country="ZA")])
    await ledger.append("meter/2", 0, [Counted(number=7)])

    events = stock.select_events("meter/1")
    notifications = stock.select_notifications(start=1, limit=10)

    assert [(e.originator_id, e.originator_version) for e in events] == [
        ("meter/1", 1),
        ("meter/1", 2),
    ]
    assert [(n.id, n.originator_id) for n in notifications] == [
        (1, "meter/1"),
        (2, "meter/1"),
        (3, "meter/2"),
    ]
    assert [n.topic for n in notifications] == [
        "tests.ledger_events:Noted",
        "tests.ledger_events:Moved",
        "tests.ledger_events:Counted",
    ]
    decode = JSONTranscoder().decode
    assert [decode(n.state) for n in notifications] == [
        {"text": "seen"},
        {"town": "Benoni", "country": "ZA", "class_version": 3},
        {"number": 7},
    ]
    assert stock.max_notification_id() == 3


def test_the_table_is_the_librarys_own(database_url: str) -> None:
    """Columns, defaults, indexes and storage parameters, as PostgreSQL describes them."""
    asyncio.run(_open_and_close(database_url, LedgerSettings(schema="ours")))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA theirs")
        with datastore_of(database_url, schema="theirs") as datastore:
            PostgresApplicationRecorder(datastore).create_table()
        descriptions = [
            [
                str(connection.execute(query, {"schema": schema}).fetchall())
                .replace("ours", "...")
                .replace("theirs", "...")
                for query in (
                    (
                        "SELECT column_name, data_type, is_nullable, column_default"
                        " FROM information_schema.columns WHERE table_schema = %(schema)s"
                        " AND table_name = 'stored_events' ORDER BY ordinal_position"
                    ),
                    (
                        "SELECT indexname, indexdef FROM pg_indexes"
                        " WHERE schemaname = %(schema)s ORDER BY indexname"
                    ),
                    (
                        "SELECT relname, reloptions FROM pg_class WHERE relkind IN ('r', 'S')"
                        " AND relnamespace = %(schema)s::regnamespace ORDER BY relname"
                    ),
                )
            ]
            for schema in ("ours", "theirs")
        ]
    assert descriptions[0] == descriptions[1]


async def test_the_librarys_recorder_may_write_between_ours(
    ledger: Ledger, stock: PostgresApplicationRecorder
) -> None:
    """Its table lock and our lock keep each other out; its sequence goes on where we stopped."""
    stock.create_table()

    def write_stock(number: int) -> list[int]:
        stored = [StoredEvent(f"stock/{number}", v, "x:Y", b"{}") for v in (1, 2)]
        return list(stock.insert_events(stored) or [])

    async def write_ours(number: int) -> list[int]:
        return [r.position for r in await ledger.append(f"ours/{number}", 0, noted("a", "b"))]

    async def write_both(number: int) -> list[list[int]]:
        return [await write_ours(number), await asyncio.to_thread(write_stock, number)]

    written = await asyncio.gather(*(write_both(number) for number in range(100)))

    pairs = [pair for both in written for pair in both]
    assert all(second == first + 1 for first, second in pairs)
    assert sorted(position for pair in pairs for position in pair) == list(range(1, 401))


async def test_a_tail_that_runs_beside_the_librarys_writer_misses_nothing(
    ledger: Ledger, stock: PostgresApplicationRecorder
) -> None:
    stock.create_table()
    state = EventMapper().encode(noted("a")[0])[1]

    def write(number: int) -> None:
        stock.insert_events([StoredEvent(f"s/{number}", 1, "tests.ledger_events:Noted", state)])

    seen: list[int] = []
    writing = asyncio.gather(
        *(asyncio.to_thread(write, number) for number in range(60)),
        *(ledger.append(f"o/{number}", 0, noted("a")) for number in range(60)),
    )
    async for batch in ledger.tail(after=0):
        seen += [recorded.position for recorded in batch.recorded]
        if len(seen) >= 120:
            break
    await writing
    assert seen == list(range(1, 121))


def test_the_recorder_speaks_the_librarys_language(recorder: GroupCommitRecorder) -> None:
    first = [StoredEvent("a", 1, "x:Y", b"{}"), StoredEvent("a", 2, "x:Y", b"{}")]

    assert recorder.insert_events(first) == [1, 2]
    assert recorder.insert_events([]) == []
    with pytest.raises(IntegrityError):
        recorder.insert_events(first)
    with pytest.raises(RecordConflictError):
        recorder.insert_events([StoredEvent("a", 4, "x:Y", b"{}")])
    with pytest.raises(NotSupportedError):
        recorder.insert_events([StoredEvent("b", 1, "x", b""), StoredEvent("c", 1, "x", b"")])
    assert recorder.select_events("a") == first
    assert [n.id for n in recorder.select_notifications(start=2, limit=10)] == [2]
    assert recorder.max_notification_id() == 2


def test_the_recorder_refuses_the_librarys_functions(database_url: str) -> None:
    """As shipped they insert without the lock, and a tailing reader loses events."""
    with (
        datastore_of(database_url, enable_db_functions=True) as datastore,
        pytest.raises(ProgrammingError),
    ):
        GroupCommitRecorder(datastore)


def test_a_subscription_of_the_library_wakes_at_our_commits(
    recorder: GroupCommitRecorder,
) -> None:
    with recorder.subscribe(gt=0) as subscription:
        recorder.insert_events([StoredEvent("a", 1, "x:Y", b"1")])
        assert next(subscription).state == b"1"
        recorder.insert_events([StoredEvent("a", 2, "x:Y", b"2")])
        assert next(subscription).state == b"2"


class Dog(BaseAggregate[str]):
    """A small aggregate, by the library's own decorators."""

    class Event(CanMutateAggregate[str], metaclass=MetaDomainEvent):
        """An event with a text id."""

        originator_id: str
        originator_version: int
        timestamp: datetime

    class Registered(CanInitAggregate[str], Event):
        """The first one."""

        originator_topic: str
        name: str

    @staticmethod
    def create_id(name: str) -> str:
        """The library asks for it by this name."""
        return f"dog/{name}"

    @event(Registered)
    def __init__(self, name: str) -> None:
        self.name = name
        self.tricks: list[str] = []

    @event("TrickAdded")
    def add_trick(self, trick: str) -> None:
        """Learns."""
        self.tricks.append(trick)


class Kennel(Application[str]):
    """A small application of the library."""


def test_a_stock_application_runs_on_group_commit(database_url: str) -> None:
    datastore = datastore_of(database_url)
    kwargs = datastore.pool.kwargs
    assert kwargs is not None
    assert not callable(kwargs)
    kennel = Kennel(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "APPLICATION_RECORDER_TOPIC": "ledger.recorder:GroupCommitRecorder",
            "POSTGRES_DBNAME": kwargs["dbname"],
            "POSTGRES_HOST": kwargs["host"],
            "POSTGRES_PORT": str(kwargs["port"]),
            "POSTGRES_USER": kwargs["user"],
            "POSTGRES_PASSWORD": kwargs["password"] or "unused",
            "ORIGINATOR_ID_TYPE": "text",
        }
    )
    name = uuid4().hex
    dog = Dog(name)
    dog.add_trick("roll over")
    kennel.save(dog)
    dog.add_trick("play dead")
    kennel.save(dog)

    assert isinstance(kennel.recorder, GroupCommitRecorder)
    copy: Dog = kennel.repository.get(f"dog/{name}")
    assert copy.tricks == ["roll over", "play dead"]
    assert [n.id for n in kennel.notification_log.select(start=1, limit=10)] == [1, 2, 3]

    stale: Dog = kennel.repository.get(f"dog/{name}", version=1)
    stale.add_trick("too late")
    with pytest.raises(IntegrityError):
        kennel.save(stale)
    kennel.recorder.close()
    kennel.close()


async def test_two_ledgers_in_two_schemas_do_not_touch(database_url: str) -> None:
    """One schema a shard: each has its own positions, its own lock and its own conflicts."""
    shards = [
        await Ledger.open(database_url, LedgerSettings(schema=f"shard_{n}")) for n in range(2)
    ]
    for shard in shards:
        recorded = await shard.append("meter/1", 0, noted("seen"))
        assert recorded[0].position == 1
        with pytest.raises(VersionConflict):
            await shard.append("meter/1", 0, noted("again"))
    for shard in shards:
        await shard.close()


async def _open_and_close(database_url: str, settings: LedgerSettings) -> None:
    ledger = await Ledger.open(database_url, settings)
    await ledger.close()
