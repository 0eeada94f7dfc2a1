"""What the ipayMsg adapter makes of answers that no simulator gives, over both
transports."""

import asyncio

import msgspec
import pytest
from aiohttp import web

from domain.exchange import (
    ConfirmKeyChangeQuestion,
    ConfirmQuestion,
    Question,
    Reply,
    ReprintQuestion,
    ReverseQuestion,
)
from domain.failure import ErrorType
from domain.outcome import Outcome, Settled
from providers.protocols.ipaymsg.errors import CODES
from providers.protocols.ipaymsg.frames import frame
from providers.registry import build_adapter
from tests.ipaymsg_port import (
    DIGITS,
    METER,
    ORIGINAL,
    RECOVER,
    TOKEN,
    VEND,
    answered,
    exchange,
    http,
    http_reply,
    message,
    port,
    result,
    tcp,
    vend_res,
)
from tests.simulation import utc_now


@pytest.fixture(params=["ipaymsg", "ipaymsg_http"])
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


# A vend


@pytest.mark.parametrize("code", [*sorted(CODES), "elec777", "", "OK"])
async def test_every_code_on_a_vend(protocol: str, code: str) -> None:
    """Only codes that exclude a sale decline; everything else is asked about."""
    reply = await answered(protocol, message(vend_res(code, inner=TOKEN)))
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
        message(vend_res(inner=TOKEN.replace(DIGITS, ""))),
        message('<vendRevRes><ref>000000000070</ref><res code="elec000"/></vendRevRes>'),
        message(vend_res(inner=TOKEN).replace("vendRes", "trialVendRes")),
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + message(vend_res(inner=TOKEN)),
    ],
)
async def test_an_unusable_answer_is_unknown(protocol: str, payload: bytes) -> None:
    reply = await answered(protocol, payload)
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.detail
    assert reply.failure is None
    assert DIGITS not in repr(reply)


async def test_a_connection_that_dies_at_the_write_is_unknown(protocol: str) -> None:
    """The peer read the request and closed without a byte: it may have sold."""
    assert (await answered(protocol, None)).outcome is Outcome.UNKNOWN


async def test_an_idle_connection_that_dies_with_our_request_is_unknown(protocol: str) -> None:
    """It answered once, then closes on the second request: the adapter can't know whether the
    second was read, so it does not send it again."""
    seen: list[bytes] = []

    def answering(payload: bytes) -> bytes | None:
        seen.append(payload)
        return message(vend_res(inner=TOKEN)) if len(seen) == 1 else None

    async with port(protocol, answering) as config:
        adapter = build_adapter(config, utc_now)
        first = await adapter.exchange(adapter.prepare(VEND, 7, utc_now()))
        second = await adapter.exchange(adapter.prepare(VEND, 8, utc_now()))
        await adapter.close()
    assert first.outcome is Outcome.APPROVED
    assert second.outcome is Outcome.UNKNOWN
    assert len(seen) == 2


# Frames over TCP


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


# Statuses over HTTP


