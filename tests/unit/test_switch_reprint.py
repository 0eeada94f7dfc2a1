"""Reprints: our own sale at the provider that sold it, else whatever the meter's provider has."""

from collections.abc import AsyncIterator

import pytest

from domain.advice import AdviceKind
from domain.exchange import Operation, ReprintQuestion
from domain.failure import ErrorType
from domain.provider import Capabilities
from domain.sale import UtilityType
from switch.command import Refused, Reprinted, Sender, Sold
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock

REPRINTS = Capabilities(reverse=True, reprint=True)
OTHER_METER = "2"
SOMEBODY_ELSE = Sender(user="bank", client="bank")


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    """Providers a and b, ranked so, both of which reprint and serve two meters."""
    clock = TestClock()
    meters = frozenset({METER.number, OTHER_METER})
    board = Switchboard(clock, [ScriptedProvider(n, clock, REPRINTS, meters) for n in "ab"])
    await board.open()
    await board.steering.set_preferences("Test Municipality", ["a", "b"], [], OP)
    await board.look_up("l1")
    await board.look_up("l2", OTHER_METER)
    await board.quiet()
    for one in board.providers.values():
        one.asked.clear()
        one.received.clear()
    yield board
    await board.close()


async def bought(board: Switchboard, purchase_id: str, number: str = METER.number) -> Sold:
    sold = await board.buy(purchase_id, number=number)
    assert isinstance(sold, Sold)
    board.clock.leap(60)
    return sold


async def prefer(board: Switchboard, *providers: str) -> None:
    kind = UtilityType.ELECTRICITY
    await board.steering.set_meter_preference(kind, METER.number, providers, OP)


def asked(board: Switchboard) -> list[tuple[str, ReprintQuestion]]:
    return [
        (name, prepared.question)
        for name, one in board.providers.items()
        for prepared in one.received
        if isinstance(prepared.question, ReprintQuestion)
    ]


def failure_of(answer: object) -> ErrorType:
    assert isinstance(answer, Refused), answer
    return answer.failure.error_type


async def test_the_provider_that_sold_is_asked_whatever_the_route_says_today(
    board: Switchboard,
) -> None:
    sold = await bought(board, "p1")
    await prefer(board, "b")
    answer = await board.reprint("r1", "p1")
    assert isinstance(answer, Reprinted)
    assert answer.sale == sold.sale
    assert (answer.provider.id, answer.purchase_id) == ("a", "p1")
    assert answer.municipality == sold.municipality
    ((provider, question),) = asked(board)
    assert provider == "a"
    assert question.original is not None
    assert question.original.reference == next(iter(board.providers["a"].book))
    assert question.original.provider_reference == sold.sale.provider_reference
    assert question.receipt == sold.sale.tokens[0].receipt
    assert board.story("r1") == [
        "ReprintRequested",
        "ReprintOriginalFound",
        "ProviderAsked",
        "ProviderAnswered",
        "ReprintDone",
    ]
    assert board.providers["a"].asked.count(Operation.VEND) == 1


@pytest.mark.parametrize("name", ["reference", "receipt"])
async def test_what_stands_on_the_slip_names_the_sale_too(board: Switchboard, name: str) -> None:
    first, second = await bought(board, "p1"), await bought(board, "p2")
    assert first.sale != second.sale
    sale = first.sale
    ref = sale.provider_reference if name == "reference" else sale.tokens[0].receipt
    # The customer has the slip, at whichever till.
    answer = await board.reprint("r1", ref, sender=SOMEBODY_ELSE)
    assert isinstance(answer, Reprinted)
    assert (answer.sale, answer.purchase_id) == (sale, "p1")


