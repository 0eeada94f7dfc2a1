"""Kazang's two steps: the quote sells nothing, the confirm sells once however often it is repeated,
and what each answer to it says of the sale."""

import asyncio
import re
from collections.abc import AsyncGenerator

import msgspec
import pytest
from aiohttp import web

from domain.exchange import (
    ConfirmQuestion,
    LookupQuestion,
    RecoverQuestion,
    ReverseQuestion,
    TrialQuestion,
    VendQuestion,
)
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail, UtilityType
from providers.protocols.kazang.codes import CODES
from tests.kazang import (
    METER,
    OK,
    ORIGINAL,
    SOLD,
    SOLD_TOKEN,
    VEND,
    Kazang,
    answered,
    ask,
    confirmed,
    refusal,
    simulated_kazang,
)
from tests.simulation import LIMITS, PLAIN, WATER, Conversation, utc_now

TOKEN = "11112222333344445555"
HANGS_SECONDS = 30.0
SESSION_CODES = ("7", "8", "9", "22")


@pytest.fixture
async def kazang() -> AsyncGenerator[Kazang]:
    async with simulated_kazang() as running:
        yield running


# The quote


async def test_a_lookup_is_a_quote_that_nobody_confirms(kazang: Kazang) -> None:
    reply = await ask(kazang.adapter(), LookupQuestion(METER))
    assert reply.outcome is Outcome.APPROVED
    assert [leg.sent.split()[0] for leg in reply.legs][2:] == ["buyElectricity"]
    assert '"amount":"500"' in reply.legs[-1].sent
    assert kazang.sales() == []


@pytest.mark.parametrize("code", [*SESSION_CODES, "19", "79"])
async def test_a_quote_that_could_not_be_had_leaves_the_sale_to_the_next_provider(
    code: str,
) -> None:
    reply, called = await answered(VEND, buyElectricity=refusal(code))
    assert (reply.outcome, reply.failure and reply.failure.provider_code) == (
        Outcome.NOT_SENT,
        code,
    )
    assert "buyElectricityConfirm" not in called


async def test_any_other_code_declines_the_quote() -> None:
    reply, called = await answered(VEND, buyElectricity=refusal("58", "Call the helpdesk"))
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.TRANSACTION_DECLINED
    assert reply.failure.provider_code == "58"
    assert reply.failure.provider_message == "Call the helpdesk"
    assert "buyElectricityConfirm" not in called


async def test_a_lookup_that_is_refused_without_a_reason_says_nothing_of_the_meter() -> None:
    for code in ("19", "79", "58"):
        reply, _ = await answered(LookupQuestion(METER), buyElectricity=refusal(code))
        assert reply.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("words", "error_type"),
    [
        ("Meter number not found", ErrorType.UNKNOWN_METER_ID),
        ("Invalid METER", ErrorType.UNKNOWN_METER_ID),
        ("This meter is suspended", ErrorType.METER_ID_BLOCKED),
        ("Amount below minimum", ErrorType.AMOUNT_TOO_LOW),
        ("Amount too high", ErrorType.AMOUNT_TOO_HIGH),
        ("No free units due", ErrorType.NO_FREE_UNITS_DUE),
        ("Insufficient funds", ErrorType.INSUFFICIENT_FUNDS),
    ],
)
async def test_words_name_the_reason(words: str, error_type: ErrorType) -> None:
    """On the confirm, too: said at once, such a refusal comes before any sale."""
    quoted, _ = await answered(VEND, buyElectricity=refusal("58", words))
    assert quoted.failure is not None
    for reply in (quoted, await confirmed(refusal("58", words))):
        assert reply.outcome is Outcome.DECLINED
        assert reply.failure is not None
        assert reply.failure.error_type is error_type


@pytest.mark.parametrize("cents", [4_999, 50_001])
async def test_what_the_quote_excludes_is_not_confirmed(kazang: Kazang, cents: int) -> None:
    talk = Conversation(kazang.adapter())
    _, reply = await talk.vend(LIMITS, cents)
    assert reply.outcome is Outcome.DECLINED
    assert talk.noted == []


