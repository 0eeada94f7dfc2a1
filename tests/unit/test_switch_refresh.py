"""The scheduled broadcast of known meters."""

from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace

import pytest

from domain.lookup import BroadcastStarted, LookupRequested
from domain.meter import BroadcastReason, Meter
from domain.routing import Support
from domain.sale import UtilityType
from ledger import LedgerUnavailable
from switch import refresh
from switch.ports import DueAt
from switch.refresh import Refresh
from switch.settings import SwitchSettings
from tests.scripted_provider import ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock

DAY = 86_400.0
METERS = [METER.number, "2", "3"]
SETTINGS = SwitchSettings(lease_poll_seconds=0.0, refresh_per_second=4.0, refresh_batch=2)


class Finder:
    """Finds the meters whose last broadcast is old enough, as the read model does."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self.asked: list[tuple[datetime, int]] = []

    async def purchases_due(
        self, now: datetime, after: DueAt | None, limit: int
    ) -> Sequence[DueAt]:
        raise AssertionError(f"not a refresh's business: {now}, {after}, {limit}")

    async def meters_due(self, broadcast_before: datetime, limit: int) -> Sequence[Meter]:
        self.asked.append((broadcast_before, limit))
        meters = [await self._board.meter(number) for number in METERS]
        due = [
            Meter(number=m.number, utility_type=m.utility_type)
            for m in meters
            if m.last_broadcast_at is not None and m.last_broadcast_at < broadcast_before
        ]
        return due[:limit]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the refresh paused, instead of pausing."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(refresh, "asyncio", SimpleNamespace(sleep=sleep))
    return pauses


async def known_meters() -> tuple[Switchboard, Finder, Refresh]:
    clock = TestClock()
    providers = [ScriptedProvider(name, clock, meters=frozenset(METERS)) for name in "ab"]
    board = Switchboard(clock, providers, SETTINGS)
    await board.open()
    for number in METERS:
        await board.look_up(f"l-{number}", number)
    for one in board.providers.values():
        one.asked.clear()
    finder = Finder(board)
    return board, finder, Refresh(board.context, board.look_ups, finder)


def calls(board: Switchboard) -> dict[str, int]:
    return {name: len(one.asked) for name, one in board.providers.items()}


async def test_nothing_is_broadcast_before_it_is_due(pauses: list[float]) -> None:
    board, finder, work = await known_meters()
    board.clock.leap(29 * DAY)
    assert await work.round() == 0
    assert calls(board) == {"a": 0, "b": 0}
    assert pauses == []
    assert finder.asked[0][1] == SETTINGS.refresh_batch
    await board.close()


async def test_due_meters_are_broadcast_to_all_a_batch_at_a_time_at_the_set_rate(
    pauses: list[float],
) -> None:
    board, _, work = await known_meters()
    board.clock.leap(31 * DAY)
    assert await work.round() == 2
    assert calls(board) == {"a": 2, "b": 2}
    assert pauses == [0.25, 0.25]
    assert await work.round() == 1
    assert calls(board) == {"a": 3, "b": 3}
    assert await work.round() == 0, "all are fresh again"
    started = [e.event for e in board.log.recorded if isinstance(e.event, BroadcastStarted)]
    assert [event.reason for event in started[3:]] == [BroadcastReason.SCHEDULED] * 3
    requested = [e.event for e in board.log.recorded if isinstance(e.event, LookupRequested)]
    assert {event.client for event in requested[3:]} == {"schedule"}
    await board.close()


@pytest.mark.usefixtures("pauses")
async def test_answers_change_and_preferences_stay() -> None:
    board, _, work = await known_meters()
    await board.steering.set_meter_preference(UtilityType.ELECTRICITY, "2", ["b"], OP)
    before = await board.meter("2")
    board.providers["a"].meters = frozenset()
    board.clock.leap(31 * DAY)

    while await work.round():
        pass

    meter = await board.meter("2")
    assert meter.support("a") is Support.NOT_SUPPORTED
    assert meter.support("b") is Support.SUPPORTED
    assert meter.preference == ("b",)
    assert meter.utility == before.utility
    assert meter.last_broadcast_at is not None
    assert before.last_broadcast_at is not None
    assert meter.last_broadcast_at > before.last_broadcast_at
    assert meter.answers["b"].at > before.answers["b"].at, "the last response is of today"
    await board.close()


@pytest.mark.usefixtures("pauses")
async def test_a_meter_that_cannot_be_refreshed_does_not_keep_the_others_from_it() -> None:
    board, _, work = await known_meters()
    board.clock.leap(31 * DAY)
    failures = [LedgerUnavailable("away")]

    def around(moment: str, events: object) -> None:
        del events
        if moment == "before" and failures:
            raise failures.pop()

    board.log.around = around
    assert await work.round() == 2
    assert calls(board) == {"a": 1, "b": 1}
    await board.close()
