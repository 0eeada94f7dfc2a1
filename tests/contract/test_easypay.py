"""EasyPay beyond the common contract: what each step's answers mean, byte by byte where needed, and
what its simulator insists on. Selling electricity over it is assumed."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec
import pytest

from domain.exchange import (
    ConfirmQuestion,
    LookupQuestion,
    Operation,
    Question,
    VendQuestion,
)
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome
from domain.sale import MeterDetail, TokenType, UtilityType
from providers.config import Credentials, EasyPaySettings
from providers.easypay.answers import ERRORS
from providers.registry import build_adapter
from providers.simulator.easypay.dialect import BASE, SESSION_TOKEN
from providers.simulator.quotes import QUOTE_SECONDS
from tests.easypay_script import (
    METER,
    ORIGINAL,
    TOKEN,
    VEND,
    ask,
    authorised,
    provider,
    saying,
    selling,
)
from tests.scripted_http import Asked, Said
from tests.simulation import (
    PLAIN,
    SHORT,
    WATER,
    Conversation,
    every_provider_fleet,
    simulators,
    utc_now,
)

# The steps of a sale


async def test_a_sale_is_authorised_and_vended_under_one_reference_and_echo() -> None:
    reply, scripted = await ask(selling())
    assert reply.outcome is Outcome.APPROVED
    assert scripted.paths == ["/authorisationRequest", "/vend"]
    first, second = (asked.json() for asked in scripted.asked)
    assert first == second
    assert first["Reference"] == "000000000007"
    assert (first["EasyPayNumber"], first["AccountNumber"]) == ("99001042576704656", METER.number)
    assert (first["MerchantId"], first["TerminalId"], first["Amount"]) == ("M", "T", 10_000)
    merchant, terminal, date, time, number, account = str(first["EchoData"]).split("|")
    assert (merchant, terminal, number, account) == ("M", "T", "7", first["EasyPayNumber"])
    assert (len(date), len(time)) == (8, 6)
    assert all(
        asked.headers["Authorization"] == "SessionToken open sesame" for asked in scripted.asked
    )
    assert "open sesame" not in repr(reply)


async def test_free_units_are_asked_for_by_flag() -> None:
    reply, scripted = await ask(selling({"Amount": 0}), VendQuestion(METER, Money(0)))
    assert reply.outcome is Outcome.APPROVED
    assert [asked.json()["FreeUnits"] for asked in scripted.asked] == [True, True]


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 90, 91, 777, -1])
async def test_every_code_on_an_authorisation(code: int) -> None:
    """Nothing is sold by it, so an unclear code lets the next provider try; "already paid" can only
    come of a vend under this very reference."""
    handler = selling(authorise={"ResponseCode": code, "ResponseMessage": "words"})
    reply, scripted = await ask(handler)
    assert scripted.paths == ["/authorisationRequest"]
    meaning = ERRORS.get(str(code))
    expected = Outcome.NOT_SENT
    if meaning is not None and meaning.definite:
        expected = Outcome.DECLINED
    elif code == 5:
        expected = Outcome.UNKNOWN
    assert reply.outcome is expected
    assert reply.failure is not None
    assert (reply.failure.provider_code, reply.failure.detail) == (str(code), "words")


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 90, 91, 777, -1])
async def test_every_code_on_a_vend(code: int) -> None:
    reply, _ = await ask(selling(vend={"ResponseCode": code}))
    meaning = ERRORS.get(str(code))
    definite = meaning is not None and meaning.definite
    assert reply.outcome is (Outcome.DECLINED if definite else Outcome.UNKNOWN)
    assert reply.sale is None
    assert reply.failure is not None
    assert reply.failure.error_type is (meaning.error_type if meaning else ErrorType.GENERAL_ERROR)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502, 503, 504, 302, 204])
async def test_a_status_on_an_authorisation_lets_the_next_provider_try(status: int) -> None:
    reply, scripted = await ask(saying("/authorisationRequest", Said(status=status)))
    assert reply.outcome is Outcome.NOT_SENT
    assert len(reply.legs) == len(scripted.asked) == 1
    assert str(status) in (reply.detail or "")


@pytest.mark.parametrize("status", [400, 408, 409, 429, 500, 502, 503, 504, 302, 204])
async def test_a_status_on_a_vend_is_unknown(status: int) -> None:
    reply, _ = await ask(saying("/vend", Said(f"<p>{TOKEN}</p>".encode(), status)))
    assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)
    assert TOKEN not in repr(reply)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_vend_that_the_web_server_turns_away_sells_nothing(status: int) -> None:
    reply, _ = await ask(saying("/vend", Said(status=status)))
    assert reply.outcome is Outcome.NOT_SENT
    assert reply.failure is not None
    assert reply.failure.provider_code == f"HTTP {status}"


@pytest.mark.parametrize(
    "members",
    [
        {"EchoData": "M|T|20250701|093000|8|99001042576704651"},
        {"EchoData": None},
        {"Reference": "000000000008"},
        {"Reference": 7},
        {"meter": {"number": "04257670466"}},
        {"tokens": [{"type": "STANDARD", "digits": f"{TOKEN[:10]} {TOKEN[10:]}"}]},
        {"tokens": [{"type": "STANDARD", "digits": "1111"}]},
        {"tokens": [{"type": "STANDARD"}]},
        {"tokens": [{"type": "STANDARD", "digits": TOKEN, "amount": 86.96}]},
        {"tokens": [{"type": "STANDARD", "digits": TOKEN, "amount": -1}]},
        {"tokens": [{"type": "STANDARD", "digits": TOKEN, "units": 1e30}]},
        {"tokens": [{"type": "STANDARD", "digits": TOKEN, "units": "NaN"}]},
        {"tokens": {"digits": TOKEN}},
        {"ResponseCode": "0"},
        {"fields": {"customerName": 7}},
    ],
)
async def test_a_vend_s_answer_that_is_not_ours_or_not_readable_is_unknown(
    members: dict[str, object],
) -> None:
    reply, _ = await ask(selling(vend=members))
    assert (reply.outcome, reply.sale, reply.failure) == (Outcome.UNKNOWN, None, None)
    assert reply.detail
    assert TOKEN not in repr(reply)
    assert TOKEN[:12] not in repr(reply).replace(" ", "")


@pytest.mark.parametrize("members", [{"echoData": "other"}, {"Amount": 9_999}, {"Amount": "1"}])
async def test_an_authorisation_of_something_else_sells_nothing(
    members: dict[str, object],
) -> None:
    reply, scripted = await ask(selling(authorise=members))
    assert reply.outcome is Outcome.NOT_SENT
    assert scripted.paths == ["/authorisationRequest"]


async def test_a_token_of_a_kind_nobody_knows_is_handed_over_all_the_same() -> None:
    token = {"type": "COMPENSATION", "digits": TOKEN, "units": 1, "description": "Compensation"}
    reply, _ = await ask(selling(vend={"tokens": [token]}))
    assert reply.sale is not None
    (sold,) = reply.sale.tokens
    assert (sold.token_type, sold.digits) == (TokenType.STD, TOKEN)
    assert sold.description == "Compensation"


async def test_an_online_meter_s_token_needs_no_digits() -> None:
    members = {
        "tokens": [{"type": "STANDARD", "units": 1}],
        "meter": {"number": METER.number, "online": True},
    }
    reply, _ = await ask(selling(vend=members))
    assert reply.sale is not None
    assert reply.sale.tokens[0].digits == "0" * 20


async def test_a_vend_is_not_begun_when_hardly_any_time_is_left() -> None:
    """It would end unknown; the next provider can sell instead."""

    async def slowly(asked: Asked) -> Said:
        await asyncio.sleep(1.7)
        return authorised(asked)

    async with provider(slowly) as (config, scripted):
        timeouts = msgspec.structs.replace(SHORT, connect=0.5, vend=2.0)
        adapter = build_adapter(msgspec.structs.replace(config, timeouts=timeouts), utc_now)
        reply = await adapter.exchange(adapter.prepare(VEND, 7, utc_now()))
        await adapter.close()
    assert reply.outcome is Outcome.NOT_SENT
    assert scripted.paths == ["/authorisationRequest"]


# What can't be asked


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (LookupQuestion(MeterDetail("TST001")), "account has 1 to 14 digits"),
        (LookupQuestion(MeterDetail("1" * 15)), "account has 1 to 14 digits"),
        (LookupQuestion(MeterDetail("")), "account has 1 to 14 digits"),
        (LookupQuestion(MeterDetail("0425767046\u0665")), "account has 1 to 14 digits"),
        (VendQuestion(MeterDetail("1", UtilityType.GAS), Money(1)), "receiver id for gas"),
        (VendQuestion(METER, Money(-1)), "amount"),
        (ConfirmQuestion(METER, msgspec.structs.replace(ORIGINAL, handle=None)), "EchoData"),
    ],
)
async def test_what_easypay_has_no_room_for(question: Question, said: str) -> None:
    async with provider(selling()) as (config, _):
        adapter = build_adapter(config, utc_now)
        with pytest.raises(ValueError, match=said):
            adapter.prepare(question, 7, utc_now())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": None}, "needs url, password and receivers"),
        ({"credentials": Credentials()}, "needs url, password and receivers"),
        ({"easypay": EasyPaySettings()}, "needs url, password and receivers"),
        ({"easypay": EasyPaySettings(receivers={UtilityType.GAS: "123"})}, "receiver id has 4"),
        ({"credentials": Credentials(client="M" * 16, password="p")}, "merchant id"),
        ({"credentials": Credentials(terminal="T" * 9, password="p")}, "terminal id"),
    ],
)
async def test_a_configuration_that_cannot_work(change: dict[str, object], said: str) -> None:
    async with provider(selling()) as (config, _):
        with pytest.raises(ValueError, match=said):
            build_adapter(msgspec.structs.replace(config, **change), utc_now)


# The simulator


async def test_the_simulator_turns_a_wrong_session_token_away() -> None:
    async with simulators(every_provider_fleet()) as running:
        config = running.configs()["easypay"]
        other = msgspec.structs.replace(config.credentials, password="another")
        adapter = build_adapter(msgspec.structs.replace(config, credentials=other), utc_now)
        talk = Conversation(adapter)
        known = await talk.look_up(PLAIN)
        _, bought = await talk.vend(PLAIN, 10_000)
        await adapter.close()
        assert running.sales() == []
    assert known.outcome is Outcome.DECLINED
    assert known.failure is not None
    assert known.failure.error_type is ErrorType.INVALID_MERCHANT
    assert bought.outcome is Outcome.NOT_SENT
    assert bought.failure is not None
    assert bought.failure.error_type is ErrorType.INVALID_MERCHANT


async def test_an_authorisation_that_grew_too_old_is_declined() -> None:
    now = datetime(2025, 7, 1, 7, 30, tzinfo=UTC)

    async def dawdle(_: str) -> bool:
        nonlocal now
        now += timedelta(seconds=QUOTE_SECONDS)
        return True

    async with simulators(every_provider_fleet(), clock=lambda: now) as running:
        adapter = running.adapters()["easypay"]
        question = VendQuestion(MeterDetail(PLAIN), Money(10_000))
        reply = await adapter.exchange(adapter.prepare(question, 7, now), dawdle)
        assert running.sales() == []
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.provider_code == "3"


async def test_an_authorisation_is_used_up_by_its_sale_and_bound_to_it() -> None:
    async with simulators(every_provider_fleet()) as running, aiohttp.ClientSession() as session:
        adapter = running.adapters()["easypay"]
        base = f"http://127.0.0.1:{running.ports['easypay']}{BASE}"
        prepared = adapter.prepare(VendQuestion(MeterDetail(PLAIN), Money(10_000)), 7, utc_now())
        payment = msgspec.json.decode(prepared.wire.partition(b"\n")[2], type=dict[str, object])

        async def post(path: str, **members: object) -> object:
            headers = {"Authorization": f"SessionToken {SESSION_TOKEN}"}
            async with session.post(base + path, json=payment | members, headers=headers) as said:
                return (await said.json())["ResponseCode"]

        assert await post("/vend") == 4
        assert await post("/authorisationRequest") == 0
        assert await post("/vend", Amount=20_000) == 2
        assert await post("/vend", AccountNumber="01000000001") == 1
        assert await post("/vend", FreeUnits=True) == 2
        assert running.sales() == []
        assert await post("/vend") == 0
        assert await post("/vend") == 5
        assert await post("/authorisationRequest") == 5
        assert len(running.sales()) == 1


async def test_water_has_a_receiver_of_its_own() -> None:
    async with simulators(every_provider_fleet()) as running:
        talk = Conversation(running.adapters()["easypay"])
        _, as_water = await talk.vend(WATER, 10_000, UtilityType.WATER)
        _, as_electricity = await talk.vend(WATER, 10_000)
    assert as_water.outcome is Outcome.APPROVED
    assert as_electricity.failure is not None
    assert as_electricity.failure.error_type is ErrorType.UNKNOWN_METER_ID


async def test_a_system_error_in_place_of_a_receipt_is_no_receipt() -> None:
    async with simulators(every_provider_fleet()) as running:
        talk = Conversation(running.adapters()["easypay"])
        original, _ = await talk.vend(PLAIN, 10_000)
        await running.fault("easypay", "system_error_before_sale", operations=(Operation.CONFIRM,))
        assert (await talk.confirm(PLAIN, original)).outcome is Outcome.UNKNOWN
        await running.fault("easypay", "none")
        assert (await talk.confirm(PLAIN, original)).outcome is Outcome.APPROVED
