"""The routing table follows the ledger, whichever process wrote to it."""

import asyncio
from collections.abc import AsyncIterator, Collection

import pytest

from domain.event import Event
from domain.operator import Actor
from domain.provider import WeightSet, provider_stream
from domain.sale import UtilityType
from domain.utility import PreferencesSet, UtilityRegistered, utility_stream
from ledger import Batch, LedgerUnavailable, Recorded
from switch.command import Sold
from tests.memory_log import MemoryLog
from tests.scripted_provider import ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock

UTILITY = "test-municipality"


class Gated(MemoryLog):
    """Holds back, when told to, what was read of a utility; fails a tail when told to."""

    gate: asyncio.Event | None = None
    read_back: int = 0
    tails: int = 0
    failing_tails: int = 0

    async def read(
        self, stream: str, after_version: int = 0, *, limit: int | None = None
    ) -> list[Recorded]:
        found = list(await super().read(stream, after_version, limit=limit))
        if stream.startswith("utility/"):
            self.read_back += 1
            if self.gate is not None:
                await self.gate.wait()
        return found

    async def tail(
        self, after: int, *, topics: Collection[type[Event]] = (), linger_seconds: float = 0.0
    ) -> AsyncIterator[Batch]:
        self.tails += 1
        if self.failing_tails:
            self.failing_tails -= 1
            raise LedgerUnavailable("away")
        async for batch in super().tail(after, topics=topics, linger_seconds=linger_seconds):
            yield batch


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    clock = TestClock()
    providers = [ScriptedProvider(name, clock) for name in "ab"]
    board = Switchboard(clock, providers, log=Gated())
    await board.open()
    yield board
    await board.close()


@pytest.fixture
async def other(board: Switchboard) -> AsyncIterator[Switchboard]:
    """A second process on the same ledger."""
    other = Switchboard(board.clock, list(board.providers.values()), log=board.log, name="other")
    await other.context.table.open(other.providers)
    yield other
    await other.close()


async def chosen(board: Switchboard) -> str | None:
    return (await board.context.table.route(await board.meter())).chosen


async def test_changes_of_another_process_take_effect(
    board: Switchboard, other: Switchboard
) -> None:
    await board.look_up("l1")
    assert await chosen(other) == "a"
    await board.steering.set_preferences("Test Municipality", ["b"], [], OP)
    await board.quiet()
    assert await chosen(other) == "b"
    await board.steering.set_preferences("Test Municipality", ["b"], ["a"], OP)
    await board.steering.disable("b", OP)
    await board.quiet()
    assert await chosen(other) is None
    await board.steering.enable("b", OP)
    await board.steering.set_weight("b", 7, OP)
    await board.quiet()
    assert await chosen(other) == "b"
    assert other.context.table.providers["b"].weight == 7


async def test_ones_own_changes_to_providers_take_effect_at_once(board: Switchboard) -> None:
    await board.look_up("l1")
    await board.steering.disable("a", OP)
    assert await chosen(board) == "b"


async def test_a_process_that_starts_later_knows_what_was_set(board: Switchboard) -> None:
    await board.look_up("l1")
    await board.steering.set_weight("a", 0, OP)
    await board.steering.set_preferences("Test Municipality", [], ["a"], OP)
    late = Switchboard(board.clock, list(board.providers.values()), log=board.log, name="late")
    await late.context.table.open(late.providers)
    assert late.context.table.providers["a"].weight == 0
    assert await chosen(late) == "b"
    await late.close()


async def test_settings_do_not_undo_what_a_person_set(board: Switchboard) -> None:
    await board.steering.set_weight("a", 9, OP)
    version = (await board.context.streams.provider("a")).version
    await board.steering.configure("a", "A", "scripted", board.providers["a"].capabilities, 1)
    state = await board.context.streams.provider("a")
    assert (state.weight, state.version) == (9, version)


async def test_a_utility_is_read_once_and_then_followed(board: Switchboard) -> None:
    log = board.log
    assert isinstance(log, Gated)
    await board.steering.set_preferences("Test Municipality", ["b"], [], OP)
    await board.quiet()
    log.read_back = 0
    for _ in range(5):
        assert (await board.context.table.utility(UTILITY)).ranked == ("b",)
    assert log.read_back == 1


