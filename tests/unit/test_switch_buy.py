"""Purchases: two commits when all goes well, the next provider only while nothing was sent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from domain.event import Event
from domain.exchange import (
    Operation,
    ProviderNoted,
    Question,
    RecoverQuestion,
    Reply,
    VendQuestion,
)
from domain.failure import ErrorType
from domain.money import Money
from domain.purchase import PurchaseStatus
from domain.sale import UtilityType
from ledger import LedgerBusy, Recorded
from switch.command import Refused, Sold
from switch.streams import TooManyConflictsError
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    """Three providers that serve the meter, ranked a, b, c."""
    clock = TestClock()
    board = Switchboard(clock, [ScriptedProvider(name, clock) for name in "abc"])
    await board.open()
    await board.steering.set_preferences("Test Municipality", ["a", "b", "c"], [], OP)
    await board.look_up("l1")
    await board.quiet()
    board.log.appends.clear()
    for one in board.providers.values():
        one.asked.clear()
    yield board
    await board.close()


def fault(board: Switchboard, fault: Fault, *names: str) -> None:
    for name in names:
        board.providers[name].fault = lambda _operation: fault


def calls(board: Switchboard) -> dict[str, int]:
    return {name: len(one.asked) for name, one in board.providers.items()}


def sold_by(answer: object) -> str:
    assert isinstance(answer, Sold), answer
    return answer.provider.id


def failure_of(answer: object) -> ErrorType:
    assert isinstance(answer, Refused)
    return answer.failure.error_type


HAPPY = [
    ["PurchaseRequested", "PurchaseRouted", "ProviderAsked"],
    ["ProviderAnswered", "PurchaseApproved"],
]


def commits(board: Switchboard) -> list[list[str]]:
    return [[type(e.event).__name__ for e in append] for append in board.log.appends]


async def test_a_purchase_takes_two_commits(board: Switchboard) -> None:
    answer = await board.buy("p1")

    assert sold_by(answer) == "a"
    assert commits(board) == HAPPY
    assert board.story("p1") == [*HAPPY[0], *HAPPY[1]]
    (booked,) = board.providers["a"].standing
    assert isinstance(answer, Sold)
    assert answer.sale == booked.sale
    assert not answer.recovered
    assert answer.sale.total == Money(10_000)
    assert answer.municipality is not None
    assert answer.municipality.name == "Test Municipality"


async def test_the_question_is_durable_before_it_is_sent_and_the_outcome_before_it_is_told(
    board: Switchboard,
) -> None:
    seen: list[list[list[str]]] = []

    def look(question: Question) -> Reply | None:
        assert isinstance(question, VendQuestion)
        seen.append(commits(board))
        return None

    board.providers["a"].reply = look
    await board.buy("p1")
    assert seen == [HAPPY[:1]]


async def test_a_refusal_is_final_and_nobody_else_is_asked(board: Switchboard) -> None:
    fault(board, Fault.DECLINE, "a")
    assert failure_of(await board.buy("p1")) is ErrorType.TRANSACTION_DECLINED
    assert calls(board) == {"a": 1, "b": 0, "c": 0}
    assert len(commits(board)) == 2


async def test_not_sent_goes_to_the_next_candidate(board: Switchboard) -> None:
    fault(board, Fault.NOT_SENT, "a", "b")
    assert sold_by(await board.buy("p1")) == "c"
    assert calls(board) == {"a": 1, "b": 1, "c": 1}
    assert commits(board) == [
        HAPPY[0],
        ["ProviderAnswered", "ProviderAsked"],
        ["ProviderAnswered", "ProviderAsked"],
        HAPPY[1],
    ]


@pytest.mark.parametrize("silence", [Fault.SILENT_BEFORE, Fault.SILENT_AFTER, Fault.LATE])
async def test_unknown_never_goes_to_another_provider(board: Switchboard, silence: Fault) -> None:
    fault(board, silence, "a")
    assert failure_of(await board.buy("p1")) is ErrorType.OUTCOME_UNKNOWN
    assert calls(board) == {"a": 1, "b": 0, "c": 0}
    purchase = await board.purchase("p1")
    assert purchase.status is PurchaseStatus.UNKNOWN
    assert purchase.next_recovery_at is not None
    assert purchase.decline is None


async def test_unknown_at_the_second_candidate_stays_there(board: Switchboard) -> None:
    fault(board, Fault.NOT_SENT, "a")
    fault(board, Fault.SILENT_AFTER, "b")
    answer = await board.buy("p1")
    assert failure_of(answer) is ErrorType.OUTCOME_UNKNOWN
    assert isinstance(answer, Refused)
    assert not answer.not_sent
    assert calls(board) == {"a": 1, "b": 1, "c": 0}


async def test_nobody_reached_is_a_refusal_that_is_certain(board: Switchboard) -> None:
    fault(board, Fault.NOT_SENT, "a", "b", "c")
    answer = await board.buy("p1")
    assert failure_of(answer) is ErrorType.UPSTREAM_UNAVAILABLE
    assert isinstance(answer, Refused)
    assert answer.not_sent
    purchase = await board.purchase("p1")
    assert purchase.status is PurchaseStatus.DECLINED
    assert purchase.decline is not None
    assert purchase.decline.not_sent


async def test_candidates_are_those_of_the_route_and_no_others(board: Switchboard) -> None:
    await board.steering.set_preferences("Test Municipality", ["a"], ["b"], OP)
    await board.steering.set_weight("c", 0, OP)
    await board.quiet()
    fault(board, Fault.NOT_SENT, "a")
    assert failure_of(await board.buy("p1")) is ErrorType.UPSTREAM_UNAVAILABLE
    assert calls(board) == {"a": 1, "b": 0, "c": 0}


# No route


async def no_call(board: Switchboard, answer: object, error: ErrorType) -> None:
    assert failure_of(answer) is error
    assert isinstance(answer, Refused)
    assert answer.not_sent
    assert calls(board) == {"a": 0, "b": 0, "c": 0}
    purchase = await board.purchase("p1")
    assert purchase.status is PurchaseStatus.DECLINED


async def test_a_meter_that_was_never_looked_up_has_no_route(board: Switchboard) -> None:
    answer = await board.buy("p1", number="never seen")
    await no_call(board, answer, ErrorType.ROUTING_ERROR)


async def test_a_meter_that_nobody_serves_is_unknown(board: Switchboard) -> None:
    await board.look_up("l2", "nobody's")
    for one in board.providers.values():
        one.asked.clear()
    answer = await board.buy("p1", number="nobody's")
    await no_call(board, answer, ErrorType.UNKNOWN_METER_ID)


async def test_a_meter_that_nobody_has_confirmed_has_no_route(board: Switchboard) -> None:
    fault(board, Fault.SILENT_BEFORE, "a", "b", "c")
    await board.look_up("l2", "silent")
    for one in board.providers.values():
        one.asked.clear()
    answer = await board.buy("p1", number="silent")
    await no_call(board, answer, ErrorType.ROUTING_ERROR)


async def test_a_meter_served_by_excluded_providers_only_has_no_route(board: Switchboard) -> None:
    await board.steering.set_preferences("Test Municipality", [], ["a", "b", "c"], OP)
    await board.steering.set_meter_preference(UtilityType.ELECTRICITY, METER.number, ["a"], OP)
    await board.quiet()
    await no_call(board, await board.buy("p1"), ErrorType.ROUTING_ERROR)


async def test_disabled_sick_and_weightless_providers_are_an_outage(board: Switchboard) -> None:
    await board.steering.set_preferences("Test Municipality", ["a", "b"], [], OP)
    await board.steering.disable("a", OP)
    await board.context.health.turn("b", healthy=False, reason="test")
    await board.steering.set_weight("c", 0, OP)
    await board.quiet()
    await no_call(board, await board.buy("p1"), ErrorType.UPSTREAM_UNAVAILABLE)


# Stalled


async def test_a_sender_that_was_stalled_does_not_send(board: Switchboard) -> None:
    """Between the commit and the sending the process stood still: others may have gone on."""

    def stall(moment: str, events: Sequence[Event]) -> None:
        first = type(events[0]).__name__ == "PurchaseRequested"
        if moment == "after" and first:
            board.clock.leap(board.settings.send_within_seconds + 1)

    board.log.around = stall
    answer = await board.buy("p1")
    assert sold_by(answer) == "b", "the next candidate was prepared afterwards"
    assert calls(board) == {"a": 0, "b": 1, "c": 0}
    assert (await board.context.streams.provider("a")).healthy


async def test_a_sender_stalled_until_others_settled_it_only_records_that(
    board: Switchboard,
) -> None:
    """Recovery by another process finds nothing and declines; the first asker must not go on."""
    other = Switchboard(board.clock, list(board.providers.values()), log=board.log, name="other")
    await other.context.table.open(other.providers)
    gate = asyncio.Event()
    append = board.log.append

    async def slow(stream: str, after_version: int, events: Sequence[Event]) -> list[Recorded]:
        recorded = await append(stream, after_version, events)
        if type(events[0]).__name__ == "PurchaseRequested":
            await gate.wait()
        return recorded

    board.log.append = slow
    buying = asyncio.create_task(board.buy("p1"))
    await board.quiet()
    board.clock.leap(200)  # past the lease and the late-sale window
    await other.attend("p1")
    assert (await other.purchase("p1")).status is PurchaseStatus.DECLINED

    gate.set()
    answer = await buying
    await other.close()

    assert failure_of(answer) is ErrorType.OUTCOME_UNKNOWN, "a retry may still sell"
    assert calls(board) == {"a": 1, "b": 0, "c": 0}, "the recovery only"
    assert board.providers["a"].asked == [Operation.RECOVER]


# Message ids


async def test_of_two_purchases_with_one_id_at_once_one_wins(board: Switchboard) -> None:
    answers = await asyncio.gather(*(board.buy("p1") for _ in range(5)))
    assert sum(isinstance(answer, Sold) for answer in answers) == 1
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert {answer.failure.error_type for answer in refused} == {ErrorType.DUPLICATE_RECORD}
    assert calls(board) == {"a": 1, "b": 0, "c": 0}
    assert len(board.providers["a"].book) == 1


async def test_a_purchase_id_used_again_is_a_duplicate(board: Switchboard) -> None:
    await board.buy("p1")
    answer = await board.buy("p1", cents=5_000)
    assert failure_of(answer) is ErrorType.DUPLICATE_RECORD
    assert calls(board) == {"a": 1, "b": 0, "c": 0}


# A ledger that is busy


def busy_at(board: Switchboard, kind: str, times: int) -> list[str]:
    """Refuses the next `times` appends that begin with an event of this kind."""
    refused: list[str] = []

    def around(moment: str, events: Sequence[Event]) -> None:
        if moment == "before" and type(events[0]).__name__ == kind and len(refused) < times:
            refused.append(kind)
            raise LedgerBusy

    board.log.around = around
    return refused


async def test_a_busy_ledger_at_the_first_append_means_that_nothing_was_done(
    board: Switchboard,
) -> None:
    busy_at(board, "PurchaseRequested", 1)
    answer = await board.buy("p1")
    assert failure_of(answer) is ErrorType.UPSTREAM_UNAVAILABLE
    assert isinstance(answer, Refused)
    assert answer.not_sent
    assert calls(board) == {"a": 0, "b": 0, "c": 0}
    assert board.story("p1") == []
    assert sold_by(await board.buy("p1")) == "a", "the id is still free"


async def test_a_busy_ledger_at_the_second_append_is_waited_for(board: Switchboard) -> None:
    refused = busy_at(board, "ProviderAnswered", 5)
    assert sold_by(await board.buy("p1")) == "a"
    assert len(refused) == 5
    assert commits(board) == HAPPY


async def test_a_ledger_busy_for_too_long_at_the_second_append_leaves_doubt_not_denial(
    board: Switchboard,
) -> None:
    busy_at(board, "ProviderAnswered", 1_000)
    with pytest.raises(TooManyConflictsError):
        await board.buy("p1")
    board.log.around = lambda _moment, _events: None
    purchase = await board.purchase("p1")
    assert not purchase.settled

    board.clock.leap(60)
    await board.attend("p1")

    purchase = await board.purchase("p1")
    assert purchase.status is PurchaseStatus.APPROVED
    assert len(board.providers["a"].standing) == 1


# A crash


@pytest.mark.parametrize(
    ("silent", "status"),
    [(Fault.SILENT_AFTER, PurchaseStatus.APPROVED), (Fault.SILENT_BEFORE, PurchaseStatus.DECLINED)],
)
async def test_an_unknown_outcome_is_recovered_at_its_provider_without_anyone_asking(
    board: Switchboard, silent: Fault, status: PurchaseStatus
) -> None:
    fault(board, silent, "a")
    await board.buy("p1")
    fault(board, Fault.NONE, "a")
    await board.steering.disable("a", OP)
    board.restart()
    await board.context.table.open(board.providers)
    board.clock.leap(120)

    await board.attend("p1")

    assert (await board.purchase("p1")).status is status
    assert calls(board) == {"a": 2, "b": 0, "c": 0}


async def test_nothing_is_recovered_while_its_asker_waits_or_when_it_is_settled(
    board: Switchboard,
) -> None:
    hold = board.providers["a"].hold = asyncio.Event()
    buying = asyncio.create_task(board.buy("p1"))
    await board.quiet()
    await asyncio.wait_for(board.attend("p1"), 30)
    assert calls(board) == {"a": 1, "b": 0, "c": 0}, "its asker still waits"

    hold.set()
    assert sold_by(await buying) == "a"
    await board.attend("p1")
    assert calls(board) == {"a": 1, "b": 0, "c": 0}, "nothing is left to do"


async def test_recovery_waits_longer_each_time_and_then_once_a_day(board: Switchboard) -> None:
    fault(board, Fault.SILENT_BEFORE, "a")
    await board.buy("p1")
    waits: list[timedelta] = []
    for _ in range(11):
        due = (await board.purchase("p1")).next_recovery_at
        assert due is not None
        waits.append(due - board.clock.now)
        await board.attend("p1")  # not due yet: nothing happens
        board.clock.now = due
        await board.attend("p1")
    seconds = [round(wait.total_seconds()) for wait in waits]
    assert seconds == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600, 600]
    assert calls(board)["a"] == 12

    board.clock.leap(board.settings.patience_seconds)
    await board.attend("p1")
    due = (await board.purchase("p1")).next_recovery_at
    assert due is not None
    assert round((due - board.clock.now).total_seconds()) == board.settings.parked_seconds
    assert not (await board.purchase("p1")).settled, "it is never dropped"


async def test_a_provider_that_is_not_configured_any_more_is_left_alone(
    board: Switchboard,
) -> None:
    fault(board, Fault.SILENT_AFTER, "a")
    await board.buy("p1")
    board.clock.leap(120)
    left = {name: one for name, one in board.providers.items() if name != "a"}
    other = Switchboard(board.clock, list(left.values()), log=board.log, name="other")
    await other.attend("p1")
    assert (await other.purchase("p1")).status is PurchaseStatus.UNKNOWN


async def test_a_handle_is_durable_before_the_step_that_sells(board: Switchboard) -> None:
    board.providers["a"].notes = True

    answer = await board.buy("p1")

    assert sold_by(answer) == "a"
    assert commits(board) == [HAPPY[0], ["ProviderNoted"], HAPPY[1]]


async def test_a_recovery_names_the_handle(board: Switchboard) -> None:
    provider = board.providers["a"]
    provider.notes = True
    provider.received.clear()
    provider.fault = lambda operation: (
        Fault.SILENT_AFTER if operation is Operation.VEND else Fault.NONE
    )
    await board.buy("p1")
    board.clock.leap(60)
    await board.attend("p1")

    asked_vend = next(p for p in provider.received if p.operation is Operation.VEND)
    question = provider.received[-1].question
    assert isinstance(question, RecoverQuestion)
    assert question.original.handle == f"handle-{asked_vend.reference}"


async def test_an_asker_whose_lease_ran_out_does_not_take_the_step_that_sells(
    board: Switchboard,
) -> None:
    """Somebody else recovers it by then, and believes that a vend without a handle never sold."""
    provider = board.providers["a"]
    provider.notes = True
    board.log.around = lambda moment, events: (
        board.clock.leap(100)
        if moment == "before" and isinstance(events[0], ProviderNoted)
        else None
    )
    await board.buy("p1")

    assert provider.standing == []
