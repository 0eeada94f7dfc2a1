"""Provider health: what counts as sick, who says so, and how a provider comes back."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from domain.exchange import Question, Reply
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome
from domain.provider import HealthChanged, provider_stream
from ledger import LedgerUnavailable
from switch.settings import SwitchSettings
from switch.streams import TooManyConflictsError
from tests.memory_log import MemoryLog
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import OP, Switchboard, TestClock

SETTINGS = SwitchSettings(lease_poll_seconds=0.0, probe_seconds=0.0)
GOOD, DECLINED, LOST, UNSENT = (
    Outcome.APPROVED,
    Outcome.DECLINED,
    Outcome.UNKNOWN,
    Outcome.NOT_SENT,
)


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    clock = TestClock()
    board = Switchboard(clock, [ScriptedProvider(name, clock) for name in "ab"], SETTINGS)
    await board.open()
    yield board
    await board.close()


@pytest.fixture
async def other(board: Switchboard) -> AsyncIterator[Switchboard]:
    """A second process on the same ledger."""
    other = Switchboard(
        board.clock, list(board.providers.values()), SETTINGS, log=board.log, name="other"
    )
    await other.context.table.open(other.providers)
    yield other
    await other.close()


async def observe(board: Switchboard, *outcomes: Outcome) -> None:
    for outcome in outcomes:
        board.context.health.observe("a", outcome)
    await board.quiet()


def healthy(board: Switchboard) -> bool:
    return board.context.table.providers["a"].healthy


def verdicts(log: MemoryLog) -> list[bool]:
    events = [entry.event for entry in log.streams[provider_stream("a")]]
    return [event.healthy for event in events if isinstance(event, HealthChanged)]


async def probe(board: Switchboard, *replies: Outcome | Exception) -> int:
    """Runs the probe loop until the replies are used up or nobody is probed; how many were."""
    left = list(replies)
    probed = 0

    async def ask(provider: str) -> Reply:
        nonlocal probed
        assert provider == "a"
        if not left:
            await asyncio.Event().wait()
        probed += 1
        reply = left.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return Reply(outcome=reply)

    loop = asyncio.create_task(board.context.health.probe_loop({"a": ask}))
    await board.quiet()
    assert not loop.done(), loop.exception()
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    return probed


# Falling sick


@pytest.mark.parametrize("failure", [LOST, UNSENT])
async def test_five_technical_failures_in_a_row_make_it_unhealthy_once(
    board: Switchboard, failure: Outcome
) -> None:
    await observe(board, *[failure] * 4)
    assert healthy(board)
    await observe(board, failure)
    assert not healthy(board)
    await observe(board, *[failure] * 7)
    assert verdicts(board.log) == [False]


async def test_many_failures_at_the_same_moment_are_one_event(board: Switchboard) -> None:
    for _ in range(20):
        board.context.health.observe("a", LOST)
    await board.quiet()
    assert verdicts(board.log) == [False]


@pytest.mark.parametrize("answer", [GOOD, DECLINED])
async def test_any_answer_ends_the_row(board: Switchboard, answer: Outcome) -> None:
    await observe(board, *([LOST] * 4 + [answer]) * 2)
    assert healthy(board)


async def test_business_declines_never_count(board: Switchboard) -> None:
    await observe(board, *[DECLINED] * 500)
    assert verdicts(board.log) == []


async def test_less_than_half_answered_of_twenty_is_sick_too(board: Switchboard) -> None:
    await observe(board, *[LOST, LOST, LOST, GOOD] * 4, LOST, LOST, GOOD)
    assert healthy(board), "nineteen are too few to judge by"
    await observe(board, LOST)
    assert not healthy(board)
    (event,) = [e.event for e in board.log.recorded if isinstance(e.event, HealthChanged)]
    assert event.reason == "5 of 20 exchanges answered in 60 s"


async def test_half_answered_is_enough(board: Switchboard) -> None:
    await observe(board, *[GOOD, LOST] * 50)
    assert healthy(board)


async def test_what_is_long_ago_does_not_count(board: Switchboard) -> None:
    await observe(board, *[LOST, LOST, LOST, GOOD] * 4)
    board.clock.leap(61)
    await observe(board, *[LOST, LOST, LOST, GOOD] * 4)
    assert healthy(board)


async def test_one_providers_failures_are_not_anothers(board: Switchboard) -> None:
    for provider in "abab":
        board.context.health.observe(provider, LOST)
        board.context.health.observe(provider, LOST)
    await board.quiet()
    assert healthy(board)


async def test_exchanges_count_whatever_they_were_for(board: Switchboard) -> None:
    await board.look_up("l1")
    board.providers["a"].fault = lambda _operation: Fault.NOT_SENT
    for number in range(5):
        await board.buy(f"p{number}")
    await board.quiet()
    assert not healthy(board)
    board.providers["a"].asked.clear()
    await board.buy("p9")
    assert board.providers["a"].asked == [], "traffic has moved"


@pytest.mark.parametrize(
    ("error", "sick"),
    [
        (ErrorType.INVALID_MERCHANT, True),
        (ErrorType.UPSTREAM_UNAVAILABLE, True),
        (ErrorType.TRANSACTION_DECLINED, False),
        (ErrorType.UNKNOWN_METER_ID, False),
    ],
)
async def test_being_turned_away_is_no_business_decline(
    board: Switchboard, error: ErrorType, sick: bool
) -> None:
    def refuse(question: Question) -> Reply | None:
        del question
        return Reply(outcome=Outcome.DECLINED, failure=Failure(error, "no"))

    board.providers["a"].reply = refuse
    for number in range(5):
        await board.look_up(f"l{number}", f"meter {number}")
    await board.quiet()
    assert healthy(board) is not sick


# Coming back


async def test_three_good_probes_bring_it_back(board: Switchboard) -> None:
    await observe(board, *[LOST] * 5)
    assert await probe(board, GOOD, DECLINED, GOOD, GOOD, GOOD) == 3
    assert healthy(board)
    assert verdicts(board.log) == [False, True]


async def test_a_flapping_provider_begins_anew(board: Switchboard) -> None:
    await observe(board, *[LOST] * 5)
    assert await probe(board, GOOD, GOOD, LOST, GOOD, GOOD) == 5
    assert not healthy(board)
    assert await probe(board, GOOD, GOOD) == 1
    assert healthy(board)


async def test_the_healthy_are_not_probed(board: Switchboard) -> None:
    assert await probe(board, GOOD) == 0


async def test_a_disabled_provider_gets_no_probe_either(board: Switchboard) -> None:
    await observe(board, *[LOST] * 5)
    await board.steering.disable("a", OP)
    assert await probe(board, GOOD) == 0
    await board.steering.enable("a", OP)
    assert await probe(board, GOOD, GOOD, GOOD) == 3


@pytest.mark.parametrize(
    "error", [LedgerUnavailable("away"), TooManyConflictsError("provider/a"), ValueError("odd")]
)
async def test_a_probe_that_cannot_be_made_does_not_end_the_probing(
    board: Switchboard, error: Exception
) -> None:
    await observe(board, *[LOST] * 5)
    assert await probe(board, error, GOOD, GOOD, GOOD) == 4
    assert healthy(board)


async def test_after_its_return_it_takes_five_failures_again(board: Switchboard) -> None:
    await observe(board, *[LOST] * 50)
    await probe(board, GOOD, GOOD, GOOD)
    await observe(board, *[LOST] * 4)
    assert healthy(board)
    await observe(board, LOST)
    assert verdicts(board.log) == [False, True, False]


# Several processes


async def test_the_verdict_of_one_process_holds_for_all(
    board: Switchboard, other: Switchboard
) -> None:
    await observe(board, *[LOST] * 5)
    assert not healthy(other)
    await probe(other, GOOD, GOOD, GOOD)
    assert healthy(board)
    assert verdicts(board.log) == [False, True]


async def test_two_processes_that_see_it_fail_at_once_say_it_once(
    board: Switchboard, other: Switchboard
) -> None:
    for _ in range(5):
        board.context.health.observe("a", LOST)
        other.context.health.observe("a", LOST)
    await board.quiet()
    assert verdicts(board.log) == [False]
    assert not healthy(board)
    assert not healthy(other)


async def test_failures_before_the_other_process_brought_it_back_are_forgotten(
    board: Switchboard, other: Switchboard
) -> None:
    await observe(board, *[LOST] * 5)
    await observe(other, *[LOST] * 9)
    await probe(board, GOOD, GOOD, GOOD)
    await observe(other, LOST)
    assert healthy(other), "one failure is not five"


async def test_good_probes_of_an_earlier_illness_do_not_count_for_the_next(
    board: Switchboard, other: Switchboard
) -> None:
    await observe(board, *[LOST] * 5)
    await probe(other, GOOD, GOOD)
    await probe(board, GOOD, GOOD, GOOD)
    assert await probe(other, GOOD) == 0
    other.context.health.observe("a", GOOD)
    await observe(board, *[LOST] * 5)
    await probe(other, GOOD)
    assert not healthy(other)


async def test_a_verdict_the_ledger_would_not_take_is_said_again(board: Switchboard) -> None:
    def away(moment: str, events: object) -> None:
        del events
        if moment == "before":
            raise LedgerUnavailable("away")

    board.log.around = away
    await observe(board, *[LOST] * 5)
    assert healthy(board)
    board.log.around = lambda _moment, _events: None
    await observe(board, LOST)
    assert not healthy(board)
