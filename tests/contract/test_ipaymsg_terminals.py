"""The tills that the public demo server gives a behaviour of their own, at both simulated ipayMsg
providers. Over HTTP, no answer is a gateway's 504."""

from collections.abc import AsyncGenerator

import msgspec
import pytest

from domain.outcome import Outcome, Settled
from domain.sale import TokenType
from providers.registry import build_adapter
from tests.simulation import (
    PLAIN,
    SHORT,
    Conversation,
    InProcess,
    every_provider_fleet,
    simulators,
    utc_now,
)

BRIEF = 0.3
"""The wait for a provider that never answers."""


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators(every_provider_fleet()) as simulation:
        yield simulation


@pytest.fixture(params=["ipay", "ontec"])
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


def at_till(running: InProcess, provider: str, terminal: str, **waits: float) -> Conversation:
    config = running.configs(msgspec.structs.replace(SHORT, **waits))[provider]
    credentials = msgspec.structs.replace(config.credentials, terminal=terminal)
    adapter = build_adapter(msgspec.structs.replace(config, credentials=credentials), utc_now)
    return Conversation(adapter)


async def test_00100_never_gets_an_answer_to_a_vend(running: InProcess, provider: str) -> None:
    talk = at_till(running, provider, "00100", vend=BRIEF)
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    assert ("504" in (reply.detail or "")) is (provider == "ontec")
    assert len(running.sales()) == 1
    recovered = await talk.recover(PLAIN, original)
    assert recovered.settled is Settled.SOLD
    await talk.adapter.close()


async def test_00200_never_gets_an_answer_to_a_reversal(running: InProcess, provider: str) -> None:
    talk = at_till(running, provider, "00200", advice=BRIEF)
    original, sold = await talk.vend(PLAIN, 10_000)
    assert sold.outcome is Outcome.APPROVED
    reply = await talk.reverse(PLAIN, original)
    assert (reply.outcome, reply.settled) == (Outcome.UNKNOWN, None)
    assert ("504" in (reply.detail or "")) is (provider == "ontec")
    assert [row.status for row in running.sales()] == ["standing"]
    await talk.adapter.close()


async def test_00300_is_told_that_the_supplier_cannot_reverse(
    running: InProcess, provider: str
) -> None:
    talk = at_till(running, provider, "00300")
    original, sold = await talk.vend(PLAIN, 10_000)
    reply = await talk.reverse(PLAIN, original)
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.provider_code == "elec004"
    assert reply.sale == sold.sale
    assert [row.status for row in running.sales()] == ["standing"]
    await talk.adapter.close()


async def test_00700_gets_key_change_tokens(running: InProcess, provider: str) -> None:
    talk = at_till(running, provider, "00700")
    _, reply = await talk.vend(PLAIN, 10_000)
    assert reply.sale is not None
    kinds = [token.token_type for token in reply.sale.tokens]
    assert kinds == [TokenType.KC, TokenType.KC, TokenType.STD]
    await talk.adapter.close()


async def test_any_other_till_behaves(running: InProcess, provider: str) -> None:
    talk = at_till(running, provider, "00042")
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.APPROVED
    assert (await talk.reverse(PLAIN, original)).settled is Settled.REVERSED
    await talk.adapter.close()
