"""Notify: subscribers are told of the purchases that were approved, at least once each.

A notification is queued in the append that approves the purchase, so none is lost and no purchase
waits for one. It is sent afterwards, by whichever process finds it due, with growing waits, until
the subscriber has taken it or does not want it. Each subscriber has a loop of its own: one that is
down keeps no other waiting."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from domain.event import Event
from domain.notification import (
    Answer,
    NotGivenBecause,
    Notification,
    NotificationBegun,
    NotificationGivenUp,
    after_attempt,
    notification_stream,
)
from ledger import LedgerError, VersionConflict
from switch.backoff import next_notification
from switch.command import Sold
from switch.context import Context
from switch.ports import Notice, NotificationFinder, Notifier, UnreadableError
from switch.streams import NotAPurchaseError, TooManyConflictsError, fold
from switch.vending import outcome_of

_log = structlog.get_logger(__name__)


async def notify(context: Context, notifier: Notifier, subscriber: str, purchase_id: str) -> bool:
    """One attempt, if one is due; whether one was made. Raises what the ledger raises, and
    NotAPurchaseError."""
    stream = notification_stream(subscriber, purchase_id)
    state = fold(Notification(), await context.log.read(stream))
    now = context.clock()
    if not state.due(now):
        return False
    purchase = await context.streams.purchase(purchase_id)
    sold = outcome_of(context, purchase)
    assert purchase.request is not None
    assert purchase.approval is not None
    assert isinstance(sold, Sold)
    wait = context.settings.notification_answer_seconds + context.settings.lease_margin_seconds
    begun = NotificationBegun(
        at=now,
        subscriber=subscriber,
        purchase_id=purchase_id,
        attempt=state.attempts + 1,
        deadline=now + timedelta(seconds=wait),
    )
    try:
        state = fold(state, await context.log.append(stream, state.version, [begun]))
    except VersionConflict:
        # Another process makes this attempt.
        return False
    notice = Notice(purchase_id, purchase.request.message, sold)
    decide = _Ending(context, begun, purchase.approval.at)
    try:
        decide.answer = await notifier.notify(subscriber, notice)
    except UnreadableError as error:
        decide.unreadable = str(error)
    await context.streams.record(stream, state, decide)
    return True


class _Ending:
    """Decides how one attempt ends."""

    def __init__(self, context: Context, begun: NotificationBegun, approved_at: datetime) -> None:
        self._context = context
        self._begun = begun
        self._approved_at = approved_at
        self.answer = Answer(None)
        self.unreadable: str | None = None

    def __call__(self, state: Notification) -> list[Event]:
        now, begun = self._context.clock(), self._begun
        if self.unreadable is not None:
            nothing = NotificationGivenUp(
                at=now,
                subscriber=begun.subscriber,
                purchase_id=begun.purchase_id,
                attempt=begun.attempt,
                because=NotGivenBecause.NOTHING_TO_TELL,
                detail=self.unreadable,
            )
            return [nothing] if state.begun == begun else []
        settings = self._context.settings
        patience = timedelta(seconds=settings.notification_patience_seconds)
        again = next_notification(settings, now, begun.attempt - 1)
        return after_attempt(
            state, begun, self.answer, now, again if again - self._approved_at < patience else None
        )


@dataclass(frozen=True)
class Notifying:
    """What notifications need from outside: where to find those that are due, and who brings
    them."""

    finder: NotificationFinder
    notifier: Notifier


class Messenger:
    """Goes on notifying one subscriber."""

    def __init__(self, context: Context, notifying: Notifying, subscriber: str) -> None:
        self._context = context
        self._notifying = notifying
        self._subscriber = subscriber
        self._slots = asyncio.Semaphore(context.settings.notification_concurrency)

    async def loop(self) -> None:
        settings = self._context.settings
        while True:
            try:
                made = await self.round()
            except Exception:
                _log.exception("scan for notifications failed", subscriber=self._subscriber)
                made = 0
            # A full round means that there is more; the others come back when they are due.
            if made < settings.notification_batch:
                await asyncio.sleep(settings.notification_scan_seconds)

    async def round(self) -> int:
        """Attempts one page of what is due; how many attempts were made."""
        due = await self._notifying.finder.notifications_due(
            self._subscriber, self._context.clock(), self._context.settings.notification_batch
        )
        return sum(await asyncio.gather(*(self._attempt(purchase_id) for purchase_id in due)))

    async def _attempt(self, purchase_id: str) -> bool:
        async with self._slots:
            try:
                return await notify(
                    self._context, self._notifying.notifier, self._subscriber, purchase_id
                )
            except (LedgerError, TooManyConflictsError, NotAPurchaseError) as error:
                _log.warning(
                    "not notified",
                    subscriber=self._subscriber,
                    purchase_id=purchase_id,
                    error=str(error),
                )
            except Exception:
                # The next round brings it back when the attempt's deadline has passed.
                _log.exception(
                    "notifying failed", subscriber=self._subscriber, purchase_id=purchase_id
                )
            return False
