"""The read model of routing preferences: what pages find in it, and what the ledger says other
preferences would have moved."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from random import Random

import pytest

from domain.operator import Actor
from domain.routing import DRAW_MAX
from domain.sale import UtilityType
from ledger import Ledger
from projections.catalogue import read_models
from projections.history import History
from projections.reading import Reading
from projections.routing_search import (
    Place,
    UtilityRow,
    all_preferences,
    utilities,
    utilities_cursor,
    utility_row,
)
from projections.routing_traffic import RoutingTraffic
from projections.runner import ProjectionRunner, RunnerSettings
from switch.settings import SwitchSettings
from tests.scripted_provider import ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock

SETTINGS = SwitchSettings(lease_poll_seconds=0.0, broadcast_window_seconds=5.0)
UTILITY = "Test Municipality"
KEY = "test-municipality"
OTHER_METER = "04000000002"
DAY = timedelta(days=1)

Feed = Callable[[], Awaitable[None]]


@pytest.fixture
async def board(ledger: Ledger) -> AsyncIterator[Switchboard]:
    """Providers a, b and c serve the meter, only a and b the other one; d serves none."""
    clock = TestClock()
    served = {METER.number, OTHER_METER}
    providers = [
        ScriptedProvider("a", clock, meters=frozenset(served)),
        ScriptedProvider("b", clock, meters=frozenset(served)),
        ScriptedProvider("c", clock, meters=frozenset({METER.number})),
        ScriptedProvider("d", clock, meters=frozenset()),
    ]
    chance = Random(1)
    draws = [chance.randrange(DRAW_MAX) for _ in range(1_000)]
    board = Switchboard(clock, providers, SETTINGS, draws=draws, log=ledger)
    await board.open()
    yield board
    await board.close()


@pytest.fixture
async def feed(ledger: Ledger, database_url: str) -> Feed:
    settings = RunnerSettings(linger_seconds=0.0, idle_seconds=0.01)
    runner = ProjectionRunner(ledger, database_url, read_models(), settings)

    async def fed() -> None:
        await runner.catch_up()

    return fed


@pytest.fixture
async def reading(database_url: str, feed: Feed) -> AsyncIterator[Reading]:
    await feed()
    async with Reading(database_url) as reading:
        yield reading


async def row(reading: Reading, utility: str = KEY) -> UtilityRow:
    found = await utility_row(reading, utility)
    assert found is not None
    return found


# The list


async def test_a_utility_is_listed_with_its_meters_and_providers_in_routing_order(
    board: Switchboard, feed: Feed, reading: Reading
) -> None:
    await board.look_up("l1")
    await board.look_up("l2", OTHER_METER)
    await board.steering.set_weight("b", 7, OP)
    await board.steering.set_preferences(
        UTILITY, ["c"], ["a"], Actor("mary", "routing-manager", comment="tender")
    )
    await feed()
    found = await row(reading)
    assert (found.name, found.meters) == (UTILITY, 2)
    assert (found.ranked, found.excluded, found.version) == (["c"], ["a"], 2)
    assert (found.changed_by, found.comment) == ("mary", "tender")
    told = [(p.provider, p.place, p.rank, p.supported, p.not_supported) for p in found.providers]
    assert told == [
        ("c", Place.RANKED, 1, 1, 1),
        ("b", Place.UNRANKED, None, 2, 0),
        ("d", Place.UNCONFIRMED, None, 0, 2),
        ("a", Place.EXCLUDED, None, 2, 0),
    ]
    assert [p.weight for p in found.providers] == [1, 7, 1, 1]


async def test_a_provider_that_gets_nothing_now_says_why(
    board: Switchboard, feed: Feed, reading: Reading
) -> None:
    await board.look_up("l1")
    await board.steering.disable("b", OP)
    await feed()
    trouble = {p.provider: p.trouble for p in (await row(reading)).providers}
    assert trouble == {"a": "", "b": "disabled", "c": "", "d": ""}


async def test_the_search_takes_any_part_of_the_name_in_any_case_or_of_the_id(
    board: Switchboard, feed: Feed, reading: Reading
) -> None:
    for name in ("City of Johannesburg", "JOHANNESBURG Water", "Mônica", "100% Off_Grid"):
        await board.steering.set_preferences(name, [], [], OP)
    await feed()

    async def found(search: str) -> list[str]:
        page = await utilities(reading, search, cursor=None, limit=10)
        return [one.name for one in page.rows]

    assert await found("joHann") == ["City of Johannesburg", "JOHANNESBURG Water"]
    assert await found("MÔN") == ["Mônica"]
    assert await found("city-of") == ["City of Johannesburg"]
    assert await found("%") == await found("f_") == ["100% Off_Grid"]
    assert await found("nowhere") == []
    assert len(await found("  ")) == 4
    for wrong in ("x" * 201, "\0"):
        with pytest.raises(ValueError, match="at most 200"):
            await found(wrong)


async def test_pages_go_on_where_the_last_one_ended_in_both_directions(
    board: Switchboard, feed: Feed, reading: Reading
) -> None:
    names = [f"Town {number:02}" for number in range(7)]
    for name in reversed(names):
        await board.steering.set_preferences(name, [], [], OP)
    await feed()
    assert [one.name for one in await all_preferences(reading)] == names

    seen: list[list[str]] = []
    page = await utilities(reading, "town", cursor=None, limit=3)
    seen.append([one.name for one in page.rows])
    while page.later is not None:
        cursor = utilities_cursor(page.later)
        page = await utilities(reading, "town", cursor=cursor, limit=3)
        seen.append([one.name for one in page.rows])
    assert seen == [names[:3], names[3:6], names[6:]]
    assert page.earlier is not None
    before = await utilities(
        reading, "town", cursor=utilities_cursor(page.earlier, back=True), limit=3
    )
    assert [one.name for one in before.rows] == names[3:6]
    with pytest.raises(ValueError, match="mark of a page"):
        utilities_cursor("not~a~mark")


# The preview


class Past:
    """Previews of what was bought on the board until now."""

    def __init__(self, board: Switchboard, ledger: Ledger, reading: Reading, feed: Feed) -> None:
        self.board = board
        self._ledger = ledger
        self._reading = reading
        self._feed = feed
        self._bought = 0

    async def buy(self, number: str = METER.number, times: int = 1) -> None:
        for _ in range(times):
            self._bought += 1
            await self.board.buy(f"p{self._bought}", number=number)

    async def would(
        self, ranked: list[str], excluded: list[str], most: int = 5_000
    ) -> tuple[int, int, dict[tuple[str | None, str | None], int]]:
        """How many there were, how many were looked at, and what moved."""
        await self._feed()
        now = self.board.clock.now
        traffic = RoutingTraffic(self._reading, History(self._ledger), most)
        preview = await traffic.preview(KEY, now - DAY, now + DAY, ranked, excluded)
        assert preview.complete == (preview.counted == preview.moves.purchases)
        return preview.counted, preview.moves.purchases, dict(preview.moves.moved)

    async def prefer(self, ranked: list[str], excluded: list[str]) -> None:
        """Sets the utility's preferences, and waits until purchases go by them."""
        await self.board.steering.set_preferences(UTILITY, ranked, excluded, OP)
        wanted = (await self.board.steering.utility(UTILITY)).version
        async with asyncio.timeout(30):
            while (await self.board.context.table.utility(KEY)).version < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def went(self) -> list[str]:
        """The providers that sold, in the order of the purchases."""
        sellers: list[str] = []
        for number in range(1, self._bought + 1):
            vend = (await self.board.purchase(f"p{number}")).vend
            sellers.append(vend.provider if vend is not None else "")
        return sellers


