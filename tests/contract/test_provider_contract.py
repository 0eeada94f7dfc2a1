"""What every provider adapter does when things go well or are refused, against its simulator over a
real socket: one suite for all of them."""

from collections.abc import AsyncGenerator
from decimal import Decimal

import msgspec
import pytest

from domain.exchange import Original, VendQuestion
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail, TokenType, UtilityType
from tests.simulation import (
    BLOCKED,
    DEBTS,
    FREE,
    KEY_CHANGE,
    LIMITS,
    PLAIN,
    PROVIDERS,
    STEPS,
    WATER,
    Conversation,
    InProcess,
    every_provider_fleet,
    simulators,
    utc_now,
)

CONFIRMING = ("ipay", "contour", "syntell")
REVERSING = ("ipay", "contour", "sandulela")


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators(every_provider_fleet()) as simulation:
        yield simulation


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def talk(running: InProcess, provider: str) -> Conversation:
    return Conversation(running.adapters()[provider])


async def test_lookup_tells_meter_customer_and_utility(talk: Conversation, provider: str) -> None:
    reply = await talk.look_up(PLAIN)
    assert reply.outcome is Outcome.APPROVED
    assert reply.lookup is not None
    assert reply.lookup.meter.number == PLAIN
    assert reply.lookup.meter.supply_group_code == "999999"
    assert reply.lookup.meter.algorithm == "07"
    assert reply.lookup.customer.last_name == "MS TESTER"
    assert reply.lookup.customer.account == "ACC-1"
    assert reply.lookup.utility.name == "Testville"
    if provider != "ipay":
        assert (reply.lookup.min_cents, reply.lookup.max_cents) == (500, 3_000_000)
        assert reply.lookup.utility.client_id == "6004708000991"


async def test_lookup_tells_that_free_units_are_due(talk: Conversation, provider: str) -> None:
    reply = await talk.look_up(FREE)
    assert reply.lookup is not None
    assert reply.lookup.free_units_due is (None if provider == "ipay" else True)


@pytest.mark.parametrize(
    ("number", "error_type"),
    [("01999999999", ErrorType.UNKNOWN_METER_ID), (BLOCKED, ErrorType.METER_ID_BLOCKED)],
)
async def test_lookup_refused(talk: Conversation, number: str, error_type: ErrorType) -> None:
    reply = await talk.look_up(number)
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.error_type is error_type
    assert reply.failure.provider_code


async def test_a_sale_is_the_one_that_the_provider_issued(
    running: InProcess, talk: Conversation, provider: str
) -> None:
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.APPROVED
    assert reply.sale is not None
    (issued,) = running.sales()
    assert issued.provider == provider
    assert issued.reference == original.reference
    assert issued.amount_cents == 10_000
    assert tuple(token.digits for token in reply.sale.tokens) == issued.tokens
    assert reply.sale.provider_reference == issued.receipt
    assert reply.sale.total.cents == 10_000
    assert reply.sale.tokens_total.cents == 8_696
    assert reply.sale.utility.name == "Testville"
    assert reply.sale.utility.vat_number == "4000000000"
    (token,) = reply.sale.tokens
    assert (token.token_type, token.units) == (TokenType.STD, Decimal("43.4"))
    assert token.receipt == issued.receipt
    assert reply.sale.sold_at is not None
    assert abs((reply.sale.sold_at - issued.sold_at).total_seconds()) < 1


async def test_what_is_kept_of_the_wire_shows_no_token_and_no_password(
    talk: Conversation,
) -> None:
    _, reply = await talk.vend(PLAIN, 10_000)
    assert reply.sale is not None
    digits = reply.sale.tokens[0].digits
    (leg,) = reply.legs
    assert leg.received is not None
    assert digits not in leg.received
    assert "*" * 16 + digits[-4:] in leg.received
    assert "simulated" not in leg.sent
    assert PLAIN in leg.sent


