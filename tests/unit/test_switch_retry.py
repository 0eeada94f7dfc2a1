"""Retries: the same token, the same refusal, or one new sale at the same provider."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from domain.advice import AdviceKind
from domain.exchange import Operation, Question, RecoverQuestion, Reply
from domain.failure import ErrorType
from domain.outcome import Outcome, Settled
from domain.purchase import PurchaseStatus
from switch.command import Acknowledged, Refused, Sender, Sold
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock

LATE_SALE_PASSED = 120


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    """Two providers that serve the meter; a is ranked first."""
    clock = TestClock()
    board = Switchboard(clock, [ScriptedProvider(name, clock) for name in "ab"])
    await board.open()
    await board.steering.set_preferences("Test Municipality", ["a", "b"], [], OP)
    await board.look_up("l1")
    await board.quiet()
    for one in board.providers.values():
        one.asked.clear()
    yield board
    await board.close()


def fault(board: Switchboard, fault: Fault, name: str = "a") -> None:
    board.providers[name].fault = lambda _operation: fault


def asked(board: Switchboard, name: str = "a") -> list[Operation]:
    return board.providers[name].asked


def token(answer: object) -> str:
    assert isinstance(answer, Sold), answer
    return answer.sale.tokens[0].digits


def failure_of(answer: object) -> ErrorType:
    assert isinstance(answer, Refused)
    return answer.failure.error_type


VEND, RECOVER = Operation.VEND, Operation.RECOVER


async def test_a_retry_of_a_sold_purchase_gets_the_same_token_from_the_ledger(
    board: Switchboard,
) -> None:
    first = token(await board.buy("p1"))
    assert token(await board.retry("p1")) == first
    assert token(await board.retry("p1", "r1")) == first
    assert asked(board) == [VEND]
    assert board.story("p1").count("RetryRequested") == 2


async def test_a_retry_after_a_lost_answer_gets_the_token_that_was_sold(
    board: Switchboard,
) -> None:
    fault(board, Fault.SILENT_AFTER)
    assert failure_of(await board.buy("p1")) is ErrorType.OUTCOME_UNKNOWN
    fault(board, Fault.NONE)

    answer = await board.retry("p1", "r1")

    assert isinstance(answer, Sold)
    assert answer.recovered
    assert asked(board) == [VEND, RECOVER]
    (booked,) = board.providers["a"].standing
    assert answer.sale == booked.sale


async def test_a_retry_goes_to_the_provider_of_the_original_whatever_the_routing_says_now(
    board: Switchboard,
) -> None:
    fault(board, Fault.SILENT_AFTER)
    await board.buy("p1")
    fault(board, Fault.NONE)
    await board.steering.set_preferences("Test Municipality", ["b"], ["a"], OP)
    await board.steering.set_weight("a", 0, OP)
    await board.quiet()

    answer = await board.retry("p1")

    assert isinstance(answer, Sold)
    assert answer.provider.id == "a"
    assert asked(board, "b") == []


async def test_a_retry_while_the_original_is_under_way_waits_for_it(board: Switchboard) -> None:
    hold = board.providers["a"].hold = asyncio.Event()
    buying = asyncio.create_task(board.buy("p1"))
    await board.quiet()
    board.clock.tick *= 0
    retrying = asyncio.create_task(board.retry("p1", "r1"))
    await board.quiet()
    assert asked(board) == [VEND]
    assert not retrying.done()

    hold.set()

    assert token(await buying) == token(await retrying)
    assert asked(board) == [VEND]


async def test_a_retry_waits_for_a_dead_asker_only_until_its_lease_ends(
    board: Switchboard,
) -> None:
    hold = board.providers["a"].hold = asyncio.Event()
    buying = asyncio.create_task(board.buy("p1"))
    await board.quiet()
    buying.cancel()
    await asyncio.gather(buying, return_exceptions=True)
    hold.set()
    deadline = (await board.purchase("p1")).open
    assert deadline is not None
    fault(board, Fault.SILENT_BEFORE)

    assert failure_of(await board.retry("p1")) is ErrorType.OUTCOME_UNKNOWN
    assert asked(board) == [VEND, RECOVER]
    assert board.clock.now > deadline.deadline


async def test_what_certainly_was_not_sold_is_sold_anew_once_at_the_same_provider(
    board: Switchboard,
) -> None:
    fault(board, Fault.SILENT_BEFORE)
    await board.buy("p1")
    fault(board, Fault.NONE)
    board.clock.leap(LATE_SALE_PASSED)

    first = token(await board.retry("p1"))

    assert asked(board) == [VEND, RECOVER, VEND]
    assert asked(board, "b") == []
    assert token(await board.retry("p1", "r2")) == first
    assert asked(board) == [VEND, RECOVER, VEND]
    assert len(board.providers["a"].standing) == 1


async def test_not_found_is_not_believed_while_the_sale_may_still_come(
    board: Switchboard,
) -> None:
    fault(board, Fault.LATE)
    await board.buy("p1")
    fault(board, Fault.NONE)

    assert failure_of(await board.retry("p1")) is ErrorType.OUTCOME_UNKNOWN
    assert asked(board) == [VEND, RECOVER]

    board.clock.leap(LATE_SALE_PASSED)
    answer = await board.retry("p1", "r2")
    (booked,) = board.providers["a"].standing
    assert isinstance(answer, Sold)
    assert answer.sale == booked.sale
    assert asked(board) == [VEND, RECOVER, RECOVER]


async def test_the_providers_definite_no_is_believed_at_once(board: Switchboard) -> None:
    fault(board, Fault.SILENT_BEFORE)
    await board.buy("p1")
    fault(board, Fault.NONE)

    def void(question: Question) -> Reply | None:
        if isinstance(question, RecoverQuestion):
            return Reply(outcome=Outcome.APPROVED, settled=Settled.NOT_SOLD)
        return None

    board.providers["a"].reply = void
    token(await board.retry("p1"))
    assert asked(board) == [VEND, RECOVER, VEND]
    references = [p.reference for p in board.providers["a"].received if p.operation is VEND]
    assert len(set(references)) == 2, "a new sale has a new reference"


async def test_a_new_sale_that_meets_nobody_may_be_tried_once_more(board: Switchboard) -> None:
    fault(board, Fault.SILENT_BEFORE)
    await board.buy("p1")
    board.clock.leap(LATE_SALE_PASSED)
    board.providers["a"].fault = lambda op: Fault.NOT_SENT if op is VEND else Fault.NONE
    assert failure_of(await board.retry("p1")) is ErrorType.OUTCOME_UNKNOWN, "not refused for good"
    fault(board, Fault.NONE)
    token(await board.retry("p1"))
    assert len(board.providers["a"].standing) == 1
    assert asked(board, "b") == []


async def test_a_new_sale_whose_answer_is_lost_is_recovered_like_the_first(
    board: Switchboard,
) -> None:
    fault(board, Fault.SILENT_BEFORE)
    await board.buy("p1")
    board.clock.leap(LATE_SALE_PASSED)
    board.providers["a"].fault = lambda op: Fault.SILENT_AFTER if op is VEND else Fault.NONE
    assert failure_of(await board.retry("p1")) is ErrorType.OUTCOME_UNKNOWN
    answer = await board.retry("p1")
    (booked,) = board.providers["a"].standing
    assert token(answer) == booked.sale.tokens[0].digits


async def test_many_retries_at_once_sell_once(board: Switchboard) -> None:
    fault(board, Fault.SILENT_BEFORE)
    await board.buy("p1")
    fault(board, Fault.NONE)
    board.clock.leap(LATE_SALE_PASSED)
    answers = await asyncio.gather(*(board.retry("p1", f"r{n}") for n in range(6)))
    assert len({token(answer) for answer in answers}) == 1
    assert asked(board).count(VEND) == 2
    assert len(board.providers["a"].standing) == 1


async def test_retries_at_two_processes_at_once_sell_once(board: Switchboard) -> None:
    fault(board, Fault.SILENT_BEFORE)
    await board.buy("p1")
    fault(board, Fault.NONE)
    board.clock.leap(LATE_SALE_PASSED)
    other = Switchboard(board.clock, list(board.providers.values()), log=board.log, name="other")
    await other.context.table.open(other.providers)
    answers = await asyncio.gather(board.retry("p1", "r1"), other.retry("p1", "r2"))
    await other.close()
    assert len({token(answer) for answer in answers}) == 1
    assert len(board.providers["a"].standing) == 1


async def test_a_refusal_stays_a_refusal(board: Switchboard) -> None:
    fault(board, Fault.DECLINE)
    await board.buy("p1")
    fault(board, Fault.NONE)
    assert failure_of(await board.retry("p1")) is ErrorType.TRANSACTION_DECLINED
    assert asked(board) == [VEND]


async def test_a_purchase_without_a_route_stays_refused(board: Switchboard) -> None:
    first = await board.buy("p1", number="never seen")
    assert await board.retry("p1", number="never seen") == first
    assert asked(board) == []


async def test_a_purchase_that_reached_nobody_stays_refused(board: Switchboard) -> None:
    fault(board, Fault.NOT_SENT, "a")
    fault(board, Fault.NOT_SENT, "b")
    first = await board.buy("p1")
    fault(board, Fault.NONE, "a")
    assert await board.retry("p1") == first
    assert asked(board) == [VEND]


# Whose purchase, and which


async def test_there_is_nothing_to_retry(board: Switchboard) -> None:
    answer = await board.retry("p1", "r1")
    assert failure_of(answer) is ErrorType.UNABLE_TO_LOCATE_RECORD
    assert board.story("r1") == [], "the id is not used up"


async def test_a_purchase_that_comes_after_its_retry_was_refused_is_refused_too(
    board: Switchboard,
) -> None:
    await board.retry("p1", "r1")
    assert failure_of(await board.buy("p1")) is ErrorType.DUPLICATE_RECORD
    assert failure_of(await board.retry("p1")) is ErrorType.UNABLE_TO_LOCATE_RECORD
    assert asked(board) == []
    assert board.story("p1") == ["PurchaseRuledOut"]


@pytest.mark.parametrize("steps", range(12))
async def test_a_retry_that_overtakes_its_purchase_agrees_with_it(
    board: Switchboard, steps: int
) -> None:
    """At whatever step of the purchase the retry comes in, at another process."""
    other = Switchboard(board.clock, list(board.providers.values()), log=board.log, name="other")
    await other.context.table.open(other.providers)
    buying = asyncio.create_task(board.buy("p1"))
    for _ in range(steps):
        await asyncio.sleep(0)
    retried, bought = await other.retry("p1"), await buying
    await other.close()
    if isinstance(bought, Sold):
        assert token(retried) == token(bought)
    else:
        assert failure_of(retried) is ErrorType.UNABLE_TO_LOCATE_RECORD
        assert board.providers["a"].book == {}


async def test_another_users_purchase_is_not_found(board: Switchboard) -> None:
    await board.buy("p1")
    answer = await board.retry("p1", sender=Sender(user="somebody else", client="till"))
    assert failure_of(answer) is ErrorType.UNABLE_TO_LOCATE_RECORD
    assert "RetryRequested" not in board.story("p1")


@pytest.mark.parametrize(
    ("cents", "number", "named"),
    [(9_999, METER.number, "purchaseAmount"), (10_000, "2", "meter.meterId")],
)
async def test_a_retry_that_differs_from_the_original_is_refused_and_says_where(
    board: Switchboard, cents: int, number: str, named: str
) -> None:
    await board.buy("p1")
    answer = await board.retry("p1", cents=cents, number=number)
    assert failure_of(answer) is ErrorType.FORMAT_ERROR
    assert isinstance(answer, Refused)
    assert named in answer.failure.detail
    assert "RetryRequested" not in board.story("p1")


async def test_a_retrys_own_id_belongs_to_one_purchase(board: Switchboard) -> None:
    first = token(await board.buy("p1"))
    await board.buy("p2")
    assert token(await board.retry("p1", "r1")) == first
    assert token(await board.retry("p1", "r1")) == first, "the same retry again"
    assert failure_of(await board.retry("p2", "r1")) is ErrorType.DUPLICATE_RECORD
    assert failure_of(await board.retry("p1", "p2")) is ErrorType.DUPLICATE_RECORD
    assert failure_of(await board.retry("p1", "l1")) is ErrorType.DUPLICATE_RECORD
    assert failure_of(await board.buy("r1")) is ErrorType.DUPLICATE_RECORD
    assert failure_of(await board.retry("r1")) is ErrorType.UNABLE_TO_LOCATE_RECORD


# Reversals


async def test_a_purchase_that_is_being_reversed_gives_no_token_any_more(
    board: Switchboard,
) -> None:
    await board.buy("p1")
    assert await board.advise(AdviceKind.REVERSAL, "p1", "a1") == Acknowledged()
    assert failure_of(await board.retry("p1")) is ErrorType.TRANSACTION_DECLINED
    await board.attend("p1")
    assert failure_of(await board.retry("p1")) is ErrorType.TRANSACTION_DECLINED
    assert asked(board) == [VEND, Operation.REVERSE]


async def test_a_reversal_that_was_refused_leaves_the_token_with_the_customer(
    board: Switchboard,
) -> None:
    first = token(await board.buy("p1"))
    fault(board, Fault.DECLINE)
    await board.advise(AdviceKind.REVERSAL, "p1", "a1")
    await board.attend("p1")
    assert token(await board.retry("p1")) == first


async def test_a_lost_purchase_that_is_being_reversed_is_not_sold_anew(
    board: Switchboard,
) -> None:
    fault(board, Fault.SILENT_BEFORE)
    await board.buy("p1")
    fault(board, Fault.NONE)
    await board.advise(AdviceKind.REVERSAL, "p1", "a1")
    board.clock.leap(LATE_SALE_PASSED)

    answer = await board.retry("p1")

    assert failure_of(answer) is ErrorType.TRANSACTION_DECLINED, "for good: nobody need ask again"
    assert (await board.purchase("p1")).status is PurchaseStatus.DECLINED
    assert asked(board) == [VEND, RECOVER]
    assert board.providers["a"].book == {}
