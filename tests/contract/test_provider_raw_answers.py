"""What the adapters make of answers that no simulator gives: raw bytes from a scripted server."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from domain.exchange import LookupQuestion, Original, RecoverQuestion, Reply, VendQuestion
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.adapter import Prepared, ProviderAdapter
from providers.config import Connections, ProviderConfig
from providers.protocols.frames import Deframer, frame
from providers.protocols.ipaymsg_errors import CODES
from providers.protocols.xmlvend import encode_response
from providers.protocols.xmlvend_errors import FAULTS
from providers.protocols.xmlvend_messages import FaultResp
from providers.registry import build_adapter
from tests.simulation import SHORT, utc_now

METER = MeterDetail("04257670465")
VEND = VendQuestion(METER, Money(10_000))

Script = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp(script: Script) -> AsyncGenerator[ProviderConfig]:
    """An iPay port that treats each request frame as `script` says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        deframer = Deframer()
        while chunk := await reader.read(65_536):
            for payload in deframer.feed(chunk):
                await script(payload, writer)
        writer.close()
        await writer.wait_closed()

    handlers: set[asyncio.Task[None] | None] = set()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield ProviderConfig(
            id="ipay",
            name="iPay",
            protocol="ipaymsg",
            host="127.0.0.1",
            port=port,
            timeouts=SHORT,
        )
    finally:
        server.close()
        await asyncio.gather(*filter(None, handlers), return_exceptions=True)


async def exchange(
    config: ProviderConfig, question: VendQuestion | RecoverQuestion | LookupQuestion = VEND
) -> tuple[Prepared, Reply]:
    adapter = build_adapter(config, utc_now)
    try:
        prepared = adapter.prepare(question, 7, utc_now())
        return prepared, await adapter.exchange(prepared)
    finally:
        await adapter.close()


def message(body: str, sequence: str = "70") -> bytes:
    """An answer to question 7, whose reference is 000000000070."""
    return (
        f'<ipayMsg client="C" term="1" seqNum="{sequence}" time="2025-07-01 09:30:00 +0200">'
        f'<elecMsg ver="2.44">{body}</elecMsg></ipayMsg>'
    ).encode()


def vend_res(code: str = "elec000", ref: str = "000000000070", inner: str = "") -> str:
    return f'<vendRes><ref>{ref}</ref><res code="{code}">words</res>{inner}</vendRes>'


TOKEN = '<stdToken units="1.0" amt="8696" tax="1304" rctNum="R1">11112222333344445555</stdToken>'


async def answer_once(payload: bytes, **replaced: object) -> Reply:
    """The reply of a vend to which the provider answers `payload` in a frame."""

    async def script(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(payload))

    async with tcp(script) as config:
        config = msgspec.structs.replace(config, **replaced)
        return (await exchange(config))[1]


@pytest.mark.parametrize("code", [*sorted(CODES), "elec777", "", "OK"])
async def test_every_ipay_code_on_a_vend(code: str) -> None:
    """Only codes that exclude a sale decline; everything else is asked about."""
    reply = await answer_once(message(vend_res(code, inner=TOKEN)))
    if code == "elec000":
        assert reply.outcome is Outcome.APPROVED
        return
    assert reply.sale is None
    assert reply.failure is not None
    assert reply.failure.provider_code == code
    definite = code in CODES and CODES[code].definite
    assert reply.outcome is (Outcome.DECLINED if definite else Outcome.UNKNOWN)


@pytest.mark.parametrize(
    "payload",
    [
        b"<",
        b"\xff\xfe<\x00a\x00",
        b"<ipayMsg/>",
        message(""),
        message("<custInfoRes/>"),
        message(vend_res(ref="000000000071")),
        message(vend_res(inner=TOKEN), sequence="71"),
        message(vend_res(inner=TOKEN.replace("8696", "86.96"))),
        message(vend_res(inner=TOKEN.replace("1111", "11x1"))),
        message('<vendRevRes><ref>000000000070</ref><res code="elec000"/></vendRevRes>'),
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + message(vend_res(inner=TOKEN)),
    ],
)
async def test_an_unusable_ipay_answer_is_unknown(payload: bytes) -> None:
    reply = await answer_once(payload)
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.detail
    assert reply.failure is None
    assert "11112222333344445555" not in repr(reply)


async def test_an_answer_in_many_pieces_is_read() -> None:
    async def script(_: bytes, writer: asyncio.StreamWriter) -> None:
        for byte in frame(message(vend_res(inner=TOKEN))):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    async with tcp(script) as config:
        _, reply = await exchange(config)
    assert reply.outcome is Outcome.APPROVED


