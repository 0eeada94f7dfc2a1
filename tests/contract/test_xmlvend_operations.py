"""What the common suite does not reach of the four XMLVend providers: trials, which none of them is
shipped with, and the kinds of meter, reprint, key change and fault that this protocol tells apart.
"""

from collections.abc import AsyncGenerator
from decimal import Decimal

import msgspec
import pytest

from domain.exchange import (
    KeyChangeQuestion,
    Original,
    Reply,
    TrialQuestion,
    VendQuestion,
)
from domain.failure import ErrorType
from domain.fault import FaultType
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.provider import Capabilities
from domain.sale import KeyChange, MeterDetail, TokenType, UtilityType
from providers.registry import build_adapter
from providers.simulator.xmlvend.answering import REPRINTS_MAX
from tests.simulation import (
    BLOCKED,
    DEBTS,
    FREE,
    KEY_CHANGE,
    LIMITS,
    PLAIN,
    WATER,
    Conversation,
    InProcess,
    simulators,
    utc_now,
)
from tests.xmlvend_fleet import (
    ALL,
    GAS,
    LIMITED,
    LIMITED_KEY,
    LONG_KEY,
    REFUND,
    SMART,
    XMLVEND,
    xmlvend_fleet,
)

METER = MeterDetail(PLAIN)
ORIGINAL = Original("20250701093000-000123", utc_now(), Money(10_000), 0, utc_now())


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators(xmlvend_fleet(ALL)) as simulation:
        yield simulation


@pytest.fixture(params=XMLVEND)
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def talk(running: InProcess, provider: str) -> Conversation:
    return Conversation(running.adapters()[provider])


def assert_unsupported(reply: Reply) -> None:
    assert (reply.outcome, reply.sale, reply.fault) == (Outcome.DECLINED, None, None)
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.FUNCTION_NOT_SUPPORTED


# Trial: the product offers it at none of the four, the protocol has it


@pytest.mark.parametrize(
    ("number", "cents"),
    [(PLAIN, 10_000), (DEBTS, 20_000), (FREE, 5_000), (FREE, 0), (KEY_CHANGE, 5_000)],
)
async def test_a_trial_is_the_sale_in_zeros(
    running: InProcess, talk: Conversation, number: str, cents: int
) -> None:
    trial = await talk.trial(number, cents)
    assert trial.sale is not None
    assert "<r:trialCreditVendReq" in trial.legs[0].sent
    received = trial.legs[0].received or ""
    assert 'receiptNo="000000000000000"' in received
    assert "<b:stsCipher>****************0000</b:stsCipher>" in received
    assert {token.digits for token in trial.sale.tokens} == {""}
    assert running.sales() == []
    _, sold = await talk.vend(number, cents)
    assert sold.sale is not None
    priced = [(token.token_type, token.units, token.amount) for token in sold.sale.tokens]
    assert [(one.token_type, one.units, one.amount) for one in trial.sale.tokens] == priced
    assert [debt.amount for debt in trial.sale.debts] == [debt.amount for debt in sold.sale.debts]
    assert trial.sale.total.cents == cents


@pytest.mark.parametrize(
    ("number", "cents", "error_type"),
    [
        (BLOCKED, 10_000, ErrorType.METER_ID_BLOCKED),
        (LIMITS, 4_999, ErrorType.AMOUNT_TOO_LOW),
        (LIMITS, 50_001, ErrorType.AMOUNT_TOO_HIGH),
        (PLAIN, 0, ErrorType.NO_FREE_UNITS_DUE),
    ],
)
async def test_a_trial_is_refused_as_the_sale_would_be(
    talk: Conversation, number: str, cents: int, error_type: ErrorType
) -> None:
    reply = await talk.trial(number, cents)
    assert reply.failure is not None
    assert reply.failure.error_type is error_type


async def test_a_trial_is_no_last_response(talk: Conversation) -> None:
    """Asked what became of it, the provider knows of no sale."""
    prepared, _ = await talk.ask(TrialQuestion(METER, Money(10_000)))
    original = msgspec.structs.replace(ORIGINAL, reference=prepared.reference)
    assert (await talk.recover(PLAIN, original)).settled is Settled.NOT_FOUND


