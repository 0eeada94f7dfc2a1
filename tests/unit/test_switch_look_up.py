"""Lookups: by broadcast, by the contract table, and what makes the one into the other."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

import pytest

from domain.exchange import LookupQuestion, Operation, ProviderAnswered, Question, Reply
from domain.failure import ErrorType, Failure
from domain.lookup import BroadcastStarted
from domain.message import message_stream
from domain.meter import BroadcastReason, SupportAnswered, meter_stream
from domain.outcome import Outcome
from domain.provider import Capabilities
from domain.routing import Support
from domain.sale import Customer, LookupAnswer, UtilityDetail, UtilityType
from providers.adapter import Prepared
from switch.command import LookedUp, Party, Refused, Sold
from switch.settings import SwitchSettings
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock

NOBODYS: frozenset[str] = frozenset()
SHORT_WINDOW = SwitchSettings(lease_poll_seconds=0.0, broadcast_window_seconds=0.02)

Open = Callable[..., AbstractAsyncContextManager[Switchboard]]


def provider(name: str, clock: TestClock, *, serves: bool = True) -> ScriptedProvider:
    meters = frozenset({METER.number}) if serves else NOBODYS
    return ScriptedProvider(name, clock, meters=meters)


@asynccontextmanager
async def switchboard(
    serving: dict[str, bool], settings: SwitchSettings = SHORT_WINDOW
) -> AsyncGenerator[Switchboard]:
    """A board with these providers, each of which serves the meter or doesn't."""
    clock = TestClock()
    providers = [provider(name, clock, serves=serves) for name, serves in serving.items()]
    board = Switchboard(clock, providers, settings)
    await board.open()
    try:
        yield board
    finally:
        for one in board.providers.values():
            if one.hold is not None:
                one.hold.set()
        await board.close()


def calls(board: Switchboard) -> dict[str, int]:
    return {name: len(one.asked) for name, one in board.providers.items()}


def forget_calls(board: Switchboard) -> None:
    for one in board.providers.values():
        one.asked.clear()


def answers_recorded(board: Switchboard) -> list[tuple[str, bool]]:
    stream = board.log.streams[meter_stream(UtilityType.ELECTRICITY, METER.number)]
    return [
        (entry.event.provider, entry.event.supported)
        for entry in stream
        if isinstance(entry.event, SupportAnswered)
    ]


def failure_of(answer: object) -> ErrorType:
    assert isinstance(answer, Refused)
    return answer.failure.error_type


# Broadcast


async def test_an_unknown_meter_asks_every_provider_once_and_stores_each_answer() -> None:
    async with switchboard({"a": False, "b": True, "c": False}) as board:
        answer = await board.look_up("l1")

        assert isinstance(answer, LookedUp)
        assert answer.provider == Party("b", "B")
        assert calls(board) == {"a": 1, "b": 1, "c": 1}
        assert sorted(answers_recorded(board)) == [("a", False), ("b", True), ("c", False)]
        meter = await board.meter()
        assert {p: meter.support(p) for p in "abc"} == {
            "a": Support.NOT_SUPPORTED,
            "b": Support.SUPPORTED,
            "c": Support.NOT_SUPPORTED,
        }


async def test_the_questions_are_durable_before_the_first_is_sent() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        seen: list[list[str]] = []

        def answer(question: Question) -> Reply | None:
            del question
            seen.append(board.story("l1"))
            return None

        for one in board.providers.values():
            one.reply = answer
        await board.look_up("l1")

        opening = ["LookupRequested", "BroadcastStarted", "ProviderAsked", "ProviderAsked"]
        assert seen == [opening, opening]


async def test_the_answer_carries_the_reference_of_its_question() -> None:
    async with switchboard({"a": True}) as board:
        answer = await board.look_up("l1")
        assert isinstance(answer, LookedUp)
        assert answer.reference == board.providers["a"].received[0].reference


async def test_a_provider_that_is_held_up_is_not_awaited_beyond_the_window() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        board.providers["a"].hold = asyncio.Event()

        answer = await board.look_up("l1")

        assert isinstance(answer, LookedUp)
        assert answer.provider.id == "b"
        assert (await board.meter()).support("a") is Support.UNCONFIRMED


