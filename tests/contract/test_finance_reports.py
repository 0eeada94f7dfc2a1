"""Reports through a real ledger: made once, tied to what was settled, kept, and sent."""

import asyncio
import csv
import hashlib
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from psycopg import sql

from domain.operator import Actor
from domain.outbox import Report, ReportKind, ReportMade, ReportNotSent, ReportSent, report_stream
from domain.settlement import SettlementReleased
from finance.context import Context, UnknownProcessError
from finance.report.download import Reports
from finance.report.figures.figures import TotalsDifferError
from finance.report.make import make
from finance.report.snapshot import snapshot
from finance.report.wanted import SubjectError, TooManyLinesError
from finance.settings import FinanceSettings
from ledger import Ledger
from projections.keyset import cursor_of
from projections.outbox import Outbox
from projections.outbox_search import (
    KEYS,
    OutboxFilter,
    ReportRow,
    deliveries,
    deliveries_due,
    latest_of,
    report,
    reports,
)
from projections.projection import schema_of
from projections.reading import Reading
from projections.runner import ProjectionRunner, RunnerSettings, connect
from tests.finance_context import finance_context
from tests.report_figures import MADE_AT, PROCESS, settled_lines
from tests.report_ledger import AT, adjust, append, settle, take_sales

ANN = Actor("ann", "finance-operator", "10.0.0.7", "/finance/outbox", "for the month's end")
LINES = settled_lines(60)
FORMS = ("csv", "xlsx", "pdf")


@pytest.fixture
async def context(ledger: Ledger, database_url: str) -> Context:
    settings = FinanceSettings(part_bytes=10_000, report_rows_max=100)
    return await finance_context(
        ledger, database_url, [PROCESS], clock=lambda: MADE_AT, settings=settings
    )


@pytest.fixture
async def settled(context: Context) -> str:
    """A released settlement of sixty lines and two adjustments."""
    await take_sales(context, PROCESS.id, LINES)
    adjustments = await adjust(context, PROCESS.id)
    return await settle(context, PROCESS.id, LINES, adjustments=adjustments)


async def statement(
    context: Context, settlement: str, forms: tuple[str, ...] = FORMS
) -> ReportMade:
    return await make(context, PROCESS.id, ReportKind.SETTLEMENT, settlement, forms, ANN)


async def content(context: Context, made: ReportMade, form: str) -> bytes:
    download = await Reports(context).download(made.report_id, form)
    return b"".join([part async for part in download.parts])


