"""Preferences of many utilities at once: foreseen, then applied line by line."""

from collections.abc import AsyncIterator, Sequence

import pytest

from domain.event import Event
from domain.operator import Actor
from domain.utility import PreferencesSet, utility_stream
from ledger import LedgerUnavailable, Recorded
from switch.upload_preferences import Line, LineReport, Outcome, apply, foresee
from tests.memory_log import MemoryLog
from tests.scripted_provider import ScriptedProvider
from tests.switchboard import OP, Switchboard, TestClock

MANAGER = Actor("mary", role="routing-manager", comment="new tender")


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    """Providers a, b and c; Eskom ranks a, Joburg nothing yet."""
    clock = TestClock()
    board = Switchboard(clock, [ScriptedProvider(name, clock) for name in "abc"])
    await board.open()
    await board.steering.set_preferences("Eskom", ["a"], [], OP)
    await board.steering.set_preferences("Joburg", [], [], OP)
    yield board
    await board.close()


def outcomes(reports: Sequence[LineReport]) -> list[tuple[int, Outcome]]:
    return [(report.number, report.outcome) for report in reports]


async def test_a_dry_run_says_what_each_line_would_do_and_changes_nothing(
    board: Switchboard,
) -> None:
    lines = [
        Line(2, "Eskom", ("b", "a"), ("c",)),
        Line(3, "JOBURG"),
        Line(4, "Nowhere", ("a",)),
        Line(5, "Broken", problem="2 cells instead of 3"),
        Line(6, "..."),
        Line(7, "Cape Town", ("a", "x")),
        Line(8, "Durban", ("a",), ("a",)),
    ]
    written = len(board.log.recorded)
    reports = await foresee(board.steering, lines, register=False)
    assert len(board.log.recorded) == written
    assert outcomes(reports) == [
        (2, Outcome.CHANGES),
        (3, Outcome.UNCHANGED),
        *((number, Outcome.ERROR) for number in (4, 5, 6, 7, 8)),
    ]
    assert reports[0].ranked_before == ("a",)
    assert (reports[0].ranked, reports[0].excluded) == (("b", "a"), ("c",))
    assert reports[0].seen_version == 2
    said = [report.reason for report in reports[2:]]
    assert "no such utility" in said[0]
    assert said[1:] == [
        "2 cells instead of 3",
        "no name of a utility",
        "no such provider: x",
        "a provider is named once",
    ]


async def test_good_lines_are_applied_in_the_actors_name_and_bad_ones_are_not(
    board: Switchboard,
) -> None:
    lines = [
        Line(2, "Eskom", ("b",), ("c",)),
        Line(3, "Joburg", ("x",)),
        Line(4, "Nowhere", ("a",)),
        Line(5, "Joburg Water", ("c",)),
    ]
    reports = await apply(board.steering, lines, MANAGER, register=False, seen={})
    assert outcomes(reports) == [
        (2, Outcome.CHANGED),
        (3, Outcome.ERROR),
        (4, Outcome.ERROR),
        (5, Outcome.ERROR),
    ]
    last = board.log.recorded[-1].event
    assert isinstance(last, PreferencesSet)
    assert (last.utility, last.ranked, last.excluded) == ("eskom", ("b",), ("c",))
    assert (last.by, last.role, last.comment) == ("mary", "routing-manager", "new tender")
    assert (await board.steering.utility("Joburg")).ranked == ()
    assert not await board.steering.knows_utility("Nowhere")


async def test_new_utilities_are_registered_only_when_that_is_meant(board: Switchboard) -> None:
    lines = [Line(2, "Nowhere", ("a",)), Line(3, "Knysna")]
    (first, second) = await foresee(board.steering, lines, register=True)
    assert (first.outcome, first.registers) == (Outcome.CHANGES, True)
    assert (second.outcome, second.registers) == (Outcome.CHANGES, True)
    reports = await apply(board.steering, lines, MANAGER, register=True, seen={})
    assert outcomes(reports) == [(2, Outcome.CHANGED), (3, Outcome.CHANGED)]
    assert (await board.steering.utility("nowhere")).ranked == ("a",)
    assert await board.steering.knows_utility("Knysna")
    again = await foresee(board.steering, lines, register=False)
    assert outcomes(again) == [(2, Outcome.UNCHANGED), (3, Outcome.UNCHANGED)]


async def test_a_utility_that_is_named_twice_is_an_error_on_both_lines(board: Switchboard) -> None:
    lines = [Line(2, "Eskom", ("b",)), Line(3, "Joburg", ("b",)), Line(4, "ESKOM.", ("c",))]
    reports = await apply(board.steering, lines, MANAGER, register=False, seen={})
    assert outcomes(reports) == [(2, Outcome.ERROR), (3, Outcome.CHANGED), (4, Outcome.ERROR)]
    assert reports[0].reason == "also on line 4; which one is meant?"
    assert reports[2].reason == "also on line 2; which one is meant?"
    assert (await board.steering.utility("Eskom")).ranked == ("a",)


async def test_what_somebody_else_changed_since_the_dry_run_is_left_as_it_is(
    board: Switchboard,
) -> None:
    lines = [Line(2, "Eskom", ("b",)), Line(3, "Joburg", ("b",))]
    foreseen = await foresee(board.steering, lines, register=False)
    seen = {"eskom": foreseen[0].seen_version or 0, "joburg": foreseen[1].seen_version or 0}
    await board.steering.set_preferences("Eskom", ["c"], [], OP)
    reports = await apply(board.steering, lines, MANAGER, register=False, seen=seen)
    assert outcomes(reports) == [(2, Outcome.CHANGED_MEANWHILE), (3, Outcome.CHANGED)]
    assert reports[0].reason == "Eskom was changed meanwhile"
    assert (await board.steering.utility("Eskom")).ranked == ("c",)
    assert (await board.steering.utility("Joburg")).ranked == ("b",)


async def test_when_the_ledger_goes_away_in_between_each_lines_end_is_told(
    board: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = MemoryLog.append

    async def append(
        log: MemoryLog, stream: str, after_version: int, events: Sequence[Event]
    ) -> list[Recorded]:
        if stream == utility_stream("joburg"):
            raise LedgerUnavailable("gone")
        return await original(log, stream, after_version, events)

    monkeypatch.setattr(MemoryLog, "append", append)
    lines = [Line(2, "Joburg", ("b",)), Line(3, "Eskom", ("b",))]
    reports = await apply(board.steering, lines, MANAGER, register=False, seen={})
    assert outcomes(reports) == [(2, Outcome.ERROR), (3, Outcome.CHANGED)]
    assert reports[0].reason == "look again before it is repeated: gone"


async def test_a_long_file_is_done_to_its_last_line(board: Switchboard) -> None:
    lines = [Line(number, f"Town {number}", ("a",)) for number in range(2, 102)]
    reports = await apply(board.steering, lines, MANAGER, register=True, seen={})
    assert outcomes(reports) == [(number, Outcome.CHANGED) for number in range(2, 102)]
    assert (await board.steering.utility("Town 101")).ranked == ("a",)