async def test_without_a_reference_it_is_the_last_sale_of_the_meter(board: Switchboard) -> None:
    await bought(board, "p1")
    await prefer(board, "b")
    last = await bought(board, "p2")
    await bought(board, "p3", OTHER_METER)
    await prefer(board, "a")
    board.providers["a"].fault = lambda _operation: Fault.DECLINE
    await board.buy("p4")
    board.providers["a"].fault = lambda _operation: Fault.NONE
    answer = await board.reprint("r1")
    assert isinstance(answer, Reprinted)
    assert (answer.sale, answer.provider.id, answer.purchase_id) == (last.sale, "b", "p2")


async def test_a_sale_that_is_not_ours_is_looked_for_at_the_meters_provider(
    board: Switchboard,
) -> None:
    await bought(board, "p3", OTHER_METER)
    assert isinstance(await board.reprint("r1", "SLIP 77"), Reprinted)
    ((provider, question),) = asked(board)
    assert (provider, question.original, question.receipt) == ("a", None, "SLIP 77")
    assert board.story("r1")[1] == "ServiceRouted"


async def test_an_id_tells_only_the_user_who_made_it(board: Switchboard) -> None:
    await bought(board, "p1")
    answer = await board.reprint("r1", "p1", sender=SOMEBODY_ELSE)
    assert failure_of(answer) is ErrorType.UNABLE_TO_LOCATE_RECORD
    answer = await board.reprint("r2", "p1", number=OTHER_METER)
    assert failure_of(answer) is ErrorType.UNABLE_TO_LOCATE_RECORD
    assert asked(board) == []
    assert board.story("r1") == ["ReprintRequested", "ReprintFailed"]


async def test_a_sale_that_is_taken_back_is_not_shown_again(board: Switchboard) -> None:
    kept, undone = await bought(board, "p1"), await bought(board, "p2")
    await board.advise(AdviceKind.REVERSAL, "p2", "a1")
    named = await board.reprint("r1", "p2")
    assert failure_of(named) is ErrorType.TRANSACTION_DECLINED
    by_receipt = await board.reprint("r2", undone.sale.tokens[0].receipt)
    assert failure_of(by_receipt) is ErrorType.TRANSACTION_DECLINED
    last = await board.reprint("r3")
    assert isinstance(last, Reprinted)
    assert last.sale == kept.sale

    await board.advise(AdviceKind.REVERSAL, "p1", "a2")
    answer = await board.reprint("r4")
    assert failure_of(answer) is ErrorType.TRANSACTION_DECLINED, "not even from the provider"
    assert len(asked(board)) == 1


async def test_a_purchase_in_doubt_is_never_said_to_be_unsold(board: Switchboard) -> None:
    board.providers["a"].fault = lambda _operation: Fault.SILENT_AFTER
    await board.buy("p1")
    assert failure_of(await board.reprint("r1", "p1")) is ErrorType.OUTCOME_UNKNOWN
    board.providers["a"].fault = lambda _operation: Fault.DECLINE
    await board.buy("p2")
    answer = await board.reprint("r2", "p2")
    assert failure_of(answer) is ErrorType.UNABLE_TO_LOCATE_RECORD
    assert asked(board) == []


async def test_who_sold_does_not_reprint(board: Switchboard) -> None:
    await bought(board, "p1")
    board.providers["a"].capabilities = Capabilities()
    answer = await board.reprint("r1", "p1")
    assert failure_of(answer) is ErrorType.FUNCTION_NOT_SUPPORTED
    assert asked(board) == [], "b can't know of a sale by a"


async def test_who_sold_is_asked_though_it_is_disabled(board: Switchboard) -> None:
    sold = await bought(board, "p1")
    await board.steering.disable("a", OP)
    answer = await board.reprint("r1", "p1")
    assert isinstance(answer, Reprinted)
    assert answer.sale == sold.sale


async def test_who_sold_is_not_in_the_settings_any_more(board: Switchboard) -> None:
    await bought(board, "p1")
    del board.providers["a"]
    answer = await board.reprint("r1", "p1")
    assert failure_of(answer) is ErrorType.UPSTREAM_UNAVAILABLE
    assert asked(board) == []
