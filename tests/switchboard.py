"""A whole switch on an in-memory log with scripted providers, one clock and no background work."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from domain.advice import AdviceKind
from domain.fault import FaultType
from domain.message import message_stream
from domain.meter import Meter
from domain.money import Money
from domain.operator import Actor
from domain.purchase import Purchase, PurchaseApproved, PurchaseRequested
from domain.sale import KeyChange, MeterDetail, UtilityType
from domain.service import Service
from switch.advise import advise
from switch.attend import attend
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
    Sender,
    Sold,
    Try,
)
from switch.confirm_key_change import confirm_key_change
from switch.context import Context
from switch.health import Health
from switch.look_up import LookUps
from switch.ports import EventLog, PurchaseFinder
from switch.references import References
from switch.report_fault import report_fault
from switch.reprint import reprint
from switch.retry import retry
from switch.routing_table import RoutingTable
from switch.settings import SwitchSettings
from switch.steer import Steering
from switch.streams import Streams
from switch.subscription import Subscription
from switch.trial import trial
from switch.work import Background
from tests.memory_log import MemoryLog
from tests.scripted_provider import ScriptedProvider

METER = MeterDetail(number="04000000001")
OP = Actor("op")
SENDER = Sender(user="till", client="till")
PATIENT = SwitchSettings(lease_poll_seconds=0.0, attend_now_gap_seconds=0.0)
"""The defaults; polling takes no time, since the clock moves at every look, and a person may press
as often as they like."""


class TestClock:
    """Moves a little at every look, and by leaps when told to."""

    __test__ = False

    def __init__(self, tick: timedelta = timedelta(milliseconds=1)) -> None:
        self.now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        self.tick = tick

    def __call__(self) -> datetime:
        self.now += self.tick
        return self.now

    def leap(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class SoldInTheLog:
    """Finds purchases as the read model does, but never behind."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def sold(
        self, utility_type: UtilityType, number: str, reference: str | None, limit: int
    ) -> Sequence[str]:
        found: list[str] = []
        for recorded in self._log.streams.values():
            events = [entry.event for entry in recorded]
            approved = next((e for e in events if isinstance(e, PurchaseApproved)), None)
            if approved is None or not isinstance(events[0], PurchaseRequested):
                continue
            meter = events[0].meter
            receipts = [token.receipt for token in approved.sale.tokens]
            if (meter.utility_type, meter.number) == (utility_type, number) and (
                reference in (None, approved.sale.provider_reference, *receipts)
            ):
                found.append(events[0].purchase_id)
        return found[::-1][:limit]