async def test_the_body_is_the_bare_message() -> None:
    asked: list[tuple[str, str, bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append((request.method, request.headers["Content-Type"], await request.read()))
        return web.Response(body=message(vend_res(inner=TOKEN)))

    async with http(handler) as config:
        prepared, reply = await exchange(config)
    assert reply.outcome is Outcome.APPROVED
    assert asked == [("POST", "application/xml", prepared.wire)]
    assert prepared.wire.startswith(b"<ipayMsg ")
    assert b'<elecMsg ver="2.53">' in prepared.wire


@pytest.mark.parametrize("status", [408, 504])
async def test_a_time_out_by_status_is_unknown_whatever_is_in_it(status: int) -> None:
    reply = await http_reply(status, message(vend_res("elec010")))
    assert reply.outcome is Outcome.UNKNOWN
    assert str(status) in (reply.detail or "")


@pytest.mark.parametrize("status", [200, 400, 409, 429, 500, 502, 503])
async def test_a_status_without_a_message_is_unknown(status: int) -> None:
    reply = await http_reply(status, f"<html>busy {DIGITS}</html>".encode())
    assert reply.outcome is Outcome.UNKNOWN
    assert str(status) in (reply.detail or "")
    assert DIGITS not in repr(reply)


@pytest.mark.parametrize("status", [200, 400, 403, 404, 500, 503])
async def test_a_message_counts_under_any_other_status(status: int) -> None:
    reply = await http_reply(status, message(vend_res(inner=TOKEN)))
    assert reply.outcome is Outcome.APPROVED
    reply = await http_reply(status, message(vend_res(ref="000000000071")))
    assert reply.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [401, 403, 404, 405, 413, 415])
async def test_a_status_of_the_web_server_alone_is_declined(status: int) -> None:
    reply = await http_reply(status, b"<html>no</html>")
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert reply.failure.provider_code == f"HTTP {status}"
    merchant = status in (401, 403)
    expected = ErrorType.INVALID_MERCHANT if merchant else ErrorType.UPSTREAM_UNAVAILABLE
    assert reply.failure.error_type is expected


@pytest.mark.parametrize(
    "question",
    [
        RECOVER,
        ReverseQuestion(METER, ORIGINAL),
        ConfirmQuestion(METER, ORIGINAL),
        ConfirmKeyChangeQuestion(
            METER, msgspec.structs.replace(ORIGINAL, provider_reference="E1/K1")
        ),
    ],
)
async def test_what_must_be_delivered_outlives_a_web_server_s_refusal(question: Question) -> None:
    """A path that is missing for an hour must not end an advice or a recovery."""
    reply = await http_reply(404, b"<html>no</html>", question)
    assert (reply.outcome, reply.settled) == (Outcome.UNKNOWN, None)


async def test_a_redirection_is_not_followed() -> None:
    """It would send the purchase a second time, to a place that nobody configured."""
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with http(handler) as config:
        _, reply = await exchange(config)
    assert reply.outcome is Outcome.UNKNOWN
    assert asked == ["/ipaymsg"]


async def test_an_answer_over_http_may_be_longer_than_a_frame() -> None:
    many = "".join(vend_res(ref=f"{number:012d}", inner=TOKEN) for number in range(600))
    body = result("reprintManyRes", "elec000", many)
    assert len(body) > 65_535
    reply = await http_reply(200, body, ReprintQuestion(METER))
    assert reply.outcome is Outcome.APPROVED


async def test_an_answer_that_is_too_long_is_unknown() -> None:
    reply = await http_reply(200, b" " * 2_000_000)
    assert reply.outcome is Outcome.UNKNOWN
    assert len(repr(reply)) < 100_000


# Recovery


async def recover_with(protocol: str, reversal: str, reprint: str | None = None) -> Reply:
    """A recovery where the last vend is someone else's, the reversal answers `reversal` and the
    reprint `reprint`."""

    def answering(payload: bytes) -> bytes | None:
        if b"<vendLastReq>" in payload:
            other = vend_res(ref="000000000555", inner=TOKEN)
            return result("vendLastRes", "elec000", other)
        if b"<vendRevReq>" in payload:
            body = f"<vendRevRes><ref>000000000071</ref>{reversal}</vendRevRes>"
            return message(body, sequence="71")
        body = f"<reprintManyRes><ref>000000000072</ref>{reprint}</reprintManyRes>"
        return None if reprint is None else message(body, sequence="72")

    async with port(protocol, answering) as config:
        return (await exchange(config, RECOVER))[1]


@pytest.mark.parametrize(
    ("code", "settled"),
    [
        ("elec000", Settled.REVERSED),
        ("elec003", Settled.NOT_SOLD),
        ("elec019", Settled.REVERSED),
    ],
)
async def test_what_a_reversal_settles(protocol: str, code: str, settled: Settled) -> None:
    reply = await recover_with(protocol, f'<res code="{code}">words</res>')
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, settled)


@pytest.mark.parametrize("code", ["elec001", "elec002", "elec010", "elec900", "elec901", "x"])
async def test_what_settles_nothing_stays_unknown(protocol: str, code: str) -> None:
    reply = await recover_with(protocol, f'<res code="{code}">words</res>')
    assert (reply.outcome, reply.settled) == (Outcome.UNKNOWN, None)
    assert len(reply.legs) == 2


@pytest.mark.parametrize("code", ["elec020", "elec004"])
async def test_a_completed_vend_is_fetched_among_the_reprints(protocol: str, code: str) -> None:
    reprint = '<res code="elec000">OK</res>'
    reprint += vend_res(ref="000000000111", inner=TOKEN.replace("1111", "9999"))
    reprint += vend_res(ref="000000000990", inner=TOKEN)
    reply = await recover_with(protocol, f'<res code="{code}">words</res>', reprint)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.SOLD)
    assert reply.sale is not None
    assert reply.sale.tokens[0].digits == DIGITS
    assert [leg.sent.split("<elecMsg")[1][:12] for leg in reply.legs][2] == ' ver="2.6a">'


async def test_a_completed_vend_that_no_reprint_shows_stays_unknown(protocol: str) -> None:
    reprint = '<res code="elec000">OK</res>' + vend_res(ref="000000000111", inner=TOKEN)
    reply = await recover_with(protocol, '<res code="elec020">words</res>', reprint)
    assert (reply.outcome, reply.settled) == (Outcome.UNKNOWN, None)
    assert len(reply.legs) == 3


async def test_an_embedded_vend_of_another_reference_is_not_ours(protocol: str) -> None:
    """elec004 with someone else's vend: its token must not reach our customer."""
    other = vend_res(ref="000000000111", inner=TOKEN)
    none = '<res code="elec003">no record</res>'
    reply = await recover_with(protocol, '<res code="elec004">words</res>' + other, none)
    assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)