async def test_a_utility_that_no_product_sells(kazang: Kazang) -> None:
    adapter = kazang.adapter(products={UtilityType.WATER: "9999"})
    water = MeterDetail(WATER, UtilityType.WATER)
    looked_up = await ask(adapter, LookupQuestion(water))
    assert looked_up.outcome is Outcome.DECLINED
    assert looked_up.failure is not None
    assert looked_up.failure.error_type is ErrorType.TRANSACTION_NOT_SUPPORTED
    vended = await ask(adapter, VendQuestion(water, Money(10_000)))
    assert vended.outcome is Outcome.NOT_SENT


async def test_product_and_confirm_method_come_from_list_and_settings(kazang: Kazang) -> None:
    adapter = kazang.adapter(confirm_methods={"buyWater": "buyWaterSubmitData"})
    reply = await ask(adapter, VendQuestion(MeterDetail(WATER, UtilityType.WATER), Money(10_000)))
    assert '"product_id":"1002"' in reply.legs[-2].sent
    assert reply.legs[-1].sent.startswith("buyWaterSubmitData ")
    # The simulator has no such method: a web server's 404 is nobody's sale.
    assert reply.outcome is Outcome.NOT_SENT
    assert kazang.sales() == []


async def test_what_the_protocol_lacks_cannot_be_asked(kazang: Kazang) -> None:
    adapter = kazang.adapter()
    questions = (
        TrialQuestion(METER, Money(10_000)),
        ConfirmQuestion(METER, ORIGINAL),
        ReverseQuestion(METER, ORIGINAL),
        RecoverQuestion(METER, msgspec.structs.replace(ORIGINAL, handle="1001/x")),
    )
    for question in questions:
        with pytest.raises(ValueError, match=r"not in this protocol|handle"):
            adapter.prepare(question, 7, utc_now())


# The confirm


@pytest.mark.parametrize("code", [*sorted(set(CODES) - set(SESSION_CODES)), "58", "-1", "000"])
async def test_a_code_that_does_not_exclude_a_sale_leaves_it_unknown(code: str) -> None:
    reply = await confirmed(refusal(code))
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.sale is None


@pytest.mark.parametrize(
    "answer",
    [
        {**SOLD, "request_reference": "another"},
        {**SOLD, "confirmation_number": "another"},
        {**SOLD, "meter": {"meter_number": "04000000000"}},
        {**SOLD, "tokens": [{**SOLD_TOKEN, "amount": 8696}]},
        {**SOLD, "tokens": [{**SOLD_TOKEN, "type": "GOLD"}]},
        {**SOLD, "tokens": [{**SOLD_TOKEN, "units": "NaN"}]},
        {**SOLD, "tokens": [{**SOLD_TOKEN, "token": "1111 22"}]},
        {**SOLD, "tokens": None},
        {**SOLD, "response_code": 0},
        {**OK},
        {},
        [],
        "sold",
    ],
)
async def test_an_answer_that_is_not_ours_or_not_readable_is_unknown(answer: object) -> None:
    reply = await confirmed(answer)
    assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)
    assert reply.detail
    assert TOKEN not in repr(reply)


async def test_what_an_answer_does_not_repeat_of_the_request_is_no_fault() -> None:
    reply = await confirmed(SOLD)
    assert reply.outcome is Outcome.APPROVED
    assert reply.sale is not None
    assert [token.digits for token in reply.sale.tokens] == [TOKEN]


@pytest.mark.parametrize("status", [201, 400, 408, 409, 429, 500, 502, 503, 504])
async def test_a_status_that_may_hide_a_sale_is_unknown(status: int) -> None:
    assert (await confirmed(web.Response(status=status))).outcome is Outcome.UNKNOWN
    sold = web.json_response(SOLD, status=status)
    assert (await confirmed(sold)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [401, 403, 404, 405, 413, 415])
async def test_a_status_of_the_web_server_alone_sold_nothing(status: int) -> None:
    reply = await confirmed(web.Response(status=status, text="<html>no</html>"))
    assert reply.outcome is Outcome.NOT_SENT
    assert reply.failure is not None
    assert reply.failure.provider_code == f"HTTP {status}"
    sold = web.json_response(SOLD, status=status)
    assert (await confirmed(sold)).outcome is Outcome.UNKNOWN
    refused = web.json_response(refusal("79"), status=status)
    assert (await confirmed(refused)).outcome is Outcome.UNKNOWN


