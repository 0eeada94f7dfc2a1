"""The worker: files in, matched, settled, reported, sent and finalized, with people only where
people are needed; one at a time; and nothing twice after it died."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import psycopg
import pytest

from domain.event import Event
from domain.inbox import FileFinalized
from domain.operator import Actor
from domain.outbox import ReportKind, ReportMade, ReportSent
from domain.reconciliation import RunFinished
from domain.settlement import SettlementPrepared, SettlementReady
from finance.context import Context
from finance.process.layout import Layout
from finance.process.pickup import Pickup, Place
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.process.report import ReportOrder
from finance.settings import FinanceSettings
from finance.settle.releasing import Releasing
from finance.work import books
from finance.work.books import Books
from finance.worker import Worker
from ledger import Ledger
from projections.finance_catalogue import finance_models
from projections.runner import ProjectionRunner, RunnerSettings
from tests.finance_context import finance_context
from tests.mail_server import MailServer, mail_server
from tests.scripted_provider import CONFIRMS_AND_REVERSES, ScriptedProvider
from tests.switchboard import Switchboard, TestClock
from tests.transfer_servers import sftp_server

E = TypeVar("E", bound=Event)

WAIT_SECONDS = 30.0
TO = "anna@a.example"
MIA = Actor("mia", "finance_approver")
SUNDAY, MONDAY = datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 3, 2, 7, tzinfo=UTC)
LAYOUT = Layout(
    columns={"transaction_id": "id", "transaction_time": "time", "amount_minor": "cents"},
    constants={"message_type": "PURCHASE", "transaction_state": "APPROVED", "currency": "710"},
)
STATEMENT = ReportOrder(report=ReportKind.SETTLEMENT, forms=("csv",), mail=(TO,))


class Clock:
    """Ticks at each look at it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=10)
        return self.now


