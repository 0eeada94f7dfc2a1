"""The switch as a whole: its limits, what it says when the ledger fails, and its workers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

import pytest

from domain.advice import AdviceKind
from domain.event import Event
from domain.exchange import Operation
from domain.failure import ErrorType
from domain.message import message_stream
from domain.meter import Meter
from domain.money import Money
from domain.purchase import Purchase, PurchaseStatus
from domain.sale import MeterDetail
from ledger import LedgerBusy, LedgerUnavailable
from switch.command import Acknowledged, Advise, Buy, LookedUp, LookUp, Refused, Retry, Sold
from switch.ports import DueAt
from switch.settings import SwitchSettings
from switch.streams import fold
from switch.switch import NOBODYS_METER, Switch
from tests.memory_log import MemoryLog
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import METER, SENDER, SoldInTheLog, TestClock

SETTINGS = SwitchSettings(
    lease_poll_seconds=0.0,
    busy_wait_seconds=0.0,
    follow_linger_seconds=0.0,
    scan_seconds=0.001,
    probe_seconds=0.001,
    refresh_scan_seconds=3_600.0,
    drain_seconds=5.0,
    attend_concurrency=2,
)


class NothingDue:
    """A finder whose work list a test may fill."""

    def __init__(self) -> None:
        self.due: list[DueAt] = []
        self.asked: list[tuple[DueAt | None, int]] = []
        self.error: Exception | None = None

    async def purchases_due(
        self, now: datetime, after: DueAt | None, limit: int
    ) -> Sequence[DueAt]:
        self.asked.append((after, limit))
        if self.error is not None:
            raise self.error
        return [d for d in sorted(self.due) if d[0] <= now and (after is None or d > after)][:limit]

    async def meters_due(self, broadcast_before: datetime, limit: int) -> Sequence[Meter]:
        del broadcast_before, limit
        return []


class House:
    """A switch with two providers on an in-memory ledger."""

    def __init__(self, settings: SwitchSettings = SETTINGS) -> None:
        self.clock = TestClock()
        self.log = MemoryLog()
        self.finder = NothingDue()
        self.providers = {name: ScriptedProvider(name, self.clock) for name in "ab"}
        ids = count(1)
        self.switch = Switch(
            log=self.log,
            adapters=self.providers,
            weights={"a": 1, "b": 0},
            probe_meters={"b": METER.number},
            finder=self.finder,
            purchases=SoldInTheLog(self.log),
            clock=self.clock,
            draw=lambda: 0,
            new_id=lambda: f"own-{next(ids)}",
            settings=settings,
        )

    async def __aenter__(self) -> "House":
        await self.switch.open()
        assert isinstance(await self.look_up("l1"), LookedUp)
        return self

    async def __aexit__(self, *_: object) -> None:
        for provider in self.providers.values():
            if provider.hold is not None:
                provider.hold.set()
        await self.switch.close()

    def look_up(self, message_id: str) -> Awaitable[object]:
        return self.switch.look_up(LookUp(message_id, METER, SENDER, "{}"))

    def buy(self, message_id: str) -> Awaitable[Sold | Refused]:
        return self.switch.buy(Buy(message_id, METER, Money(10_000), SENDER, "{}"))

    def retry(self, purchase_id: str) -> Awaitable[Sold | Refused]:
        command = Retry(purchase_id, purchase_id, METER, Money(10_000), SENDER, "{}")
        return self.switch.retry(command)

    def reverse(self, purchase_id: str) -> Awaitable[Acknowledged | Refused]:
        command = Advise(
            AdviceKind.REVERSAL, f"rev-{purchase_id}", purchase_id, SENDER.user, "{}", reason="X"
        )
        return self.switch.advise(command)

    def fail(self, error: Exception, *kinds: str) -> None:
        """Appends that begin with an event of one of these kinds fail from now on."""

        def around(moment: str, events: Sequence[Event]) -> None:
            if moment == "before" and type(events[0]).__name__ in kinds:
                raise error

        self.log.around = around

    def heal(self) -> None:
        self.log.around = lambda _moment, _events: None

    def purchase(self, purchase_id: str) -> Purchase:
        return fold(Purchase(), self.log.streams[message_stream(purchase_id)])

    async def until(self, true: Callable[[], bool]) -> None:
        """Waits for the workers, which take their time."""
        async with asyncio.timeout(30):
            while not true():  # noqa: ASYNC110 (any condition, not one event)
                await asyncio.sleep(0.001)


def failure_of(answer: object) -> ErrorType:
    assert isinstance(answer, Refused), answer
    return answer.failure.error_type


async def run_all(awaitables: Iterable[Awaitable[object]]) -> list[object]:
    return list(await asyncio.gather(*awaitables))


async def test_a_purchase_through_the_whole_switch() -> None:
    async with House() as house:
        assert isinstance(await house.buy("p1"), Sold)
        assert await house.reverse("p1") == Acknowledged()
        provider = house.providers["a"]
        await house.until(lambda: not provider.standing)
        assert provider.asked[-1] is Operation.REVERSE, "delivered without waiting for a scan"


async def test_one_request_too_many_is_refused_before_anything_is_done() -> None:
    async with House(replace(SETTINGS, in_flight_max=2)) as house:
        hold = house.providers["a"].hold = asyncio.Event()
        waiting = [asyncio.ensure_future(house.buy(f"p{number}")) for number in (1, 2)]
        await asyncio.sleep(0)

        refused = await house.buy("p3")
        assert failure_of(refused) is ErrorType.UPSTREAM_UNAVAILABLE
        assert isinstance(refused, Refused)
        assert refused.not_sent
        assert house.log.streams[message_stream("p3")] == []

        hold.set()
        assert all(isinstance(answer, Sold) for answer in await run_all(waiting))
        assert isinstance(await house.buy("p3"), Sold)


async def test_a_retry_or_advice_too_many_is_told_to_ask_again_and_never_that_all_is_over() -> None:
    async with House(replace(SETTINGS, in_flight_max=1)) as house:
        await house.buy("p1")
        hold = house.providers["a"].hold = asyncio.Event()
        waiting = asyncio.ensure_future(house.buy("p2"))
        await asyncio.sleep(0)
        for answer in (await house.retry("p1"), await house.reverse("p1")):
            assert failure_of(answer) is ErrorType.OUTCOME_UNKNOWN
            assert isinstance(answer, Refused)
            assert not answer.not_sent
        hold.set()
        await waiting


async def test_a_channel_hears_in_time_that_the_outcome_is_unknown_and_the_work_goes_on() -> None:
    async with House(replace(SETTINGS, channel_answer_seconds=0.01)) as house:
        hold = house.providers["a"].hold = asyncio.Event()
        assert failure_of(await house.buy("p1")) is ErrorType.OUTCOME_UNKNOWN
        hold.set()
        await house.until(lambda: house.purchase("p1").settled)
        assert isinstance(await house.retry("p1"), Sold)
        assert house.providers["a"].asked.count(Operation.VEND) == 1


async def test_a_channel_that_goes_away_leaves_the_work_to_its_end_and_a_shutdown_waits() -> None:
    house = House()
    async with house:
        hold = house.providers["a"].hold = asyncio.Event()
        buying = asyncio.ensure_future(house.buy("p1"))
        await house.until(lambda: Operation.VEND in house.providers["a"].asked)
        buying.cancel()
        await asyncio.gather(buying, return_exceptions=True)
        closing = asyncio.create_task(house.switch.close())
        await asyncio.sleep(0.01)
        hold.set()
        await closing
        assert house.purchase("p1").status is PurchaseStatus.APPROVED


# The ledger fails


async def test_busy_at_the_start_is_a_refusal_busy_at_the_end_is_doubt() -> None:
    async with House(replace(SETTINGS, scan_seconds=3_600.0)) as house:
        house.fail(LedgerBusy(), "PurchaseRequested")
        first = await house.buy("p1")
        assert failure_of(first) is ErrorType.UPSTREAM_UNAVAILABLE
        assert isinstance(first, Refused)
        assert first.not_sent

        house.fail(LedgerBusy(), "ProviderAnswered")
        second = await house.buy("p2")
        assert failure_of(second) is ErrorType.OUTCOME_UNKNOWN
        assert isinstance(second, Refused)
        assert not second.not_sent
        assert len(house.providers["a"].standing) == 1

        house.heal()
        house.clock.leap(60)
        assert isinstance(await house.retry("p2"), Sold)
        assert len(house.providers["a"].standing) == 1


@pytest.mark.parametrize("kind", ["PurchaseRequested", "ProviderAnswered"])
async def test_a_ledger_that_is_away_leaves_doubt(kind: str) -> None:
    """The first append may have been written after all, so it is no refusal either."""
    async with House() as house:
        house.fail(LedgerUnavailable("away"), kind)
        answer = await house.buy("p1")
        assert failure_of(answer) is ErrorType.OUTCOME_UNKNOWN
        assert isinstance(answer, Refused)
        assert not answer.not_sent


async def test_a_lookup_on_a_ledger_that_is_away_is_an_outage() -> None:
    async with House() as house:
        house.fail(LedgerUnavailable("away"), "LookupRequested")
        assert failure_of(await house.look_up("l2")) is ErrorType.UPSTREAM_UNAVAILABLE


async def test_an_advice_that_was_not_stored_is_not_acknowledged() -> None:
    async with House() as house:
        await house.buy("p1")
        for kind in ("AdviceReceived", "ReversalAdvised"):
            house.fail(LedgerUnavailable("away"), kind)
            assert failure_of(await house.reverse("p1")) is ErrorType.OUTCOME_UNKNOWN
        house.heal()
        assert isinstance(await house.reverse("p1"), Acknowledged)


async def test_readiness_is_that_the_ledger_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with House() as house:
        assert await house.switch.ready() == {"ledger": True}

        async def away() -> int:
            raise LedgerUnavailable("away")

        monkeypatch.setattr(house.log, "last_position", away)
        assert await house.switch.ready() == {"ledger": False}


# The workers


async def test_what_is_due_is_attended_to_without_anyone_asking() -> None:
    async with House() as house:
        house.providers["a"].fault = lambda _operation: Fault.SILENT_AFTER
        await house.buy("p1")
        house.providers["a"].fault = lambda _operation: Fault.NONE
        house.clock.leap(60)
        house.finder.due = [(house.clock.now, "p1")]
        await house.until(lambda: house.purchase("p1").settled)
        assert house.purchase("p1").status is PurchaseStatus.APPROVED


async def test_a_list_longer_than_a_page_is_gone_through_page_by_page_and_round_again() -> None:
    async with House(replace(SETTINGS, scan_batch=2)) as house:
        due = [(house.clock.now, f"nobody's {number}") for number in range(5)]
        house.finder.asked.clear()
        house.finder.due = list(due)
        await house.until(lambda: [a for a, _ in house.finder.asked].count(due[3]) >= 2)
        pages = [after for after, _ in house.finder.asked]
        start = pages.index(due[1])
        assert pages[start : start + 4] == [due[1], due[3], None, due[1]]


async def test_one_purchase_that_cannot_be_attended_to_stops_nobody() -> None:
    async with House() as house:
        house.providers["a"].fault = lambda _operation: Fault.SILENT_AFTER
        for name in ("odd", "p1"):
            await house.buy(name)
        house.clock.leap(60)
        house.providers["a"].fault = lambda _operation: Fault.NONE
        house.fail(RuntimeError("odd"), "ProviderAsked")
        house.finder.due = [(house.clock.now, "odd"), (house.clock.now, "no purchase at all")]
        scans = len(house.finder.asked)
        await house.until(lambda: len(house.finder.asked) > scans + 2)
        house.heal()
        house.finder.due.append((house.clock.now, "p1"))
        await house.until(lambda: all(house.purchase(name).settled for name in ("odd", "p1")))


async def test_a_scan_that_fails_is_made_again() -> None:
    async with House() as house:
        house.finder.error = OSError("away")
        scans = len(house.finder.asked)
        await house.until(lambda: len(house.finder.asked) > scans + 3)


async def test_every_provider_can_come_back_with_or_without_a_meter_to_probe_by() -> None:
    async with House() as house:
        for name in "ab":
            house.providers[name].received.clear()
            await house.switch.context.health.turn(name, healthy=False, reason="test")
        table = house.switch.context.table
        await house.until(lambda: all(state.healthy for state in table.providers.values()))
        probed = {name: {p.question.meter for p in house.providers[name].received} for name in "ab"}
        assert probed == {"a": {MeterDetail(NOBODYS_METER)}, "b": {METER}}


async def test_the_weights_of_the_settings_are_taken_over_once() -> None:
    async with House() as house:
        table = house.switch.context.table.providers
        assert {name: state.weight for name, state in table.items()} == {"a": 1, "b": 0}
        assert {name: state.name for name, state in table.items()} == {"a": "A", "b": "B"}
