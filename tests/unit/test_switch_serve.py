"""Trials, reprints, fault reports and key changes: one provider that offers it, asked once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from domain.event import Event
from domain.exchange import FaultReportQuestion, KeyChangeQuestion, Operation, Reply, VendQuestion
from domain.failure import ErrorType
from domain.fault import FaultType
from domain.message import message_stream
from domain.money import Money
from domain.outcome import Outcome
from domain.provider import Capabilities
from domain.sale import KeyChange, TokenType, UtilityType
from domain.service import ServiceStatus
from ledger import LedgerBusy
from switch.command import FaultReported, KeyChanged, Quoted, Refused, Reprinted, Sold
from tests.scripted_provider import Fault, Killed, ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock

EVERYTHING = Capabilities(
    confirm=True, reverse=True, trial=True, reprint=True, fault_report=True, key_change=True
)
SERVICES: dict[Operation, Callable[[Switchboard, str], Awaitable[object]]] = {
    Operation.TRIAL: lambda board, message_id: board.trial(message_id),
    Operation.REPRINT: lambda board, message_id: board.reprint(message_id),
    Operation.FAULT_REPORT: lambda board, message_id: board.report_fault(message_id),
    Operation.KEY_CHANGE: lambda board, message_id: board.change_key(message_id),
}
NOUNS = {
    Operation.TRIAL: "Trial",
    Operation.REPRINT: "Reprint",
    Operation.FAULT_REPORT: "FaultReport",
    Operation.KEY_CHANGE: "KeyChange",
}
each = pytest.mark.parametrize("operation", SERVICES)


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    """Three providers that serve the meter, ranked a, b, c; a offers lookups and vends only. Each
    has sold to the meter once, for somebody else than us."""
    clock = TestClock()
    offers = {"a": Capabilities(), "b": EVERYTHING, "c": EVERYTHING}
    board = Switchboard(clock, [ScriptedProvider(name, clock, can) for name, can in offers.items()])
    await board.open()
    await board.steering.set_preferences("Test Municipality", ["a", "b", "c"], [], OP)
    await board.look_up("l1")
    await board.quiet()
    for one in board.providers.values():
        elsewhere = one.prepare(VendQuestion(METER, Money(5_000)), 1_000_000, clock())
        assert (await one.exchange(elsewhere)).outcome is Outcome.APPROVED
        one.asked.clear()
        one.received.clear()
    board.log.appends.clear()
    yield board
    await board.close()


async def serve(board: Switchboard, operation: Operation, message_id: str = "s1") -> object:
    return await SERVICES[operation](board, message_id)


def fault(board: Switchboard, fault: Fault, *names: str) -> None:
    for name in names:
        board.providers[name].fault = lambda _operation: fault


def calls(board: Switchboard) -> dict[str, int]:
    return {name: len(one.asked) for name, one in board.providers.items()}


def failure_of(answer: object) -> ErrorType:
    assert isinstance(answer, Refused), answer
    return answer.failure.error_type


def commits(board: Switchboard) -> list[list[str]]:
    return [[type(e.event).__name__ for e in append] for append in board.log.appends]


@each
async def test_the_first_usable_provider_that_offers_it_is_asked(
    board: Switchboard, operation: Operation
) -> None:
    answer = await serve(board, operation)
    assert isinstance(answer, Quoted | Reprinted | FaultReported | KeyChanged)
    assert answer.provider.id == "b"
    assert answer.municipality is not None
    assert answer.municipality.name == "Test Municipality"
    assert calls(board) == {"a": 0, "b": 1, "c": 0}
    assert board.providers["b"].asked == [operation]
    noun = NOUNS[operation]
    assert commits(board) == [
        [f"{noun}Requested", "ServiceRouted", "ProviderAsked"],
        ["ProviderAnswered", f"{noun}Done"],
    ]


@each
async def test_nobody_offers_it_and_nothing_is_sent(
    board: Switchboard, operation: Operation
) -> None:
    for one in board.providers.values():
        one.capabilities = Capabilities(confirm=True, reverse=True)
    answer = await serve(board, operation)
    assert failure_of(answer) is ErrorType.FUNCTION_NOT_SUPPORTED
    assert calls(board) == {"a": 0, "b": 0, "c": 0}
    noun = NOUNS[operation]
    assert board.story("s1") == [f"{noun}Requested", "ServiceRouted", f"{noun}Failed"]
    service = await board.service("s1")
    assert service.failed is not None
    assert service.failed.not_sent


@each
async def test_those_that_offer_it_are_away(board: Switchboard, operation: Operation) -> None:
    for name in "bc":
        await board.steering.disable(name, OP)
    answer = await serve(board, operation)
    assert failure_of(answer) is ErrorType.UPSTREAM_UNAVAILABLE
    assert calls(board) == {"a": 0, "b": 0, "c": 0}


@each
async def test_only_while_nothing_was_sent_the_next_one_is_asked(
    board: Switchboard, operation: Operation
) -> None:
    fault(board, Fault.NOT_SENT, "b")
    answer = await serve(board, operation)
    assert isinstance(answer, Quoted | Reprinted | FaultReported | KeyChanged)
    assert answer.provider.id == "c"
    assert calls(board) == {"a": 0, "b": 1, "c": 1}
    assert (await board.service("s1")).exchanges == 2

    fault(board, Fault.NOT_SENT, "c")
    answer = await serve(board, operation, "s2")
    assert failure_of(answer) is ErrorType.UPSTREAM_UNAVAILABLE
    assert isinstance(answer, Refused)
    assert answer.not_sent


@each
async def test_a_refusal_is_final_and_nobody_else_is_asked(
    board: Switchboard, operation: Operation
) -> None:
    fault(board, Fault.DECLINE, "b")
    assert failure_of(await serve(board, operation)) is ErrorType.TRANSACTION_DECLINED
    assert calls(board) == {"a": 0, "b": 1, "c": 0}
    assert (await board.service("s1")).status is ServiceStatus.FAILED


@each
@pytest.mark.parametrize("silence", [Fault.SILENT_BEFORE, Fault.SILENT_AFTER])
async def test_without_an_answer_the_outcome_is_unknown_and_nobody_else_is_asked(
    board: Switchboard, operation: Operation, silence: Fault
) -> None:
    fault(board, silence, "b")
    assert failure_of(await serve(board, operation)) is ErrorType.OUTCOME_UNKNOWN
    assert calls(board) == {"a": 0, "b": 1, "c": 0}
    assert (await board.service("s1")).status is ServiceStatus.UNKNOWN
    # A new id asks again.
    fault(board, Fault.NONE, "b")
    assert not isinstance(await serve(board, operation, "s2"), Refused)


@each
async def test_an_id_is_used_once_over_all_kinds(board: Switchboard, operation: Operation) -> None:
    await serve(board, operation)
    for other in SERVICES:
        assert failure_of(await serve(board, other)) is ErrorType.DUPLICATE_RECORD
    assert failure_of(await board.buy("s1")) is ErrorType.DUPLICATE_RECORD
    assert failure_of(await board.look_up("s1")) is ErrorType.DUPLICATE_RECORD
    assert failure_of(await serve(board, operation, "l1")) is ErrorType.DUPLICATE_RECORD
    assert calls(board)["b"] == 1


@each
async def test_an_unknown_meter_has_to_be_looked_up_first(
    board: Switchboard, operation: Operation
) -> None:
    fresh = Switchboard(board.clock, list(board.providers.values()))
    await fresh.open()
    answer = await serve(fresh, operation)
    assert failure_of(answer) is ErrorType.ROUTING_ERROR
    assert calls(fresh) == {"a": 0, "b": 0, "c": 0}
    await fresh.close()


@each
async def test_a_flagged_meter_is_broadcast_first(board: Switchboard, operation: Operation) -> None:
    await board.steering.request_rebroadcast(UtilityType.ELECTRICITY, METER.number, OP)
    board.providers["b"].meters = frozenset()
    answer = await serve(board, operation)
    assert isinstance(answer, Quoted | Reprinted | FaultReported | KeyChanged)
    assert answer.provider.id == "c", "b has just said that it does not serve the meter any more"
    assert not (await board.meter()).rebroadcast


@each
async def test_a_full_queue_before_the_first_append_means_that_nothing_was_done(
    board: Switchboard, operation: Operation
) -> None:
    def full(moment: str, events: Sequence[Event]) -> None:
        if moment == "before" and type(events[0]).__name__.endswith("Requested"):
            raise LedgerBusy

    board.log.around = full
    answer = await serve(board, operation)
    assert failure_of(answer) is ErrorType.UPSTREAM_UNAVAILABLE
    assert calls(board) == {"a": 0, "b": 0, "c": 0}


@each
async def test_a_killed_process_leaves_an_unknown_outcome_that_nobody_waits_for(
    board: Switchboard, operation: Operation
) -> None:
    fault(board, Fault.KILLED_AFTER, "b")
    with pytest.raises(Killed):
        await serve(board, operation)
    board.restart()
    await board.context.table.open(board.providers)
    await board.attend("s1")
    assert (await board.service("s1")).status is ServiceStatus.PENDING, "the lease still runs"
    board.clock.leap(60)
    await board.attend("s1")
    assert (await board.service("s1")).status is ServiceStatus.UNKNOWN
    assert board.story("s1")[-1] == "ServiceOutcomeUnknown"
    await board.attend("s1")
    assert board.story("s1").count("ServiceOutcomeUnknown") == 1
    assert calls(board)["b"] == 1


@each
async def test_an_answer_that_comes_after_all_still_counts(
    board: Switchboard, operation: Operation
) -> None:
    board.providers["b"].hold = asyncio.Event()
    serving = asyncio.ensure_future(serve(board, operation))
    await board.quiet()
    board.clock.leap(60)
    await board.attend("s1")
    assert (await board.service("s1")).status is ServiceStatus.UNKNOWN
    board.providers["b"].hold.set()
    assert not isinstance(await serving, Refused)
    service = await board.service("s1")
    assert service.status is ServiceStatus.DONE
    answered = next(
        entry.event
        for entry in board.log.streams[message_stream("s1")]
        if type(entry.event).__name__ == "ProviderAnswered"
    )
    assert getattr(answered, "late", False)


# Each in particular


async def test_a_trial_shows_amounts_and_no_digits(board: Switchboard) -> None:
    answer = await board.trial("s1", 11_500)
    assert isinstance(answer, Quoted)
    assert answer.quote.total == Money(11_500)
    assert [token.digits for token in answer.quote.tokens] == [""]
    assert len(board.providers["b"].standing) == 1, "what it had sold before"


async def test_digits_in_a_providers_trial_go_no_further(board: Switchboard) -> None:
    one = board.providers["b"]
    sold = next(iter(one.book.values())).sale
    one.reply = lambda _question: Reply(outcome=Outcome.APPROVED, sale=sold)
    answer = await board.trial("s1")
    assert isinstance(answer, Quoted)
    assert [token.digits for token in answer.quote.tokens] == [""]


async def test_a_fault_report_reaches_the_provider_as_it_was_made(board: Switchboard) -> None:
    answer = await board.report_fault("s1", FaultType.KEEPS_TRIPPING)
    assert isinstance(answer, FaultReported)
    (prepared,) = board.providers["b"].received
    assert isinstance(prepared.question, FaultReportQuestion)
    assert prepared.question.fault_type is FaultType.KEEPS_TRIPPING
    assert prepared.question.contact == "0821234567"
    assert answer.logged.reference == prepared.reference


async def test_a_key_change_issues_two_tokens_to_the_wanted_parameters(board: Switchboard) -> None:
    change = KeyChange("600727", "2", "07")
    answer = await board.change_key("s1", change)
    assert isinstance(answer, KeyChanged)
    assert [token.token_type for token in answer.sale.tokens] == [TokenType.KC, TokenType.KC]
    (prepared,) = board.providers["b"].received
    assert isinstance(prepared.question, KeyChangeQuestion)
    assert prepared.question.meter.key_change == change


async def test_none_of_them_sells_anything(board: Switchboard) -> None:
    before = {name: set(one.book) for name, one in board.providers.items()}
    for operation in SERVICES:
        assert not isinstance(await serve(board, operation, operation.value), Refused)
    assert {name: set(one.book) for name, one in board.providers.items()} == before
    assert isinstance(await board.buy("p1"), Sold), "and buying is as before"
