"""Sending reports to whom they are for, at least once each.

What dies after a report was sent and before that is in the ledger sends it again: a mail then has
the same Message-ID, and a file on a server is found there as it is.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import structlog

from domain.event import Event
from domain.outbox import Report, ReportFile, ReportMade, ReportNotSent, ReportSent, report_stream
from finance.calendar import cycle_dates
from finance.context import Context
from finance.process.pickup import Place
from finance.report.mail import MailError, report_mail, send
from finance.report.mail_settings import MailSettings
from finance.transfer.opening import open_store
from finance.transfer.store import AlreadyThereError, Store, TransferError
from projections.outbox_search import deliveries_due

_log = structlog.get_logger(__name__)


class DeliveryError(Exception):
    """It was not delivered. `final`: trying again would not help."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


async def deliver_due(context: Context, mail: MailSettings | None) -> int:
    """Tries what the outbox has due now, settings.deliveries_max at most and a few at once; returns
    how many were tried. Raises what the ledger and the database raise."""
    async with context.connect() as connection:
        due = await deliveries_due(connection, context.clock(), context.settings.deliveries_max)
    delivery = Delivery(context, mail)
    gate = asyncio.Semaphore(context.settings.deliveries_at_once)

    async def one(report_id: str, to: str) -> bool:
        async with gate:
            return await delivery.attempt(report_id, to)

    attempts = (one(report_id, to) for report_id, to in due)
    # All of them end before an error of one goes on: what was sent is to be in the ledger.
    ended = await asyncio.gather(*attempts, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, BaseException):
            raise outcome
    return ended.count(True)


@dataclass(frozen=True)
class Delivery:
    """Sends one report to one recipient at a time. `mail` None: no mail server is set."""

    context: Context
    mail: MailSettings | None

    async def attempt(self, report_id: str, to: str) -> bool:
        """One attempt, if it is due by the report's own events; whether there was one. Its outcome
        is in the ledger on return."""
        stream = report_stream(report_id)
        state = await self.context.state(stream, Report())
        made = state.made
        if made is None or not state.is_due(to, self.context.clock()):
            return False
        failure: DeliveryError | None = None
        try:
            await self._send(made, to)
        except DeliveryError as error:
            failure = error

        def outcome(now: Report) -> Sequence[Event]:
            if to in now.sent | now.given_up:
                return []
            return [self._outcome(now, report_id, to, failure)]

        await self.context.decide(stream, state, outcome)
        if failure is not None:
            _log.warning("a report was not sent", report=report_id, to=to, reason=str(failure))
        return True

    def _outcome(
        self, state: Report, report_id: str, to: str, failure: DeliveryError | None
    ) -> Event:
        at = self.context.clock()
        if failure is None:
            return ReportSent(at=at, report_id=report_id, to=to)
        settings = self.context.settings
        attempt = state.attempts.get(to, 0) + 1
        final = failure.final or attempt >= settings.send_attempts_max
        pause = min(settings.send_first_seconds * 2 ** (attempt - 1), settings.send_last_seconds)
        return ReportNotSent(
            at=at,
            report_id=report_id,
            to=to,
            attempt=attempt,
            reason=str(failure),
            next_attempt_at=None if final else at + timedelta(seconds=pause),
            final=final,
        )

    async def _send(self, made: ReportMade, to: str) -> None:
        """Raises DeliveryError."""
        if "://" not in to:
            await self._send_mail(made, to)
            return
        place = self._place(made.process, to)
        if place is None:
            raise DeliveryError("the settings have no such place any more", final=True)
        try:
            place = place.of_date(last_date(made))
            async with open_store(place, self.context.settings.transfer_seconds) as store:
                for file in made.files:
                    await self._put(store, file)
        except TransferError as error:
            raise DeliveryError(str(error)) from None

    async def _put(self, store: Store, file: ReportFile) -> None:
        try:
            await store.write(file.file_name, self._content(file))
        except AlreadyThereError:
            if await _sha256(store.read_named(file.file_name)) != file.content:
                raise

    async def _send_mail(self, made: ReportMade, to: str) -> None:
        if self.mail is None:
            raise DeliveryError("no mail server is set")
        settings = self.context.settings
        process = self.context.processes.get(made.process)
        name = process.name if process is not None else made.process
        try:
            attached = [
                (file, b"".join([part async for part in self._content(file)]))
                for file in files_that_fit(made.files, settings.mail_bytes_max)
            ]
            mail = report_mail(made, to, attached, self.mail.sender, name)
        except ValueError as error:
            raise DeliveryError(str(error), final=True) from None
        try:
            await send(mail, self.mail, settings.mail_seconds)
        except MailError as error:
            raise DeliveryError(str(error), final=error.final) from None

    def _place(self, process: str, to: str) -> Place | None:
        found = self.context.processes.get(process)
        places = [place for order in found.reports for place in order.places] if found else []
        return next((place for place in places if place.address == to), None)

    async def _content(self, file: ReportFile) -> AsyncIterator[bytes]:
        async with self.context.connect() as connection:
            for part in file.parts:
                yield await self.context.archive.get(connection, part)


def last_date(made: ReportMade) -> date:
    """The last business date that a report is about; when it was made, if that can't be told."""
    _, _, cycle = made.subject.partition(":")
    try:
        return cycle_dates(cycle.partition(":")[0] or made.subject)[1]
    except ValueError:
        return made.at.date()


def files_that_fit(files: Sequence[ReportFile], bytes_max: int) -> list[ReportFile]:
    """As many of the files as fit together, the smallest first, in their own order."""
    room, fit = bytes_max, set[str]()
    for file in sorted(files, key=lambda file: file.size_bytes):
        room -= file.size_bytes
        if room >= 0:
            fit.add(file.form)
    return [file for file in files if file.form in fit]


async def _sha256(content: AsyncIterator[bytes]) -> str:
    digest = hashlib.sha256()
    async for chunk in content:
        digest.update(chunk)
    return digest.hexdigest()