class Switchboard:
    """One switch process after another on the same log: `restart` is what follows a crash. A second
    board with another `name` on the same `log` is a second process beside it."""

    def __init__(
        self,
        clock: TestClock,
        providers: Sequence[ScriptedProvider],
        settings: SwitchSettings = PATIENT,
        draws: Sequence[int] = (0,),
        log: EventLog | None = None,
        name: str = "own",
        subscriptions: Sequence[Subscription] = (),
    ) -> None:
        self.clock = clock
        self._log = MemoryLog() if log is None else log
        self.name = name
        self.providers = {provider.provider: provider for provider in providers}
        self.settings = settings
        self.subscriptions = tuple(subscriptions)
        self.purchases: PurchaseFinder | None = None
        """Of a board that was put on a ledger."""
        self._draws = draws
        self._ids = count(1)
        self._draw_at = count()
        self.restart()

    @property
    def log(self) -> MemoryLog:
        """What a test looks into, of a board that was not put on a ledger."""
        assert isinstance(self._log, MemoryLog)
        return self._log

    def _new_id(self) -> str:
        return f"{self.name}-{next(self._ids)}"

    def _draw(self) -> int:
        return self._draws[next(self._draw_at) % len(self._draws)]

    def draw_again(self) -> None:
        """The draws begin from the first one once more."""
        self._draw_at = count()

    def restart(self) -> None:
        """A new process: everything in memory is gone."""
        streams = Streams(self._log, self.settings.conflict_retries_max, 0.0)
        table = RoutingTable(self._log, streams, self._draw, 0.0)
        owner = self._new_id()
        self.context = Context(
            log=self._log,
            streams=streams,
            adapters=self.providers,
            table=table,
            references=References(streams, self.clock, 100, owner),
            health=Health(table, streams, self.clock, self.settings, owner),
            clock=self.clock,
            new_id=self._new_id,
            settings=self.settings,
            subscriptions=self.subscriptions,
        )
        self.background = Background()
        self.look_ups = LookUps(self.context, self.background)
        self.steering = Steering(self.context)

    async def open(self, weight: int = 1) -> None:
        for provider in self.providers.values():
            await self.steering.configure(
                provider.provider, provider.name, "scripted", provider.capabilities, weight
            )
        await self.context.table.open(self.providers)

    async def close(self) -> None:
        await self.background.close(1.0)
        await self.context.health.close()
        await self.context.table.close()

    async def quiet(self) -> None:
        """Lets everything go on that waits for nothing but its turn."""
        for _ in range(200):
            await asyncio.sleep(0)

    async def look_up(self, message_id: str, number: str = METER.number) -> LookedUp | Refused:
        meter = MeterDetail(number=number)
        return await self.look_ups.look_up(LookUp(message_id, meter, SENDER, "{}"))

    async def buy(
        self, message_id: str, cents: int = 10_000, number: str = METER.number
    ) -> Sold | Refused:
        command = Buy(message_id, MeterDetail(number=number), Money(cents), SENDER, "{}")
        return await buy(self.context, self.look_ups, command)

    async def retry(
        self,
        purchase_id: str,
        retry_id: str | None = None,
        cents: int = 10_000,
        number: str = METER.number,
        sender: Sender = SENDER,
    ) -> Sold | Refused:
        command = Retry(
            purchase_id,
            retry_id or purchase_id,
            MeterDetail(number=number),
            Money(cents),
            sender,
            "{}",
        )
        return await retry(self.context, command)

    async def advise(
        self,
        kind: AdviceKind,
        purchase_id: str,
        advice_id: str,
        final: Money | None = None,
        user: str = SENDER.user,
    ) -> Acknowledged | Refused:
        reason = "CANCELLED" if kind is AdviceKind.REVERSAL else None
        command = Advise(
            kind, advice_id, purchase_id, user, "{}", final_amount=final, reason=reason
        )
        return await advise(self.context, command)

    async def trial(
        self, message_id: str, cents: int = 10_000, meter: MeterDetail = METER
    ) -> Quoted | Refused:
        command = Try(message_id, meter, Money(cents), SENDER, "{}")
        return await trial(self.context, self.look_ups, command)

    async def reprint(
        self,
        message_id: str,
        original_ref: str | None = None,
        number: str = METER.number,
        sender: Sender = SENDER,
    ) -> Reprinted | Refused:
        command = Reprint(message_id, MeterDetail(number=number), sender, "{}", original_ref)
        finder = self.purchases or SoldInTheLog(self.log)
        return await reprint(self.context, self.look_ups, finder, command)

    async def report_fault(
        self, message_id: str, fault_type: FaultType = FaultType.METER_DEAD
    ) -> FaultReported | Refused:
        command = ReportFault(message_id, METER, fault_type, "0821234567", SENDER, "{}")
        return await report_fault(self.context, self.look_ups, command)

    async def change_key(
        self, message_id: str, change: KeyChange | None = None
    ) -> KeyChanged | Refused:
        meter = MeterDetail(METER.number, key_change=change)
        command = ChangeKey(message_id, meter, SENDER, "{}")
        return await change_key(self.context, self.look_ups, command)

    async def confirm_key_change(
        self, key_change_id: str, advice_id: str, user: str = SENDER.user
    ) -> Acknowledged | Refused:
        command = ConfirmKeyChange(advice_id, key_change_id, user, "{}")
        return await confirm_key_change(self.context, command)

    async def service(self, message_id: str) -> Service:
        return await self.context.streams.service(message_id)

    async def attend(self, purchase_id: str) -> None:
        await attend(self.context, purchase_id)

    async def purchase(self, purchase_id: str) -> Purchase:
        return await self.context.streams.purchase(purchase_id)

    async def meter(self, number: str = METER.number) -> Meter:
        return await self.context.streams.meter(UtilityType.ELECTRICITY, number)

    def story(self, message_id: str) -> list[str]:
        """The kinds of event of one message, in order."""
        return self.log.events(message_stream(message_id))
