"""The books of all processes: files in, matching, settlements, reports, files done with, each when
it is due. What was done is read from the read models, brought up to the ledger's end at each look;
so a worker that starts anew goes on where the last one ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from functools import partial

from domain.operator import Actor
from domain.outbox import ReportKind
from domain.settlement import SettlementRequested
from finance.context import Connection, Context
from finance.inbox.due import due as due_files
from finance.inbox.finalize import finalize
from finance.inbox.load import load
from finance.inbox.withdraw import withdraw
from finance.process.process import ReconciliationProcess
from finance.process.report import ReportOrder
from finance.recon.run import run
from finance.report.make import make
from finance.schedule import CATCH_UP_MAX, LastDone, due, moments
from finance.settle.settle import prepare, prepare_requested
from finance.work.jobs import Jobs
from projections.finance_work import ProcessWork, work_of
from projections.finance_work_search import Order, settlements_without, subjects
from projections.inbox_search import Task
from projections.settlements_search import RequestRow, waiting_requests

SCHEDULE = Actor("schedule", comment="by the process's calendar")
"""Who does what nobody asked for."""
REPORTED_MAX = 1_000
LOOK_SECONDS = 0.05
"""How often it is seen whether the read models have come to the ledger's end."""

_READ = ("inbox", "finance_work", "outbox", "settlements")

Job = tuple[str, Callable[[], Awaitable[object]]]


class NotCaughtUpError(TimeoutError):
    """The read models are too far behind to tell what is due."""


