"""The switch: one process's use cases behind one door, with its workers."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from domain.exchange import LookupQuestion, Operation, Reply
from domain.failure import ErrorType, Failure
from domain.sale import MeterDetail
from ledger import LedgerError
from providers.adapter import ProviderAdapter
from switch.advise import advise
from switch.attend import Attendant
from switch.buy import buy
from switch.change_key import change_key
from switch.command import (
    Acknowledged,
    Advise,
    Buy,
    ChangeKey,
    ConfirmKeyChange,
    FaultReported,
    KeyChanged,
    LookedUp,
    LookUp,
    Quoted,
    Refused,
    ReportFault,
    Reprint,
    Reprinted,
    Retry,
    Sold,
    Try,
)
from switch.confirm_key_change import confirm_key_change
from switch.context import Context
from switch.health import Health, Probe
from switch.look_up import SILENT, LookUps
from switch.notify import Messenger, Notifying
from switch.operate import Operating
from switch.ports import Clock, Draw, EventLog, NewId, PurchaseFinder, WorkFinder
from switch.references import References
from switch.refresh import Refresh
from switch.report_fault import report_fault
from switch.reprint import reprint
from switch.retry import retry
from switch.routing_table import RoutingTable
from switch.serve import IN_DOUBT as SERVICE_IN_DOUBT
from switch.settings import SwitchSettings
from switch.steer import Steering
from switch.streams import Streams, TooManyConflictsError
from switch.subscription import Subscription
from switch.trial import trial
from switch.vending import IN_DOUBT, TOO_BUSY
from switch.work import Background

_log = structlog.get_logger(__name__)

R = TypeVar("R")

NOBODYS_METER = "00000000000"
"""Looked up to probe a provider that has no meter set for it: that it is unknown is an answer too,
and without any probe an unhealthy provider would stay so for good."""

NOT_BEGUN = Refused(TOO_BUSY, not_sent=True)
# A retry or advice that is not taken up changes nothing about a purchase that may have been sold,
# so the channel must hear the class of answer that makes it ask again.
AGAIN = Refused(IN_DOUBT)
CONFIRM_AGAIN = Refused(
    Failure(ErrorType.OUTCOME_UNKNOWN, "the confirmation may not have been stored: repeat it")
)


class Switch:
    """What channels may ask for; and recovery, delivery, notifying and refreshing on its own."""

    def __init__(
        self,
        *,
        log: EventLog,
        adapters: Mapping[str, ProviderAdapter],
        weights: Mapping[str, int],
        probe_meters: Mapping[str, str],
        finder: WorkFinder,
        purchases: PurchaseFinder,
        clock: Clock,
        draw: Draw,
        new_id: NewId,
        settings: SwitchSettings,
        subscriptions: Sequence[Subscription] = (),
        notifying: Notifying | None = None,
    ) -> None:
        owner = new_id()
        streams = Streams(log, settings.conflict_retries_max, settings.busy_wait_seconds)
        table = RoutingTable(log, streams, draw, settings.follow_linger_seconds)
        self.context = Context(
            log=log,
            streams=streams,
            adapters=adapters,
            table=table,
            references=References(streams, clock, settings.reference_block, owner),
            health=Health(table, streams, clock, settings, owner),
            clock=clock,
            new_id=new_id,
            settings=settings,
            subscriptions=tuple(subscriptions),
        )
        self.steering = Steering(self.context)
        self.operating = Operating(self.context)
        self._weights = weights
        self._probe_meters = probe_meters
        self._background = Background()
        self._look_ups = LookUps(self.context, self._background)
        self._attendant = Attendant(self.context, finder)
        self._refresh = Refresh(self.context, self._look_ups, finder)
        self._purchases = purchases
        self._notifying = notifying
        self._in_flight = 0

    async def open(self) -> None:
        """Makes the providers known, loads the routing table and starts the workers."""
        context = self.context
        for provider, adapter in context.adapters.items():
            await self.steering.configure(
                provider,
                adapter.name,
                adapter.protocol,
                adapter.capabilities,
                self._weights.get(provider, 0),
            )
        await context.table.open(context.adapters)
        background = self._background
        for number in range(context.settings.attend_concurrency):
            background.loop(self._attendant.work_loop(), f"attendant-{number}")
        background.loop(self._attendant.scan_loop(), "scan")
        background.loop(self._refresh.loop(), "refresh")
        background.loop(context.health.probe_loop(self._probes()), "probe")
        if self._notifying is not None:
            for subscriber in {one.subscriber for one in context.subscriptions}:
                messenger = Messenger(context, self._notifying, subscriber)
                background.loop(messenger.loop(), f"notify-{subscriber}")

    async def close(self) -> None:
        """Finishes what is in flight, within the settings' time; the rest is recovered later."""
        await self._background.close(self.context.settings.drain_seconds)
        await self.context.health.close()
        await self.context.table.close()
        for adapter in self.context.adapters.values():
            await adapter.close()

    def _probes(self) -> dict[str, Probe]:
        def probe_with(number: str) -> Probe:
            async def probe(provider: str) -> Reply:
                adapter = self.context.adapters[provider]
                reference = await self.context.references.take(provider)
                question = LookupQuestion(MeterDetail(number=number))
                prepared = adapter.prepare(question, reference, self.context.clock())
                return await adapter.exchange(prepared)

            return probe

        return {
            provider: probe_with(self._probe_meters.get(provider, NOBODYS_METER))
            for provider in self.context.adapters
        }

    async def look_up(self, command: LookUp) -> LookedUp | Refused:
        """Who serves this meter, and what do they know of it?"""
        return await self._bounded(
            lambda: self._look_ups.look_up(command), Refused(SILENT), NOT_BEGUN
        )

    async def buy(self, command: Buy) -> Sold | Refused:
        """Sells at most one token set for the message id, whatever fails."""
        return await self._bounded(
            lambda: buy(self.context, self._look_ups, command), Refused(IN_DOUBT), NOT_BEGUN
        )

    async def retry(self, command: Retry) -> Sold | Refused:
        """The outcome of a purchase whose answer the channel did not get."""
        return await self._bounded(lambda: retry(self.context, command), AGAIN, AGAIN)

    async def advise(self, command: Advise) -> Acknowledged | Refused:
        """Takes in a confirmation or reversal, durably; it is delivered afterwards."""

        async def taken_in() -> Acknowledged | Refused:
            result = await advise(self.context, command)
            if isinstance(result, Acknowledged):
                self._attendant.kick(command.purchase_id)
            return result

        return await self._bounded(taken_in, AGAIN, AGAIN)

    async def trial(self, command: Try) -> Quoted | Refused:
        """What an amount would buy."""
        return await self._service(
            lambda: trial(self.context, self._look_ups, command), Operation.TRIAL
        )

    async def reprint(self, command: Reprint) -> Reprinted | Refused:
        """Earlier tokens once more."""
        return await self._service(
            lambda: reprint(self.context, self._look_ups, self._purchases, command),
            Operation.REPRINT,
        )

    async def report_fault(self, command: ReportFault) -> FaultReported | Refused:
        """Logs a fault of a meter at its provider."""
        return await self._service(
            lambda: report_fault(self.context, self._look_ups, command), Operation.FAULT_REPORT
        )

    async def change_key(self, command: ChangeKey) -> KeyChanged | Refused:
        """Has key-change tokens issued."""
        return await self._service(
            lambda: change_key(self.context, self._look_ups, command), Operation.KEY_CHANGE
        )

    async def confirm_key_change(self, command: ConfirmKeyChange) -> Acknowledged | Refused:
        """Takes in the confirmation of a key change, durably; it is delivered afterwards."""

        async def taken_in() -> Acknowledged | Refused:
            result = await confirm_key_change(self.context, command)
            if isinstance(result, Acknowledged):
                self._attendant.kick(command.key_change_id)
            return result

        return await self._bounded(taken_in, CONFIRM_AGAIN, CONFIRM_AGAIN)

    async def _service(
        self, work: Callable[[], Coroutine[Any, Any, R]], operation: Operation
    ) -> R | Refused:
        return await self._bounded(work, Refused(SERVICE_IN_DOUBT[operation]), NOT_BEGUN)

    async def ready(self) -> dict[str, bool]:
        """Whether the ledger answers."""
        try:
            await self.context.log.last_position()
        except LedgerError:
            return {"ledger": False}
        return {"ledger": True}

    async def _bounded(
        self,
        work: Callable[[], Coroutine[Any, Any, R]],
        too_late: Refused,
        too_busy: Refused,
    ) -> R | Refused:
        """Runs `work` to its end even if the channel goes away; answers `too_late` when it takes
        longer than a channel waits, or when the ledger failed under it."""
        settings = self.context.settings
        if self._in_flight >= settings.in_flight_max:
            return too_busy
        self._in_flight += 1
        task = asyncio.create_task(self._kept(work, too_late))
        task.add_done_callback(self._done)
        try:
            await asyncio.wait((task,), timeout=settings.channel_answer_seconds)
        finally:
            if not task.done():
                # Too late, or the channel went away: the work goes on, and a shutdown waits for it.
                self._background.adopt((asyncio.create_task(_until(task)),))
        return task.result() if task.done() else too_late

    async def _kept(self, work: Callable[[], Awaitable[R]], in_doubt: Refused) -> R | Refused:
        """The ledger's errors in the channel's terms: the work may be half done, so the channel is
        told what makes it ask again."""
        try:
            return await work()
        except (LedgerError, TooManyConflictsError) as error:
            _log.error("ledger failed under a request", error=str(error))
            return in_doubt

    def _done(self, _: "asyncio.Task[Any]") -> None:
        self._in_flight -= 1


async def _until(task: "asyncio.Task[Any]") -> None:
    await asyncio.wait((task,))
