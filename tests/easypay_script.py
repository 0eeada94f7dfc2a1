"""An EasyPay whose answers a test writes down."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager

from domain.exchange import Original, Question, Reply, VendQuestion
from domain.money import Money
from domain.sale import MeterDetail, UtilityType
from providers.config import Credentials, EasyPaySettings, ProviderConfig
from providers.registry import build_adapter
from tests.scripted_http import Asked, Handler, Said, ScriptedHttp, scripted_http
from tests.simulation import SHORT, utc_now

METER = MeterDetail("04257670465")
VEND = VendQuestion(METER, Money(10_000))
HANDLE = "M|T|20250701|093000|6|99001042576704651"
ORIGINAL = Original("000000000006", utc_now(), Money(10_000), 0, utc_now(), handle=HANDLE)
TOKEN = "11112222333344445555"
RECEIVERS = {UtilityType.ELECTRICITY: "9001"}


def authorised(asked: Asked, **members: object) -> Said:
    said = {"ResponseCode": 0, "echoData": asked.json()["EchoData"], "Amount": 10_000}
    return Said(said | members)


def vended(asked: Asked, **members: object) -> Said:
    """A sale of one token, worth what was asked."""
    ours = asked.json()
    token = {"type": "STANDARD", "digits": TOKEN, "units": 43.4, "amount": 8_696, "tax": 1_304}
    said: dict[str, object] = {
        "ResponseCode": 0,
        "Reference": ours["Reference"],
        "EchoData": ours["EchoData"],
        "ReceiptNumber": "R1",
        "Amount": 10_000,
        "tokens": [token],
        "meter": {"number": ours["AccountNumber"]},
    }
    return Said(said | members)


def selling(
    authorise: Mapping[str, object] | None = None, vend: Mapping[str, object] | None = None
) -> Callable[[Asked], Said]:
    """A provider that sells, with these members put in place of its own."""

    def handler(asked: Asked) -> Said:
        if asked.path == "/authorisationRequest":
            return authorised(asked, **(authorise or {}))
        return vended(asked, **(vend or {}))

    return handler


def always(said: Said) -> Handler:
    """A provider that says this to everything."""
    return lambda _: said


def saying(path: str, said: Said) -> Handler:
    """A provider that sells, but to `path` says this."""

    def handler(asked: Asked) -> Said:
        return said if asked.path == path else selling()(asked)

    return handler


@asynccontextmanager
async def provider(handler: Handler) -> AsyncGenerator[tuple[ProviderConfig, ScriptedHttp]]:
    async with scripted_http(handler) as scripted:
        yield (
            ProviderConfig(
                id="easypay",
                name="EasyPay",
                protocol="easypay",
                url=scripted.url,
                timeouts=SHORT,
                credentials=Credentials(client="M", terminal="T", password="open sesame"),
                easypay=EasyPaySettings(receivers=RECEIVERS),
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


def status_of(**vend: object) -> Handler:
    """A provider that tells the status of the original; `vend` replaces members of its answer."""

    def handler(asked: Asked) -> Said:
        original = {
            "ResponseCode": 0,
            "Reference": ORIGINAL.reference,
            "EchoData": HANDLE,
            "ReceiptNumber": "R1",
            "tokens": [{"type": "STANDARD", "digits": TOKEN, "units": 1}],
            "meter": {"number": METER.number},
        }
        echo = asked.json()["EchoData"]
        return Said({"ResponseCode": 0, "EchoData": echo, "vend": original | vend})

    return handler


def status_code(code: int, **members: object) -> Handler:
    def handler(asked: Asked) -> Said:
        echo = asked.json()["EchoData"]
        return Said({"ResponseCode": code, "EchoData": echo} | members)

    return handler
