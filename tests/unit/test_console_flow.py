"""The message flow: arrows from events, and a missing answer that is seen to be missing."""

import asyncio
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from api.console.transaction.flow import Look, Step
from api.console.transaction.flow_builder import flow_of
from api.console.transaction.flow_svg import STEPS_MAX, flow_svg, flow_text, shortened
from api.console.transaction.masking import Entry
from domain.advice import AdviceKind
from domain.exchange import Leg, Operation, ProviderAnswered, Reply, VendQuestion
from domain.outcome import Outcome
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import OP, Switchboard, TestClock
from tests.trace import asked, drawn, entries, flow, words


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    """Two providers that serve the meter, Ann ranked before Bob."""
    clock = TestClock()
    board = Switchboard(clock, [ScriptedProvider(name, clock) for name in ("ann", "bob")])
    await board.open()
    await board.steering.set_preferences("Test Municipality", ["ann", "bob"], [], OP)
    await board.look_up("l1")
    await board.quiet()
    yield board
    await board.close()


def fault(board: Switchboard, fault: Fault, name: str = "ann", *of: Operation) -> None:
    board.providers[name].fault = lambda operation: (
        fault if not of or operation in of else Fault.NONE
    )


async def test_a_sale_has_four_arrows(board: Switchboard) -> None:
    await board.buy("p1")
    assert drawn(flow(board, "p1")) == [
        "channel > switch: asked: purchase R100.00",
        "switch > ann: asked: vend",
        "ann > switch: answered: sold",
        "switch > channel: answered: sold",
    ]


async def test_silence_and_an_error_are_drawn_differently(board: Switchboard) -> None:
    fault(board, Fault.SILENT_AFTER, "ann", Operation.VEND)
    await board.buy("p1")
    fault(board, Fault.DECLINE)
    await board.buy("p2")
    assert drawn(flow(board, "p1"))[1:] == [
        "switch > ann: asked: vend",
        "ann > switch: missing: no answer",
        "switch > channel: unusable: outcome unknown",
    ]
    assert drawn(flow(board, "p2"))[1:] == [
        "switch > ann: asked: vend",
        "ann > switch: refused: refused TRANSACTION_DECLINED",
        "switch > channel: refused: TRANSACTION_DECLINED",
    ]
    missing, refused = flow_svg(flow(board, "p1")), flow_svg(flow(board, "p2"))
    assert 'class="cross"' in missing
    assert 'class="cross"' not in refused
    assert 'class="missing"' in missing
    assert 'class="refused"' in refused


async def test_recovery_by_a_worker_tells_the_channel_nothing_until_it_retries(
    board: Switchboard,
) -> None:
    fault(board, Fault.SILENT_AFTER, "ann", Operation.VEND)
    await board.buy("p1")
    board.clock.leap(6)
    await board.attend("p1")
    assert drawn(flow(board, "p1"))[4:] == [
        "switch > ann: asked: recovery",
        "ann > switch: answered: sold",
        "switch > switch: answered: recorded: sold, recovered",
    ]
    await board.retry("p1", "again")
    assert drawn(flow(board, "p1"))[7:] == [
        "channel > switch: asked: retry",
        "switch > channel: answered: sold, recovered",
    ]


async def test_a_question_that_never_left_ends_in_a_cross(board: Switchboard) -> None:
    fault(board, Fault.NOT_SENT)
    await board.buy("p1")
    assert drawn(flow(board, "p1"))[1:4] == [
        "switch > ann: not-sent: vend",
        "switch > bob: asked: vend",
        "bob > switch: answered: sold",
    ]


async def test_a_reversal_is_acknowledged_before_the_provider_hears_of_it(
    board: Switchboard,
) -> None:
    await board.buy("p1")
    await board.advise(AdviceKind.REVERSAL, "p1", "r1")
    await board.attend("p1")
    assert drawn(flow(board, "p1"))[4:] == [
        "channel > switch: asked: reversal",
        "switch > channel: answered: acknowledged",
        "switch > ann: asked: reversal",
        "ann > switch: answered: taken back",
        "switch > switch: answered: advice: REVERSED",
    ]


async def test_a_process_that_died_never_answered_the_channel(board: Switchboard) -> None:
    fault(board, Fault.KILLED_AFTER, "ann", Operation.VEND)
    with pytest.raises(BaseException):  # noqa: B017, PT011 (the process's death)
        await board.buy("p1")
    board.restart()
    fault(board, Fault.NONE)
    board.clock.leap(120)
    await board.attend("p1")
    assert drawn(flow(board, "p1")) == [
        "channel > switch: asked: purchase R100.00",
        "switch > ann: asked: vend",
        "ann > switch: missing: no answer recorded",
        "switch > channel: missing: no answer",
        "switch > ann: asked: recovery",
        "ann > switch: answered: sold",
        "switch > switch: answered: recorded: sold, recovered",
    ]


