"""What every provider adapter does when things go well or are refused, against its simulator over a
real socket: one suite for all of them. What differs between them stands in
`tests/provider_traits.py`; further operations are in `test_provider_operations.py`."""

from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from decimal import Decimal

import pytest

from domain.exchange import Reply, VendQuestion
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail, TokenType, UtilityType
from providers.simulator.configs import PASSWORD
from providers.simulator.fleet_file import load_fleet
from tests.provider_traits import PROVIDERS, TRAITS, Traits, capable
from tests.simulation import (
    BLOCKED,
    DEBTS,
    FREE,
    KEY_CHANGE,
    LIMITS,
    PLAIN,
    STEPS,
    WATER,
    Conversation,
    InProcess,
    every_provider_fleet,
    simulators,
)


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators(every_provider_fleet()) as simulation:
        yield simulation


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def traits(provider: str) -> Traits:
    return TRAITS[provider]


@pytest.fixture
def talk(running: InProcess, provider: str) -> Conversation:
    return Conversation(running.adapters()[provider])


def assert_unsupported(reply: Reply) -> None:
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.FUNCTION_NOT_SUPPORTED


def test_every_shipped_provider_is_in_this_suite() -> None:
    assert {provider.id for provider in load_fleet().providers} == set(PROVIDERS)


async def test_it_offers_what_is_shipped(talk: Conversation, traits: Traits) -> None:
    assert talk.adapter.capabilities == traits.capabilities


async def test_lookup_tells_meter_customer_and_utility(talk: Conversation, traits: Traits) -> None:
    reply = await talk.look_up(PLAIN)
    assert reply.outcome is Outcome.APPROVED
    assert reply.lookup is not None
    assert reply.lookup.meter.number == PLAIN
    told = "key_parameters" not in traits.untold
    assert reply.lookup.meter.supply_group_code == ("999999" if told else None)
    assert reply.lookup.meter.algorithm == ("07" if told else None)
    customer = reply.lookup.customer
    names = (customer.first_name, customer.last_name)
    assert " ".join(name for name in names if name) == "MS TESTER"
    assert customer.account == (None if "account" in traits.untold else "ACC-1")
    assert reply.lookup.utility.name == "Testville"
    limits = (reply.lookup.min_cents, reply.lookup.max_cents)
    assert limits == ((None, None) if "limits" in traits.untold else (500, 3_000_000))
    known = None if "utility_id" in traits.untold else "6004708000991"
    assert reply.lookup.utility.client_id == known


async def test_lookup_tells_that_free_units_are_due(talk: Conversation, traits: Traits) -> None:
    reply = await talk.look_up(FREE)
    assert reply.lookup is not None
    assert reply.lookup.free_units_due is (None if "free_units_due" in traits.untold else True)


@pytest.mark.parametrize(
    ("number", "error_type"),
    [("01999999999", ErrorType.UNKNOWN_METER_ID), (BLOCKED, ErrorType.METER_ID_BLOCKED)],
    ids=["unknown meter", "blocked meter"],
)
async def test_lookup_refused(talk: Conversation, number: str, error_type: ErrorType) -> None:
    reply = await talk.look_up(number)
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.error_type is error_type
    assert reply.failure.provider_code