async def test_a_statement_ties_to_the_settlement_and_lies_in_the_archive(
    context: Context, settled: str
) -> None:
    made = await statement(context, settled)
    net = sum(line.net_cents for line in LINES) - 12_550 + 300
    assert made.totals["net_cents"] == net
    assert made.totals["sales"] == 60
    assert (made.by, made.page, made.comment) == (ANN.name, ANN.page, ANN.comment)
    assert [file.form for file in made.files] == ["csv", "xlsx", "pdf"]
    epoch = int(MADE_AT.timestamp())
    for file in made.files:
        assert file.file_name == f"PPU_CONTOUR_REPORT_PPU_SETTLEMENT_20261122_{epoch}.{file.form}"
        whole = await content(context, made, file.form)
        assert hashlib.sha256(whole).hexdigest() == file.content
        assert len(whole) == file.size_bytes
        assert len(file.parts) == -(-len(whole) // 10_000), "in pieces that the archive can hold"
    text = (await content(context, made, "csv")).decode()
    *lines, foot = list(csv.DictReader(io.StringIO(text, newline="")))
    assert foot["net_minor"] == str(net)
    assert {line["transaction_id"] for line in lines} >= {line.transaction_id for line in LINES}
    first = next(line for line in lines if line["transaction_id"] == LINES[0].transaction_id)
    assert (first["file"], first["line"], first["meter_id"]) == ("1", "1", LINES[0].meter)


async def test_a_report_is_made_once_for_the_same_figures(context: Context, settled: str) -> None:
    first = await statement(context, settled)
    position = await context.ledger.last_position()
    again = await statement(context, settled)
    assert again == first
    assert await context.ledger.last_position() == position
    other = await statement(context, settled, ("csv",))
    assert other.report_id != first.report_id, "another form is another report"
    mailed = await make(
        context, PROCESS.id, ReportKind.SETTLEMENT, settled, FORMS, ANN, ("a@example.org",)
    )
    assert mailed.report_id != first.report_id, "nor may one that nobody gets take its place"


async def test_two_who_make_it_at_once_make_one(context: Context, settled: str) -> None:
    both = await asyncio.gather(
        statement(context, settled, ("csv",)), statement(context, settled, ("csv",))
    )
    assert both[0] == both[1]
    state = await context.state(report_stream(both[0].report_id), Report())
    assert state.version == 1


async def test_a_statement_that_is_not_released_says_so_and_is_another_one_later(
    context: Context,
) -> None:
    await take_sales(context, PROCESS.id, LINES)
    settlement = await settle(context, PROCESS.id, LINES, released=False)
    early = await statement(context, settlement, ("csv",))

    released = SettlementReleased(at=AT, by="pieter", process=PROCESS.id, settlement_id=settlement)
    await append(context, PROCESS.id, [released])
    final = await statement(context, settlement, ("csv",))
    assert final.report_id != early.report_id
    assert final.totals == early.totals


async def test_nothing_is_made_of_figures_that_do_not_tie(context: Context) -> None:
    await take_sales(context, PROCESS.id, LINES)
    settlement = await settle(context, PROCESS.id, LINES, released=False, counted=1)
    position = await context.ledger.last_position()
    with pytest.raises(TotalsDifferError, match="net_cents"):
        await statement(context, settlement)
    assert await context.ledger.last_position() == position


async def test_what_cannot_be_reported_about_is_said(context: Context, settled: str) -> None:
    with pytest.raises(SubjectError, match="no settlement 'contour:2026-W40:1'"):
        await statement(context, "contour:2026-W40:1")
    with pytest.raises(UnknownProcessError):
        await make(context, "nobody", ReportKind.SETTLEMENT, settled, FORMS, ANN)
    many = settled_lines(101, seed=2)
    other = await settle(context, PROCESS.id, many, cycle="2026-W48")
    with pytest.raises(TooManyLinesError, match="101 lines are more than a report has"):
        await statement(context, other)


# The outbox


async def fed(context: Context, url: str, batch: int = 1_000) -> None:
    settings = RunnerSettings(batch, linger_seconds=0.0, idle_seconds=0.01)
    await ProjectionRunner(context.ledger, url, [Outbox()], settings).catch_up()


@pytest.fixture
async def reading(database_url: str) -> AsyncIterator[Reading]:
    async with Reading(database_url, connections=1) as opened:
        yield opened


def made_event(number: int, to: tuple[str, ...] = ()) -> ReportMade:
    return ReportMade(
        at=MADE_AT + timedelta(minutes=number // 2),
        by="finance",
        process="contour" if number % 2 else "ipay",
        report_id=f"r{number:02}",
        report=ReportKind.MATCHED,
        subject="2026-11-22",
        files=(),
        totals={"amount_cents": number},
        position=number,
        to=to,
    )


async def test_the_outbox_is_read_page_by_page_newest_first(
    context: Context, database_url: str, reading: Reading
) -> None:
    for number in range(7):
        event = made_event(number)
        await context.ledger.append(report_stream(event.report_id), 0, [event])
    await fed(context, database_url)

    async def names(wanted: OutboxFilter, limit: int) -> list[list[str]]:
        found: list[list[str]] = []
        mark: str | None = None
        while True:
            cursor = cursor_of(mark, KEYS) if mark else None
            page = await reports(reading, wanted, cursor=cursor, limit=limit)
            found.append([row.report_id for row in page.rows])
            mark = page.later
            if mark is None:
                return found

    assert await names(OutboxFilter(), 3) == [["r06", "r05", "r04"], ["r03", "r02", "r01"], ["r00"]]
    assert await names(OutboxFilter(process="contour"), 2) == [["r05", "r03"], ["r01"]]
    assert await names(OutboxFilter(kind="VAT"), 2) == [[]]
    since = MADE_AT + timedelta(minutes=2)
    assert await names(OutboxFilter(since=since), 9) == [["r06", "r05", "r04"]]
    assert await names(OutboxFilter(until=since), 9) == [["r03", "r02", "r01", "r00"]]
    row = await report(reading, "r03")
    assert isinstance(row, ReportRow)
    assert (row.totals, row.position, row.made_at) == (
        {"amount_cents": 3},
        3,
        MADE_AT + timedelta(minutes=1),
    )
    assert await report(reading, "none") is None
    async with snapshot(context) as moment, moment.connection() as connection:
        found = await latest_of(connection, "contour", "MATCHED", "2026-11-22")
        assert found == ("r05", MADE_AT + timedelta(minutes=2))
        assert await latest_of(connection, "contour", "VAT", "2026-11-22") is None


async def test_a_delivery_is_due_until_it_is_sent_or_given_up(
    context: Context, database_url: str, reading: Reading
) -> None:
    event = made_event(1, to=("a@example.org", "b@example.org", "sftp://host/in"))
    stream = report_stream("r01")
    await context.ledger.append(stream, 0, [event])
    await fed(context, database_url)

    async def due(minutes: int) -> list[str]:
        async with reading.connection() as connection:
            now = event.at + timedelta(minutes=minutes)
            return [to for _, to in await deliveries_due(connection, now, 10)]

    assert await due(-1) == []
    assert await due(0) == ["a@example.org", "b@example.org", "sftp://host/in"]

    def failed(to: str, attempt: int, minutes: int) -> ReportNotSent:
        at = event.at + timedelta(minutes=minutes)
        return ReportNotSent(
            at=at,
            report_id="r01",
            to=to,
            attempt=attempt,
            reason="refused",
            next_attempt_at=None if attempt == 2 else at + timedelta(minutes=5),
            final=attempt == 2,
        )

    sent = ReportSent(at=event.at, report_id="r01", to="a@example.org")
    later = [sent, failed("b@example.org", 1, 1), failed("sftp://host/in", 1, 2)]
    await context.ledger.append(stream, 1, later)
    await fed(context, database_url)
    assert await due(5) == []
    assert await due(6) == ["b@example.org"]
    assert await due(7) == ["b@example.org", "sftp://host/in"]
    await context.ledger.append(stream, 4, [failed("b@example.org", 2, 6)])
    await fed(context, database_url)
    assert await due(60) == ["sftp://host/in"]

    told = {row.recipient: row for row in await deliveries(reading, "r01")}
    assert {name: row.status for name, row in told.items()} == {
        "a@example.org": "SENT",
        "b@example.org": "GIVEN_UP",
        "sftp://host/in": "PENDING",
    }
    assert (told["b@example.org"].attempts, told["b@example.org"].reason) == (2, "refused")
    assert told["a@example.org"].sent_at == event.at
    row = await report(reading, "r01")
    assert row is not None
    assert (row.pending, row.sent, row.given_up) == (1, 1, 1)
    page = await reports(reading, OutboxFilter(not_delivered=True), limit=5)
    assert [found.report_id for found in page.rows] == ["r01"]


async def outbox_rows(url: str, schema: str) -> list[Any]:
    found: list[Any] = []
    connection = await connect(url)
    async with connection:
        for table in ("report", "delivery"):
            query = sql.SQL("SELECT to_jsonb(t) FROM {}.{} AS t ORDER BY 1").format(
                sql.Identifier(schema), sql.Identifier(table)
            )
            found += await (await connection.execute(query)).fetchall()
    return found


async def test_the_outbox_is_the_same_built_anew_and_in_batches_of_any_size(
    context: Context, database_url: str
) -> None:
    at = MADE_AT
    for number in range(6):
        recipients = ("a", "b")[: number % 3]
        event = made_event(number, to=recipients)
        events: list[Any] = [event]
        for to in recipients:
            events += [
                ReportNotSent(at=at, report_id=event.report_id, to=to, attempt=attempt, reason="r")
                for attempt in range(1, number)
            ]
            if number > 3:
                events += [ReportSent(at=at, report_id=event.report_id, to=to)] * 2
        await context.ledger.append(report_stream(event.report_id), 0, events)
        await fed(context, database_url, batch=1 + number)
    live = await outbox_rows(database_url, schema_of("outbox"))
    assert len(live) == 6 + 6
    connection = await connect(database_url)
    async with connection:
        for batch in (1, 3, 1_000):
            schema = f"fresh_{batch}"
            settings = RunnerSettings(batch)
            runner = ProjectionRunner(context.ledger, database_url, [Outbox()], settings)
            await runner.build(connection, Outbox(), schema)
            assert await outbox_rows(database_url, schema) == live