async def test_a_port_that_closes_before_the_confirm_sold_nothing(kazang: Kazang) -> None:
    adapter = kazang.adapter()

    async def note(_: str) -> bool:
        await kazang.server.refuse()
        await asyncio.sleep(0.05)  # for the pool to notice
        return True

    reply = await adapter.exchange(adapter.prepare(VEND, 7, utc_now()), note)
    assert reply.outcome is Outcome.NOT_SENT
    assert kazang.sales() == []


async def test_no_time_left_after_the_note_is_no_confirm(kazang: Kazang) -> None:
    hasty = msgspec.structs.replace(kazang.config.timeouts, vend=0.3)
    kazang.config = msgspec.structs.replace(kazang.config, timeouts=hasty)
    adapter = kazang.adapter()

    async def note(_: str) -> bool:
        await asyncio.sleep(0.4)
        return True

    reply = await adapter.exchange(adapter.prepare(VEND, 7, utc_now()), note)
    assert reply.outcome is Outcome.NOT_SENT
    assert not any("Confirm" in leg.sent for leg in reply.legs)
    assert kazang.sales() == []


# Still busy


@pytest.mark.parametrize("before_sale", [False, True])
async def test_a_busy_confirm_is_repeated_until_it_tells(
    kazang: Kazang, *, before_sale: bool
) -> None:
    kazang.answering.busy_answers, kazang.answering.busy_before_sale = 3, before_sale
    talk = Conversation(kazang.adapter())
    _, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.APPROVED
    confirms = [leg.sent for leg in reply.legs if leg.sent.startswith("buyElectricityConfirm")]
    assert len(confirms) == 4
    assert len(set(confirms)) == 1
    assert len(kazang.sales()) == 1


async def test_busy_to_the_end_is_unknown_and_recovered(kazang: Kazang) -> None:
    kazang.answering.busy_answers = 1_000
    talk = Conversation(kazang.adapter(busy_repeats_max=2))
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.detail == "the provider is still busy with it"
    assert len([leg for leg in reply.legs if "Confirm" in leg.sent]) == 3
    assert (await talk.recover(PLAIN, original)).outcome is Outcome.UNKNOWN
    kazang.answering.busy_answers = 1
    recovered = await talk.recover(PLAIN, original)
    assert recovered.settled is Settled.SOLD
    assert len(kazang.sales()) == 1


@pytest.mark.parametrize("pause", [0.1, 3_600.0])
async def test_busy_repeats_end_with_the_time_for_the_exchange(
    kazang: Kazang, pause: float
) -> None:
    kazang.answering.busy_answers = 1_000
    hasty = msgspec.structs.replace(kazang.config.timeouts, vend=0.3)
    kazang.config = msgspec.structs.replace(kazang.config, timeouts=hasty)
    talk = Conversation(kazang.adapter(busy_pause_seconds=pause, busy_repeats_max=1_000))
    async with asyncio.timeout(HANGS_SECONDS):
        _, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    assert 1 <= len([leg for leg in reply.legs if "Confirm" in leg.sent]) <= 3


@pytest.mark.parametrize(
    "second",
    [
        refusal("58", "Insufficient balance"),
        refusal("7"),
        web.Response(status=404),
        web.Response(status=500),
    ],
)
async def test_after_busy_no_refusal_excludes_the_sale(second: object) -> None:
    """The first confirm is under way: the refusal may be about the repeating."""
    busy_then = iter([refusal("19"), second, second])
    assert (await confirmed(busy_then)).outcome is Outcome.UNKNOWN


async def test_references_are_no_tokens_to_the_masking(kazang: Kazang) -> None:
    original, reply = await Conversation(kazang.adapter()).vend(PLAIN, 10_000)
    assert re.fullmatch(r"[0-9]{12}R[0-9]{6}", original.reference)
    assert f'"{original.reference}C"' in reply.legs[-1].sent