async def test_what_the_provider_does_not_offer_it_refuses_itself(provider: str) -> None:
    """An adapter that was told too much about its provider hears so."""
    async with simulators(xmlvend_fleet(Capabilities())) as running:
        config = msgspec.structs.replace(running.configs()[provider], capabilities=ALL)
        adapter = build_adapter(config, utc_now)
        talk = Conversation(adapter)
        await talk.vend(PLAIN, 10_000)
        assert_unsupported(await talk.trial(PLAIN, 10_000))
        assert_unsupported(await talk.reprint(PLAIN))
        assert_unsupported(await talk.report_fault(PLAIN))
        assert_unsupported((await talk.change_key(PLAIN))[1])
        await adapter.close()
        assert len(running.sales()) == 1


# Meters


async def test_water_and_gas_are_sold_by_their_resource(
    running: InProcess, talk: Conversation
) -> None:
    for number, utility_type, resource, unit in (
        (WATER, UtilityType.WATER, "Water", "kl"),
        (GAS, UtilityType.GAS, "Gas", "m3"),
    ):
        _, reply = await talk.vend(number, 10_000, utility_type)
        assert reply.sale is not None
        assert reply.sale.meter.utility_type is utility_type
        assert f'<b:resource xsi:type="b:{resource}"/>' in reply.legs[0].sent
        assert f'siUnit="{unit}"' in (reply.legs[0].received or "")
    assert len(running.sales()) == 2
    _, wrong = await talk.vend(GAS, 10_000, UtilityType.WATER)
    assert wrong.outcome is Outcome.DECLINED


async def test_a_refund_comes_as_its_own_token(talk: Conversation) -> None:
    _, reply = await talk.vend(REFUND, 10_000)
    assert reply.sale is not None
    told = [(token.token_type, token.units) for token in reply.sale.tokens]
    assert told[1:] == [(TokenType.REFUND, Decimal(12))]
    assert reply.sale.total.cents == 10_000


@pytest.mark.parametrize("number", [LIMITED, LIMITED_KEY])
async def test_a_power_limit_comes_with_the_keys_or_alone(
    running: InProcess, talk: Conversation, number: str
) -> None:
    original, reply = await talk.vend(number, 10_000)
    assert reply.sale is not None
    (issued,) = running.sales()
    assert tuple(token.digits for token in reply.sale.tokens) == issued.tokens
    limit = reply.sale.tokens[-1]
    assert (limit.token_type, limit.description) == (TokenType.PWRLMT, "Power limit 4600 W")
    assert '<b:pwrLmt value="4600" siUnit="W"/>' in (reply.legs[0].received or "")
    assert (reply.sale.meter.key_change is not None) is (number == LIMITED_KEY)
    assert (await talk.recover(number, original)).sale == reply.sale


async def test_a_key_of_128_bits_has_four_tokens(running: InProcess, talk: Conversation) -> None:
    _, reply = await talk.vend(LONG_KEY, 10_000)
    assert reply.sale is not None
    kinds = [token.token_type for token in reply.sale.tokens]
    assert kinds == [TokenType.KC] * 4 + [TokenType.STD]
    assert tuple(token.digits for token in reply.sale.tokens) == running.sales()[0].tokens


async def test_a_meter_credited_over_the_air_is_sold_zeros(talk: Conversation) -> None:
    _, reply = await talk.vend(SMART, 10_000)
    assert reply.sale is not None
    assert [token.digits for token in reply.sale.tokens] == ["0" * 20]
    assert reply.sale.tokens[0].receipt


# Reprint


async def test_a_reprint_reaches_so_far_back(running: InProcess, talk: Conversation) -> None:
    originals = [(await talk.vend(PLAIN, 1_000 + n))[0] for n in range(REPRINTS_MAX + 1)]
    oldest = await talk.reprint(PLAIN, originals[1])
    assert oldest.sale is not None
    assert oldest.sale.total.cents == 1_001
    assert oldest.sale.provider_reference == running.sales()[1].receipt
    assert (await talk.reprint(PLAIN, originals[0])).outcome is Outcome.DECLINED