@pytest.mark.parametrize(
    ("number", "cents", "error_type"),
    [
        (LIMITS, 4_999, ErrorType.AMOUNT_TOO_LOW),
        (LIMITS, 50_001, ErrorType.AMOUNT_TOO_HIGH),
        (BLOCKED, 10_000, ErrorType.METER_ID_BLOCKED),
        ("01999999999", 10_000, ErrorType.UNKNOWN_METER_ID),
        (PLAIN, 0, ErrorType.NO_FREE_UNITS_DUE),
    ],
)
async def test_a_refused_sale_is_declined_and_nothing_sold(
    running: InProcess, talk: Conversation, number: str, cents: int, error_type: ErrorType
) -> None:
    _, reply = await talk.vend(number, cents)
    assert reply.outcome is Outcome.DECLINED
    assert reply.sale is None
    assert reply.failure is not None
    assert reply.failure.error_type is error_type
    assert running.sales() == []


@pytest.mark.parametrize("cents", [5_000, 50_000])
async def test_the_limits_themselves_are_sold(talk: Conversation, cents: int) -> None:
    _, reply = await talk.vend(LIMITS, cents)
    assert reply.outcome is Outcome.APPROVED


async def test_free_units_alone_once_a_month(running: InProcess, talk: Conversation) -> None:
    _, reply = await talk.vend(FREE, 0)
    assert reply.sale is not None
    (token,) = reply.sale.tokens
    assert (token.token_type, token.units) == (TokenType.BSST, Decimal(50))
    assert reply.sale.total.cents == 0
    _, again = await talk.vend(FREE, 0)
    assert again.failure is not None
    assert again.failure.error_type is ErrorType.NO_FREE_UNITS_DUE
    assert len(running.sales()) == 1


async def test_free_units_come_with_a_sale(talk: Conversation) -> None:
    _, reply = await talk.vend(FREE, 5_000)
    assert reply.sale is not None
    assert [token.token_type for token in reply.sale.tokens] == [TokenType.STD, TokenType.BSST]
    assert reply.sale.total.cents == 5_000


async def test_debts_and_charges_are_parts_of_the_amount(talk: Conversation) -> None:
    _, reply = await talk.vend(DEBTS, 20_000)
    assert reply.sale is not None
    (debt,) = reply.sale.debts
    (charge,) = reply.sale.charges
    assert (debt.description, debt.amount.total_cents) == ("Arrears", 4_000)
    assert debt.balance_cents == 5_000
    assert (charge.description, charge.amount.total_cents) == ("Service", 2_300)
    assert reply.sale.tokens[0].amount.total_cents == 13_700
    assert reply.sale.total.cents == 20_000
    _, again = await talk.vend(DEBTS, 20_000)
    assert again.sale is not None
    assert again.sale.debts[0].balance_cents == 1_000
    assert again.sale.charges == ()


async def test_key_change_tokens_come_first(talk: Conversation) -> None:
    _, reply = await talk.vend(KEY_CHANGE, 5_000)
    assert reply.sale is not None
    kinds = [token.token_type for token in reply.sale.tokens]
    assert kinds == [TokenType.KC, TokenType.KC, TokenType.STD]
    change = reply.sale.meter.key_change
    assert change is not None
    assert (change.supply_group_code, change.key_revision) == ("999998", "2")
    assert change.tariff_index == "08"
    _, again = await talk.vend(KEY_CHANGE, 5_000)
    assert again.sale is not None
    assert [token.token_type for token in again.sale.tokens] == [TokenType.STD]


async def test_step_tariffs_are_told_step_by_step(talk: Conversation) -> None:
    _, reply = await talk.vend(STEPS, 10_350)
    assert reply.sale is not None
    (token,) = reply.sale.tokens
    assert token.units == Decimal(50)
    steps = [(step.units, step.rate) for step in token.tariff]
    assert steps == [(Decimal(30), Decimal(100)), (Decimal(20), Decimal(300))]


async def test_water_is_sold_as_water(talk: Conversation) -> None:
    _, reply = await talk.vend(WATER, 10_000, UtilityType.WATER)
    assert reply.sale is not None
    assert reply.sale.meter.utility_type is UtilityType.WATER


async def test_a_sale_is_recovered_with_its_tokens(running: InProcess, talk: Conversation) -> None:
    original, sold = await talk.vend(DEBTS, 20_000)
    reply = await talk.recover(DEBTS, original)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.SOLD)
    assert reply.sale == sold.sale
    assert [row.status for row in running.sales()] == ["standing"]


