"""What is due, as the worker reads it: the small read model, and what the outbox says of orders."""

import random
from datetime import UTC, date, datetime

import pytest

from domain.event import Event
from domain.outbox import ReportFile, ReportKind, ReportMade, report_stream
from domain.reconciliation import (
    DecisionApproved,
    FileAdmitted,
    FileWithdrawn,
    RunCounts,
    RunFinished,
    process_stream,
)
from domain.record import Side
from domain.settlement import (
    Counterparty,
    SettlementDiscarded,
    SettlementPrepared,
    SettlementReady,
    SettlementReleased,
    Totals,
)
from finance.context import Context
from ledger import Ledger
from projections.finance_work import FinanceWork, ProcessWork, work_of
from projections.finance_work_search import Order, settlements_without, subjects
from projections.outbox import Outbox
from projections.projection import schema_of
from projections.runner import ProjectionRunner, RunnerSettings
from projections.settlements import Settlements
from tests.finance_context import finance_context

AT = datetime(2026, 11, 24, 6, tzinfo=UTC)


@pytest.fixture
async def context(ledger: Ledger, database_url: str) -> Context:
    return await finance_context(ledger, database_url, [])


def ran(run: int, as_of: str, process: str = "p") -> RunFinished:
    return RunFinished(at=AT, process=process, run=run, as_of=as_of, counts=RunCounts())


def admitted(file: int, process: str = "p") -> FileAdmitted:
    return FileAdmitted(
        at=AT,
        process=process,
        file=file,
        file_id=f"f{file}",
        side=Side.THEIRS,
        records=0,
        frames=(),
    )


def prepared(cycle: str, process: str = "p") -> SettlementPrepared:
    return SettlementPrepared(
        at=AT,
        by="schedule",
        process=process,
        settlement_id=f"{process}:{cycle}:1",
        cycle=cycle,
        until=cycle,
        settings_sha256="",
        counterparty=Counterparty.PROVIDER,
        party=process,
    )


def ready(cycle: str, process: str = "p") -> SettlementReady:
    name = f"{process}:{cycle}:1"
    return SettlementReady(at=AT, process=process, settlement_id=name, totals=Totals())


def released(cycle: str, process: str = "p") -> SettlementReleased:
    name = f"{process}:{cycle}:1"
    return SettlementReleased(at=AT, by="mia", process=process, settlement_id=name)


async def append(context: Context, *events: Event, process: str = "p") -> int:
    """The position of the last of them."""
    stream = process_stream(process)
    known = await context.ledger.read(stream)
    return (await context.ledger.append(stream, len(known), events))[-1].position


async def work(context: Context, runner: ProjectionRunner, process: str = "p") -> ProcessWork:
    await runner.catch_up()
    async with context.connect() as connection:
        return (await work_of(connection))[process]


async def test_a_change_waits_for_the_next_run(
    context: Context, ledger: Ledger, database_url: str
) -> None:
    runner = ProjectionRunner(ledger, database_url, [FinanceWork()])
    position = await append(context, admitted(1))
    assert (await work(context, runner)).changed_position == position
    await append(context, ran(1, "2026-11-22"))
    row = await work(context, runner)
    assert (row.matched, row.changed_position) == (date(2026, 11, 22), None)
    approved = DecisionApproved(at=AT, by="mia", process="p", decision_id="d")
    assert (await append(context, approved)) == (await work(context, runner)).changed_position


async def test_a_settlement_counts_when_it_is_ready_also_if_it_is_discarded(
    context: Context, ledger: Ledger, database_url: str
) -> None:
    runner = ProjectionRunner(ledger, database_url, [FinanceWork()])
    await append(context, prepared("2026-11-22"))
    assert (await work(context, runner)).settled is None, "it may be cut off"
    discarded = SettlementDiscarded(
        at=AT, by="mia", process="p", settlement_id="p:2026-11-22:1", comment="wrong"
    )
    await append(context, ready("2026-11-22"), discarded)
    assert (await work(context, runner)).settled == date(2026, 11, 22)


