"""The confirmation of a key change: acknowledged at once, delivered until final."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import pytest

from domain.advice import Advice, Delivery, GivenUpBecause
from domain.event import Event
from domain.exchange import ConfirmKeyChangeQuestion, Operation, Question, Reply
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome
from domain.provider import Capabilities
from providers.adapter import Prepared
from switch.command import Acknowledged, KeyChanged, Refused
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import Switchboard, TestClock

KEYS = Capabilities(key_change=True, trial=True)


class WithoutConfirmation(ScriptedProvider):
    """Its protocol has no message for it."""

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
        if isinstance(question, ConfirmKeyChangeQuestion):
            raise ValueError("no such message")
        return super().prepare(question, number, at)


async def opened(kind: type[ScriptedProvider] = ScriptedProvider) -> Switchboard:
    clock = TestClock()
    board = Switchboard(clock, [kind("a", clock, KEYS)])
    await board.open()
    await board.look_up("l1")
    assert isinstance(await board.change_key("k1"), KeyChanged)
    board.providers["a"].asked.clear()
    return board


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    """A provider that has issued the tokens of key change k1."""
    board = await opened()
    yield board
    await board.close()


def fault(board: Switchboard, fault: Fault) -> None:
    board.providers["a"].fault = lambda _operation: fault


async def advice(board: Switchboard, advice_id: str = "c1") -> Advice:
    return (await board.service("k1")).advices[advice_id]


def failure_of(answer: object) -> ErrorType:
    assert isinstance(answer, Refused), answer
    return answer.failure.error_type


async def test_it_is_acknowledged_before_anything_is_delivered(board: Switchboard) -> None:
    fault(board, Fault.NOT_SENT)
    assert await board.confirm_key_change("k1", "c1") == Acknowledged()
    assert board.providers["a"].asked == []
    assert (await advice(board)).pending
    assert board.story("c1") == ["KeyChangeConfirmationReceived"]


async def test_it_reaches_the_provider_under_the_key_changes_reference(board: Switchboard) -> None:
    await board.confirm_key_change("k1", "c1")
    await board.attend("k1")
    assert board.providers["a"].asked == [Operation.CONFIRM_KEY_CHANGE]
    issued, told = board.providers["a"].received[-2:]
    assert isinstance(told.question, ConfirmKeyChangeQuestion)
    assert told.question.original.reference == issued.reference
    assert (await advice(board)).delivery is Delivery.DELIVERED
    await board.attend("k1")
    assert len(board.providers["a"].asked) == 1


async def test_the_same_again_is_acknowledged_again_and_delivered_once(board: Switchboard) -> None:
    await board.confirm_key_change("k1", "c1")
    assert await board.confirm_key_change("k1", "c1") == Acknowledged(repeated=True)
    await board.attend("k1")
    assert await board.confirm_key_change("k1", "c1") == Acknowledged(repeated=True)
    await board.attend("k1")
    assert len(board.providers["a"].asked) == 1


async def test_its_id_is_not_another_messages(board: Switchboard) -> None:
    await board.change_key("k2")
    await board.confirm_key_change("k1", "c1")
    for taken in ("l1", "k1", "k2"):
        answer = await board.confirm_key_change("k1", taken)
        assert failure_of(answer) is ErrorType.DUPLICATE_RECORD
    answer = await board.confirm_key_change("k2", "c1")
    assert failure_of(answer) is ErrorType.DUPLICATE_RECORD
    assert failure_of(await board.buy("c1")) is ErrorType.DUPLICATE_RECORD


async def test_there_is_nothing_to_confirm_under_another_id_or_for_another_user(
    board: Switchboard,
) -> None:
    await board.buy("p1")
    await board.trial("t1")
    for unknown in ("never", "p1", "t1", "l1"):
        answer = await board.confirm_key_change(unknown, "c1")
        assert failure_of(answer) is ErrorType.UNABLE_TO_LOCATE_RECORD
    answer = await board.confirm_key_change("k1", "c1", user="bank")
    assert failure_of(answer) is ErrorType.UNABLE_TO_LOCATE_RECORD
    assert board.story("c1") == []


@pytest.mark.parametrize("bad", [Fault.NOT_SENT, Fault.SILENT_BEFORE])
async def test_it_is_repeated_with_growing_waits_and_outlives_a_restart(
    board: Switchboard, bad: Fault
) -> None:
    await board.confirm_key_change("k1", "c1")
    fault(board, bad)
    await board.attend("k1")
    await board.attend("k1")
    assert len(board.providers["a"].asked) == 1, "not due again yet"
    board.clock.leap(31)
    await board.attend("k1")
    board.clock.leap(31)
    await board.attend("k1")
    assert len(board.providers["a"].asked) == 2, "the second wait is longer"
    board.restart()
    await board.context.table.open(board.providers)
    fault(board, Fault.NONE)
    board.clock.leap(60)
    await board.attend("k1")
    assert (await advice(board)).delivery is Delivery.DELIVERED


async def test_a_provider_without_such_a_message_never_hears_of_it() -> None:
    board = await opened(WithoutConfirmation)
    await board.confirm_key_change("k1", "c1")
    await board.attend("k1")
    assert (await advice(board)).delivery is Delivery.ABSORBED
    assert board.providers["a"].asked == []
    await board.close()


async def test_a_provider_that_says_it_takes_none_is_not_asked_again(board: Switchboard) -> None:
    failure = Failure(ErrorType.FUNCTION_NOT_SUPPORTED, "no")
    board.providers["a"].reply = lambda _q: Reply(outcome=Outcome.DECLINED, failure=failure)
    await board.confirm_key_change("k1", "c1")
    await board.attend("k1")
    assert (await advice(board)).delivery is Delivery.ABSORBED


async def test_a_refusal_is_kept(board: Switchboard) -> None:
    fault(board, Fault.DECLINE)
    await board.confirm_key_change("k1", "c1")
    await board.attend("k1")
    assert (await advice(board)).because is GivenUpBecause.REFUSED


async def test_it_is_given_up_after_the_set_time(board: Switchboard) -> None:
    await board.confirm_key_change("k1", "c1")
    fault(board, Fault.SILENT_BEFORE)
    await board.attend("k1")
    board.clock.leap(board.settings.patience_seconds + 1)
    await board.attend("k1")
    assert (await advice(board)).because is GivenUpBecause.TOO_OLD
    assert len(board.providers["a"].asked) == 1


@pytest.mark.parametrize("bad", [Fault.DECLINE, Fault.SILENT_AFTER])
async def test_no_tokens_are_known_to_have_been_handed_over(board: Switchboard, bad: Fault) -> None:
    fault(board, bad)
    await board.change_key("k2")
    fault(board, Fault.NONE)
    await board.confirm_key_change("k2", "c2")
    await board.attend("k2")
    because = (await board.service("k2")).advices["c2"].because
    assert because is GivenUpBecause.NOTHING_TO_CONFIRM


async def test_a_crash_between_the_two_records_is_healed_by_the_channels_repeat(
    board: Switchboard,
) -> None:
    def die(moment: str, events: Sequence[Event]) -> None:
        if moment == "before" and type(events[0]).__name__ == "ConfirmationAdvised":
            raise ConnectionError

    board.log.around = die
    with pytest.raises(ConnectionError):
        await board.confirm_key_change("k1", "c1")
    board.log.around = lambda _moment, _events: None
    assert (await board.service("k1")).advices == {}
    assert await board.confirm_key_change("k1", "c1") == Acknowledged(repeated=True)
    assert (await advice(board)).pending