async def test_what_never_arrived_is_not_there_to_recover(
    talk: Conversation, provider: str
) -> None:
    original, _ = await talk.vend(PLAIN, 10_000)
    absent = original.reference[:-6] + "777770"
    reply = await talk.recover(PLAIN, msgspec.structs.replace(original, reference=absent))
    assert reply.outcome is Outcome.APPROVED
    assert reply.settled is (Settled.NOT_SOLD if provider == "ipay" else Settled.NOT_FOUND)


async def test_a_confirmation_is_taken_or_not_supported(
    running: InProcess, talk: Conversation, provider: str
) -> None:
    original, _ = await talk.vend(PLAIN, 10_000)
    reply = await talk.confirm(PLAIN, original)
    (issued,) = running.sales()
    if provider in CONFIRMING:
        assert reply.outcome is Outcome.APPROVED
        assert issued.confirmed
        assert (await talk.confirm(PLAIN, original)).outcome is Outcome.APPROVED
    else:
        assert reply.outcome is Outcome.DECLINED
        assert reply.failure is not None
        assert reply.failure.error_type is ErrorType.FUNCTION_NOT_SUPPORTED
        assert not issued.confirmed
    assert talk.adapter.capabilities.confirm is (provider in CONFIRMING)


async def test_confirming_what_was_never_sold_is_declined(
    talk: Conversation, provider: str
) -> None:
    original, _ = await talk.vend(BLOCKED, 10_000)
    reply = await talk.confirm(BLOCKED, original)
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    known = provider in CONFIRMING
    expected = ErrorType.UNABLE_TO_LOCATE_RECORD if known else ErrorType.FUNCTION_NOT_SUPPORTED
    assert reply.failure.error_type is expected


async def test_a_reversal_is_done_or_not_supported(
    running: InProcess, talk: Conversation, provider: str
) -> None:
    original, sold = await talk.vend(PLAIN, 10_000)
    reply = await talk.reverse(PLAIN, original)
    (issued,) = running.sales()
    if provider in REVERSING:
        assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.REVERSED)
        assert issued.status == "reversed"
        again = await talk.reverse(PLAIN, original, attempt=1)
        assert (again.outcome, again.settled) == (Outcome.APPROVED, Settled.REVERSED)
    else:
        assert reply.outcome is Outcome.DECLINED
        assert reply.failure is not None
        assert reply.failure.error_type is ErrorType.FUNCTION_NOT_SUPPORTED
        assert issued.status == "standing"
        assert sold.sale is not None
    assert talk.adapter.capabilities.reverse is (provider in REVERSING)


async def test_ipay_tells_the_standing_sale_where_it_cannot_reverse(running: InProcess) -> None:
    talk = Conversation(running.adapters()["ipay"])
    original, sold = await talk.vend(PLAIN, 10_000)
    await running.fault("ipay", "reversal_unsupported")
    reply = await talk.reverse(PLAIN, original)
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.FUNCTION_NOT_SUPPORTED
    assert reply.sale == sold.sale


async def test_a_reversal_that_overtakes_its_vend_voids_it(
    running: InProcess, talk: Conversation, provider: str
) -> None:
    """The same message arrives again, late: nothing may be sold any more."""
    question = VendQuestion(MeterDetail(PLAIN), Money(10_000))
    late = talk.adapter.prepare(question, 7, utc_now())
    original = Original(late.reference, utc_now(), Money(10_000), 0, utc_now())
    reply = await talk.reverse(PLAIN, original)
    assert reply.outcome is Outcome.APPROVED
    assert reply.settled is (Settled.NOT_SOLD if provider == "ipay" else Settled.NOT_FOUND)
    assert (await talk.adapter.exchange(late)).sale is None
    assert running.sales() == []


async def test_a_refused_vend_is_recovered_as_refused(talk: Conversation, provider: str) -> None:
    original, _ = await talk.vend(BLOCKED, 10_000)
    reply = await talk.recover(BLOCKED, original)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.NOT_SOLD)
    if provider != "ipay":
        assert reply.failure is not None
        assert reply.failure.error_type is ErrorType.METER_ID_BLOCKED


async def test_a_repeated_message_sells_once(
    running: InProcess, talk: Conversation, provider: str
) -> None:
    prepared, first = await talk.ask(VendQuestion(MeterDetail(PLAIN), Money(10_000)))
    second = await talk.adapter.exchange(prepared)
    assert len(running.sales()) == 1
    if provider == "ipay":
        assert second.outcome is Outcome.UNKNOWN
    else:
        assert second.sale == first.sale
