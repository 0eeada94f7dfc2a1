"""The whole switch and what channels ask beside buying: its limits, its doubts, its workers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

import pytest

from domain.advice import AdviceDelivered
from domain.event import Event
from domain.exchange import Operation
from domain.failure import ErrorType
from domain.fault import FaultType
from domain.message import message_stream
from domain.money import Money
from domain.notification import Answer, NotificationDelivered, notification_stream
from domain.provider import Capabilities
from ledger import LedgerUnavailable
from switch.command import (
    Acknowledged,
    Buy,
    ChangeKey,
    ConfirmKeyChange,
    KeyChanged,
    LookedUp,
    LookUp,
    Refused,
    ReportFault,
    Reprint,
    Sold,
    Try,
)
from switch.notify import Notifying
from switch.ports import DueAt, Notice
from switch.settings import SwitchSettings
from switch.subscription import Subscription
from switch.switch import Switch
from tests.memory_log import MemoryLog
from tests.scripted_provider import ScriptedProvider
from tests.switchboard import METER, SENDER, SoldInTheLog, TestClock

SETTINGS = SwitchSettings(
    busy_wait_seconds=0.0,
    scan_seconds=3_600.0,
    probe_seconds=3_600.0,
    refresh_scan_seconds=3_600.0,
    notification_scan_seconds=0.001,
    attend_concurrency=1,
)
EVERYTHING = Capabilities(trial=True, reprint=True, fault_report=True, key_change=True)
ASKING: dict[Operation, Callable[[Switch, str], Awaitable[object]]] = {
    Operation.TRIAL: lambda s, i: s.trial(Try(i, METER, Money(1_000), SENDER, "{}")),
    Operation.REPRINT: lambda s, i: s.reprint(Reprint(i, METER, SENDER, "{}", "R-1")),
    Operation.FAULT_REPORT: lambda s, i: s.report_fault(
        ReportFault(i, METER, FaultType.NO_TRIP, "1", SENDER, "{}")
    ),
    Operation.KEY_CHANGE: lambda s, i: s.change_key(ChangeKey(i, METER, SENDER, "{}")),
}
each = pytest.mark.parametrize("operation", ASKING)


class NothingDue:
    """Nothing for the workers to find."""

    async def purchases_due(
        self, now: datetime, after: DueAt | None, limit: int
    ) -> Sequence[DueAt]:
        del now, after, limit
        return []

    async def meters_due(self, broadcast_before: datetime, limit: int) -> Sequence[Any]:
        del broadcast_before, limit
        return []


class House:
    """A switch with one provider, which offers everything."""

    def __init__(self, settings: SwitchSettings = SETTINGS, **more: Any) -> None:  # noqa: ANN401
        self.clock = TestClock()
        self.log = MemoryLog()
        self.provider = ScriptedProvider("a", self.clock, EVERYTHING)
        ids = count(1)
        self.switch = Switch(
            log=self.log,
            adapters={"a": self.provider},
            weights={"a": 1},
            probe_meters={},
            finder=NothingDue(),
            purchases=SoldInTheLog(self.log),
            clock=self.clock,
            draw=lambda: 0,
            new_id=lambda: f"own-{next(ids)}",
            settings=settings,
            **more,
        )

    async def __aenter__(self) -> "House":
        await self.switch.open()
        look_up = LookUp("l1", METER, SENDER, "{}")
        assert isinstance(await self.switch.look_up(look_up), LookedUp)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.provider.hold is not None:
            self.provider.hold.set()
        await self.switch.close()

    async def change_key(self, message_id: str) -> KeyChanged | Refused:
        return await self.switch.change_key(ChangeKey(message_id, METER, SENDER, "{}"))

    async def confirm(self, advice_id: str) -> Acknowledged | Refused:
        command = ConfirmKeyChange(advice_id, "k1", SENDER.user, "{}")
        return await self.switch.confirm_key_change(command)

    def fail(self, error: Exception, *kinds: str) -> None:
        def around(moment: str, events: Sequence[Event]) -> None:
            if moment == "before" and type(events[0]).__name__ in kinds:
                raise error

        self.log.around = around

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not true():  # noqa: ASYNC110 (any condition, not one event)
                await asyncio.sleep(0.001)

    def kinds(self, stream: str) -> list[type]:
        return [type(entry.event) for entry in self.log.streams[stream]]


def failure_of(answer: object) -> ErrorType:
    assert isinstance(answer, Refused), answer
    return answer.failure.error_type


@each
async def test_a_channel_hears_in_time_that_no_answer_has_come_and_the_work_goes_on(
    operation: Operation,
) -> None:
    async with House(replace(SETTINGS, channel_answer_seconds=0.01)) as house:
        house.provider.hold = asyncio.Event()
        answer = await ASKING[operation](house.switch, "s1")
        assert failure_of(answer) is ErrorType.OUTCOME_UNKNOWN
        house.provider.hold.set()
        await house.until(lambda: len(house.kinds(message_stream("s1"))) == 5)


@each
async def test_one_too_many_is_refused_before_anything_is_done(operation: Operation) -> None:
    async with House(replace(SETTINGS, in_flight_max=1)) as house:
        house.provider.hold = asyncio.Event()
        waiting = asyncio.ensure_future(house.change_key("k1"))
        await asyncio.sleep(0)
        answer = await ASKING[operation](house.switch, "s1")
        assert failure_of(answer) is ErrorType.UPSTREAM_UNAVAILABLE
        assert isinstance(answer, Refused)
        assert answer.not_sent
        assert house.kinds(message_stream("s1")) == []
        house.provider.hold.set()
        await waiting


@each
async def test_a_ledger_that_is_away_leaves_doubt(operation: Operation) -> None:
    async with House() as house:
        house.fail(LedgerUnavailable("away"), "ProviderAnswered")
        answer = await ASKING[operation](house.switch, "s1")
        assert failure_of(answer) is ErrorType.OUTCOME_UNKNOWN


async def test_a_confirmation_is_delivered_without_waiting_for_a_scan() -> None:
    async with House() as house:
        assert isinstance(await house.change_key("k1"), KeyChanged)
        assert await house.confirm("c1") == Acknowledged()
        await house.until(lambda: AdviceDelivered in house.kinds(message_stream("k1")))
        assert house.provider.asked[-1] is Operation.CONFIRM_KEY_CHANGE


async def test_a_confirmation_that_was_not_stored_is_not_acknowledged() -> None:
    async with House() as house:
        await house.change_key("k1")
        for kind in ("KeyChangeConfirmationReceived", "ConfirmationAdvised"):
            house.fail(LedgerUnavailable("away"), kind)
            answer = await house.confirm("c1")
            assert failure_of(answer) is ErrorType.OUTCOME_UNKNOWN
            assert isinstance(answer, Refused)
            assert not answer.not_sent
        house.log.around = lambda _moment, _events: None
        assert isinstance(await house.confirm("c1"), Acknowledged)


class Mailbox:
    """Finds one purchase, and takes every notice."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    async def notifications_due(self, subscriber: str, now: datetime, limit: int) -> Sequence[str]:
        del subscriber, now, limit
        return ["p1"]

    async def notify(self, subscriber: str, notice: Notice) -> Answer:
        self.told.append((subscriber, notice.purchase_id))
        return Answer(200)


async def test_every_subscriber_of_the_settings_is_told() -> None:
    mailbox = Mailbox()
    names = ("s1", "s2")
    subscriptions = [Subscription(name, users=frozenset({SENDER.user})) for name in names]
    notifying = Notifying(mailbox, mailbox)
    async with House(subscriptions=subscriptions, notifying=notifying) as house:
        buy = Buy("p1", METER, Money(1_000), SENDER, "{}")
        assert isinstance(await house.switch.buy(buy), Sold)
        for name in names:
            stream = notification_stream(name, "p1")
            await house.until(lambda s=stream: NotificationDelivered in house.kinds(s))
        assert sorted(mailbox.told) == [("s1", "p1"), ("s2", "p1")]