async def test_a_sale_is_the_one_that_the_provider_issued(
    running: InProcess, talk: Conversation, provider: str, traits: Traits
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
    vat_number = None if "vat_number" in traits.untold else "4000000000"
    assert reply.sale.utility.vat_number == vat_number
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
    assert digits not in repr(reply.legs)
    assert "*" * 16 + digits[-4:] in (reply.legs[-1].received or "")
    assert PASSWORD not in repr(reply.legs)
    assert any(PLAIN in leg.sent for leg in reply.legs)


@pytest.mark.parametrize(
    ("number", "cents", "error_type"),
    [
        (LIMITS, 4_999, ErrorType.AMOUNT_TOO_LOW),
        (LIMITS, 50_001, ErrorType.AMOUNT_TOO_HIGH),
        (BLOCKED, 10_000, ErrorType.METER_ID_BLOCKED),
        ("01999999999", 10_000, ErrorType.UNKNOWN_METER_ID),
        (PLAIN, 0, ErrorType.NO_FREE_UNITS_DUE),
    ],
    ids=["too low", "too high", "blocked meter", "unknown meter", "no free units due"],
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


@pytest.mark.parametrize("cents", [5_000, 50_000], ids=["lowest", "highest"])
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


async def test_key_change_tokens_come_first(talk: Conversation, traits: Traits) -> None:
    _, reply = await talk.vend(KEY_CHANGE, 5_000)
    assert reply.sale is not None
    kinds = [token.token_type for token in reply.sale.tokens]
    assert kinds == [TokenType.KC, TokenType.KC, TokenType.STD]
    change = reply.sale.meter.key_change
    if "key_parameters" not in traits.untold:
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


async def test_what_never_went_out_is_not_there_to_recover(
    running: InProcess, talk: Conversation, traits: Traits
) -> None:
    _, original = talk.unsent(PLAIN, 10_000)
    reply = await talk.recover(PLAIN, original)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, traits.absent)
    assert running.sales() == []


async def test_a_confirmation_is_taken_or_not_supported(
    running: InProcess, talk: Conversation, traits: Traits, not_offered: Callable[[], None]
) -> None:
    original, _ = await talk.vend(PLAIN, 10_000)
    if traits.capabilities.confirm:
        assert (await talk.confirm(PLAIN, original)).outcome is Outcome.APPROVED
        assert running.sales()[0].confirmed
        assert (await talk.confirm(PLAIN, original)).outcome is Outcome.APPROVED
        return
    with suppress(ValueError):  # the protocol may lack the message: the switch declines then
        assert_unsupported(await talk.confirm(PLAIN, original))
    assert not running.sales()[0].confirmed
    not_offered()


@pytest.mark.parametrize("provider", capable("confirm"))
async def test_confirming_what_was_never_sold_is_declined(talk: Conversation) -> None:
    _, original = talk.unsent(PLAIN, 10_000)
    try:
        reply = await talk.confirm(PLAIN, original)
    except ValueError:
        return  # it can't be said without the sale's own number
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.UNABLE_TO_LOCATE_RECORD


async def test_a_reversal_is_done_or_not_supported(
    running: InProcess, talk: Conversation, traits: Traits, not_offered: Callable[[], None]
) -> None:
    original, _ = await talk.vend(PLAIN, 10_000)
    if traits.capabilities.reverse:
        reply = await talk.reverse(PLAIN, original)
        assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.REVERSED)
        assert [row.status for row in running.sales()] == ["reversed"]
        again = await talk.reverse(PLAIN, original, attempt=1)
        assert (again.outcome, again.settled) == (Outcome.APPROVED, Settled.REVERSED)
        return
    with suppress(ValueError):  # the protocol may lack the message: the switch declines then
        assert_unsupported(await talk.reverse(PLAIN, original))
    assert [row.status for row in running.sales()] == ["standing"]
    not_offered()


@pytest.mark.parametrize("provider", capable("reverse"))
async def test_a_reversal_that_overtakes_its_vend_voids_it(
    running: InProcess, talk: Conversation, traits: Traits
) -> None:
    """The vend arrives afterwards: nothing may be sold any more."""
    late, original = talk.unsent(PLAIN, 10_000)
    reply = await talk.reverse(PLAIN, original)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, traits.absent)
    assert (await talk.adapter.exchange(late)).sale is None
    assert running.sales() == []


async def test_a_refused_vend_is_recovered_as_refused(talk: Conversation, traits: Traits) -> None:
    original, _ = await talk.vend(BLOCKED, 10_000)
    reply = await talk.recover(BLOCKED, original)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, traits.refused)
    told = None if reply.failure is None else reply.failure.error_type
    untold = "recovered_refusal" in traits.untold
    assert told is (None if untold else ErrorType.METER_ID_BLOCKED)


async def test_a_repeated_message_sells_once(
    running: InProcess, talk: Conversation, traits: Traits
) -> None:
    prepared, first = await talk.ask(VendQuestion(MeterDetail(PLAIN), Money(10_000)))
    second = await talk.adapter.exchange(prepared)
    assert len(running.sales()) == 1
    assert second.outcome is traits.repeated
    assert second.sale == (first.sale if second.outcome is Outcome.APPROVED else None)