async def test_all_silent_within_the_window_is_an_answer_of_its_own() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        for one in board.providers.values():
            one.hold = asyncio.Event()
        assert failure_of(await board.look_up("l1")) is ErrorType.UPSTREAM_UNAVAILABLE
        assert board.story("l1")[-1] == "LookupFailed"


async def test_one_says_no_and_one_is_silent_so_the_meter_is_not_called_unknown() -> None:
    async with switchboard({"a": False, "b": True}) as board:
        board.providers["b"].hold = asyncio.Event()
        assert failure_of(await board.look_up("l1")) is ErrorType.UPSTREAM_UNAVAILABLE


async def test_a_late_answer_is_recorded_in_the_story_and_in_the_table() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        hold = board.providers["a"].hold = asyncio.Event()
        await board.look_up("l1")
        assert answers_recorded(board) == [("b", True)]

        hold.set()
        await board.quiet()

        assert answers_recorded(board) == [("b", True), ("a", True)]
        late = [
            entry.event
            for entry in board.log.streams[message_stream("l1")]
            if isinstance(entry.event, ProviderAnswered) and entry.event.late
        ]
        assert [(event.provider, event.outcome) for event in late] == [("a", Outcome.APPROVED)]
        assert (await board.meter()).support("a") is Support.SUPPORTED
        forget_calls(board)
        await board.look_up("l2")
        assert sum(calls(board).values()) == 1, "nobody owes an answer any more"


async def test_silent_providers_are_asked_again_at_each_lookup_until_they_have_answered() -> None:
    async with switchboard({"a": True, "b": True, "c": True, "d": False}) as board:
        for name in "cd":
            board.providers[name].fault = lambda _operation: Fault.SILENT_BEFORE
        await board.look_up("l1")

        for lookup in ("l2", "l3"):
            forget_calls(board)
            await board.look_up(lookup)
            await board.quiet()
            assert calls(board) == {"a": 1, "b": 0, "c": 1, "d": 1}, lookup

        board.providers["c"].fault = lambda _operation: Fault.NONE
        forget_calls(board)
        await board.look_up("l4")
        await board.quiet()
        assert calls(board) == {"a": 1, "b": 0, "c": 1, "d": 1}

        board.providers["d"].fault = lambda _operation: Fault.NONE
        forget_calls(board)
        await board.look_up("l5")
        await board.quiet()
        assert calls(board) == {"a": 1, "b": 0, "c": 0, "d": 1}, "c has answered"

        forget_calls(board)
        await board.look_up("l6")
        await board.quiet()
        assert calls(board) == {"a": 1, "b": 0, "c": 0, "d": 0}, "all have answered"
        meter = await board.meter()
        assert meter.support("c") is Support.SUPPORTED
        assert meter.support("d") is Support.NOT_SUPPORTED


async def test_who_was_silent_at_a_rebroadcast_owes_an_answer_though_an_older_one_is_known() -> (
    None
):
    async with switchboard({"a": True, "b": True}) as board:
        await board.look_up("l1")
        board.providers["b"].fault = lambda _operation: Fault.SILENT_BEFORE
        await board.steering.request_rebroadcast(UtilityType.ELECTRICITY, METER.number, OP)
        await board.look_up("l2")
        assert (await board.meter()).support("b") is Support.SUPPORTED, "the older answer stands"

        board.providers["b"].fault = lambda _operation: Fault.NONE
        for lookup, asked in (("l3", {"a": 1, "b": 1}), ("l4", {"a": 1, "b": 0})):
            forget_calls(board)
            await board.look_up(lookup)
            await board.quiet()
            assert calls(board) == asked, lookup


async def test_the_channel_does_not_wait_for_the_silent_when_somebody_known_answers() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        board.providers["b"].fault = lambda _operation: Fault.SILENT_BEFORE
        await board.look_up("l1")
        board.providers["b"].hold = asyncio.Event()

        answer = await board.look_up("l2")

        assert isinstance(answer, LookedUp)
        assert answer.provider.id == "a"


