"""Confirmations and reversals: acknowledged at once, delivered until final."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import permutations

import pytest

from domain.advice import Advice, AdviceKind, AdviceStatus, Delivery, GivenUpBecause
from domain.event import Event
from domain.exchange import Operation, Question, RecoverQuestion, Reply, ReverseQuestion
from domain.failure import ErrorType, Failure
from domain.money import Money
from domain.outcome import Outcome
from domain.provider import Capabilities
from switch.command import Acknowledged, Refused, Sold
from tests.scripted_provider import CONFIRMS_AND_REVERSES, Fault, ScriptedProvider
from tests.switchboard import OP, Switchboard, TestClock

CONFIRM, REVERSE = AdviceKind.CONFIRMATION, AdviceKind.REVERSAL

Open = Callable[..., AbstractAsyncContextManager[Switchboard]]


@asynccontextmanager
async def sold(capabilities: Capabilities = CONFIRMS_AND_REVERSES) -> AsyncGenerator[Switchboard]:
    """A board with one provider, which has sold purchase p1."""
    async with looked_up(capabilities) as board:
        assert isinstance(await board.buy("p1"), Sold)
        provider(board).asked.clear()
        yield board


@asynccontextmanager
async def looked_up(
    capabilities: Capabilities = CONFIRMS_AND_REVERSES,
) -> AsyncGenerator[Switchboard]:
    clock = TestClock()
    board = Switchboard(clock, [ScriptedProvider("a", clock, capabilities)])
    await board.open()
    await board.look_up("l1")
    provider(board).asked.clear()
    yield board
    await board.close()


def provider(board: Switchboard) -> ScriptedProvider:
    return board.providers["a"]


def fault(board: Switchboard, fault: Fault) -> None:
    provider(board).fault = lambda _operation: fault


async def advice(board: Switchboard, advice_id: str = "a1") -> Advice:
    return (await board.purchase("p1")).advices[advice_id]


async def attend_until_final(board: Switchboard) -> None:
    for _ in range(20):
        await board.attend("p1")
        if not (await board.purchase("p1")).pending_advices:
            return
        board.clock.leap(700)
    raise AssertionError("never final")


def failure_of(answer: object) -> ErrorType:
    assert isinstance(answer, Refused)
    return answer.failure.error_type


# Taking in


@pytest.mark.parametrize("kind", AdviceKind)
async def test_an_advice_is_acknowledged_before_anything_is_delivered(kind: AdviceKind) -> None:
    async with sold() as board:
        fault(board, Fault.NOT_SENT)
        assert await board.advise(kind, "p1", "a1") == Acknowledged()
        assert provider(board).asked == []
        assert (await advice(board)).pending
        assert board.story("a1") == ["AdviceReceived"]


@pytest.mark.parametrize("kind", AdviceKind)
async def test_the_same_advice_again_is_acknowledged_again_and_delivered_once(
    kind: AdviceKind,
) -> None:
    async with sold() as board:
        await board.advise(kind, "p1", "a1")
        assert await board.advise(kind, "p1", "a1") == Acknowledged(repeated=True)
        await board.attend("p1")
        assert await board.advise(kind, "p1", "a1") == Acknowledged(repeated=True)
        await board.attend("p1")
        assert len(provider(board).asked) == 1
        assert board.story("a1") == ["AdviceReceived"]


async def test_the_same_id_with_other_content_is_a_duplicate() -> None:
    async with sold() as board:
        await board.buy("p2")
        await board.advise(CONFIRM, "p1", "a1")
        others = [
            await board.advise(REVERSE, "p1", "a1"),
            await board.advise(CONFIRM, "p2", "a1"),
            await board.advise(CONFIRM, "p1", "a1", Money(5_000)),
            await board.advise(CONFIRM, "p1", "p2"),
            await board.advise(CONFIRM, "p1", "l1"),
        ]
        assert [failure_of(answer) for answer in others] == [ErrorType.DUPLICATE_RECORD] * 5
        assert list((await board.purchase("p1")).advices) == ["a1"]
        assert (await board.purchase("p2")).advices == {}
        assert failure_of(await board.buy("a1")) is ErrorType.DUPLICATE_RECORD


async def test_there_is_nothing_to_advise_on() -> None:
    async with sold() as board:
        for unknown in ("p9", "l1"):
            answer = await board.advise(CONFIRM, unknown, "a1")
            assert failure_of(answer) is ErrorType.UNABLE_TO_LOCATE_RECORD
        assert board.story("a1") == []


async def test_a_purchase_that_comes_after_its_advice_was_refused_is_refused_too() -> None:
    """The channel was told that its reversal has nothing to reverse: it will not send it again."""
    async with sold() as board:
        await board.advise(AdviceKind.REVERSAL, "p2", "a2")
        assert failure_of(await board.buy("p2")) is ErrorType.DUPLICATE_RECORD
        again = await board.advise(AdviceKind.REVERSAL, "p2", "a2")
        assert failure_of(again) is ErrorType.UNABLE_TO_LOCATE_RECORD
        assert board.story("p2") == ["PurchaseRuledOut"]


@pytest.mark.parametrize("kind", [CONFIRM, AdviceKind.REVERSAL])
async def test_another_users_purchase_is_not_found(kind: AdviceKind) -> None:
    async with sold() as board:
        answer = await board.advise(kind, "p1", "a1", user="somebody else")
        assert failure_of(answer) is ErrorType.UNABLE_TO_LOCATE_RECORD
        assert board.story("a1") == []
        assert len(board.story("p1")) == 5


@pytest.mark.parametrize("final", [Money(10_001), Money(-1), Money(100, "840")])
async def test_an_advice_for_more_than_the_purchase_is_refused(final: Money) -> None:
    async with sold() as board:
        answer = await board.advise(CONFIRM, "p1", "a1", final)
        assert failure_of(answer) is ErrorType.INVALID_AMOUNT
        assert board.story("a1") == []


async def test_a_crash_between_the_two_records_is_healed_by_the_channels_repeat() -> None:
    async with sold() as board:

        def die(moment: str, events: Sequence[Event]) -> None:
            kinds = [type(event).__name__ for event in events]
            if moment == "before" and kinds == ["ReversalAdvised"]:
                raise ConnectionError

        board.log.around = die
        with pytest.raises(ConnectionError):
            await board.advise(REVERSE, "p1", "a1")
        board.log.around = lambda _moment, _events: None
        assert (await board.purchase("p1")).advices == {}
        await board.advise(REVERSE, "p1", "a1")
        assert (await advice(board)).pending


# Delivering


async def test_a_confirmation_reaches_the_provider() -> None:
    async with sold() as board:
        await board.advise(CONFIRM, "p1", "a1")
        await board.attend("p1")
        assert (await advice(board)).delivery is Delivery.DELIVERED
        (booked,) = provider(board).book.values()
        assert booked.confirmed


async def test_a_reversal_reaches_the_provider() -> None:
    async with sold() as board:
        await board.advise(REVERSE, "p1", "a1")
        await board.attend("p1")
        assert (await advice(board)).delivery is Delivery.REVERSED
        assert provider(board).standing == []


async def test_a_provider_without_confirmation_never_hears_of_one() -> None:
    async with sold(Capabilities(reverse=True)) as board:
        await board.advise(CONFIRM, "p1", "a1")
        await board.attend("p1")
        assert (await advice(board)).delivery is Delivery.ABSORBED
        assert provider(board).asked == []


async def test_a_provider_without_reversal_ends_it_for_reconciliation() -> None:
    async with sold(Capabilities(confirm=True)) as board:
        await board.advise(REVERSE, "p1", "a1")
        await board.attend("p1")
        assert (await advice(board)).because is GivenUpBecause.NOT_SUPPORTED
        assert provider(board).asked == []
        assert len(provider(board).standing) == 1


async def test_an_answer_not_supported_is_final_too() -> None:
    def cannot(question: Question) -> Reply | None:
        if not isinstance(question, ReverseQuestion):
            return None
        failure = Failure(ErrorType.FUNCTION_NOT_SUPPORTED, "no reversals")
        return Reply(outcome=Outcome.DECLINED, failure=failure)

    async with sold() as board:
        provider(board).reply = cannot
        await board.advise(REVERSE, "p1", "a1")
        await attend_until_final(board)
        assert (await advice(board)).because is GivenUpBecause.NOT_SUPPORTED
        assert provider(board).asked == [Operation.REVERSE]


async def test_a_refused_advice_is_final() -> None:
    async with sold() as board:
        fault(board, Fault.DECLINE)
        await board.advise(REVERSE, "p1", "a1")
        await attend_until_final(board)
        assert (await advice(board)).because is GivenUpBecause.REFUSED
        assert provider(board).asked == [Operation.REVERSE]


async def test_a_reversal_of_a_part_is_nothing_that_providers_can_do() -> None:
    async with sold() as board:
        await board.advise(REVERSE, "p1", "a1", Money(5_000))
        await board.attend("p1")
        assert (await advice(board)).because is GivenUpBecause.NOT_SUPPORTED
        assert len(provider(board).standing) == 1


async def test_a_reversal_down_to_nothing_is_a_whole_one() -> None:
    async with sold() as board:
        await board.advise(REVERSE, "p1", "a1", Money(0))
        await board.attend("p1")
        assert (await advice(board)).delivery is Delivery.REVERSED


# Repeating


@pytest.mark.parametrize("failing", [Fault.SILENT_BEFORE, Fault.NOT_SENT])
@pytest.mark.parametrize("kind", AdviceKind)
async def test_failing_three_times_takes_exactly_four_attempts_with_longer_waits(
    kind: AdviceKind, failing: Fault
) -> None:
    async with sold() as board:
        faults = [failing] * 3
        provider(board).fault = lambda _operation: faults.pop() if faults else Fault.NONE
        await board.advise(kind, "p1", "a1")
        waits: list[int] = []
        for _ in range(3):
            await board.attend("p1")
            pending = await advice(board)
            assert pending.pending
            assert pending.next_attempt_at is not None
            waits.append(round((pending.next_attempt_at - board.clock.now).total_seconds()))
            before = len(provider(board).asked)
            await board.attend("p1")
            assert len(provider(board).asked) == before, "not before it is due"
            board.clock.now = pending.next_attempt_at
        await board.attend("p1")
        assert (await advice(board)).status is AdviceStatus.DELIVERED
        await board.attend("p1")

        assert waits == [30, 60, 120]
        assert len(provider(board).asked) == 4
        assert board.story("p1").count("AdviceAttempted") == 3


async def test_repeats_tell_the_provider_which_attempt_it_is() -> None:
    async with sold() as board:
        faults = [Fault.SILENT_BEFORE] * 2
        provider(board).fault = lambda _operation: faults.pop() if faults else Fault.NONE
        provider(board).received.clear()
        await board.advise(REVERSE, "p1", "a1")
        await attend_until_final(board)
        originals = [
            prepared.question.original
            for prepared in provider(board).received
            if isinstance(prepared.question, ReverseQuestion)
        ]
        assert [original.attempt for original in originals] == [0, 1, 2]
        assert len({original.first_attempt_at for original in originals[1:]}) == 1
        assert len({original.reference for original in originals}) == 1
        (vend,) = provider(board).book
        assert originals[0].reference == vend


async def test_an_advice_nobody_took_is_given_up_at_last() -> None:
    async with sold() as board:
        fault(board, Fault.SILENT_BEFORE)
        await board.advise(REVERSE, "p1", "a1")
        await board.attend("p1")
        board.clock.leap(board.settings.patience_seconds - 60)
        await board.attend("p1")
        assert (await advice(board)).pending
        board.clock.leap(board.settings.advice_last_seconds + 60)
        asked = len(provider(board).asked)
        await board.attend("p1")
        assert (await advice(board)).because is GivenUpBecause.TOO_OLD
        assert len(provider(board).asked) == asked


async def test_an_advice_survives_a_restart() -> None:
    async with sold() as board:
        fault(board, Fault.SILENT_BEFORE)
        await board.advise(REVERSE, "p1", "a1")
        await board.attend("p1")
        fault(board, Fault.NONE)
        await board.context.table.close()
        board.restart()
        await board.context.table.open(board.providers)
        await attend_until_final(board)
        assert (await advice(board)).delivery is Delivery.REVERSED
        assert provider(board).asked == [Operation.REVERSE] * 2


async def test_an_advice_that_was_being_sent_at_a_crash_is_sent_again_after_the_lease() -> None:
    async with sold() as board:
        provider(board).hold = asyncio.Event()
        await board.advise(CONFIRM, "p1", "a1")
        sending = asyncio.create_task(board.attend("p1"))
        await board.quiet()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        provider(board).hold = None
        await board.attend("p1")
        assert provider(board).asked == [Operation.CONFIRM], "somebody may still be waiting"
        board.clock.leap(60)
        await board.attend("p1")
        assert provider(board).asked == [Operation.CONFIRM] * 2
        assert (await advice(board)).delivery is Delivery.DELIVERED


async def test_two_processes_send_an_advice_once() -> None:
    async with sold() as board:
        other = Switchboard(board.clock, [provider(board)], log=board.log, name="other")
        await board.advise(REVERSE, "p1", "a1")
        await asyncio.gather(board.attend("p1"), other.attend("p1"), board.attend("p1"))
        assert provider(board).asked == [Operation.REVERSE]


# Before the outcome is known


@pytest.mark.parametrize("kind", AdviceKind)
async def test_an_advice_waits_until_the_outcome_is_known(kind: AdviceKind) -> None:
    async with looked_up() as board:
        fault(board, Fault.SILENT_AFTER)
        await board.buy("p1")
        await board.advise(kind, "p1", "a1")
        await board.attend("p1")
        assert provider(board).asked == [Operation.VEND], "the recovery is not due yet"
        fault(board, Fault.NONE)
        board.clock.leap(60)
        await board.attend("p1")
        last = Operation.CONFIRM if kind is CONFIRM else Operation.REVERSE
        assert provider(board).asked == [Operation.VEND, Operation.RECOVER, last]
        assert (await advice(board)).status is AdviceStatus.DELIVERED


async def test_a_recovery_says_whether_the_sale_is_still_wanted() -> None:
    """Some providers complete a sale when they are asked what became of it."""
    async with looked_up() as board:
        fault(board, Fault.SILENT_BEFORE)
        await board.buy("p1")
        wanted: list[bool] = []
        for advised in (False, True):
            if advised:
                await board.advise(REVERSE, "p1", "a1")
            board.clock.leap(60)
            await board.attend("p1")
            question = provider(board).received[-1].question
            assert isinstance(question, RecoverQuestion)
            wanted.append(question.wanted)
        assert wanted == [True, False]


async def test_reversing_what_was_not_sold_needs_no_provider() -> None:
    async with looked_up() as board:
        fault(board, Fault.DECLINE)
        await board.buy("p1")
        await board.advise(REVERSE, "p1", "a1")
        await board.attend("p1")
        assert (await advice(board)).delivery is Delivery.NOTHING_TO_REVERSE
        assert provider(board).asked == [Operation.VEND]


async def test_confirming_what_was_not_sold_has_no_effect() -> None:
    async with looked_up() as board:
        fault(board, Fault.DECLINE)
        await board.buy("p1")
        await board.advise(CONFIRM, "p1", "a1")
        await board.attend("p1")
        assert (await advice(board)).because is GivenUpBecause.NOTHING_TO_CONFIRM
        assert provider(board).asked == [Operation.VEND]


async def test_a_reversal_that_comes_while_candidates_are_tried_stops_the_search() -> None:
    clock = TestClock()
    first, spare = ScriptedProvider("a", clock), ScriptedProvider("spare", clock)
    board = Switchboard(clock, [first, spare])
    await board.open()
    await board.steering.set_preferences("Test Municipality", ["a", "spare"], [], OP)
    await board.look_up("l1")
    fault(board, Fault.NOT_SENT)
    first.hold = asyncio.Event()
    buying = asyncio.create_task(board.buy("p1"))
    await board.quiet()

    assert await board.advise(REVERSE, "p1", "a1") == Acknowledged()
    first.hold.set()

    assert failure_of(await buying) is ErrorType.TRANSACTION_DECLINED
    assert spare.book == {}
    await board.attend("p1")
    assert (await advice(board)).delivery is Delivery.NOTHING_TO_REVERSE
    await board.close()


# Both kinds


async def test_a_confirmation_after_a_reversal_has_no_effect() -> None:
    async with sold() as board:
        await board.advise(REVERSE, "p1", "r")
        await board.attend("p1")
        await board.advise(CONFIRM, "p1", "c")
        await board.attend("p1")
        assert (await advice(board, "c")).because is GivenUpBecause.SUPERSEDED
        assert provider(board).asked == [Operation.REVERSE]


async def test_a_reversal_after_the_provider_took_the_confirmation_has_no_effect() -> None:
    async with sold() as board:
        await board.advise(CONFIRM, "p1", "c")
        await board.attend("p1")
        await board.advise(REVERSE, "p1", "r")
        await board.attend("p1")
        assert (await advice(board, "r")).because is GivenUpBecause.SUPERSEDED
        assert len(provider(board).standing) == 1


async def test_a_confirmation_that_was_only_absorbed_does_not_stop_a_reversal() -> None:
    async with sold(Capabilities(reverse=True)) as board:
        await board.advise(CONFIRM, "p1", "c")
        await board.attend("p1")
        await board.advise(REVERSE, "p1", "r")
        await board.attend("p1")
        assert (await advice(board, "r")).delivery is Delivery.REVERSED


@pytest.mark.parametrize("order", list(permutations([(CONFIRM, "c"), (REVERSE, "r")])))
async def test_with_both_waiting_the_reversal_wins_in_any_order(
    order: tuple[tuple[AdviceKind, str], ...],
) -> None:
    async with sold() as board:
        for kind, advice_id in order:
            await board.advise(kind, "p1", advice_id)
        await board.attend("p1")
        assert (await advice(board, "c")).because is GivenUpBecause.SUPERSEDED
        assert (await advice(board, "r")).delivery is Delivery.REVERSED
        assert provider(board).asked == [Operation.REVERSE]


async def test_a_second_reversal_is_superseded_by_the_first() -> None:
    async with sold() as board:
        await board.advise(REVERSE, "p1", "r1")
        await board.advise(REVERSE, "p1", "r2")
        await board.attend("p1")
        assert (await advice(board, "r1")).delivery is Delivery.REVERSED
        assert (await advice(board, "r2")).because is GivenUpBecause.SUPERSEDED
        assert provider(board).asked == [Operation.REVERSE]


async def test_advices_are_delivered_oldest_first() -> None:
    async with sold() as board:
        await board.advise(CONFIRM, "p1", "c2")
        await board.advise(CONFIRM, "p1", "c1")
        await board.attend("p1")
        advices = (await board.purchase("p1")).advices
        assert list(advices) == ["c2", "c1"]
        delivered = [
            getattr(entry.event, "advice_id", None)
            for entry in board.log.streams["message/p1"]
            if type(entry.event).__name__ == "AdviceDelivered"
        ]
        assert delivered == ["c2", "c1"]