@pytest.fixture
async def past(board: Switchboard, ledger: Ledger, reading: Reading, feed: Feed) -> Past:
    await board.look_up("l1")
    await board.look_up("l2", OTHER_METER)
    return Past(board, ledger, reading, feed)


async def test_what_stays_as_it_is_moves_nothing(past: Past) -> None:
    await past.buy(times=20)
    await past.buy(OTHER_METER, times=20)
    assert await past.would([], []) == (40, 40, {})


async def test_a_ranking_moves_what_went_elsewhere_and_only_where_it_is_supported(
    past: Past,
) -> None:
    await past.buy(times=30)
    await past.buy(OTHER_METER, times=30)
    went = await past.went()
    mine = {name: went[:30].count(name) for name in "abc"}
    assert min(mine.values()) > 0, "every provider had some"
    moved = {("a", "c"): mine["a"], ("b", "c"): mine["b"]}
    assert await past.would(["c"], []) == (60, 60, moved)


async def test_a_preview_foretells_what_the_same_draws_then_do(past: Past) -> None:
    """The same purchases are made a second time with what was previewed."""
    past.board.draw_again()
    await past.buy(times=40)
    first = await past.went()
    _, _, moved = await past.would([], ["a"])
    await past.prefer([], ["a"])
    past.board.draw_again()
    await past.buy(times=40)
    second = (await past.went())[40:]
    assert "a" in first
    assert "a" not in second
    pairs = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
    assert {pair: pairs.count(pair) for pair in pairs} == moved


