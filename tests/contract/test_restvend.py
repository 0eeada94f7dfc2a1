"""R&A Cellular's assumed REST profile beyond the common contract: access tokens, quotes, duplicate
requests, and what each answer means."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import aiohttp
import msgspec
import pytest

from domain.exchange import (
    ConfirmQuestion,
    LookupQuestion,
    Operation,
    Original,
    Question,
    RecoverQuestion,
    ReprintQuestion,
    ReverseQuestion,
    VendQuestion,
)
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail, TokenType, UtilityType
from providers.registry import build_adapter
from providers.restvend.answers import ERRORS
from providers.simulator.quotes import QUOTE_SECONDS
from providers.simulator.restvend.dialect import ACCESS_SECONDS
from tests.restvend_script import (
    GRANT,
    METER,
    ORIGINAL,
    PREVEND,
    PURCHASE,
    REPRINT,
    TOKEN,
    VEND,
    ask,
    provider,
    quoted,
    refused,
    saying,
    sold,
)
from tests.scripted_http import Asked, Handler, Said, scripted_http
from tests.simulation import (
    PLAIN,
    WATER,
    Conversation,
    every_provider_fleet,
    simulators,
    utc_now,
)

# The steps of a sale


async def test_a_sale_is_quoted_and_then_purchased_once() -> None:
    reply, scripted = await ask(saying())
    assert reply.outcome is Outcome.APPROVED
    assert scripted.paths == [GRANT, PREVEND, PURCHASE]
    grant, prevend, purchase = scripted.asked
    assert parse_qs(grant.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["till 7"],
        "client_secret": ["open&sesame"],
        "scope": ["api"],
    }
    assert grant.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in grant.headers
    assert prevend.query == {
        "meterNumber": METER.number,
        "merchantProductId": "101",
        "requestId": "000000000007",
        "amount": "10000",
    }
    assert purchase.json() == {
        "requestId": "000000000007",
        "prevendTransactionId": "Q1",
        "tenderType": "Cash",
    }
    tokens = [asked.headers["Authorization"] for asked in (prevend, purchase)]
    assert tokens == ["Bearer first-access"] * 2
    assert len(reply.legs) == 3
    for secret in ("sesame", "first-access", TOKEN):
        assert secret not in repr(reply.legs)


@pytest.mark.parametrize(
    ("payment", "tender"), [("CREDIT_CARD", "CreditCard"), ("LOYALTY_CARD", "Other"), ("", "Other")]
)
async def test_the_tender_type_goes_along(payment: str, tender: str) -> None:
    question = msgspec.structs.replace(VEND, payment=payment)
    _, scripted = await ask(saying(), question)
    assert scripted.asked[-1].json()["tenderType"] == tender


async def test_free_units_are_asked_for_by_flag() -> None:
    reply, scripted = await ask(saying(), VendQuestion(METER, Money(0)))
    assert reply.outcome is Outcome.APPROVED
    assert scripted.asked[1].query["isFBE"] == "true"


async def test_any_text_of_a_meter_number_stays_inside_its_parameter() -> None:
    meter = MeterDetail("1&amount=1#é/?")
    _, scripted = await ask(saying(), LookupQuestion(meter))
    assert scripted.asked[1].query == {
        "meterNumber": meter.number,
        "merchantProductId": "101",
        "requestId": "000000000007",
    }


@pytest.mark.parametrize("code", [*sorted(ERRORS), "SOMETHING_ELSE"])
async def test_every_code_on_a_quote(code: str) -> None:
    """Nothing is sold by it, so an unclear code lets the next provider try."""
    reply, scripted = await ask(saying(quote=refused(422, code)))
    assert PURCHASE not in scripted.paths
    definite = code in ERRORS and ERRORS[code].definite
    assert reply.outcome is (Outcome.DECLINED if definite else Outcome.NOT_SENT)
    assert reply.failure is not None
    assert (reply.failure.provider_code, reply.failure.detail) == (code, "words")


@pytest.mark.parametrize("code", [*sorted(ERRORS), "SOMETHING_ELSE"])
@pytest.mark.parametrize("status", [400, 404, 422, 409, 408, 429, 500, 503])
async def test_every_code_on_a_purchase(code: str, status: int) -> None:
    """A code counts only with a status that lets it."""
    reply, _ = await ask(saying(purchase=refused(status, code)))
    definite = code in ERRORS and ERRORS[code].definite and status in (400, 404, 422)
    assert reply.outcome is (Outcome.DECLINED if definite else Outcome.UNKNOWN)
    assert reply.sale is None
    assert reply.failure is not None
    assert reply.failure.provider_code == code


async def test_a_duplicate_tells_nothing_of_money_and_a_reprint_does() -> None:
    reply, _ = await ask(saying(purchase=refused(409, "DUPLICATE_REQUEST")))
    assert reply.outcome is Outcome.UNKNOWN
    reply, scripted = await ask(saying(), RecoverQuestion(METER, ORIGINAL))
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.SOLD)
    assert scripted.paths == [GRANT, REPRINT]
    assert scripted.asked[1].query["requestId"] == ORIGINAL.reference


@pytest.mark.parametrize("status", [400, 403, 404, 408, 500, 502, 503, 504, 302, 0])
async def test_a_bare_status_on_a_quote_lets_the_next_provider_try(status: int) -> None:
    """A GET whose connection drops the HTTP client may repeat by itself: it sells nothing."""
    reply, scripted = await ask(saying(quote=Said(status=status)))
    assert reply.outcome is Outcome.NOT_SENT
    assert set(scripted.paths) == {GRANT, PREVEND}


async def test_a_purchase_whose_connection_drops_is_never_repeated() -> None:
    reply, scripted = await ask(saying(purchase=Said(status=0)))
    assert reply.outcome is Outcome.UNKNOWN
    assert scripted.paths == [GRANT, PREVEND, PURCHASE]


@pytest.mark.parametrize("status", [400, 408, 409, 429, 500, 502, 503, 504, 302, 204, 0])
async def test_a_bare_status_on_a_purchase_is_unknown(status: int) -> None:
    reply, _ = await ask(saying(purchase=Said(f"<p>{TOKEN}</p>".encode(), status)))
    assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)
    assert TOKEN not in repr(reply)


@pytest.mark.parametrize("status", [403, 404, 405, 415])
async def test_a_purchase_that_the_web_server_turns_away_sells_nothing(status: int) -> None:
    reply, _ = await ask(saying(purchase=Said(status=status)))
    assert reply.outcome is Outcome.NOT_SENT
    assert reply.failure is not None
    assert reply.failure.provider_code == f"HTTP {status}"


def details(**token: object) -> dict[str, object]:
    return {"receiptNumber": "R1", "tokens": [{"type": "Standard", "value": TOKEN} | token]}


@pytest.mark.parametrize(
    "purchase",
    [
        sold("000000000008"),
        sold(meterNumber="04257670466"),
        sold(meterNumber=4257670465),
        sold(details={"tokens": []}),
        sold(details=details(value=f"{TOKEN[:10]}-{TOKEN[10:]}")),
        sold(details=details(value=None)),
        sold(details=details(amount=86.96)),
        sold(details=details(units="Infinity")),
        sold(details=details(tariff=[{"units": 1}])),
        Said(b"[]", 201),
        Said(b"\xff", 201),
        Said(b"", 200),
        refused(422, "AMOUNT_TOO_LOW", requestId="000000000008"),
    ],
)
async def test_a_purchase_s_answer_that_is_not_ours_or_not_readable_is_unknown(
    purchase: Said,
) -> None:
    reply, _ = await ask(saying(purchase=purchase))
    assert (reply.outcome, reply.sale, reply.failure) == (Outcome.UNKNOWN, None, None)
    assert reply.detail
    assert TOKEN not in repr(reply)
    assert TOKEN[:10] not in repr(reply)


@pytest.mark.parametrize(
    "members",
    [
        {"requestId": "000000000008"},
        {"meterNumber": "04257670466"},
        {"amount": 9_999},
        {"amount": None},
        {"transactionId": None},
        {"transactionId": ""},
    ],
)
async def test_a_quote_for_something_else_buys_nothing(members: Mapping[str, object]) -> None:
    def handler(asked: Asked) -> Said:
        return quoted(asked, **members) if asked.path == PREVEND else saying()(asked)

    reply, scripted = await ask(handler)
    assert reply.outcome is Outcome.NOT_SENT
    assert PURCHASE not in scripted.paths


async def test_a_token_of_a_kind_nobody_knows_is_handed_over_all_the_same() -> None:
    reply, _ = await ask(saying(purchase=sold(details=details(type="Compensation"))))
    assert reply.sale is not None
    assert [token.token_type for token in reply.sale.tokens] == [TokenType.STD]


# Finding out


@pytest.mark.parametrize(("handle", "settled"), [("Q1", "NOT_FOUND"), (None, "NOT_SOLD")])
async def test_no_such_sale_is_final_only_where_the_purchase_was_never_begun(
    handle: str | None, settled: str
) -> None:
    original = msgspec.structs.replace(ORIGINAL, handle=handle)
    reprint = refused(404, "REQUEST_UNKNOWN")
    reply, _ = await ask(saying(reprint=reprint), RecoverQuestion(METER, original))
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled(settled))


@pytest.mark.parametrize(
    "reprint",
    [
        sold("000000000005"),
        sold(ORIGINAL.reference, meterNumber="04257670466"),
        refused(500, "REQUEST_UNKNOWN"),
        refused(404, "REQUEST_UNKNOWN", requestId="000000000005"),
        refused(422, "METER_NOT_FOUND"),
        refused(409, "DUPLICATE_REQUEST"),
        Said(status=404),
        Said(status=503),
        Said(status=0),
        Said(b"{}", 200),
    ],
)
async def test_what_settles_nothing(reprint: Said) -> None:
    reply, _ = await ask(saying(reprint=reprint), RecoverQuestion(METER, ORIGINAL))
    assert (reply.settled, reply.sale) == (None, None)
    assert reply.outcome is not Outcome.APPROVED


@pytest.mark.parametrize(
    ("original", "receipt", "reprint"),
    [
        (ORIGINAL, None, sold("000000000005")),
        (None, "R2", sold("000000000005")),
        (None, "R1", sold("000000000005", meterNumber="04257670466")),
        (None, None, sold("000000000005", meterNumber="04257670466")),
    ],
)
async def test_a_reprint_never_shows_another_sale(
    original: Original | None, receipt: str | None, reprint: Said
) -> None:
    reply, _ = await ask(saying(reprint=reprint), ReprintQuestion(METER, original, receipt))
    assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (ConfirmQuestion(METER, ORIGINAL), "ConfirmQuestion"),
        (ReverseQuestion(METER, ORIGINAL), "ReverseQuestion"),
        (LookupQuestion(MeterDetail("1", UtilityType.GAS)), "product id for gas"),
        (VendQuestion(METER, Money(-1)), "amount"),
        (LookupQuestion(MeterDetail("\ud800")), "surrogates"),
    ],
)
async def test_what_the_profile_has_no_room_for(question: Question, said: str) -> None:
    async with provider(saying()) as (config, _):
        adapter = build_adapter(config, utc_now)
        with pytest.raises(ValueError, match=said):
            adapter.prepare(question, 7, utc_now())


# The simulator


async def test_the_simulator_gives_a_wrong_secret_no_token() -> None:
    async with simulators(every_provider_fleet()) as running:
        config = running.configs()["randa"]
        other = msgspec.structs.replace(config.credentials, password="another")
        adapter = build_adapter(msgspec.structs.replace(config, credentials=other), utc_now)
        _, reply = await Conversation(adapter).vend(PLAIN, 10_000)
        await adapter.close()
        assert running.sales() == []
    assert reply.outcome is Outcome.NOT_SENT
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.INVALID_MERCHANT


async def test_the_simulator_s_tokens_expire_and_are_renewed() -> None:
    now = datetime(2025, 7, 1, 7, 30, tzinfo=UTC)
    async with simulators(every_provider_fleet(), clock=lambda: now) as running:
        talk = Conversation(running.adapters()["randa"])
        _, first = await talk.vend(PLAIN, 10_000)
        now += timedelta(seconds=ACCESS_SECONDS)
        _, second = await talk.vend(PLAIN, 10_000)
        assert len(running.sales()) == 2
    assert first.outcome is second.outcome is Outcome.APPROVED
    assert [leg.sent.split("?")[0].split("\n")[0] for leg in second.legs] == [
        f"GET {PREVEND}",
        f"POST {GRANT}",
        f"GET {PREVEND}",
        f"POST {PURCHASE}",
    ]


async def test_a_quote_that_grew_too_old_is_declined() -> None:
    now = datetime(2025, 7, 1, 7, 30, tzinfo=UTC)

    async def dawdle(_: str) -> bool:
        nonlocal now
        now += timedelta(seconds=QUOTE_SECONDS)
        return True

    async with simulators(every_provider_fleet(), clock=lambda: now) as running:
        adapter = running.adapters()["randa"]
        question = VendQuestion(MeterDetail(PLAIN), Money(10_000))
        reply = await adapter.exchange(adapter.prepare(question, 7, now), dawdle)
        assert running.sales() == []
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.provider_code == "QUOTE_EXPIRED"


async def test_a_quote_sells_once_whatever_the_request_id() -> None:
    """Two purchases of one quote: the second sells nothing, and that is not called a refusal."""
    stolen: list[str] = []

    async with simulators(every_provider_fleet()) as running:
        adapter = running.adapters()["randa"]
        question = VendQuestion(MeterDetail(PLAIN), Money(10_000))

        async def remember(handle: str) -> bool:
            stolen.append(handle)
            return True

        await adapter.exchange(adapter.prepare(question, 7, utc_now()), remember)
        scripted_quote = _stealing(running.ports["randa"], stolen)
        async with scripted_http(scripted_quote) as between:
            config = msgspec.structs.replace(running.configs()["randa"], url=between.url)
            other = build_adapter(config, utc_now)
            reply = await other.exchange(other.prepare(question, 8, utc_now()))
            await other.close()
        assert len(running.sales()) == 1
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.failure is not None
    assert reply.failure.provider_code == "QUOTE_CONSUMED"


def _stealing(port: int, stolen: list[str]) -> Handler:
    """Passes everything on to the simulator, but quotes under a number that was used before."""

    async def handler(asked: Asked) -> Said:
        if asked.path == PREVEND:
            return quoted(asked, transactionId=stolen[0])
        headers = {
            name: asked.headers[name]
            for name in ("Authorization", "Content-Type")
            if name in asked.headers
        }
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                asked.method,
                f"http://127.0.0.1:{port}{asked.path}",
                data=asked.body,
                headers=headers,
            ) as answer,
        ):
            return Said(await answer.read(), answer.status)

    return handler


async def test_water_is_a_product_of_its_own() -> None:
    async with simulators(every_provider_fleet()) as running:
        talk = Conversation(running.adapters()["randa"])
        _, as_water = await talk.vend(WATER, 10_000, UtilityType.WATER)
        _, as_electricity = await talk.vend(WATER, 10_000)
    assert as_water.outcome is Outcome.APPROVED
    assert as_electricity.failure is not None
    assert as_electricity.failure.error_type is ErrorType.UNKNOWN_METER_ID


@pytest.mark.parametrize("mode", ["drop_after_request", "garbled_answer", "http_504_before_sale"])
async def test_a_token_endpoint_that_fails_sends_nothing(mode: str) -> None:
    async with simulators(every_provider_fleet()) as running:
        await running.fault("randa", mode, operations=(Operation.TRIAL,))
        talk = Conversation(running.adapters()["randa"])
        _, reply = await talk.vend(PLAIN, 10_000)
        assert reply.outcome is Outcome.NOT_SENT
        await running.fault("randa", "none")
        _, reply = await talk.vend(PLAIN, 10_000)
        assert reply.outcome is Outcome.APPROVED
