"""The switch dies at an exact point between Kazang's quote and the record of its sale: what the
next process makes of it, with the real adapter over a real socket."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import cast

import pytest

from domain.event import Event
from domain.exchange import ProviderAnswered, ProviderNoted
from domain.purchase import Purchase, PurchaseStatus
from switch.command import Sold
from tests.kazang import Kazang, simulated_kazang
from tests.scripted_provider import Killed, ScriptedProvider
from tests.simulation import PLAIN
from tests.switchboard import Switchboard, TestClock

CENTS = 10_000
LEASE_PASSED = 120.0


@pytest.fixture
async def kazang() -> AsyncGenerator[Kazang]:
    async with simulated_kazang() as running:
        yield running


@pytest.fixture
async def board(kazang: Kazang) -> AsyncGenerator[Switchboard]:
    """A switch whose only provider is the simulated Kazang; it knows the meter."""
    adapter = cast("ScriptedProvider", kazang.adapter())
    board = Switchboard(TestClock(), [adapter])
    await board.open()
    await board.look_up("l1", PLAIN)
    await board.quiet()
    yield board
    await board.close()


def dying(at: str, kind: type[Event], killed: list[str]) -> Callable[[str, Sequence[Event]], None]:
    """Kills `at` ("before" or "after") the append of the first event of `kind`."""

    def around(moment: str, events: Sequence[Event]) -> None:
        if moment == at and isinstance(events[0], kind) and not killed:
            killed.append(moment)
            raise Killed

    return around


async def cut_off(board: Switchboard, at: str, kind: type[Event]) -> None:
    """Buys, dies there, and starts anew when the dead process's lease has passed."""
    killed: list[str] = []
    board.log.around = dying(at, kind, killed)
    with pytest.raises(Killed):
        await board.buy("p1", CENTS, PLAIN)
    assert killed
    board.restart()
    await board.context.table.open(board.providers)
    board.clock.leap(LEASE_PASSED)


async def ended(board: Switchboard) -> Purchase:
    """The purchase after the recovery worker has been at it."""
    await board.attend("p1")
    return await board.purchase("p1")


async def test_between_quote_and_note_nothing_was_sold(kazang: Kazang, board: Switchboard) -> None:
    await cut_off(board, "before", ProviderNoted)
    purchase = await ended(board)
    assert purchase.status is PurchaseStatus.DECLINED
    assert kazang.sales() == []
    assert purchase.decline is not None
    assert purchase.decline.retriable
    answer = await board.retry("p1", cents=CENTS, number=PLAIN)
    assert isinstance(answer, Sold)
    assert len(kazang.sales()) == 1


async def test_between_note_and_confirm_the_recovery_completes_the_sale(
    kazang: Kazang, board: Switchboard
) -> None:
    await cut_off(board, "after", ProviderNoted)
    assert kazang.sales() == []
    purchase = await ended(board)
    assert purchase.status is PurchaseStatus.APPROVED
    (issued,) = kazang.sales()
    assert purchase.approval is not None
    assert tuple(token.digits for token in purchase.approval.sale.tokens) == issued.tokens


async def test_between_confirm_and_record_the_recovery_finds_the_sale(
    kazang: Kazang, board: Switchboard
) -> None:
    await cut_off(board, "before", ProviderAnswered)
    (issued,) = kazang.sales()
    purchase = await ended(board)
    assert purchase.status is PurchaseStatus.APPROVED
    assert purchase.approval is not None
    assert purchase.approval.recovered
    assert tuple(token.digits for token in purchase.approval.sale.tokens) == issued.tokens
    assert len(kazang.sales()) == 1


async def test_a_lease_that_ran_out_during_the_quote_leads_to_no_confirm(
    kazang: Kazang, board: Switchboard
) -> None:
    """Somebody else may have settled it as never confirmed by then."""

    def stall(moment: str, events: Sequence[Event]) -> None:
        if moment == "before" and isinstance(events[0], ProviderNoted):
            board.clock.leap(LEASE_PASSED)

    board.log.around = stall
    await board.buy("p1", CENTS, PLAIN)
    assert kazang.sales() == []
    assert (await board.purchase("p1")).status is PurchaseStatus.DECLINED