async def test_a_preference_set_while_the_utility_is_being_read_is_not_missed(
    board: Switchboard,
) -> None:
    log = board.log
    assert isinstance(log, Gated)
    await board.steering.set_preferences("Test Municipality", ["a"], [], OP)
    await board.quiet()
    log.gate = asyncio.Event()
    reading = asyncio.create_task(board.context.table.utility(UTILITY))
    await board.quiet()
    newer = PreferencesSet(at=board.clock(), utility=UTILITY, ranked=("b",), excluded=(), by="op")
    await log.append(utility_stream(UTILITY), 2, [newer])
    await board.quiet()
    log.gate.set()

    assert (await reading).ranked == ("b",)
    assert (await board.context.table.utility(UTILITY)).ranked == ("b",)


async def test_a_gap_in_what_was_followed_is_read_from_the_stream(board: Switchboard) -> None:
    """Own changes are taken over ahead of the follower, and others may come between."""
    table = board.context.table
    stale = table.providers["a"]
    stream = provider_stream("a")
    for weight in (3, 4, 5):
        event = WeightSet(at=board.clock(), provider="a", weight=weight, by="op")
        await board.log.append(stream, stale.version + weight - 3, [event])
    table.providers["a"] = stale
    last = board.log.streams[stream][-1]
    await table._take(last)  # pyright: ignore[reportPrivateUsage]  # the follower's step, alone
    assert (table.providers["a"].weight, table.providers["a"].version) == (5, last.version)
    first = board.log.streams[stream][0]
    await table._take(first)  # pyright: ignore[reportPrivateUsage]  # as above
    assert table.providers["a"].weight == 5, "what is known already changes nothing"


async def test_providers_of_other_processes_are_none_of_ours(board: Switchboard) -> None:
    event = WeightSet(at=board.clock(), provider="theirs", weight=1, by="op")
    await board.log.append(provider_stream("theirs"), 0, [event])
    registered: Event = UtilityRegistered(at=board.clock(), utility="u", name="U", by="op")
    await board.log.append(utility_stream("u"), 0, [registered])
    await board.steering.set_weight("a", 2, OP)
    await board.quiet()
    assert set(board.context.table.providers) == {"a", "b"}
    assert board.context.table.enabled() == ("a", "b")


async def test_the_table_goes_on_following_when_the_ledger_is_back(board: Switchboard) -> None:
    log = board.log
    assert isinstance(log, Gated)
    log.failing_tails = 3
    other = Switchboard(board.clock, list(board.providers.values()), log=log, name="other")
    await other.context.table.open(other.providers)
    await board.steering.set_weight("a", 8, OP)
    await board.quiet()
    assert log.failing_tails == 0
    assert other.context.table.providers["a"].weight == 8
    await other.close()


async def test_what_people_set_is_checked(board: Switchboard) -> None:
    steering = board.steering
    with pytest.raises(ValueError, match="0 or more"):
        await steering.set_weight("a", -1, OP)
    with pytest.raises(ValueError, match="no such provider: x, y"):
        await steering.set_preferences("U", ["y"], ["x"], OP)
    with pytest.raises(ValueError, match="named once"):
        await steering.set_preferences("U", ["a"], ["a"], OP)
    with pytest.raises(ValueError, match="has a letter or digit"):
        await steering.set_preferences("...", ["a"], [], OP)
    assert not await steering.knows_utility("U")


async def test_setting_what_is_set_already_writes_nothing(board: Switchboard) -> None:
    steering = board.steering
    kind, number = UtilityType.ELECTRICITY, METER.number

    async def everything() -> None:
        await steering.set_weight("a", 3, OP)
        await steering.disable("b", Actor("op", comment="slow"))
        await steering.set_preferences("U", ["a"], ["b"], OP)
        await steering.set_meter_preference(kind, number, ["a"], OP)
        await steering.request_rebroadcast(kind, number, OP)

    await everything()
    written = len(board.log.recorded)
    await everything()
    await steering.enable("a", OP)
    assert len(board.log.recorded) == written


async def test_a_meters_preference_rules_that_meter_and_no_other(board: Switchboard) -> None:
    for provider in board.providers.values():
        provider.meters = frozenset({METER.number, "2"})
    await board.look_up("l1")
    await board.look_up("l2", "2")
    await board.steering.set_preferences("Test Municipality", ["a"], [], OP)
    await board.steering.set_meter_preference(UtilityType.ELECTRICITY, METER.number, ["b"], OP)
    await board.quiet()
    mine, neighbours = await board.buy("p1"), await board.buy("p2", number="2")
    assert isinstance(mine, Sold)
    assert isinstance(neighbours, Sold)
    assert (mine.provider.id, neighbours.provider.id) == ("b", "a")
    await board.steering.set_meter_preference(UtilityType.ELECTRICITY, METER.number, [], OP)
    assert await chosen(board) == "a"
