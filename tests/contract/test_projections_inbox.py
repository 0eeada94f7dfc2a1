"""The inbox's read model: the same live and rebuilt, and what pages and the worker ask of it."""

import random
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from psycopg import sql

from domain.event import Event
from domain.inbox import FileSource, FileStatus
from domain.operator import Actor
from domain.reconciliation import RecordsMatched, process_stream
from domain.record import record_ref
from domain.settlement import (
    Counterparty,
    SettlementDiscarded,
    SettlementLines,
    SettlementPrepared,
    SettlementReady,
    SettlementReleased,
    Totals,
    settlement_id,
)
from finance.context import Context
from finance.inbox.due import due
from finance.inbox.finalize import finalize
from finance.inbox.inbox import Inbox, WrongStatusError
from finance.inbox.load import load
from finance.inbox.withdraw import SettlementUnderwayError, withdraw
from finance.process.process import OURSELVES, ProcessKind, ReconciliationProcess
from finance.settings import FinanceSettings
from ledger import Ledger
from projections.inbox import Inbox as InboxModel
from projections.inbox_search import (
    EXCEPTION_KEYS,
    FILE_KEYS,
    Due,
    Task,
    every_exception,
    exceptions,
    files,
    one_file,
    pending_approvals,
)
from projections.keyset import cursor_of
from projections.projection import schema_of
from projections.reading import Reading
from projections.runner import ProjectionRunner, RunnerSettings, connect
from tests.extract_file import body_line, extract
from tests.finance_context import finance_context

IPAY = ReconciliationProcess(id="ipay", name="iPay", kind=ProcessKind.PROVIDER, party="ipay")
OTHER = msgspec.structs.replace(IPAY, id="other")
ANN, BEN = Actor("ann", comment="March"), Actor("ben", comment="seen")
SETTINGS = FinanceSettings(part_bytes=400, exceptions_max=20, busy_seconds=0.001)


