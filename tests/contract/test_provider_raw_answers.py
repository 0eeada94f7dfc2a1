"""What the XMLVend adapter makes of answers that no simulator gives: raw bytes from a scripted
server."""

import gzip
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from domain.exchange import LookupQuestion, RecoverQuestion, Reply, VendQuestion
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome
from domain.sale import MeterDetail
from providers.adapter import Prepared, ProviderAdapter
from providers.config import Connections, ProviderConfig
from providers.protocols.xmlvend import encode_response
from providers.protocols.xmlvend.errors import FAULTS
from providers.protocols.xmlvend.messages import FaultResp
from providers.registry import build_adapter
from tests.simulation import SHORT, utc_now

METER = MeterDetail("04257670465")
VEND = VendQuestion(METER, Money(10_000))


async def exchange(
    config: ProviderConfig, question: VendQuestion | RecoverQuestion | LookupQuestion = VEND
) -> tuple[Prepared, Reply]:
    adapter = build_adapter(config, utc_now)
    try:
        prepared = adapter.prepare(question, 7, utc_now())
        return prepared, await adapter.exchange(prepared)
    finally:
        await adapter.close()


@asynccontextmanager
async def http(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncGenerator[ProviderConfig]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        yield ProviderConfig(
            id="switchone",
            name="SwitchOne",
            protocol="xmlvend",
            url=f"http://127.0.0.1:{port}/xmlvend",
            timeouts=SHORT,
            connections=Connections(),
        )
    finally:
        await runner.cleanup()


async def http_reply(status: int, body: bytes, **headers: str) -> Reply:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=headers)

    async with http(handler) as config:
        return (await exchange(config))[1]


@pytest.mark.parametrize("status", [200, 400, 408, 409, 429, 500, 502, 503, 504])
async def test_a_status_without_soap_is_unknown(status: int) -> None:
    reply = await http_reply(status, b"<html>busy 11112222333344445555</html>")
    assert reply.outcome is Outcome.UNKNOWN
    assert str(status) in (reply.detail or "")
    assert "11112222333344445555" not in repr(reply)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 413, 415])
async def test_a_status_of_the_web_server_alone_is_declined(status: int) -> None:
    reply = await http_reply(status, b"<html>no</html>")
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.provider_code == f"HTTP {status}"
    merchant = status in (401, 403)
    expected = ErrorType.INVALID_MERCHANT if merchant else ErrorType.UPSTREAM_UNAVAILABLE
    assert reply.failure.error_type is expected


async def test_a_redirection_is_not_followed() -> None:
    """It would send the purchase a second time, to a place that nobody configured."""
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with http(handler) as config:
        _, reply = await exchange(config)
    assert reply.outcome is Outcome.UNKNOWN
    assert asked == ["/xmlvend"]


@pytest.mark.parametrize("kind", [*sorted(FAULTS), "VendorOwnEx"])
@pytest.mark.parametrize("status", [200, 500])
async def test_every_fault_on_a_vend(kind: str, status: int) -> None:
    reply = await http_reply(status, encode_response(FaultResp(kind, "words", "VD.1")))
    assert reply.failure is not None
    assert reply.failure.provider_code == f"{kind}/VD.1"
    definite = kind in FAULTS and FAULTS[kind].definite
    assert reply.outcome is (Outcome.DECLINED if definite else Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("words", "error_type"),
    [
        ("Amount exceeds the daily amount", ErrorType.AMOUNT_TOO_HIGH),
        ("Below the MINIMUM vend", ErrorType.AMOUNT_TOO_LOW),
        ("Something else", ErrorType.TRANSACTION_DECLINED),
    ],
)
async def test_a_business_rule_says_in_words_what_it_is(words: str, error_type: ErrorType) -> None:
    reply = await http_reply(500, encode_response(FaultResp("BusinessRuleEx", words)))
    assert reply.failure is not None
    assert reply.failure.error_type is error_type


async def test_a_plain_soap_fault_is_unknown() -> None:
    reply = await http_reply(500, encode_response(FaultResp("", "Server was unable")))
    assert reply.outcome is Outcome.UNKNOWN


async def test_an_answer_that_is_too_long_is_unknown() -> None:
    """Also when it is short on the wire: a megabyte of blanks compresses to a kilobyte."""
    body = gzip.compress(b" " * 2_000_000)
    reply = await http_reply(200, body, **{"Content-Encoding": "gzip"})
    assert reply.outcome is Outcome.UNKNOWN
    assert len(repr(reply)) < 100_000


async def test_a_broken_compression_is_unknown() -> None:
    reply = await http_reply(200, b"not gzip", **{"Content-Encoding": "gzip"})
    assert reply.outcome is Outcome.UNKNOWN


async def test_a_dead_kept_connection_is_not_tried_again() -> None:
    """The HTTP client must not repeat a purchase on a new connection by itself."""
    asked = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked == 1:
            return web.Response(status=503)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with http(handler) as config:
        adapter: ProviderAdapter = build_adapter(config, utc_now)
        await adapter.exchange(adapter.prepare(VEND, 7, utc_now()))
        reply = await adapter.exchange(adapter.prepare(VEND, 8, utc_now()))
        await adapter.close()
    assert reply.outcome is Outcome.UNKNOWN
    assert asked == 2


@pytest.mark.parametrize(
    ("profile", "soap_action", "encoding", "credentials"),
    [
        ("contour", '"CreditVendRequest"', "identity", True),
        ("syntell", '""', "gzip", True),
        ("sandulela", '"CreditVendRequest"', "identity", False),
        ("switchone", '""', "gzip", False),
    ],
)
async def test_the_profile_decides_headers_and_credentials(
    profile: str, soap_action: str, encoding: str, credentials: bool
) -> None:
    asked: list[tuple[str, str, bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        headers = request.headers
        asked.append((headers["SOAPAction"], headers["Accept-Encoding"], await request.read()))
        assert headers["Content-Type"] == "text/xml; charset=utf-8"
        return web.Response(status=503)

    async with http(handler) as config:
        known = msgspec.structs.replace(config.credentials, operator="OP1", password="secret")
        config = msgspec.structs.replace(config, profile=profile, credentials=known)
        prepared, _ = await exchange(config)
    ((action, accepted, body),) = asked
    assert (action, accepted) == (soap_action, encoding)
    assert (b"secret" in body) is credentials
    assert "secret" not in prepared.masked
    assert body == prepared.wire
