"""Attend to a purchase: whatever it still needs, without anyone asking.

One worker serves both queues. A purchase without an outcome is recovered; a purchase with an
outcome has its advices delivered, oldest first; so has a key change its confirmations. The queue is
the ledger itself: the read model only says where to look, and the stream decides.
"""

import asyncio
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from domain.advice import Advice, AdviceKind, GivenUpBecause
from domain.event import Event
from domain.exchange import ConfirmQuestion, ReverseQuestion
from domain.message import message_stream
from domain.provider import Capabilities
from domain.purchase import Purchase, PurchaseStatus
from domain.service import Service, ServiceOutcomeUnknown, ServiceStatus
from domain.settling import after_advice, given_up, without_asking
from ledger import LedgerError, VersionConflict
from switch.asking import Ask, exchange, prepare
from switch.backoff import next_advice
from switch.confirm_key_change import deliver_confirmation
from switch.context import Context
from switch.ports import DueAt, WorkFinder
from switch.recover import recover
from switch.streams import (
    NotAPurchaseError,
    NotAServiceError,
    TooManyConflictsError,
    fold,
)

_log = structlog.get_logger(__name__)


class Standing(StrEnum):
    """How a message stands after it was attended to."""

    DONE = "DONE"
    """Nothing is open."""
    OPEN = "OPEN"
    """No final answer so far; it comes back when it is due."""
    BUSY = "BUSY"
    """Somebody waits for the provider's answer right now: nobody else may ask meanwhile."""
    ELSEWHERE = "ELSEWHERE"
    """Its provider is not configured in this process, so it was not asked."""


async def attend(context: Context, message_id: str, *, early: bool = False) -> Standing:
    """Does what is due for one message now, and with `early` what is due later too; returns when
    nothing is left or it must wait. A lease is waited for in either case: `early` is about when,
    never about who. Raises NotAPurchaseError when nothing under this id ever needs anything."""
    try:
        purchase = await context.streams.purchase(message_id)
    except NotAPurchaseError as error:
        try:
            service = await context.streams.service(message_id)
        except NotAServiceError:
            raise error from None
        service = await _attend_service(context, service, message_id, early)
        return _standing(context, service, service.done and service.done.provider)
    purchase = await _attend_purchase(context, purchase, message_id, early)
    return _standing(context, purchase, purchase.vend and purchase.vend.provider)


def _standing(context: Context, state: Purchase | Service, provider: str | None) -> Standing:
    if state.leased(context.clock()):
        return Standing.BUSY
    if isinstance(state, Purchase):
        lacking = not state.settled
    else:
        lacking = state.status is ServiceStatus.PENDING
    if not (lacking or state.pending_advices):
        return Standing.DONE
    if provider is not None and provider not in context.adapters:
        return Standing.ELSEWHERE
    return Standing.OPEN


async def _attend_purchase(
    context: Context, purchase: Purchase, purchase_id: str, early: bool
) -> Purchase:
    now = context.clock()
    if purchase.leased(now):
        return purchase
    if purchase.vend is not None and purchase.vend.provider not in context.adapters:
        # Another process may have this provider; without it nothing can be said for certain.
        _log.warning("provider not configured", purchase_id=purchase_id)
        return purchase
    if not purchase.settled:
        due = purchase.next_recovery_at is None or purchase.next_recovery_at <= now
        if purchase.vend is None or not (due or early):
            return purchase
        purchase = await recover(context, purchase)
    for waiting in purchase.pending_advices:
        if not purchase.settled or purchase.leased(context.clock()):
            return purchase
        # As it stands by now: while the one before was delivered, another process may have brought
        # this one to its end, and it must not go out again.
        advice = purchase.advices[waiting.advice_id]
        if advice.pending:
            purchase = await _deliver(context, purchase, advice, early)
    return purchase


async def _attend_service(
    context: Context, service: Service, message_id: str, early: bool
) -> Service:
    """Ends a request whose asker is gone, and delivers the confirmations of a key change."""
    if service.leased(context.clock()):
        return service

    def abandoned(state: Service) -> list[Event]:
        now = context.clock()
        asked = state.asked
        if state.status is not ServiceStatus.PENDING or asked is None or state.leased(now):
            return []
        # Nobody will hear an answer any more, and asking again might do it twice.
        detail = "the process that asked ended before it had an answer"
        return [ServiceOutcomeUnknown(at=now, provider=asked.provider, detail=detail)]

    service = await context.streams.record(message_stream(message_id), service, abandoned)
    for waiting in service.pending_advices:
        if service.leased(context.clock()):
            return service
        if service.done is not None and service.done.provider not in context.adapters:
            _log.warning("provider not configured", message_id=message_id)
            return service
        advice = service.advices[waiting.advice_id]
        if advice.pending:
            service = await deliver_confirmation(context, service, advice, early)
    return service


