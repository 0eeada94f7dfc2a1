"""Asking the provider now: earlier than it is due, never beside somebody who is at it already."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable

import pytest

from api.console.queue.attention import attention_text
from domain.advice import AdviceKind, Delivery, GivenUpBecause
from domain.exchange import Operation
from domain.message import message_stream
from domain.operator import Actor
from domain.provider import Capabilities
from domain.purchase import PurchaseStatus
from domain.service import ServiceStatus
from switch.attend import Standing, attend
from switch.operate import Operating, TooSoonError
from switch.streams import NotAPurchaseError
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import Switchboard, TestClock

WHO = Actor("ann", "operator", "10.0.0.7")
EVERYTHING = Capabilities(confirm=True, reverse=True, key_change=True)
PATIENCE_SECONDS = 72 * 3_600


def process(of: Switchboard | None = None, *, name: str = "own", known: str = "a") -> Switchboard:
    """A switch process; `of`: a second one beside that, with the same ledger and provider."""
    clock = of.clock if of is not None else TestClock()
    provider = ScriptedProvider(known, clock, EVERYTHING)
    if of is not None and known == "a":
        provider.book = of.providers["a"].book
    log = of.log if of is not None else None
    return Switchboard(clock, [provider], log=log, name=name)


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    """One process with provider a, which serves the meter; nothing was asked but a lookup."""
    board = process()
    await board.open()
    await board.look_up("l1")
    board.providers["a"].asked.clear()
    yield board
    await board.close()


@pytest.fixture
async def in_doubt(board: Switchboard) -> Switchboard:
    """Purchase p1 was sold, and the answer was lost."""
    fault(board, Fault.SILENT_AFTER)
    await board.buy("p1")
    fault(board, Fault.NONE)
    board.providers["a"].asked.clear()
    return board


@pytest.fixture
async def waiting(board: Switchboard) -> Switchboard:
    """Purchase p1 was sold, and its reversal r1 has had one attempt in vain."""
    await board.buy("p1")
    await board.advise(AdviceKind.REVERSAL, "p1", "r1")
    fault(board, Fault.NOT_SENT)
    await board.attend("p1")
    fault(board, Fault.NONE)
    board.providers["a"].asked.clear()
    return board


def fault(board: Switchboard, fault: Fault) -> None:
    board.providers["a"].fault = lambda _operation: fault


def asked(board: Switchboard) -> list[Operation]:
    return board.providers["a"].asked


async def early(board: Switchboard, message_id: str = "p1") -> Standing:
    return await attend(board.context, message_id, early=True)


async def held(board: Switchboard, doing: Awaitable[object]) -> asyncio.Future[object]:
    """Begins `doing`, which goes on until the provider is let answer."""
    provider = board.providers["a"]
    before = len(provider.asked)
    provider.hold = asyncio.Event()
    going = asyncio.ensure_future(doing)
    async with asyncio.timeout(30):
        while len(provider.asked) == before:  # noqa: ASYNC110 (no event of the switch says it)
            await asyncio.sleep(0)
    return going


def let_answer(board: Switchboard) -> None:
    hold = board.providers["a"].hold
    assert hold is not None
    hold.set()


# Purchases


async def test_nobody_hammers_on_a_provider(in_doubt: Switchboard) -> None:
    settings = dataclasses.replace(in_doubt.settings, attend_now_gap_seconds=10.0)
    operating = Operating(dataclasses.replace(in_doubt.context, settings=settings))
    with pytest.raises(TooSoonError, match="wait another 10 s"):
        await operating.attend_now(WHO, "p1")
    assert asked(in_doubt) == []
    wishes = in_doubt.log.streams["operator/ann"]
    assert len(wishes) == 1, "the wish is kept all the same"
    in_doubt.clock.leap(10.0)
    assert (await operating.attend_now(WHO, "p1")).standing is Standing.DONE
    assert asked(in_doubt) == [Operation.RECOVER]


async def test_an_outcome_is_recovered_before_it_is_due(in_doubt: Switchboard) -> None:
    assert await attend(in_doubt.context, "p1") is Standing.OPEN
    assert asked(in_doubt) == [], "it was not due"
    assert await early(in_doubt) is Standing.DONE
    assert asked(in_doubt) == [Operation.RECOVER]
    assert (await in_doubt.purchase("p1")).status is PurchaseStatus.APPROVED
    assert len(in_doubt.providers["a"].standing) == 1


async def test_a_purchase_that_is_just_being_bought_is_left_alone(board: Switchboard) -> None:
    buying = await held(board, board.buy("p1"))
    assert await early(board) is Standing.BUSY
    let_answer(board)
    await buying
    assert asked(board) == [Operation.VEND]
    assert await early(board) is Standing.DONE
    assert asked(board) == [Operation.VEND], "there is nothing to ask"


async def test_the_lease_of_a_dead_process_is_waited_for(board: Switchboard) -> None:
    buying = await held(board, board.buy("p1"))
    buying.cancel()
    await asyncio.gather(buying, return_exceptions=True)
    let_answer(board)
    assert await early(board) is Standing.BUSY
    board.clock.leap(60)
    assert await early(board) is Standing.DONE
    assert asked(board) == [Operation.VEND, Operation.RECOVER]


async def test_two_processes_asked_at_once_ask_the_provider_once(in_doubt: Switchboard) -> None:
    other = process(in_doubt, name="other")
    await other.context.table.open(other.providers)
    recovering = await held(in_doubt, early(in_doubt))
    assert await early(other) is Standing.BUSY
    let_answer(in_doubt)
    assert await recovering is Standing.DONE
    both = await asyncio.gather(early(in_doubt), early(other))
    assert list(both) == [Standing.DONE, Standing.DONE]
    assert (asked(in_doubt), asked(other)) == ([Operation.RECOVER], [])
    await other.close()


async def test_two_processes_at_the_very_same_moment_ask_once(in_doubt: Switchboard) -> None:
    other = process(in_doubt, name="other")
    await other.context.table.open(other.providers)
    await asyncio.gather(early(in_doubt), early(other))
    assert [*asked(in_doubt), *asked(other)] == [Operation.RECOVER]
    assert in_doubt.story("p1").count("PurchaseApproved") == 1
    await other.close()


async def test_a_provider_that_this_process_does_not_have_is_not_asked(
    in_doubt: Switchboard,
) -> None:
    other = process(in_doubt, name="other", known="b")
    before = in_doubt.story("p1")
    assert await early(other) is Standing.ELSEWHERE
    assert in_doubt.story("p1") == before
    await in_doubt.advise(AdviceKind.REVERSAL, "p1", "r1")
    await in_doubt.attend("p1")
    assert await early(other) is Standing.ELSEWHERE, "in particular the advice has no end"
    await other.close()


async def test_asking_often_does_not_put_the_next_recovery_off(in_doubt: Switchboard) -> None:
    fault(in_doubt, Fault.NOT_SENT)
    due = (await in_doubt.purchase("p1")).next_recovery_at
    for _ in range(5):
        assert await early(in_doubt) is Standing.OPEN
    assert (await in_doubt.purchase("p1")).next_recovery_at == due
    in_doubt.clock.leap(60)
    await in_doubt.attend("p1")
    later = (await in_doubt.purchase("p1")).next_recovery_at
    assert due is not None
    assert later is not None
    assert later > due


# Advices


async def test_an_advice_is_delivered_before_it_is_due(waiting: Switchboard) -> None:
    assert await attend(waiting.context, "p1") is Standing.OPEN
    assert asked(waiting) == [], "it was not due"
    assert await early(waiting) is Standing.DONE
    assert asked(waiting) == [Operation.REVERSE]
    assert (await waiting.purchase("p1")).advices["r1"].delivery is Delivery.REVERSED
    assert waiting.providers["a"].standing == []
    assert await early(waiting) is Standing.DONE
    assert asked(waiting) == [Operation.REVERSE], "it is final"


async def test_one_call_recovers_the_outcome_and_then_delivers(in_doubt: Switchboard) -> None:
    await in_doubt.advise(AdviceKind.CONFIRMATION, "p1", "c1")
    assert await early(in_doubt) is Standing.DONE
    assert asked(in_doubt) == [Operation.RECOVER, Operation.CONFIRM]


async def test_two_processes_deliver_an_advice_once(waiting: Switchboard) -> None:
    other = process(waiting, name="other")
    await other.context.table.open(other.providers)
    await asyncio.gather(early(waiting), early(other))
    assert [*asked(waiting), *asked(other)] == [Operation.REVERSE]
    await other.close()


async def test_asking_often_does_not_put_the_next_delivery_off(waiting: Switchboard) -> None:
    fault(waiting, Fault.SILENT_BEFORE)
    due = (await waiting.purchase("p1")).advices["r1"].next_attempt_at
    for _ in range(4):
        assert await early(waiting) is Standing.OPEN
    advice = (await waiting.purchase("p1")).advices["r1"]
    assert (advice.next_attempt_at, advice.attempts) == (due, 5)


async def test_a_person_is_served_before_an_old_advice_is_given_up(waiting: Switchboard) -> None:
    waiting.clock.leap(PATIENCE_SECONDS + 1)
    assert await early(waiting) is Standing.DONE
    assert (await waiting.purchase("p1")).advices["r1"].delivery is Delivery.REVERSED


async def test_an_old_advice_is_given_up_when_it_is_due(waiting: Switchboard) -> None:
    fault(waiting, Fault.SILENT_BEFORE)
    waiting.clock.leap(PATIENCE_SECONDS + 1)
    assert await early(waiting) is Standing.OPEN
    waiting.clock.leap(700)
    await waiting.attend("p1")
    advice = (await waiting.purchase("p1")).advices["r1"]
    assert advice.because is GivenUpBecause.TOO_OLD
    (ended,) = [
        entry.event
        for entry in waiting.log.streams[message_stream("p1")]
        if type(entry.event).__name__ == "AdviceGivenUp"
    ]
    assert getattr(ended, "provider") == "a"  # noqa: B009 (of that kind of event only)


async def test_what_another_process_brought_to_its_end_does_not_go_out_again(
    board: Switchboard,
) -> None:
    """We are stalled with the first advice for longer than our lease; another process delivers
    both. Ours must not send the second one again."""
    await board.buy("p1")
    await board.advise(AdviceKind.CONFIRMATION, "p1", "c1")
    await board.advise(AdviceKind.CONFIRMATION, "p1", "c2")
    other = process(board, name="other")
    await other.context.table.open(other.providers)
    board.providers["a"].asked.clear()
    stalled = await held(board, early(board))
    board.clock.leap(120)
    assert await attend(other.context, "p1") is Standing.DONE
    assert asked(other) == [Operation.CONFIRM, Operation.CONFIRM]
    let_answer(board)
    assert await stalled is Standing.DONE
    assert asked(board) == [Operation.CONFIRM], "the first one, and nothing more"
    await other.close()


# Key changes


async def test_a_key_change_under_way_is_left_alone_and_ends_with_its_lease(
    board: Switchboard,
) -> None:
    changing = await held(board, board.change_key("k1"))
    assert await early(board, "k1") is Standing.BUSY
    changing.cancel()
    await asyncio.gather(changing, return_exceptions=True)
    assert await early(board, "k1") is Standing.BUSY
    board.clock.leap(60)
    assert await early(board, "k1") is Standing.DONE
    assert (await board.service("k1")).status is ServiceStatus.UNKNOWN
    assert asked(board) == [Operation.KEY_CHANGE], "it is never asked again"


async def test_the_confirmation_of_a_key_change_is_delivered_before_it_is_due(
    board: Switchboard,
) -> None:
    await board.change_key("k1")
    await board.confirm_key_change("k1", "c1")
    fault(board, Fault.NOT_SENT)
    await board.attend("k1")
    due = (await board.service("k1")).advices["c1"].next_attempt_at
    assert await early(board, "k1") is Standing.OPEN
    assert (await board.service("k1")).advices["c1"].next_attempt_at == due
    fault(board, Fault.NONE)
    assert await early(board, "k1") is Standing.DONE
    assert (await board.service("k1")).advices["c1"].delivery is Delivery.DELIVERED


async def test_an_old_confirmation_of_a_key_change_is_asked_for_a_person(
    board: Switchboard,
) -> None:
    await board.change_key("k1")
    await board.confirm_key_change("k1", "c1")
    board.clock.leap(PATIENCE_SECONDS + 1)
    assert await early(board, "k1") is Standing.DONE
    assert (await board.service("k1")).advices["c1"].delivery is Delivery.DELIVERED


# What the operator hears


async def test_the_wish_is_kept_before_anybody_is_asked(in_doubt: Switchboard) -> None:
    came = await Operating(in_doubt.context).attend_now(WHO, "p1")
    log = [type(entry.event).__name__ for entry in in_doubt.log.recorded]
    last = len(log) - 1 - log[::-1].index("AttentionRequested")
    assert "PurchaseApproved" not in log[:last]
    assert "ProviderAsked" in log[last:]
    assert came.standing is Standing.DONE
    assert attention_text(came) == "Sold by a: the tokens are with the transaction."


async def test_the_wish_is_kept_and_nothing_is_asked_under_an_id_of_nothing(
    board: Switchboard,
) -> None:
    for message_id in ("l1", "nothing"):
        with pytest.raises(NotAPurchaseError):
            await Operating(board.context).attend_now(WHO, message_id)
    assert board.story("nothing") == []
    assert board.log.events("operator/ann") == ["AttentionRequested"] * 2


async def test_the_operator_hears_why_it_is_still_open(in_doubt: Switchboard) -> None:
    fault(in_doubt, Fault.NOT_SENT)
    said = attention_text(await Operating(in_doubt.context).attend_now(WHO, "p1"))
    assert said == (
        "No final answer from a: connection refused. Still open: it is asked again when it is due."
    )


async def test_the_operator_hears_that_somebody_is_at_it(board: Switchboard) -> None:
    buying = await held(board, board.buy("p1"))
    said = attention_text(await Operating(board.context).attend_now(WHO, "p1"))
    assert said.startswith("The provider is being asked right now")
    let_answer(board)
    await buying


async def test_the_operator_hears_what_became_of_an_advice(board: Switchboard) -> None:
    board.providers["a"].capabilities = Capabilities()
    await board.buy("p1")
    await board.advise(AdviceKind.REVERSAL, "p1", "r1")
    operating = Operating(board.context)
    said = attention_text(await operating.attend_now(WHO, "p1"))
    assert said == "The provider can't reverse this."
    assert attention_text(await operating.attend_now(WHO, "p1")) == "Nothing is open."
