"""The scenario meters TST001 to TST011 of the shipped fleet, bought at both providers that serve
them."""

from collections.abc import AsyncGenerator
from decimal import Decimal

import pytest

from domain.failure import ErrorType
from domain.outcome import Outcome, Settled
from domain.sale import Sale, TokenType
from providers.simulator.faults import FaultMode
from tests.simulation import Conversation, InProcess, simulators

STD, BSST, KC, REFUND = TokenType.STD, TokenType.BSST, TokenType.KC, TokenType.REFUND


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators() as simulation:
        yield simulation


@pytest.fixture(params=["ipay", "contour"])
def talk(running: InProcess, request: pytest.FixtureRequest) -> Conversation:
    return Conversation(running.adapters()[request.param])


async def bought(talk: Conversation, number: str, cents: int) -> Sale:
    _, reply = await talk.vend(number, cents)
    assert reply.outcome is Outcome.APPROVED, reply
    assert reply.sale is not None
    assert reply.sale.total.cents == cents
    return reply.sale


@pytest.mark.parametrize(
    ("number", "cents", "kinds", "debts", "charges"),
    [
        ("TST001", 10_000, [STD], 0, 0),
        ("TST002", 0, [BSST], 0, 0),
        ("TST003", 10_000, [STD, BSST], 0, 0),
        ("TST004", 10_000, [STD], 0, 0),
        ("TST005", 5_000, [STD, REFUND], 0, 0),
        ("TST006", 10_000, [KC, KC, STD], 0, 0),
        ("TST007", 20_000, [STD], 1, 1),
        ("TST008", 20_000, [STD], 2, 0),
        ("TST009", 20_000, [STD], 0, 2),
        ("TST010", 10_000, [STD], 0, 0),
    ],
)
async def test_scenario(
    talk: Conversation, number: str, cents: int, kinds: list[TokenType], debts: int, charges: int
) -> None:
    """Twice in a row with the same content, and with other tokens."""
    first, second = [await bought(talk, number, cents) for _ in range(2)]
    for sale in (first, second):
        assert [token.token_type for token in sale.tokens] == kinds
        assert (len(sale.debts), len(sale.charges)) == (debts, charges)
        assert all(part.amount.total_cents == 5_000 for part in (*sale.debts, *sale.charges))
        assert all(debt.balance_cents == 27_300 for debt in sale.debts)
    digits = {token.digits for sale in (first, second) for token in sale.tokens}
    assert len(digits) == 2 * len(kinds)


async def test_amounts_and_steps(talk: Conversation) -> None:
    (token,) = (await bought(talk, "TST001", 10_000)).tokens
    assert (token.units, token.amount.cents, token.amount.tax_cents) == (
        Decimal("73.8"),
        8_696,
        1_304,
    )
    (stepped,) = (await bought(talk, "TST004", 10_000)).tokens
    assert [(step.units, step.rate) for step in stepped.tariff] == [
        (Decimal(50), Decimal("117.30")),
        (Decimal("16.2"), Decimal("173.74")),
    ]


async def test_only_the_test_amount_is_sold(talk: Conversation) -> None:
    for cents in (9_999, 10_001):
        _, reply = await talk.vend("TST001", cents)
        assert reply.outcome is Outcome.DECLINED


async def test_tst011_times_out_and_is_found_by_the_retry(
    running: InProcess, talk: Conversation
) -> None:
    quick = Conversation(running.adapters(vend=0.3)[talk.adapter.provider])
    original, reply = await quick.vend("TST011", 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    recovered = await quick.recover("TST011", original)
    assert recovered.settled is Settled.SOLD
    assert recovered.sale is not None
    (issued,) = running.sales()
    assert tuple(token.digits for token in recovered.sale.tokens) == issued.tokens


@pytest.mark.parametrize(
    ("last_name", "vended", "error_type"),
    [
        ("UNKNOWN METER", Outcome.DECLINED, ErrorType.UNKNOWN_METER_ID),
        ("BLOCKED", Outcome.DECLINED, ErrorType.METER_ID_BLOCKED),
        ("SYSTEM ERROR AFTER SALE", Outcome.UNKNOWN, None),
        ("REVERSAL UNSUPPORTED", Outcome.APPROVED, None),
        ("MINIMUM R50 MAXIMUM R500", Outcome.APPROVED, None),
    ],
)
async def test_a_meter_with_a_behaviour(
    running: InProcess,
    talk: Conversation,
    last_name: str,
    vended: Outcome,
    error_type: ErrorType | None,
) -> None:
    meter = next(
        meter
        for meter in running.fleet.meters
        if meter.last_name == last_name and talk.adapter.provider in meter.providers
    )
    original, reply = await talk.vend(meter.number, 10_000)
    assert reply.outcome is vended
    if error_type is not None:
        assert reply.failure is not None
        assert reply.failure.error_type is error_type
    if meter.behaviour is FaultMode.REVERSAL_UNSUPPORTED:
        reversal = await talk.reverse(meter.number, original)
        assert reversal.outcome is Outcome.DECLINED
        assert [row.status for row in running.sales()] == ["standing"]
