"""Kazang's session: shared by all exchanges, renewed once for all of them, and never the reason for
a second sale."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import msgspec
import pytest
from aiohttp import web

from domain.exchange import Reply, VendQuestion
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome
from domain.sale import MeterDetail
from providers.kazang.adapter import KazangAdapter
from tests.kazang import QUOTE, SESSION, SOLD, Kazang, scripted_kazang, simulated_kazang
from tests.simulation import PLAIN, utc_now

AT_ONCE = 50
REFUSED = {"response_code": "7", "response_message": "Session expired"}


@pytest.fixture
async def kazang() -> AsyncGenerator[Kazang]:
    async with simulated_kazang() as running:
        yield running


async def buy(adapter: KazangAdapter, numbers: range) -> list[Reply]:
    """One purchase for each number, all at once."""
    question = VendQuestion(MeterDetail(PLAIN), Money(10_000))
    prepared = [adapter.prepare(question, number, utc_now()) for number in numbers]
    return await asyncio.gather(*map(adapter.exchange, prepared))


def outcomes(replies: list[Reply]) -> set[Outcome]:
    return {reply.outcome for reply in replies}


async def test_many_at_once_sign_in_once(kazang: Kazang) -> None:
    replies = await buy(kazang.adapter(), range(AT_ONCE))
    assert outcomes(replies) == {Outcome.APPROVED}
    assert kazang.answering.sessions.opened == 1
    with_sign_in = [r for r in replies if any("authClient" in leg.sent for leg in r.legs)]
    assert len(with_sign_in) == 1
    assert len(kazang.sales()) == AT_ONCE


async def test_many_at_once_renew_a_forgotten_session_once(kazang: Kazang) -> None:
    adapter = kazang.adapter()
    await buy(adapter, range(1))
    kazang.answering.sessions.forget()
    replies = await buy(adapter, range(1, AT_ONCE + 1))
    assert outcomes(replies) == {Outcome.APPROVED}
    assert kazang.answering.sessions.opened == 2
    assert len(kazang.sales()) == AT_ONCE + 1


async def test_a_session_lost_between_quote_and_confirm_sells_once(kazang: Kazang) -> None:
    adapter = kazang.adapter()
    question = VendQuestion(MeterDetail(PLAIN), Money(10_000))

    async def note(_: str) -> bool:
        kazang.answering.sessions.forget()
        return True

    reply = await adapter.exchange(adapter.prepare(question, 7, utc_now()), note)
    assert reply.outcome is Outcome.APPROVED
    steps = [leg.sent.split()[0] for leg in reply.legs]
    assert steps == [
        "authClient",
        "productList",
        "buyElectricity",
        "buyElectricityConfirm",
        "authClient",
        "productList",
        "buyElectricityConfirm",
    ]
    assert len(kazang.sales()) == 1


async def test_a_late_refusal_of_the_old_session_leaves_the_new_one_alone() -> None:
    """Its question was slow on the way; another one has renewed the session meanwhile."""
    uuids = iter(["old-session", "new-session", "spare-session"])
    slow_asked, renewed = asyncio.Event(), asyncio.Event()

    async def answer(request: dict[str, str]) -> object:
        if request["session_uuid"] == "new-session":
            return QUOTE
        if request["request_reference"].endswith("0"):
            slow_asked.set()
            await renewed.wait()
        return REFUSED

    def script(method: str, request: dict[str, str]) -> object:
        match method:
            case "authClient":
                return {**SESSION, "session_uuid": next(uuids)}
            case "buyElectricity":
                return answer(request)
            case "buyElectricityConfirm":
                return SOLD
            case _:
                return None

    async with scripted_kazang(script) as (adapter, called):
        slow = asyncio.ensure_future(buy(adapter, range(1)))
        await slow_asked.wait()
        assert outcomes(await buy(adapter, range(1, 2))) == {Outcome.APPROVED}
        renewed.set()
        assert outcomes(await slow) == {Outcome.APPROVED}
    assert called.count("authClient") == 2


async def test_a_session_is_left_before_the_provider_ends_it(kazang: Kazang) -> None:
    adapter = kazang.adapter()
    await buy(adapter, range(1))
    kazang.clock.ahead += timedelta(minutes=209)
    await buy(adapter, range(1, 2))
    assert kazang.answering.sessions.opened == 1
    kazang.clock.ahead += timedelta(minutes=2)
    (reply,) = await buy(adapter, range(2, 3))
    assert reply.outcome is Outcome.APPROVED
    assert kazang.answering.sessions.opened == 2
    assert not any('"response_code":"7"' in (leg.received or "") for leg in reply.legs)


async def test_the_provider_ends_a_session_that_is_used_too_long(kazang: Kazang) -> None:
    adapter = kazang.adapter(session_seconds=24 * 3600.0)
    await buy(adapter, range(1))
    kazang.clock.ahead += timedelta(hours=4, minutes=1)
    (reply,) = await buy(adapter, range(1, 2))
    assert reply.outcome is Outcome.APPROVED
    assert any('"response_code":"7"' in (leg.received or "") for leg in reply.legs)
    assert kazang.answering.sessions.opened == 2


async def test_refused_credentials_leave_the_sale_to_the_next_provider(kazang: Kazang) -> None:
    """And are not tried again at once: accounts get locked for that."""
    credentials = msgspec.structs.replace(kazang.config.credentials, password="wrong")
    kazang.config = msgspec.structs.replace(kazang.config, credentials=credentials)
    adapter = kazang.adapter()
    (first,) = await buy(adapter, range(1))
    assert first.outcome is Outcome.NOT_SENT
    assert first.failure is not None
    assert first.failure.error_type is ErrorType.INVALID_MERCHANT
    assert len(first.legs) == 1
    (second,) = await buy(adapter, range(1, 2))
    assert (second.outcome, second.legs) == (Outcome.NOT_SENT, ())
    kazang.clock.ahead += timedelta(seconds=31)
    (third,) = await buy(adapter, range(2, 3))
    assert (third.outcome, len(third.legs)) == (Outcome.NOT_SENT, 1)
    assert kazang.sales() == []


async def test_everybody_whom_a_sign_in_failed_has_it_on_record() -> None:
    def script(method: str, _: dict[str, str]) -> object:
        return web.Response(status=503) if method == "authClient" else None

    async with scripted_kazang(script) as (adapter, called):
        replies = await buy(adapter, range(3))
    assert outcomes(replies) == {Outcome.NOT_SENT}
    assert [len(reply.legs) for reply in replies] == [1, 1, 1]
    assert called == ["authClient"]


async def test_who_leaves_a_sign_in_takes_it_from_nobody() -> None:
    asked, gate = asyncio.Event(), asyncio.Event()

    async def sign_in() -> object:
        asked.set()
        await gate.wait()
        return SESSION

    def script(method: str, _: dict[str, str]) -> object:
        if method == "authClient":
            return sign_in()
        return {"buyElectricity": QUOTE, "buyElectricityConfirm": SOLD}.get(method)

    async with scripted_kazang(script) as (adapter, called):
        began = asyncio.ensure_future(buy(adapter, range(1)))
        await asked.wait()
        joined = asyncio.ensure_future(buy(adapter, range(1, 2)))
        await asyncio.sleep(0)
        began.cancel()
        with pytest.raises(asyncio.CancelledError):
            await began
        gate.set()
        assert outcomes(await joined) == {Outcome.APPROVED}
    assert called.count("authClient") == 1


@pytest.mark.parametrize("code", ["7", "8", "9", "22"])
async def test_a_session_refused_twice_sold_nothing(code: str) -> None:
    """Whether at the quote or at the confirm; each is repeated once and no more."""
    refusal = {"response_code": code, "response_message": "no session"}
    for at in ("buyElectricity", "buyElectricityConfirm"):

        def script(method: str, _: dict[str, str], at: str = at) -> object:
            if method == at:
                return refusal
            return QUOTE if method == "buyElectricity" else None

        async with scripted_kazang(script) as (adapter, called):
            (reply,) = await buy(adapter, range(1))
        assert reply.outcome is Outcome.NOT_SENT
        assert reply.failure is not None
        assert reply.failure.provider_code == code
        assert called.count(at) == 2
        assert called.count("authClient") == 2


async def test_a_session_refused_after_a_busy_answer_says_nothing_of_the_sale() -> None:
    answers = iter([{"response_code": "19"}, REFUSED, REFUSED])

    def script(method: str, _: dict[str, str]) -> object:
        if method == "buyElectricityConfirm":
            return next(answers)
        return QUOTE if method == "buyElectricity" else None

    async with scripted_kazang(script) as (adapter, _):
        (reply,) = await buy(adapter, range(1))
    assert reply.outcome is Outcome.UNKNOWN


async def test_closing_gives_up_a_sign_in() -> None:
    asked = asyncio.Event()

    async def hang() -> object:
        asked.set()
        await asyncio.get_running_loop().create_future()

    async with scripted_kazang(lambda _method, _request: hang()) as (adapter, _):
        task = asyncio.ensure_future(buy(adapter, range(1)))
        await asked.wait()
        await adapter.close()
        (reply,) = await task
    assert reply.outcome is Outcome.NOT_SENT


async def test_no_leg_shows_session_or_password() -> None:
    def script(method: str, _: dict[str, str]) -> object:
        return {"buyElectricity": QUOTE, "buyElectricityConfirm": SOLD}.get(method)

    async with scripted_kazang(script) as (adapter, _):
        (reply,) = await buy(adapter, range(1))
    assert len(reply.legs) == 4
    assert SESSION["session_uuid"] not in repr(reply.legs)
    assert "secret" not in repr(reply.legs)
    assert "11112222333344445555" not in repr(reply.legs)
    assert '"username":"OP1"' in reply.legs[0].sent
