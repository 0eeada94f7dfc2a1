"""The finance worker: one process that does by itself what is due.

Any number may be started on a database; one works, the others wait for it to end.
"""

import asyncio
from collections.abc import Callable

import psycopg
import structlog

from finance.context import Context
from finance.inbox.inbox import Inbox
from finance.inbox.pickup import PickupPlace, pickup_places
from finance.report.deliver import deliver_due
from finance.report.mail_settings import MailSettings
from finance.work.books import Books
from finance.work.jobs import Jobs, keep
from finance.work.lock import watch, work_lock
from projections.runner import ProjectionRunner

_log = structlog.get_logger(__name__)

Announce = Callable[[bool], None]
"""Called with whether this worker works (True) or waits for another (False), at each change."""


class Worker:
    """`runner` feeds the read models of finance, whoever works. `mail` None: no mail is sent."""

    def __init__(
        self, context: Context, runner: ProjectionRunner, mail: MailSettings | None
    ) -> None:
        self._context = context
        self._runner = runner
        self._mail = mail
        self._works: bool | None = None

    async def run(self, announce: Announce = lambda _works: None) -> None:
        """Works until it is cancelled; what is under way then is left as a crash would leave it,
        and taken up at the next start."""
        await self._runner.set_up()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._runner.run(), name="read models of finance")
            group.create_task(self._keep_working(announce), name="finance work")

    async def _keep_working(self, announce: Announce) -> None:
        seconds = self._context.settings.scan_seconds
        while True:
            try:
                await self._work(announce)
            except* (psycopg.Error, OSError) as lost:
                reasons = "; ".join(str(error) for error in lost.exceptions)
                _log.warning("the worker pauses: it lost the database", reason=reasons)
            self._tell(announce, works=False)
            await asyncio.sleep(seconds)

    def _tell(self, announce: Announce, *, works: bool) -> None:
        if works is not self._works:
            self._works = works
            announce(works)

    async def _work(self, announce: Announce) -> None:
        """Everything, for as long as the lock is held."""
        context, settings = self._context, self._context.settings
        jobs = Jobs(context.clock, settings.scan_seconds)
        books = Books(context, jobs)
        gate = asyncio.Semaphore(settings.pickups_at_once)

        async def pick_up(place: PickupPlace) -> None:
            async with gate:
                await place.look()

        async with work_lock(
            context.connect, settings.scan_seconds, lambda: self._tell(announce, works=False)
        ) as held:
            self._tell(announce, works=True)
            async with asyncio.TaskGroup() as group:
                group.create_task(watch(held, settings.scan_seconds))
                group.create_task(
                    keep(jobs, "look at the books", settings.scan_seconds, books.look)
                )
                group.create_task(
                    keep(
                        jobs,
                        "send reports",
                        settings.scan_seconds,
                        lambda: deliver_due(context, self._mail),
                    )
                )
                for place in pickup_places(context, Inbox(context)):
                    name = f"pick up for {place.process.id} at {place.pickup.place.address}"
                    every = place.pickup.every_seconds
                    group.create_task(keep(jobs, name, every, lambda place=place: pick_up(place)))