class Clock:
    """A minute later each time."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 9, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
async def context(ledger: Ledger, database_url: str) -> Context:
    return await finance_context(
        ledger, database_url, (IPAY, OTHER), clock=Clock(), settings=SETTINGS
    )


@pytest.fixture
async def reading(database_url: str) -> AsyncGenerator[Reading]:
    async with Reading(database_url, connections=1) as opened:
        yield opened


def sales(first: int, count: int, bad: int = 0) -> bytes:
    """A file of so many sales, and bad lines behind them."""
    good = [body_line(first + n) for n in range(count)]
    return extract(*good, *(body_line(n, amount_minor="R1") for n in range(bad)))


async def upload(
    context: Context, content: bytes, process: str = "ipay", party: str = "ipay"
) -> str:
    async def chunks() -> AsyncGenerator[bytes]:
        yield content

    found = await Inbox(context).upload(
        [process], "march.csv", chunks(), ANN, FileSource.CONSOLE, party=party
    )
    return found[0].file_id


async def loaded(context: Context, content: bytes, party: str = "ipay") -> str:
    file = await upload(context, content, party=party)
    await Inbox(context).approve(file, BEN)
    await load(context, file)
    return file


def runner(ledger: Ledger, url: str, batch: int = 1_000) -> ProjectionRunner:
    settings = RunnerSettings(batch, linger_seconds=0.0, idle_seconds=0.01)
    return ProjectionRunner(ledger, url, (InboxModel(),), settings)


async def rows(url: str, schema: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    async with await connect(url) as connection:
        for table in ("file", "exception"):
            query = sql.SQL("SELECT to_jsonb(t) FROM {}.{} AS t ORDER BY 1")
            cursor = await connection.execute(
                query.format(sql.Identifier(schema), sql.Identifier(table))
            )
            found[table] = [row[0] for row in await cursor.fetchall()]
    return found


async def step(context: Context, chance: random.Random, known: list[str]) -> None:
    """One thing that somebody does with a file, if it can be done."""
    inbox = Inbox(context)
    actor = chance.choice([ANN, BEN])
    file = chance.choice(known[-4:] or ["ipay-0"])
    with suppress(ValueError):
        match chance.randint(0, 12):
            case 0:
                number = chance.randint(0, 5)
                content = sales(number, number, chance.choice([0, 0, 3, 40]))
                known.append(await upload(context, content, chance.choice(["ipay", "other"])))
            case 2 | 3:
                await inbox.approve(file, actor)
            case 4 | 5:
                await load(context, file)
            case 6 | 7:
                await inbox.request_rollback(file, actor)
            case 8 | 9:
                await inbox.approve_rollback(file, actor)
            case 10:
                await chance.choice([inbox.reject, inbox.reject_rollback])(file, actor)
            case _:
                await withdraw(context, file)


@pytest.mark.parametrize("seed", [1, 2])
async def test_live_rebuilt_and_any_batch_size_give_the_same_rows(
    context: Context, ledger: Ledger, database_url: str, seed: int
) -> None:
    chance = random.Random(seed)
    known: list[str] = []
    for _ in range(250):
        await step(context, chance, known)
        if chance.random() < 0.2:
            await runner(ledger, database_url, chance.choice([1, 2, 7])).catch_up()
    withdrawn = await loaded(context, sales(50, 1))
    await Inbox(context).request_rollback(withdrawn, ANN)
    await Inbox(context).approve_rollback(withdrawn, BEN)
    await withdraw(context, withdrawn)
    await runner(ledger, database_url, 3).catch_up()
    live = await rows(database_url, schema_of(InboxModel.name))
    statuses = {row["status"] for row in live["file"]}
    assert statuses >= {"LOADED", "ERROR", "ROLLBACK"}
    assert live["exception"]
    async with await connect(database_url) as connection:
        for batch in (1, 7, 1_000):
            schema = f"batch_{batch}"
            await runner(ledger, database_url, batch).build(connection, InboxModel(), schema)
            assert await rows(database_url, schema) == live, batch


async def test_a_file_s_row_says_what_there_is_to_know(
    context: Context, ledger: Ledger, database_url: str, reading: Reading
) -> None:
    file = await loaded(context, sales(1, 3, bad=2))
    await runner(ledger, database_url).catch_up()
    row = await one_file(reading, file)
    assert row is not None
    assert (row.process, row.party, row.file_name) == ("ipay", "ipay", "march.csv")
    assert (row.uploaded_by, row.comment, row.decided_by) == ("ann", "March", "ben")
    assert (row.status, row.records, row.exceptions, row.loaded_lines) == ("LOADED", 3, 2, 6)
    assert (row.total_cents, row.admitted) == (30_000, 1)
    assert str(row.first_date) == str(row.last_date) == "2026-03-01"
    assert row.remarks == ["its header says total_amount_minor '50000'; it is 30000"]
    assert await one_file(reading, "ipay-0") is None

    page = await exceptions(reading, file, limit=1)
    assert [one.line for one in page.rows] == [5]
    assert page.later is not None
    later = cursor_of(page.later, EXCEPTION_KEYS)
    assert [one.line for one in (await exceptions(reading, file, cursor=later, limit=5)).rows] == [
        6
    ]
    assert [one.line async for one in every_exception(reading, file)] == [5, 6]


async def test_files_and_approvals_are_listed_page_by_page(
    context: Context, ledger: Ledger, database_url: str, reading: Reading
) -> None:
    ids = [await upload(context, sales(n, 1)) for n in range(1, 4)]
    other = await upload(context, sales(1, 1), "other")
    kept = await loaded(context, sales(9, 1))
    await Inbox(context).request_rollback(kept, BEN)
    await runner(ledger, database_url).catch_up()

    page = await files(reading, process="ipay", limit=3)
    assert [row.file_id for row in page.rows] == [kept, ids[2], ids[1]]
    assert page.later is not None
    cursor = cursor_of(page.later, FILE_KEYS)
    rest = await files(reading, process="ipay", cursor=cursor, limit=3)
    assert [row.file_id for row in rest.rows] == [ids[0]]
    queued = await files(reading, status="QUEUED", limit=9)
    assert [row.file_id for row in queued.rows] == [other, *reversed(ids)]

    pending = await pending_approvals(reading, limit=9)
    assert [row.file_id for row in pending.rows] == [*ids, other, kept]
    assert [row.rollback_by for row in pending.rows] == [None] * 4 + ["ben"]
    await Inbox(context).approve_rollback(kept, ANN)
    await Inbox(context).approve(other, BEN)
    await runner(ledger, database_url).catch_up()
    pending = await pending_approvals(reading, process="ipay", limit=9)
    assert [row.file_id for row in pending.rows] == ids


async def test_the_worker_learns_what_is_due_and_nothing_else(
    context: Context, ledger: Ledger, database_url: str
) -> None:
    async def found() -> list[Due]:
        await runner(ledger, database_url).catch_up()
        return await due(context)

    file = await upload(context, sales(1, 1))
    assert await found() == []
    await Inbox(context).approve(file, BEN)
    assert await found() == [Due(file, "ipay", Task.LOAD)]
    await load(context, file)
    assert await found() == []
    await Inbox(context).request_rollback(file, BEN)
    assert await found() == []
    await Inbox(context).approve_rollback(file, ANN)
    assert await found() == [Due(file, "ipay", Task.WITHDRAW)]
    await withdraw(context, file)
    assert await found() == []


# Files and settlements


AT = datetime(2026, 3, 10, tzinfo=UTC)


async def append(context: Context, *events: Event) -> None:
    stream = process_stream("ipay")
    version = len(await context.ledger.read(stream))
    await context.ledger.append(stream, version, events)


def prepared(attempt: int) -> SettlementPrepared:
    return SettlementPrepared(
        at=AT,
        by="ann",
        process="ipay",
        settlement_id=settlement_id("ipay", "2026-03-01", attempt),
        cycle="2026-03-01",
        until="2026-03-01",
        settings_sha256="",
        counterparty=Counterparty.PROVIDER,
        party="ipay",
    )


def settled(attempt: int, *refs: int) -> SettlementLines:
    zeros = (0,) * len(refs)
    return SettlementLines(
        at=AT,
        process="ipay",
        settlement_id=settlement_id("ipay", "2026-03-01", attempt),
        lines=refs,
        principal=zeros,
        commission=zeros,
        commission_vat=zeros,
        fees=(),
        fee=zeros,
    )


def ready(attempt: int) -> SettlementReady:
    name = settlement_id("ipay", "2026-03-01", attempt)
    return SettlementReady(at=AT, process="ipay", settlement_id=name, totals=Totals())


def released(attempt: int) -> SettlementReleased:
    name = settlement_id("ipay", "2026-03-01", attempt)
    return SettlementReleased(at=AT, by="ben", process="ipay", settlement_id=name)


def discarded(attempt: int) -> SettlementDiscarded:
    name = settlement_id("ipay", "2026-03-01", attempt)
    return SettlementDiscarded(at=AT, by="ben", process="ipay", settlement_id=name)


@pytest.fixture
async def matched(context: Context) -> tuple[str, str]:
    """The ids of their file (number 1) and ours (2): two sales, which match."""
    theirs = await loaded(context, sales(1, 2))
    ours = await loaded(context, sales(1, 2) + b"\r\n", party=OURSELVES)
    refs = [tuple(record_ref(file, line) for line in (2, 3)) for file in (1, 2)]
    await append(
        context,
        RecordsMatched(at=AT, process="ipay", run=1, key=0, ours=refs[1], theirs=refs[0]),
    )
    return theirs, ours


async def test_a_file_of_which_a_record_is_in_a_settlement_stays(
    context: Context,
    matched: tuple[str, str],
    ledger: Ledger,
    database_url: str,
    reading: Reading,
) -> None:
    file, _ = matched
    await Inbox(context).request_rollback(file, ANN)
    await Inbox(context).approve_rollback(file, BEN)
    await append(context, prepared(1))
    with pytest.raises(SettlementUnderwayError):
        await withdraw(context, file)

    await append(context, settled(1, record_ref(2, 2)), ready(1))
    refused = await withdraw(context, file)
    assert (refused.status, refused.rollback_by) == (FileStatus.LOADED, None)
    await runner(ledger, database_url).catch_up()
    row = await one_file(reading, file)
    assert row is not None
    assert row.reason == "no rollback: records of it are in a settlement"

    await append(context, discarded(1))
    await Inbox(context).request_rollback(file, ANN)
    await Inbox(context).approve_rollback(file, BEN)
    assert (await withdraw(context, file)).status is FileStatus.ROLLBACK


async def test_files_are_finalized_when_all_their_records_are_in_released_settlements(
    context: Context, matched: tuple[str, str]
) -> None:
    first, second = record_ref(2, 2), record_ref(2, 3)
    await append(context, prepared(1), settled(1, first), ready(1), released(1))
    assert await finalize(context, "ipay") == []
    await append(context, prepared(2), settled(2, second), ready(2))
    assert await finalize(context, "ipay") == [], "not released"
    await append(context, discarded(2), prepared(3), settled(3, second), ready(3), released(3))

    assert await finalize(context, "ipay") == [*matched]
    assert await finalize(context, "ipay") == []
    with pytest.raises(WrongStatusError, match="finalized: all its transactions are settled"):
        await Inbox(context).request_rollback(matched[0], ANN)