async def test_when_nobody_is_known_to_serve_it_the_channel_waits_for_the_silent() -> None:
    """The network was away at the first lookup: the second must not fail for that."""
    async with switchboard({"a": True, "b": False}) as board:
        for one in board.providers.values():
            one.fault = lambda _operation: Fault.NOT_SENT
        assert failure_of(await board.look_up("l1")) is ErrorType.UPSTREAM_UNAVAILABLE
        for one in board.providers.values():
            one.fault = lambda _operation: Fault.NONE

        answer = await board.look_up("l2")

        assert isinstance(answer, LookedUp)
        assert answer.provider.id == "a"
        assert calls(board) == {"a": 2, "b": 2}
        assert isinstance(await board.buy("p1"), Sold)


async def test_a_provider_that_came_later_is_asked_about_meters_known_already() -> None:
    async with switchboard({"a": True}) as board:
        await board.look_up("l1")
        await board.close()
        board.providers["new"] = provider("new", board.clock)
        board.restart()
        await board.open()

        await board.look_up("l2")
        await board.quiet()

        assert calls(board) == {"a": 2, "new": 1}
        assert (await board.meter()).support("new") is Support.SUPPORTED


async def test_a_sick_provider_is_asked_but_nobody_waits_for_it() -> None:
    settings = SwitchSettings(lease_poll_seconds=0.0, broadcast_window_seconds=600.0)
    async with switchboard({"a": True, "b": True}, settings) as board:
        await board.context.health.turn("b", healthy=False, reason="test")
        hold = board.providers["b"].hold = asyncio.Event()

        answer = await asyncio.wait_for(board.look_up("l1"), 30)

        assert isinstance(answer, LookedUp)
        assert calls(board) == {"a": 1, "b": 1}
        hold.set()
        await board.quiet()
        assert (await board.meter()).support("b") is Support.SUPPORTED


async def test_a_disabled_provider_is_not_asked() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        await board.steering.disable("b", OP)
        await board.look_up("l1")
        assert calls(board) == {"a": 1, "b": 0}


# The table


async def test_the_second_lookup_of_a_known_meter_reaches_one_provider() -> None:
    async with switchboard({"a": False, "b": True, "c": False}) as board:
        await board.look_up("l1")
        forget_calls(board)

        answer = await board.look_up("l2")
        await board.quiet()

        assert isinstance(answer, LookedUp)
        assert calls(board) == {"a": 0, "b": 1, "c": 0}
        assert board.story("l2") == [
            "LookupRequested",
            "LookupRouted",
            "ProviderAsked",
            "ProviderAnswered",
            "LookupAnswered",
        ]


async def test_repeated_lookups_do_not_make_the_meters_stream_grow() -> None:
    async with switchboard({"a": True, "b": False}) as board:
        await board.look_up("l1")
        version = (await board.meter()).version
        for number in range(5):
            await board.look_up(f"again-{number}")
        assert (await board.meter()).version == version


async def test_a_provider_that_now_says_unknown_is_left_for_the_next() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        await board.look_up("l1")
        board.providers["a"].meters = NOBODYS
        forget_calls(board)

        answer = await board.look_up("l2")

        assert isinstance(answer, LookedUp)
        assert answer.provider.id == "b"
        assert calls(board) == {"a": 1, "b": 1}
        assert (await board.meter()).support("a") is Support.NOT_SUPPORTED
        forget_calls(board)
        await board.look_up("l3")
        assert calls(board) == {"a": 0, "b": 1}


async def test_a_lookup_moves_no_money_so_a_silent_provider_is_left_for_the_next() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        await board.look_up("l1")
        board.providers["a"].fault = lambda _operation: Fault.SILENT_BEFORE
        answer = await board.look_up("l2")
        assert isinstance(answer, LookedUp)
        assert answer.provider.id == "b"
        assert (await board.meter()).support("a") is Support.SUPPORTED, "silence says nothing"


async def test_all_known_providers_silent_is_not_an_unknown_meter() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        await board.look_up("l1")
        board.providers["a"].fault = lambda _operation: Fault.SILENT_BEFORE
        board.providers["b"].meters = NOBODYS
        assert failure_of(await board.look_up("l2")) is ErrorType.UPSTREAM_UNAVAILABLE


async def test_all_known_providers_say_unknown_now() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        await board.look_up("l1")
        for one in board.providers.values():
            one.meters = NOBODYS
        assert failure_of(await board.look_up("l2")) is ErrorType.UNKNOWN_METER_ID