async def test_excluding_all_that_support_it_leaves_no_route(past: Past) -> None:
    await past.buy(times=9)
    _, _, moved = await past.would([], ["a", "b", "c"])
    assert sum(moved.values()) == 9
    assert {now for _, now in moved} == {None}


async def test_of_an_excluded_provider_the_contract_table_tells_the_support(past: Past) -> None:
    await past.prefer(["a"], ["c", "d"])
    await past.buy(times=5)
    await past.buy(OTHER_METER, times=7)
    moved = {("a", "c"): 5}
    assert await past.would(["c", "d", "a"], []) == (12, 12, moved), "d serves neither meter"


async def test_of_an_excluded_provider_its_own_stream_tells_when_it_was_available(
    past: Past,
) -> None:
    steering = past.board.steering
    await past.prefer(["a"], ["c"])
    await past.buy(times=3)
    await steering.disable("c", OP)
    await past.buy(times=4)
    await steering.enable("c", OP)
    await past.buy(times=2)
    assert await past.would(["c", "a"], []) == (9, 9, {("a", "c"): 5})
    assert await past.would(["a"], ["c"]) == (9, 9, {})


async def test_a_meters_own_preference_stays_before_the_ranking(past: Past) -> None:
    steering = past.board.steering
    kind = UtilityType.ELECTRICITY
    await steering.set_meter_preference(kind, METER.number, ["b"], OP)
    await past.prefer([], ["b"])
    await past.buy(times=6)
    went = await past.went()
    counts = {(name, "b"): went.count(name) for name in "ac" if name in went}
    _, _, moved = await past.would(["a"], [])
    assert moved == counts, "b is no longer excluded, so the meter's preference counts again"


async def test_of_many_the_latest_are_looked_at_and_all_are_counted(past: Past) -> None:
    await past.prefer(["a"], [])
    await past.buy(times=4)
    await past.prefer(["b"], [])
    await past.buy(times=3)
    assert await past.would(["c"], [], most=5) == (7, 5, {("a", "c"): 2, ("b", "c"): 3})


async def test_only_the_utilitys_purchases_of_the_time_asked_for_count(
    past: Past, ledger: Ledger, reading: Reading, feed: Feed
) -> None:
    await past.buy(times=2)
    past.board.clock.leap(3_600)
    begins: datetime = past.board.clock.now
    await past.buy(times=3)
    await past.board.look_up("l3")
    ends: datetime = past.board.clock.now + timedelta(seconds=1)
    past.board.clock.leap(3_600)
    await past.buy(times=4)
    await feed()
    traffic = RoutingTraffic(reading, History(ledger))
    assert (await traffic.preview(KEY, begins, ends, [], [])).counted == 3
    assert (await traffic.preview("elsewhere", begins, ends, [], [])).counted == 0