async def test_a_frame_of_length_0_is_unknown() -> None:
    async def script(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x00")

    async with tcp(script) as config:
        _, reply = await exchange(config)
    assert (reply.outcome, reply.detail) == (Outcome.UNKNOWN, "frame of length 0")


async def test_a_connection_that_dies_at_the_write_is_unknown() -> None:
    """The peer read the request and closed without a byte: it may have sold."""

    async def script(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with tcp(script) as config:
        _, reply = await exchange(config)
    assert reply.outcome is Outcome.UNKNOWN


async def test_an_idle_connection_that_the_peer_resets_with_our_request_is_unknown() -> None:
    """It answered once, then closes on the second request: the adapter can't know whether the
    second was read, so it does not send it again."""
    seen: list[bytes] = []

    async def script(payload: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(payload)
        if len(seen) == 1:
            writer.write(frame(message(vend_res(inner=TOKEN))))
        else:
            writer.transport.abort()

    async with tcp(script) as config:
        adapter = build_adapter(config, utc_now)
        first = await adapter.exchange(adapter.prepare(VEND, 7, utc_now()))
        second = await adapter.exchange(adapter.prepare(VEND, 8, utc_now()))
        await adapter.close()
    assert first.outcome is Outcome.APPROVED
    assert second.outcome is Outcome.UNKNOWN
    assert len(seen) == 2


async def test_bytes_that_nobody_asked_for_are_never_read_as_an_answer() -> None:
    """Two frames for one request: the second belongs to nothing, so its connection goes."""

    async def script(payload: bytes, writer: asyncio.StreamWriter) -> None:
        second = b"000000000080" in payload
        right = message(vend_res(ref="000000000080", inner=TOKEN), sequence="80")
        wrong = message(vend_res("elec010", ref="000000000080"), sequence="80")
        first = message(vend_res(inner=TOKEN))
        writer.write(frame(right) if second else frame(first) + frame(wrong))

    async with tcp(script) as config:
        adapter = build_adapter(config, utc_now)
        await adapter.exchange(adapter.prepare(VEND, 7, utc_now()))
        await asyncio.sleep(0.05)
        reply = await adapter.exchange(adapter.prepare(VEND, 8, utc_now()))
        await adapter.close()
    assert reply.outcome is Outcome.APPROVED


def last_res(body: str) -> bytes:
    return message(f"<vendLastRes><ref>000000000070</ref>{body}</vendLastRes>")


RECOVER = RecoverQuestion(METER, Original("000000000990", utc_now(), Money(10_000), 0, utc_now()))
REVERSED_REF = "000000000071"


async def recover_with(reversal: str, reprint: str | None = None) -> Reply:
    """A recovery where the last vend is someone else's, the reversal answers `reversal` and the
    reprint `reprint`."""

    async def script(payload: bytes, writer: asyncio.StreamWriter) -> None:
        if b"<vendLastReq>" in payload:
            other = vend_res(ref="000000000555", inner=TOKEN)
            writer.write(frame(last_res('<res code="elec000">OK</res>' + other)))
        elif b"<vendRevReq>" in payload:
            body = f"<vendRevRes><ref>{REVERSED_REF}</ref>{reversal}</vendRevRes>"
            writer.write(frame(message(body, sequence="71")))
        elif reprint is not None:
            body = f"<reprintManyRes><ref>000000000072</ref>{reprint}</reprintManyRes>"
            writer.write(frame(message(body, sequence="72")))

    async with tcp(script) as config:
        return (await exchange(config, RECOVER))[1]


@pytest.mark.parametrize(
    ("code", "settled"),
    [
        ("elec000", Settled.REVERSED),
        ("elec003", Settled.NOT_SOLD),
        ("elec019", Settled.REVERSED),
    ],
)
async def test_what_a_reversal_settles(code: str, settled: Settled) -> None:
    reply = await recover_with(f'<res code="{code}">words</res>')
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, settled)


@pytest.mark.parametrize("code", ["elec001", "elec002", "elec010", "elec900", "elec901", "x"])
async def test_what_settles_nothing_stays_unknown(code: str) -> None:
    reply = await recover_with(f'<res code="{code}">words</res>')
    assert (reply.outcome, reply.settled) == (Outcome.UNKNOWN, None)
    assert len(reply.legs) == 2


@pytest.mark.parametrize("code", ["elec020", "elec004"])
async def test_a_completed_vend_is_fetched_among_the_reprints(code: str) -> None:
    reprint = '<res code="elec000">OK</res>'
    reprint += vend_res(ref="000000000111", inner=TOKEN.replace("1111", "9999"))
    reprint += vend_res(ref="000000000990", inner=TOKEN)
    reply = await recover_with(f'<res code="{code}">words</res>', reprint)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.SOLD)
    assert reply.sale is not None
    assert reply.sale.tokens[0].digits == "11112222333344445555"
    assert [leg.sent.split("<elecMsg")[1][:12] for leg in reply.legs][2] == ' ver="2.6a">'


async def test_a_completed_vend_that_no_reprint_shows_stays_unknown() -> None:
    reprint = '<res code="elec000">OK</res>' + vend_res(ref="000000000111", inner=TOKEN)
    reply = await recover_with('<res code="elec020">words</res>', reprint)
    assert (reply.outcome, reply.settled) == (Outcome.UNKNOWN, None)
    assert len(reply.legs) == 3


async def test_an_embedded_vend_of_another_reference_is_not_ours() -> None:
    """elec004 with someone else's vend: its token must not reach our customer."""
    other = vend_res(ref="000000000111", inner=TOKEN)
    none = '<res code="elec003">no record</res>'
    reply = await recover_with('<res code="elec004">words</res>' + other, none)
    assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)


# XMLVend over HTTP


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