@pytest.mark.parametrize("known", [False, True])
async def test_a_blocked_meter_is_known_and_the_refusal_is_passed_on(known: bool) -> None:
    blocked = Failure(ErrorType.METER_ID_BLOCKED, "blocked by the municipality")

    def refuse(question: Question) -> Reply | None:
        del question
        return Reply(outcome=Outcome.DECLINED, failure=blocked)

    async with switchboard({"a": True, "b": False}) as board:
        if known:
            await board.look_up("l1")
        board.providers["a"].reply = refuse
        answer = await board.look_up("l2")
        assert answer == Refused(blocked)
        assert (await board.meter()).support("a") is Support.SUPPORTED


# Nobody serves it


async def test_nobody_serves_it_and_it_is_not_broadcast_again_for_a_while() -> None:
    async with switchboard({"a": False, "b": False}) as board:
        assert failure_of(await board.look_up("l1")) is ErrorType.UNKNOWN_METER_ID
        forget_calls(board)

        assert failure_of(await board.look_up("l2")) is ErrorType.UNKNOWN_METER_ID
        board.clock.leap(board.settings.negative_answer_seconds - 60)
        assert failure_of(await board.look_up("l3")) is ErrorType.UNKNOWN_METER_ID
        assert calls(board) == {"a": 0, "b": 0}

        board.providers["b"].meters = frozenset({METER.number})
        board.clock.leap(120)
        answer = await board.look_up("l4")
        assert isinstance(answer, LookedUp)
        assert calls(board) == {"a": 1, "b": 1}


# The flag


@pytest.mark.parametrize("transaction", ["lookup", "purchase"])
async def test_a_flagged_meter_is_broadcast_at_its_next_transaction_and_only_then(
    transaction: str,
) -> None:
    async with switchboard({"a": True, "b": False}) as board:

        async def transact(message_id: str) -> None:
            answer: object
            if transaction == "lookup":
                answer = await board.look_up(message_id)
                assert isinstance(answer, LookedUp)
            else:
                answer = await board.buy(message_id)
                assert isinstance(answer, Sold)
            await board.quiet()

        await board.look_up("l1")
        forget_calls(board)
        await board.steering.request_rebroadcast(UtilityType.ELECTRICITY, METER.number, OP)
        await board.quiet()
        assert calls(board) == {"a": 0, "b": 0}, "nothing is sent at flagging"
        assert (await board.meter()).rebroadcast

        await transact("t1")
        lookups = {n: one.asked.count(Operation.LOOKUP) for n, one in board.providers.items()}
        assert lookups == {"a": 1, "b": 1}
        assert not (await board.meter()).rebroadcast

        forget_calls(board)
        await transact("t2")
        assert calls(board) == {"a": 1, "b": 0}


async def test_the_broadcast_of_a_flag_says_why_it_was_made() -> None:
    async with switchboard({"a": True}) as board:
        await board.look_up("l1")
        await board.steering.request_rebroadcast(UtilityType.ELECTRICITY, METER.number, OP)
        await board.look_up("l2")
        reasons = [
            entry.event.reason
            for entry in board.log.recorded
            if isinstance(entry.event, BroadcastStarted)
        ]
        assert reasons == [BroadcastReason.UNKNOWN, BroadcastReason.FLAGGED]


async def test_a_flag_unblocks_a_meter_that_somebody_serves_by_now() -> None:
    async with switchboard({"a": False}) as board:
        await board.look_up("l1")
        assert failure_of(await board.buy("p1")) is ErrorType.UNKNOWN_METER_ID
        board.providers["a"].meters = frozenset({METER.number})
        await board.steering.request_rebroadcast(UtilityType.ELECTRICITY, METER.number, OP)
        assert isinstance(await board.buy("p2"), Sold)


async def test_a_meter_may_be_flagged_before_any_channel_named_it() -> None:
    async with switchboard({"a": True}) as board:
        await board.steering.request_rebroadcast(UtilityType.ELECTRICITY, METER.number, OP)
        assert isinstance(await board.buy("p1"), Sold)