@dataclass(frozen=True)
class Scene:
    context: Context
    database_url: str
    folder: Path
    mails: MailServer
    clock: Clock

    def drop(self, name: str, *purchases: str) -> None:
        lines = [f"{one},2026-03-01T08:00:00Z,10000\r\n" for one in purchases]
        (self.folder / name).write_text("id,time,cents\r\n" + "".join(lines))

    @asynccontextmanager
    async def working(self, context: Context | None = None) -> AsyncGenerator[list[bool]]:
        """A worker, for as long as it is held; what it announced."""
        context = context or self.context
        settings = RunnerSettings(linger_seconds=0.01, idle_seconds=0.05)
        runner = ProjectionRunner(context.ledger, self.database_url, finance_models(), settings)
        announced: list[bool] = []
        task = asyncio.create_task(
            Worker(context, runner, self.mails.settings()).run(announced.append)
        )
        try:
            yield announced
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def events(self, kind: type[E]) -> list[E]:
        recorded = await self.context.ledger.read_all(0, 10_000, [kind])
        return [entry.event for entry in recorded if isinstance(entry.event, kind)]

    async def until(self, kind: type[E], wanted: Callable[[E], bool] = lambda _event: True) -> E:
        """The first such event, once it is there."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                for event in await self.events(kind):
                    if wanted(event):
                        return event
                await asyncio.sleep(0.02)


def process(place: Place) -> ReconciliationProcess:
    return ReconciliationProcess(
        id="a",
        name="A",
        kind=ProcessKind.PROVIDER,
        party="a",
        layout=LAYOUT,
        pickup=(Pickup(place=place, every_seconds=0.05),),
        reports=(
            STATEMENT,
            ReportOrder(
                report=ReportKind.EXTRACT,
                places=(msgspec.structs.replace(place, folder="out/{date}"),),
            ),
        ),
    )


@pytest.fixture
async def scene(ledger: Ledger, database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """Two purchases on a Sunday; finance begins on Monday at nine, where the parties are."""
    test_clock = TestClock()
    test_clock.now = SUNDAY
    board = Switchboard(
        test_clock, [ScriptedProvider("a", test_clock, CONFIRMS_AND_REVERSES)], log=ledger
    )
    await board.open()
    await board.look_up("l1")
    for purchase in ("p1", "p2"):
        await board.buy(purchase)
    await board.close()
    clock = Clock(MONDAY)
    settings = FinanceSettings(scan_seconds=0.05, caught_up_seconds=20, conflicts_max=50)
    async with sftp_server(tmp_path) as place, mail_server() as mails:
        context = await finance_context(
            ledger, database_url, [process(place)], clock=clock, settings=settings
        )
        yield Scene(context, database_url, tmp_path / "root/in", mails, clock)


async def test_a_day_runs_by_itself_but_for_the_release(scene: Scene) -> None:
    async with scene.working() as announced:
        await scene.until(RunFinished, lambda run: run.counts.unmatched_ours == 2)
        ready = await scene.until(SettlementReady)
        assert ready.totals.sales == 0, "nothing was matched when Sunday was to be settled"
        await Releasing(scene.context).release(ready.settlement_id, MIA)
        await scene.until(ReportSent, lambda sent: sent.to == TO)

        scene.drop("markoff.csv", "p1", "p2")
        run = await scene.until(RunFinished, lambda run: run.counts.matched == 2)
        assert run.as_of == "2026-03-01", "a file that comes late is matched when it comes"

        scene.clock.now += timedelta(days=1)
        later = await scene.until(SettlementReady, lambda one: one.totals.sales == 2)
        assert later.totals.principal_cents == 20_000
        assert later.settlement_id == "a:2026-03-02:1"
        await Releasing(scene.context).release(later.settlement_id, MIA)
        await scene.until(FileFinalized)
        out = scene.folder.parent / "out"
        await until(lambda: len(scene.mails.got) == 2 and len(list(out.glob("*/*.csv"))) == 2)
    assert announced == [True]
    assert [one.by for one in await scene.events(SettlementPrepared)] == ["schedule"] * 2
    assert scene.mails.recipients == [TO, TO]
    made = await scene.events(ReportMade)
    assert sorted(one.subject for one in made) == [
        "2026-03-01",
        "2026-03-02",
        "a:2026-03-01:1",
        "a:2026-03-02:1",
    ]
    (extract,) = (scene.folder.parent / "out/2026-03-01").iterdir()
    lines = extract.read_text().splitlines()
    assert [line.split(",")[1] for line in lines] == ["8.3", "p1", "p2"]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds():  # noqa: ASYNC110 (it is others that change it)
            await asyncio.sleep(0.02)


async def looked(monkeypatch: pytest.MonkeyPatch, times: int) -> asyncio.Event:
    """Set once a worker has looked at its books so often."""
    done, look = asyncio.Event(), Books.look
    count = 0

    async def counted(self: Books) -> None:
        nonlocal count
        await look(self)
        count += 1
        if count >= times:
            done.set()

    monkeypatch.setattr(Books, "look", counted)
    return done


async def test_a_worker_that_starts_anew_does_nothing_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.drop("markoff.csv", "p1", "p2")
    async with scene.working():
        await scene.until(RunFinished, lambda run: run.counts.matched == 2)
        ready = await scene.until(SettlementReady)
        await Releasing(scene.context).release(ready.settlement_id, MIA)
        await scene.until(ReportSent, lambda sent: sent.to == TO)
        await scene.until(ReportSent, lambda sent: sent.to != TO)
    before = await scene.context.ledger.last_position()
    done = await looked(monkeypatch, 5)
    async with scene.working(), asyncio.timeout(WAIT_SECONDS):
        await done.wait()
    fresh = await scene.context.ledger.read_all(before, 100)
    kinds = {type(entry.event) for entry in fresh}
    assert kinds <= {FileFinalized}, "what the first one did not come to"
    assert len(scene.mails.got) == 1


async def test_one_worker_works_and_the_next_one_takes_over(scene: Scene) -> None:
    async with scene.working() as first:
        await scene.until(RunFinished)
        async with scene.working() as second:
            await until(lambda: bool(second))
            assert (first, second) == ([True], [False])
            await lose_the_lock(scene.database_url)
            await until(lambda: len(first) >= 2 and True in (first[-1], second[-1]))
            works = [announced[-1] for announced in (first, second)]
            assert sorted(works) == [False, True], "again one of them"


async def lose_the_lock(database_url: str) -> None:
    """What a restart of the database does to whoever works."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l WHERE l.locktype = 'advisory'"
            " AND l.classid = 7368821 AND l.objid = 20 AND l.granted"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )


async def test_what_fails_stops_nothing_else_and_is_done_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = msgspec.structs.replace(
        scene.context.processes["a"], id="b", name="B", party="b", pickup=()
    )
    context = replace(scene.context, processes={"b": broken, **scene.context.processes})
    failures = 3
    run = books.run

    async def sometimes(context: Context, process_id: str, as_of: date) -> RunFinished:
        nonlocal failures
        if process_id == "b" and failures > 0:
            failures -= 1
            raise RuntimeError("a fault of ours")
        return await run(context, process_id, as_of)

    monkeypatch.setattr(books, "run", sometimes)
    async with scene.working(context):
        await scene.until(RunFinished, lambda run: run.process == "a")
        await scene.until(SettlementReady, lambda one: one.process == "a")
        await scene.until(RunFinished, lambda run: run.process == "b")
    assert failures == 0