async def _deliver(context: Context, purchase: Purchase, advice: Advice, early: bool) -> Purchase:
    """One attempt at one advice, if it is due or may be early. Returns the purchase as it stands
    afterwards."""
    now = context.clock()
    if not early and advice.next_attempt_at is not None and now < advice.next_attempt_at:
        return purchase
    assert purchase.request is not None
    stream = message_stream(purchase.request.purchase_id)

    def end(state: Purchase) -> list[Event]:
        ended = _ended(context, state, state.advices[advice.advice_id], now, early)
        return [] if ended is None else [ended]

    before = purchase.version
    purchase = await context.streams.record(stream, purchase, end)
    if purchase.version != before:
        return purchase
    ask = await _prepare(context, purchase, advice)
    try:
        recorded = await context.log.append(stream, purchase.version, [ask.asked])
    except VersionConflict:
        return fold(purchase, await context.log.read(stream, purchase.version))
    purchase = fold(purchase, recorded)
    reply = await exchange(context, ask)

    def decide(state: Purchase) -> list[Event]:
        at = context.clock()
        current = state.advices[advice.advice_id]
        due = next_advice(context.settings, at, current.attempts, current.next_attempt_at)
        return after_advice(current, ask.asked, reply, at, due)

    return await context.streams.record(stream, purchase, decide)


def _ended(
    context: Context, purchase: Purchase, advice: Advice, now: datetime, early: bool
) -> Event | None:
    """The end of an advice that need not, or no longer, go to the provider. However old it is, a
    person's wish to ask comes before giving up."""
    if not advice.pending:
        return None
    provider = purchase.vend.provider if purchase.vend is not None else ""
    adapter = context.adapters.get(provider)
    can = adapter.capabilities if adapter is not None else Capabilities()
    ended = without_asking(purchase, advice, confirms=can.confirm, reverses=can.reverse, at=now)
    patience = timedelta(seconds=context.settings.patience_seconds)
    if ended is None and not early and now - advice.advised_at > patience:
        return given_up(purchase, advice, GivenUpBecause.TOO_OLD, now)
    return ended


async def _prepare(context: Context, purchase: Purchase, advice: Advice) -> Ask:
    request, vend = purchase.request, purchase.vend
    assert request is not None
    assert vend is not None
    assert purchase.status is PurchaseStatus.APPROVED
    original = purchase.original(advice.attempts, advice.first_attempt_at or context.clock())
    question = (
        ConfirmQuestion(meter=request.meter, original=original, payment=advice.payment)
        if advice.kind is AdviceKind.CONFIRMATION
        else ReverseQuestion(meter=request.meter, original=original)
    )
    return await prepare(
        context,
        vend.provider,
        question,
        purchase.exchanges + 1,
        attempt=advice.attempts,
        advice_id=advice.advice_id,
    )


class Attendant:
    """Runs `attend` for purchases as they are kicked or found, a bounded number at once."""

    def __init__(self, context: Context, finder: WorkFinder) -> None:
        self._context = context
        self._finder = finder
        self._queue: asyncio.Queue[str] = asyncio.Queue(context.settings.attend_queue_max)
        self._waiting: set[str] = set()
        self._busy: set[str] = set()

    def kick(self, purchase_id: str) -> None:
        """Asks for attention soon. When the queue is full the next scan finds the purchase."""
        if purchase_id in self._waiting or self._queue.full():
            return
        self._waiting.add(purchase_id)
        self._queue.put_nowait(purchase_id)

    async def work_loop(self) -> None:
        """One worker; start as many as the settings allow at once."""
        while True:
            purchase_id = await self._queue.get()
            self._waiting.discard(purchase_id)
            if purchase_id in self._busy:
                continue
            self._busy.add(purchase_id)
            try:
                await attend(self._context, purchase_id)
            except (LedgerError, TooManyConflictsError, NotAPurchaseError) as error:
                # The purchase stays due, so the next scan brings it back.
                _log.warning("not attended", purchase_id=purchase_id, error=str(error))
            except Exception:
                # One purchase must never stop the worker that all the others depend on.
                _log.exception("attending failed", purchase_id=purchase_id)
            finally:
                self._busy.discard(purchase_id)

    async def scan_loop(self) -> None:
        """Finds what is due, at start-up and from then on at the set interval."""
        after: DueAt | None = None
        while True:
            try:
                after = await self.scan(after)
            except Exception:
                _log.exception("scan for open purchases failed")
            await asyncio.sleep(self._context.settings.scan_seconds)

    async def scan(self, after: DueAt | None) -> DueAt | None:
        """Kicks one page of what is due, and says after what the next page begins. Pages go round,
        so that purchases which can't be helped now never keep the others from being seen."""
        limit = self._context.settings.scan_batch
        due = await self._finder.purchases_due(self._context.clock(), after, limit)
        for _, purchase_id in due:
            self.kick(purchase_id)
        return due[-1] if len(due) == limit else None