async def test_flagging_twice_writes_once() -> None:
    async with switchboard({"a": True}) as board:
        for _ in range(2):
            await board.steering.request_rebroadcast(UtilityType.ELECTRICITY, METER.number, OP)
        assert (await board.meter()).version == 2  # MeterSeen, RebroadcastRequested


# Utility


async def test_the_utility_is_registered_by_the_name_that_the_provider_prints() -> None:
    async with switchboard({"a": True}) as board:
        board.providers["a"].utility = "City of  Tshwane (Centurion)"
        answer = await board.look_up("l1")
        assert isinstance(answer, LookedUp)
        expected = Party("city-of-tshwane-centurion", "City of  Tshwane (Centurion)")
        assert answer.municipality == expected
        utility = await board.context.streams.utility("city-of-tshwane-centurion")
        assert utility.name == "City of  Tshwane (Centurion)"
        assert utility.version == 1


async def test_a_name_in_other_letters_is_the_same_utility() -> None:
    async with switchboard({"a": True, "b": False}) as board:
        await board.look_up("l1")
        board.providers["b"].meters = frozenset({"2"})
        board.providers["b"].utility = "TEST-MUNICIPALITY"
        answer = await board.look_up("l2", "2")
        assert isinstance(answer, LookedUp)
        assert answer.municipality == Party("test-municipality", "Test Municipality")
        assert (await board.context.streams.utility("test-municipality")).version == 1


async def test_a_meter_whose_provider_prints_no_name_belongs_to_no_utility() -> None:
    def nameless(question: Question) -> Reply | None:
        if not isinstance(question, LookupQuestion):
            return None
        return Reply(
            outcome=Outcome.APPROVED,
            lookup=LookupAnswer(question.meter, Customer(), UtilityDetail(name=" - ")),
        )

    async with switchboard({"a": True}) as board:
        board.providers["a"].reply = nameless
        answer = await board.look_up("l1")
        assert isinstance(answer, LookedUp)
        assert answer.municipality is None
        assert isinstance(await board.buy("p1"), Sold), "it goes by the weights"


async def test_the_lookup_is_answered_by_whom_a_purchase_would_go_to() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        await board.steering.set_preferences("Test Municipality", ["b"], [], OP)
        answer = await board.look_up("l1")
        assert isinstance(answer, LookedUp)
        assert answer.provider.id == "b"


# Message ids


async def test_a_duplicate_lookup_id_is_refused_and_nobody_is_called() -> None:
    async with switchboard({"a": True, "b": True}) as board:
        await board.look_up("l1")
        forget_calls(board)
        known = await board.look_up("l1")
        unknown = await board.look_up("l1", "another meter")
        await board.quiet()
        for answer in (known, unknown):
            assert failure_of(answer) is ErrorType.DUPLICATE_RECORD
        assert calls(board) == {"a": 0, "b": 0}


async def test_an_id_means_one_thing_only() -> None:
    async with switchboard({"a": True}) as board:
        await board.look_up("l1")
        await board.buy("p1")
        forget_calls(board)
        assert failure_of(await board.look_up("p1")) is ErrorType.DUPLICATE_RECORD
        assert failure_of(await board.buy("l1")) is ErrorType.DUPLICATE_RECORD
        assert failure_of(await board.retry("l1")) is ErrorType.UNABLE_TO_LOCATE_RECORD
        assert calls(board) == {"a": 0}


async def test_of_two_lookups_with_one_id_at_once_one_wins() -> None:
    async with switchboard({"a": True}) as board:
        answers = await asyncio.gather(board.look_up("l1"), board.look_up("l1"))
        assert sorted(type(answer).__name__ for answer in answers) == ["LookedUp", "Refused"]
        assert calls(board) == {"a": 1}


async def test_a_provider_that_cannot_encode_the_meter_does_not_serve_it() -> None:
    class Picky(ScriptedProvider):
        def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
            del question, number, at
            raise ValueError("too long")

    clock = TestClock()
    board = Switchboard(
        clock,
        [provider("a", clock), Picky("p", clock, capabilities=Capabilities())],
        SHORT_WINDOW,
    )
    await board.open()
    assert isinstance(await board.look_up("l1"), LookedUp)
    assert (await board.meter()).support("p") is Support.NOT_SUPPORTED
    assert board.providers["p"].asked == []
    await board.close()