async def test_what_was_taken_back_is_not_shown(talk: Conversation) -> None:
    await talk.vend(PLAIN, 10_000)
    original, _ = await talk.vend(PLAIN, 20_000)
    await talk.reverse(PLAIN, original)
    assert (await talk.reprint(PLAIN, original)).outcome is Outcome.DECLINED
    latest = await talk.reprint(PLAIN)
    assert latest.sale is not None
    assert latest.sale.total.cents == 10_000


# Key change


async def test_a_key_change_to_what_is_wanted_is_the_engineering_request(
    talk: Conversation,
) -> None:
    _, recorded = await talk.change_key(KEY_CHANGE)
    assert "<m:updateMeterKeyReq" in recorded.legs[0].sent
    _, wanted = await talk.change_key(KEY_CHANGE, KeyChange("999997", "3", "09"))
    assert 'xsi:type="m:EngKCTReq"' in wanted.legs[0].sent
    assert 'toSGC="999997" toKRN="3" toTI="09"' in wanted.legs[0].sent
    assert 'xsi:type="m:EngKCTResp"' in (wanted.legs[0].received or "")
    assert wanted.sale is not None
    assert wanted.sale.meter.key_change == KeyChange("999997", "3", "09")


async def test_a_key_change_is_recovered_repeated_and_reprinted_as_itself(
    running: InProcess, talk: Conversation
) -> None:
    prepared, first = await talk.ask(KeyChangeQuestion(MeterDetail(KEY_CHANGE)))
    again = await talk.adapter.exchange(prepared)
    assert first.sale is not None
    assert again.sale == first.sale
    assert len(running.sales()) == 1
    original = msgspec.structs.replace(ORIGINAL, reference=prepared.reference)
    recovered = await talk.recover(KEY_CHANGE, original)
    assert (recovered.settled, recovered.sale) == (Settled.SOLD, first.sale)
    assert (await talk.reprint(KEY_CHANGE, original)).sale == first.sale
    assert (await talk.reprint(KEY_CHANGE)).outcome is Outcome.DECLINED


async def test_a_vend_under_the_id_of_a_key_change_sells_nothing(
    running: InProcess, talk: Conversation
) -> None:
    now = utc_now()
    change = talk.adapter.prepare(KeyChangeQuestion(MeterDetail(KEY_CHANGE)), 7, now)
    vend = talk.adapter.prepare(VendQuestion(MeterDetail(KEY_CHANGE), Money(5_000)), 7, now)
    assert (await talk.adapter.exchange(change)).outcome is Outcome.APPROVED
    reply = await talk.adapter.exchange(vend)
    assert reply.outcome is Outcome.UNKNOWN
    assert 'xsi:type="b:SystemEx"' in (reply.legs[0].received or "")
    assert [row.kind for row in running.sales()] == ["key_change"]


# Fault report


@pytest.mark.parametrize("fault_type", FaultType)
async def test_every_kind_of_fault_is_told_in_words(
    running: InProcess, fault_type: FaultType
) -> None:
    """The standard has two kinds; the network's names no meter."""
    talk = Conversation(running.adapters()["contour"])
    reply = await talk.report_fault(PLAIN, fault_type)
    sent = reply.legs[0].sent
    network = fault_type is FaultType.NETWORK_FAULT_REPORT
    assert ('xsi:type="m:NetworkFaultReport"' in sent) is network
    assert ('xsi:type="m:MeterFaultReport"' in sent) is not network
    assert (PLAIN in sent) is not network
    assert 'name="MS TESTER" address="" contactNo="0820000000"' in sent
    words = fault_type.value.replace("_", " ").capitalize()
    assert reply.fault is not None
    assert reply.fault.description == f"{words}. No light <since> Monday"
    assert reply.fault.reference.startswith("F")
