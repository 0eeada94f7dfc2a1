"""What Kazang's recovery and reprint find out: the repeated confirm sells once, and a refusal to
repeat it settles nothing by itself."""

from collections.abc import AsyncGenerator

import msgspec
import pytest
from aiohttp import web

from domain.exchange import RecoverQuestion, ReprintQuestion
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.simulator.faults import FaultMode
from tests.kazang import (
    METER,
    ORIGINAL,
    PRODUCTS,
    SOLD,
    Kazang,
    answered,
    ask,
    refusal,
    scripted_kazang,
    simulated_kazang,
)
from tests.simulation import BLOCKED, PLAIN, Conversation

RECOVER = RecoverQuestion(METER, ORIGINAL)


@pytest.fixture
async def kazang() -> AsyncGenerator[Kazang]:
    async with simulated_kazang() as running:
        yield running


async def test_without_a_handle_it_was_never_confirmed(kazang: Kazang) -> None:
    never = msgspec.structs.replace(ORIGINAL, handle=None)
    reply = await ask(kazang.adapter(), RecoverQuestion(METER, never))
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.NOT_SOLD)
    assert (reply.legs, reply.failure) == ((), None)
    assert reply.detail
    assert kazang.answering.sessions.opened == 0


async def test_a_refused_quote_leaves_no_handle(kazang: Kazang) -> None:
    talk = Conversation(kazang.adapter())
    original, reply = await talk.vend(BLOCKED, 10_000)
    assert (reply.outcome, original.handle) == (Outcome.DECLINED, None)


async def test_a_recovery_repeats_the_confirm_word_for_word(kazang: Kazang) -> None:
    talk = Conversation(kazang.adapter())
    original, sold = await talk.vend(PLAIN, 10_000)
    kazang.answering.sessions.forget()
    for _ in range(3):
        reply = await talk.recover(PLAIN, original)
        assert (reply.settled, reply.sale) == (Settled.SOLD, sold.sale)
    again = await talk.recover(PLAIN, original)
    assert again.legs[-1].sent == sold.legs[-1].sent
    assert len(kazang.sales()) == 1


async def test_a_recovery_may_complete_the_sale(kazang: Kazang) -> None:
    kazang.fault(FaultMode.DROP_AFTER_REQUEST)
    talk = Conversation(kazang.adapter())
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    assert kazang.sales() == []
    kazang.fault(FaultMode.NONE)
    recovered = await talk.recover(PLAIN, original)
    assert recovered.settled is Settled.SOLD
    assert recovered.sale is not None
    (issued,) = kazang.sales()
    assert tuple(token.digits for token in recovered.sale.tokens) == issued.tokens


async def test_a_sale_that_nobody_wants_any_more_is_asked_for_and_not_completed(
    kazang: Kazang,
) -> None:
    kazang.fault(FaultMode.DROP_AFTER_REQUEST)
    talk = Conversation(kazang.adapter())
    original, _ = await talk.vend(PLAIN, 10_000)
    kazang.fault(FaultMode.NONE)
    meter = MeterDetail(number=PLAIN)
    reply = await ask(kazang.adapter(), RecoverQuestion(meter, original, wanted=False))
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.NOT_FOUND)
    assert kazang.sales() == []


async def test_a_sale_that_nobody_wants_any_more_is_found_if_it_was_made(kazang: Kazang) -> None:
    talk = Conversation(kazang.adapter())
    original, sold = await talk.vend(PLAIN, 10_000)
    meter = MeterDetail(number=PLAIN)
    reply = await ask(kazang.adapter(), RecoverQuestion(meter, original, wanted=False))
    assert (reply.settled, reply.sale) == (Settled.SOLD, sold.sale)


async def test_a_recovery_needs_neither_product_list_nor_settings() -> None:
    def script(method: str, request: dict[str, str]) -> object:
        if method == "productList":
            return {**PRODUCTS, "product_list": []}
        assert (method, request["product_id"]) == ("oldConfirm", "77")
        return SOLD

    async with scripted_kazang(lambda m, r: None if m == "authClient" else script(m, r)) as (
        adapter,
        _,
    ):
        original = msgspec.structs.replace(ORIGINAL, handle="77:oldConfirm:C-1")
        reply = await ask(adapter, RecoverQuestion(METER, original))
    assert reply.settled is Settled.SOLD


@pytest.mark.parametrize("words", ["words", "Insufficient balance", "Confirmation not found"])
@pytest.mark.parametrize("code", ["79", "58", "1"])
async def test_a_refused_repeat_is_looked_up_among_the_reprints(code: str, words: str) -> None:
    answers = {"buyElectricityConfirm": refusal(code, words)}
    shown, called = await answered(RECOVER, reprint=SOLD, **answers)
    assert (shown.settled, called[-1]) == (Settled.SOLD, "reprint")
    absent, _ = await answered(RECOVER, reprint=refusal("1", "No such sale"), **answers)
    assert (absent.outcome, absent.settled) == (Outcome.APPROVED, Settled.NOT_FOUND)
    for unusable in (refusal("58"), refusal("79"), web.Response(status=404), {}):
        reply, _ = await answered(RECOVER, reprint=unusable, **answers)
        assert (reply.outcome, reply.settled) == (Outcome.UNKNOWN, None)
        assert reply.failure is not None
        assert reply.failure.provider_code == code


@pytest.mark.parametrize("answer", [refusal("19"), web.Response(status=500), {}, "x"])
async def test_an_unusable_repeat_settles_nothing(answer: object) -> None:
    reply, called = await answered(RECOVER, buyElectricityConfirm=answer)
    assert (reply.outcome, reply.settled) == (Outcome.UNKNOWN, None)
    assert "reprint" not in called


async def test_a_quote_that_the_provider_lost_is_not_found(kazang: Kazang) -> None:
    """It is believed only once the late-sale window has passed."""
    reply = await ask(kazang.adapter(), RECOVER)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.NOT_FOUND)
    assert kazang.sales() == []


# Reprint


async def test_a_reprint_of_another_meter_s_sale_is_not_shown() -> None:
    other = {**SOLD, "meter": {"meter_number": "04000000000"}}
    reply, _ = await answered(ReprintQuestion(METER, receipt="R1"), reprint=other)
    assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)


async def test_what_was_never_confirmed_is_not_asked_for(kazang: Kazang) -> None:
    never = msgspec.structs.replace(ORIGINAL, handle=None)
    reply = await ask(kazang.adapter(), ReprintQuestion(METER, never))
    assert (reply.outcome, reply.legs) == (Outcome.DECLINED, ())