class Books:
    """Everything that one worker has to do but for fetching and sending files."""

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._jobs = jobs
        # Only what saves work: a worker that starts anew has none of it.
        self._matched: dict[str, int] = {}
        """The change (its position) that was last matched, by process."""
        self._finalized: dict[str, tuple[object, ...]] = {}
        self._reported: dict[str, None] = {}
        """Reports made, in case the outbox does not show them as their order's."""
        self._quiet: dict[str, tuple[object, ...]] = {}
        """How things stood when nothing was due."""

    async def look(self) -> None:
        """Does what is due now. Raises NotCaughtUpError, and what the ledger and the database
        raise; a job that fails is told of, and does not end the look."""
        await self._read_models_at_end()
        for job in await self._file_jobs():
            await self._jobs.attempt(*job)
        async with self._context.connect() as connection:
            works = await work_of(connection)
            requests = await waiting_requests(connection)
        for request in requests:
            if request.process in self._context.processes:
                await self._jobs.attempt(*self._asked(request))
        for process in self._context.processes.values():
            work = works.get(process.id, ProcessWork(process=process.id))
            await self._jobs.attempt(f"look at {process.id}", partial(self._look_at, process, work))

    async def _file_jobs(self) -> list[Job]:
        context = self._context
        done = {Task.LOAD: load, Task.WITHDRAW: withdraw}
        return [
            (
                f"{one.task.value.lower()} {one.file_id}",
                partial(done[one.task], context, one.file_id),
            )
            for one in await due_files(context)
            if one.process in context.processes
        ]

    def _asked(self, row: RequestRow) -> Job:
        request = SettlementRequested(
            at=row.requested_at,
            process=row.process,
            cycle=row.cycle,
            by=row.requested_by,
            role=row.role,
            address=row.address,
            page=row.page,
            comment=row.comment,
        )
        name = f"settle {row.process} {row.cycle} for {row.requested_by}"
        return name, partial(prepare_requested, self._context, request)

    async def _look_at(self, process: ReconciliationProcess, work: ProcessWork) -> None:
        """One process: all that is due there, as it stood when the look began."""
        now = self._context.clock()
        standing = (work, self._matched.get(process.id), moments(process, now))
        if self._quiet.get(process.id) == standing:
            return
        async with self._context.connect() as connection:
            last = LastDone(work.matched, work.settled, await _reported(connection, process))
            statements = await _statements(connection, process)
        found = due(process, last, now)
        match = self._match(process, work, found.match)
        settle = [self._settle(process, cycle) for cycle in found.settle]
        wanted = [*statements, *((one.order, one.subject) for one in found.reports)]
        report = [job for order, subject in wanted for job in self._report(process, order, subject)]
        finish = self._finalize(process, work)
        for job in match:
            await self._jobs.attempt(*job)
        for job in settle:
            if not await self._jobs.attempt(*job):
                break  # a later cycle would take in the sales of this one
        for job in (*report, *finish):
            await self._jobs.attempt(*job)
        if not (match or settle or report or finish):
            self._quiet[process.id] = standing

    def _match(
        self, process: ReconciliationProcess, work: ProcessWork, as_of: date | None
    ) -> list[Job]:
        """A run when one is due, or something changed since the last one; and once at the start,
        for the last worker may have died in the middle of one."""
        changed = work.changed_position or 0
        if as_of is None and self._matched.get(process.id, -1) >= changed:
            return []
        date_ = as_of or work.matched
        assert date_ is not None, "what was never matched is due"

        async def matched() -> None:
            await run(self._context, process.id, date_)
            self._matched[process.id] = changed
            self._finalized.pop(process.id, None)

        return [(f"match {process.id} as of {date_}", matched)]

    def _settle(self, process: ReconciliationProcess, cycle: str) -> Job:
        return (
            f"settle {process.id} {cycle}",
            partial(prepare, self._context, process.id, cycle, SCHEDULE),
        )

    def _report(
        self, process: ReconciliationProcess, order: ReportOrder, subject: str
    ) -> list[Job]:
        known = _known(process, order)
        name = f"report {known.kind} of {process.id} about {subject} for {', '.join(known.to)}"
        if name in self._reported:
            return []

        async def reported() -> None:
            kind, forms, to = order.report, known.forms, known.to
            await make(self._context, process.id, kind, subject, forms, SCHEDULE, to)
            self._reported[name] = None
            if len(self._reported) > REPORTED_MAX:
                self._reported.pop(next(iter(self._reported)))

        return [(name, reported)]

    def _finalize(self, process: ReconciliationProcess, work: ProcessWork) -> list[Job]:
        """After a run and after a release: nothing else ends a file's last record."""
        standing = (work.released_position,)
        if self._finalized.get(process.id) == standing:
            return []

        async def finalized() -> None:
            await finalize(self._context, process.id)
            self._finalized[process.id] = standing

        return [(f"finalize files of {process.id}", finalized)]

    async def _read_models_at_end(self) -> None:
        """Waits until what is due can be told: otherwise it might be done twice."""
        end = await self._context.ledger.last_position()
        try:
            async with (
                asyncio.timeout(self._context.settings.caught_up_seconds),
                self._context.connect() as connection,
            ):
                while await _behind(connection, end):  # noqa: ASYNC110 (fed elsewhere)
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            raise NotCaughtUpError(f"the read models have not come to event {end} yet") from None


async def _behind(connection: Connection, end: int) -> bool:
    cursor = await connection.execute(
        "SELECT count(*) FROM projections.cursor WHERE name = ANY(%s) AND position >= %s",
        (list(_READ), end),
    )
    row = await cursor.fetchone()
    return row is None or row[0] < len(_READ)


def _known(process: ReconciliationProcess, order: ReportOrder) -> Order:
    # There is but one form of an extract.
    forms = ("csv",) if order.report is ReportKind.EXTRACT else order.forms
    return Order(process.id, order.report.value, forms, order.to)


async def _reported(
    connection: Connection, process: ReconciliationProcess
) -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    for place, order in enumerate(process.reports):
        if order.report is not ReportKind.SETTLEMENT:
            known = _known(process, order)
            found[place] = await subjects(connection, known, order.about.value, CATCH_UP_MAX)
    return found


async def _statements(
    connection: Connection, process: ReconciliationProcess
) -> Sequence[tuple[ReportOrder, str]]:
    """Settlements whose statement is to be made, with the order for it."""
    found: list[tuple[ReportOrder, str]] = []
    for order in process.reports:
        if order.report is ReportKind.SETTLEMENT:
            without = await settlements_without(connection, _known(process, order))
            found += [(order, name) for name in without]
    return found
