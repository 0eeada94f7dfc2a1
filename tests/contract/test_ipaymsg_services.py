"""Both ipayMsg providers with everything switched on: the protocol is one, whoever offers what."""

from collections.abc import AsyncGenerator

import msgspec
import pytest

from domain.exchange import KeyChangeQuestion, Question, TrialQuestion
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome
from domain.provider import Capabilities
from domain.sale import MeterDetail, TokenType
from providers.registry import build_adapter
from providers.simulator.fleet import Fleet
from tests.simulation import (
    KEY_CHANGE,
    PLAIN,
    Conversation,
    InProcess,
    every_provider_fleet,
    simulators,
    utc_now,
)

EVERYTHING = Capabilities(
    confirm=True, reverse=True, trial=True, reprint=True, fault_report=True, key_change=True
)
NOTHING = Capabilities()


def fleet_with(capabilities: Capabilities) -> Fleet:
    fleet = every_provider_fleet()
    providers = tuple(
        msgspec.structs.replace(provider, capabilities=capabilities)
        for provider in fleet.providers
        if provider.id in ("ipay", "ontec")
    )
    return msgspec.structs.replace(fleet, providers=providers)


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators(fleet_with(EVERYTHING)) as simulation:
        yield simulation


@pytest.fixture(params=["ipay", "ontec"])
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def talk(running: InProcess, provider: str) -> Conversation:
    return Conversation(running.adapters()[provider])


async def test_a_trial_and_a_fault_report(running: InProcess, talk: Conversation) -> None:
    trial = await talk.trial(PLAIN, 10_000)
    assert trial.sale is not None
    assert [(token.token_type, token.digits) for token in trial.sale.tokens] == [
        (TokenType.STD, "")
    ]
    reported = await talk.report_fault(PLAIN)
    assert reported.fault is not None
    assert running.sales() == []


async def test_a_key_change_s_advice_reaches_who_wants_it(
    running: InProcess, talk: Conversation
) -> None:
    original, reply = await talk.change_key(KEY_CHANGE)
    assert reply.outcome is Outcome.APPROVED
    assert [row.confirmed for row in running.sales()] == [False]
    confirmed = await talk.confirm_key_change(KEY_CHANGE, original)
    assert (confirmed.outcome, len(confirmed.legs)) == (Outcome.APPROVED, 1)
    assert [row.confirmed for row in running.sales()] == [True]


async def test_a_key_change_is_no_sale_to_reprint_or_recover(
    running: InProcess, talk: Conversation
) -> None:
    sold, _ = await talk.vend(KEY_CHANGE, 5_000)
    await talk.change_key(KEY_CHANGE)
    reply = await talk.reprint(KEY_CHANGE)
    assert reply.sale is not None
    (first, _) = running.sales()
    assert tuple(token.digits for token in reply.sale.tokens) == first.tokens
    recovered = await talk.recover(KEY_CHANGE, sold)
    assert recovered.sale is not None
    assert recovered.sale.total.cents == 5_000


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (TrialQuestion(MeterDetail(PLAIN), Money(10_000)), "elec034"),
        (KeyChangeQuestion(MeterDetail(PLAIN)), "elec901"),
    ],
)
async def test_a_provider_that_offers_less_than_configured_says_no(
    provider: str, question: Question, code: str
) -> None:
    async with simulators(fleet_with(NOTHING)) as running:
        config = msgspec.structs.replace(running.configs()[provider], capabilities=EVERYTHING)
        adapter = build_adapter(config, utc_now)
        _, reply = await Conversation(adapter).ask(question)
        await adapter.close()
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.FUNCTION_NOT_SUPPORTED
    assert reply.failure.provider_code == code
