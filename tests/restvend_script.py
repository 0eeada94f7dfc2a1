"""A provider of the assumed REST profile whose answers a test writes down."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from domain.exchange import Original, Question, Reply, VendQuestion
from domain.money import Money
from domain.sale import MeterDetail, UtilityType
from providers.config import Credentials, ProviderConfig, RestvendSettings
from providers.registry import build_adapter
from tests.scripted_http import Asked, Handler, Said, ScriptedHttp, scripted_http
from tests.simulation import SHORT, utc_now

METER = MeterDetail("04257670465")
VEND = VendQuestion(METER, Money(10_000))
ORIGINAL = Original("000000000006", utc_now(), Money(10_000), 0, utc_now(), handle="Q1")
TOKEN = "11112222333344445555"
GRANT, PREVEND, PURCHASE, REPRINT = (
    "/connect/token",
    "/v1/utility/prevend",
    "/v1/utility/purchase",
    "/v1/utility/reprint",
)


def granted(token: str = "first-access", **members: object) -> Said:
    return Said({"access_token": token, "token_type": "Bearer", "expires_in": 3600} | members)


def quoted(asked: Asked, **members: object) -> Said:
    said = {
        "requestId": asked.query["requestId"],
        "meterNumber": asked.query["meterNumber"],
        "transactionId": "Q1",
        "amount": int(asked.query.get("amount", "0")),
    }
    return Said(said | members)


def sold(request_id: str = "000000000007", details: object = None, **members: object) -> Said:
    token = {"type": "Standard", "value": TOKEN, "units": 43.4, "amount": 8_696, "tax": 1_304}
    said: dict[str, object] = {
        "requestId": request_id,
        "transactionId": "T1",
        "meterNumber": METER.number,
        "amount": 10_000,
        "additionalDetails": details or {"receiptNumber": "R1", "tokens": [token]},
    }
    return Said(said | members, 201)


def refused(status: int, code: str, **members: object) -> Said:
    return Said({"errorCode": code, "message": "words"} | members, status)


def saying(**said: Said) -> Callable[[Asked], Said]:
    """A provider that grants, quotes, sells and reprints, but for what is `said` in place of
    `grant`, `quote`, `purchase` and `reprint`."""

    def handler(asked: Asked) -> Said:
        match asked.path:
            case "/connect/token":
                return said.get("grant") or granted()
            case "/v1/utility/prevend":
                return said.get("quote") or quoted(asked)
            case "/v1/utility/purchase":
                return said.get("purchase") or sold()
            case _:
                return said.get("reprint") or sold(asked.query.get("requestId", "R"))

    return handler


@asynccontextmanager
async def provider(handler: Handler) -> AsyncGenerator[tuple[ProviderConfig, ScriptedHttp]]:
    async with scripted_http(handler) as scripted:
        yield (
            ProviderConfig(
                id="randa",
                name="R&A Cellular",
                protocol="restvend",
                url=f"{scripted.url}/",
                timeouts=SHORT,
                credentials=Credentials(client="till 7", password="open&sesame"),
                restvend=RestvendSettings(products={UtilityType.ELECTRICITY: "101"}),
            ),
            scripted,
        )


async def ask(handler: Handler, question: Question = VEND) -> tuple[Reply, ScriptedHttp]:
    async with provider(handler) as (config, scripted):
        adapter = build_adapter(config, utc_now)
        try:
            return await adapter.exchange(adapter.prepare(question, 7, utc_now())), scripted
        finally:
            await adapter.close()