async def test_it_equals_a_fresh_rebuild_however_it_was_cut(
    context: Context, ledger: Ledger, database_url: str
) -> None:
    chance = random.Random(5)
    runner = ProjectionRunner(ledger, database_url, [FinanceWork()], RunnerSettings(batch=3))
    for number in range(1, 60):
        process = chance.choice("pq")
        cycle = f"2026-11-{chance.randrange(1, 28):02}"
        event = chance.choice(
            [
                ran(number, cycle, process),
                admitted(number, process),
                FileWithdrawn(at=AT, process=process, file=1, file_id="f1"),
                prepared(cycle, process),
                ready(cycle, process),
                released(cycle, process),
            ]
        )
        await append(context, event, process=process)
        if chance.random() < 0.2:
            await runner.catch_up()
    await runner.catch_up()
    async with context.connect() as connection:
        live = await work_of(connection)
        assert set(live) == {"p", "q"}
        await runner.build(connection, FinanceWork(), "fresh")
        query = "SELECT * FROM {}.work ORDER BY process"
        rows = [
            await (await connection.execute(query.format(schema).encode())).fetchall()
            for schema in ("fresh", schema_of(FinanceWork.name))
        ]
    assert rows[0] == rows[1]


async def report(context: Context, kind: ReportKind, subject: str, form: str, *to: str) -> None:
    name = f"{kind.value}-{subject}-{form}-{len(to)}"
    made = ReportMade(
        at=AT,
        by="schedule",
        process="p",
        report_id=name,
        report=kind,
        subject=subject,
        files=(ReportFile(form, f"{name}.{form}", "", 0, ()),),
        totals={},
        position=0,
        to=to,
    )
    await context.ledger.append(report_stream(name), 0, [made])


async def test_an_order_is_known_by_its_forms_and_recipients(
    context: Context, ledger: Ledger, database_url: str
) -> None:
    runner = ProjectionRunner(ledger, database_url, [Outbox(), Settlements()])
    await report(context, ReportKind.MATCHED, "2026-11-21", "csv", "a@x", "b@x")
    await report(context, ReportKind.MATCHED, "2026-11-22", "csv", "b@x", "a@x")
    await report(context, ReportKind.MATCHED, "2026-11-23", "csv", "a@x")
    await report(context, ReportKind.MATCHED, "2026-W47", "csv", "a@x", "b@x")
    await runner.catch_up()

    async def about(form: str, *to: str, cycle: str = "DAILY", limit: int = 9) -> list[str]:
        async with context.connect() as connection:
            order = Order("p", "MATCHED", [form], to)
            return sorted(await subjects(connection, order, cycle, limit))

    assert await about("csv", "a@x", "b@x") == ["2026-11-21", "2026-11-22"]
    assert await about("csv", "a@x", "b@x", limit=1) == ["2026-11-22"]
    assert await about("csv", "a@x") == ["2026-11-23"]
    assert await about("csv", "b@x", "a@x", cycle="WEEKLY") == ["2026-W47"]
    assert await about("pdf", "a@x") == []
    assert await about("csv") == []


async def test_each_release_has_a_statement_and_new_recipients_get_only_the_latest(
    context: Context, ledger: Ledger, database_url: str
) -> None:
    runner = ProjectionRunner(ledger, database_url, [Outbox(), Settlements()])
    order = Order("p", "SETTLEMENT", ["pdf"], ["a@x"])

    async def without() -> list[str]:
        await runner.catch_up()
        async with context.connect() as connection:
            return await settlements_without(connection, order)

    assert await without() == []
    for day in ("2026-11-20", "2026-11-21"):
        await append(context, prepared(day), ready(day), released(day))
    await append(context, prepared("2026-11-22"), ready("2026-11-22"))
    assert await without() == ["p:2026-11-21:1"]
    await report(context, ReportKind.SETTLEMENT, "p:2026-11-21:1", "pdf", "a@x")
    assert await without() == []
    await append(context, released("2026-11-22"))
    for day in ("2026-11-23", "2026-11-24"):
        await append(context, prepared(day), ready(day), released(day))
    await report(context, ReportKind.SETTLEMENT, "p:2026-11-23:1", "pdf", "a@x")
    assert await without() == ["p:2026-11-22:1", "p:2026-11-24:1"], "one that failed is not lost"