async def test_who_has_not_answered_yet_is_waited_for(board: Switchboard) -> None:
    board.providers["ann"].hold = asyncio.Event()
    buying = asyncio.create_task(board.buy("p1"))
    await asked(board)
    assert drawn(flow(board, "p1"))[-1] == "ann > switch: waiting: waiting"
    board.providers["ann"].hold.set()
    await buying


async def test_an_answer_after_the_deadline_is_late(board: Switchboard) -> None:
    await board.buy("p1")
    history = list(entries(board, "p1"))
    for place, entry in enumerate(history):
        if isinstance(entry.event, ProviderAnswered):
            late = msgspec.structs.replace(entry.event, at=entry.event.at + timedelta(minutes=2))
            history[place] = Entry(entry.position, entry.stream, entry.version, late)
    steps = drawn(flow_of(history, words(board)))
    assert "ann > switch: answered: sold (late)" in steps


async def test_every_leg_of_an_exchange_has_its_arrows(board: Switchboard) -> None:
    def two_steps(question: object) -> Reply | None:
        if not isinstance(question, VendQuestion):
            return None
        legs = (Leg("<first/>", "<ok/>", 4), Leg("<second/>", None, 900))
        return Reply(outcome=Outcome.UNKNOWN, legs=legs, detail="timed out")

    board.providers["ann"].reply = two_steps
    await board.buy("p1")
    assert drawn(flow(board, "p1"))[1:5] == [
        "switch > ann: asked: vend",
        "ann > switch: answered: step 1",
        "switch > ann: asked: vend, step 2",
        "ann > switch: missing: no answer",
    ]


async def test_an_answer_that_settles_nothing_is_no_missing_one(board: Switchboard) -> None:
    garbled = Reply(outcome=Outcome.UNKNOWN, legs=(Leg("<a/>", "<garbled", 4),), detail="garbled")
    board.providers["ann"].reply = lambda question: (
        garbled if isinstance(question, VendQuestion) else None
    )
    await board.buy("p1")
    assert drawn(flow(board, "p1"))[2] == "ann > switch: unusable: settles nothing"


async def test_a_broadcast_shows_everyone_asked(board: Switchboard) -> None:
    steps = drawn(flow(board, "l1"))
    assert steps[:4] == [
        "channel > switch: asked: lookup 04000000001",
        "switch > switch: note: broadcast to 2",
        "switch > ann: asked: lookup",
        "switch > bob: asked: lookup",
    ]
    assert steps[-1] == "switch > channel: answered: customer and utility"


async def test_the_picture_is_well_formed_and_says_all_in_words(board: Switchboard) -> None:
    board.providers["ann"].meters = frozenset()
    await board.buy("p1")
    made = flow(board, "p1")
    lines = tuple(replace(line, title=f"<b>&{line.title}") for line in made.lifelines)
    made = replace(made, lifelines=lines)
    tree = ElementTree.fromstring(flow_svg(made))
    titles = [element.text for element in tree.iter("title")]
    assert len(titles) == 1 + len(made.steps)
    assert [text for _, _, text in flow_text(made)] == titles[1:]
    assert "<b>" in "".join(element.text or "" for element in tree.iter("text"))


def test_a_long_story_is_cut_in_the_middle() -> None:
    start = TestClock().now
    steps = [
        Step(start + timedelta(seconds=n), "switch", "channel", Look.ASKED, str(n), str(n))
        for n in range(STEPS_MAX + 20)
    ]
    kept = shortened(steps)
    assert len(kept) == STEPS_MAX + 1
    assert kept[STEPS_MAX // 2].label == "20 more steps: see the timeline"
    assert (kept[0], kept[-1]) == (steps[0], steps[-1])


async def test_legs_stand_where_their_time_is_among_what_was_noted_meanwhile(
    board: Switchboard,
) -> None:
    board.providers["ann"].notes = True
    await board.buy("p1")
    history = list(entries(board, "p1"))
    place = next(n for n, one in enumerate(history) if isinstance(one.event, ProviderAnswered))
    entry = history[place]
    assert isinstance(entry.event, ProviderAnswered)
    later = timedelta(milliseconds=500)
    history[place:] = [
        Entry(one.position, one.stream, one.version, msgspec.structs.replace(one.event, at=at))
        for one in history[place:]
        if (at := one.event.at + later)
    ]
    legs = (Leg("<first/>", "<ok/>", 0), Leg("<second/>", "<sold/>", 400))
    answered = msgspec.structs.replace(entry.event, at=entry.event.at + later, legs=legs)
    history[place] = Entry(entry.position, entry.stream, entry.version, answered)
    made = flow_of(history, words(board))
    assert drawn(made)[1:6] == [
        "switch > ann: asked: vend",
        "ann > switch: answered: step 1",
        "switch > switch: note: handle kept",
        "switch > ann: asked: vend, step 2",
        "ann > switch: answered: sold",
    ]
    times = [step.at for step in made.steps]
    assert times == sorted(times)
