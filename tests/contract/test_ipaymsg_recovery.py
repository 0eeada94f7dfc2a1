"""How ipayMsg providers recover: last vend first, reversal only when that isn't ours."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from domain.exchange import Operation, Original
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome, Settled
from tests.simulation import (
    PLAIN,
    Conversation,
    InProcess,
    every_provider_fleet,
    simulators,
    utc_now,
)

LATE_WAITS = {"slow": 0.5, "late_sale": 5.0}
LATE_MS = 1_500
"""Far longer than the wait for a slow vend, so that recovery comes first on a busy machine too."""


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators(every_provider_fleet()) as simulation:
        yield simulation


@pytest.fixture(params=["ipay", "ontec"])
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def talk(running: InProcess, provider: str) -> Conversation:
    return Conversation(running.adapters()[provider])


@pytest.mark.parametrize("mode", LATE_WAITS)
async def test_a_late_sale_is_voided_before_it_happens(
    running: InProcess, provider: str, mode: str
) -> None:
    talk = Conversation(running.adapters(vend=LATE_WAITS[mode])[provider])
    await running.fault(provider, mode, latency_ms=LATE_MS)
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    recovered = await talk.recover(PLAIN, original)
    assert recovered.settled is Settled.NOT_SOLD
    await running.fault(provider, "none")
    _, other = await talk.vend(PLAIN, 20_000)
    await asyncio.sleep(LATE_MS / 1000 + 0.1)
    (issued,) = running.sales()
    assert issued.amount_cents == 20_000
    assert other.sale is not None


async def test_a_sale_that_is_not_the_last_is_taken_back(
    running: InProcess, talk: Conversation, provider: str
) -> None:
    """The last vend is another one, so only a reversal can tell; it undoes what it finds."""
    await running.fault(provider, "garbled_answer")
    original, _ = await talk.vend(PLAIN, 10_000)
    await running.fault(provider, "none")
    _, other = await talk.vend(PLAIN, 20_000)
    assert other.outcome is Outcome.APPROVED
    recovered = await talk.recover(PLAIN, original)
    assert (recovered.outcome, recovered.settled) == (Outcome.APPROVED, Settled.REVERSED)
    assert len(recovered.legs) == 2
    assert [row.status for row in running.sales()] == ["reversed", "standing"]
    again = await talk.recover(PLAIN, original, attempt=1)
    assert again.settled is Settled.REVERSED


async def test_a_sale_that_is_not_the_last_and_cannot_be_reversed_is_kept(
    running: InProcess, talk: Conversation, provider: str
) -> None:
    await running.fault(provider, "garbled_answer")
    original, _ = await talk.vend(PLAIN, 10_000)
    await running.fault(provider, "reversal_unsupported")
    await talk.vend(PLAIN, 20_000)
    recovered = await talk.recover(PLAIN, original)
    assert recovered.settled is Settled.SOLD
    assert recovered.sale is not None
    first = running.sales()[0]
    assert tuple(token.digits for token in recovered.sale.tokens) == first.tokens
    assert [row.status for row in running.sales()] == ["standing", "standing"]


async def test_it_asks_again_before_it_reverses_in_the_dark(
    running: InProcess, talk: Conversation, provider: str
) -> None:
    """While the question for the last vend finds no answer, nothing is reversed; only after some
    attempts is a reversal tried all the same."""
    original, _ = await talk.vend(PLAIN, 10_000)
    await running.fault(provider, "drop_after_request", operations=(Operation.RECOVER,))
    for attempt in range(3):
        reply = await talk.recover(PLAIN, original, attempt)
        assert (reply.outcome, len(reply.legs)) == (Outcome.UNKNOWN, 1)
    assert [row.status for row in running.sales()] == ["standing"]
    reply = await talk.recover(PLAIN, original, attempt=3)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.REVERSED)


async def test_a_repeated_reversal_carries_its_count_and_the_first_one_s_time(
    talk: Conversation,
) -> None:
    first_at = utc_now().replace(year=2025, month=7, day=1, hour=7, minute=30, second=0)
    original = Original("000000000990", first_at, Money(10_000), 0, first_at)
    first = await talk.reverse(PLAIN, original)
    assert "repCount" not in first.legs[0].sent
    again = await talk.reverse(PLAIN, original, attempt=2)
    assert 'repCount="2" origTime="2025-07-01 09:30:00 +0200"' in again.legs[0].sent


async def test_the_standing_sale_is_told_where_it_cannot_be_reversed(
    running: InProcess, talk: Conversation, provider: str
) -> None:
    original, sold = await talk.vend(PLAIN, 10_000)
    await running.fault(provider, "reversal_unsupported")
    reply = await talk.reverse(PLAIN, original)
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.FUNCTION_NOT_SUPPORTED
    assert reply.sale == sold.sale
