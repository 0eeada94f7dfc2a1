"""A body that can't be read, or not to its end: 400 with what and where, and limits that hold."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.channel import (
    BASE,
    PASSWORD,
    USER,
    Client,
    ScriptedSwitch,
    basic,
    channel_to,
    lookup_message,
    purchase_message,
    settings,
)

PURCHASE = f"{BASE}/tokenPurchases/p1"


@pytest.fixture
def switch() -> ScriptedSwitch:
    return ScriptedSwitch()


@pytest.fixture
async def client(switch: ScriptedSwitch) -> AsyncIterator[Client]:
    async with channel_to(switch) as opened:
        yield opened


def nested(levels: int) -> str:
    return '{"a":' * (levels - 1) + "{}" + "}" * (levels - 1)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "is missing"),
        (b'{"id": ', "is not JSON: Expecting value at line 1 column 8"),
        (b'{"id": "p1"} x', "is not JSON: Extra data at line 1 column 14"),
        (b"\xef\xbb\xbf{}", "is not JSON: Expecting value at line 1 column 1"),
        (b'{"id": "\xff"}', "is not UTF-8 at byte 8"),
        (b"[]", "must be an object"),
        (b'"p1"', "must be an object"),
        (b"null", "must be an object"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": -Infinity}', "-Infinity is no JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "Exceeds the limit"),
        (b'{"id": "p1", "id": "p2"}', "member 'id' is there twice"),
        (b'{"a": {"b": 1, "b": 1}}', "member 'b' is there twice"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"a": "\\u0000"}', "must not contain the character U+0000"),
        (nested(25).encode(), "is nested deeper than 24 levels"),
        (b"[" * 60_000, "is nested deeper than 24 levels"),
        (b'{"a":' * 13_000, "is nested deeper than 24 levels"),
        (b'{"a": "' + b'\\"' * 32_000, "is not JSON: Unterminated string"),
        (b" " * 65_537, "exceeds 65536 bytes"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else None,
)
async def test_unreadable_body_is_told_what_and_where(
    client: Client, switch: ScriptedSwitch, data: bytes, error: str
) -> None:
    reply = await client.send(PURCHASE, data)
    assert reply.places() == ["body"]
    assert error in reply.body["detailMessage"][0]["error"]
    assert reply.body["id"] == "p1"
    assert reply.body["requestType"] == "TOKEN_PURCHASE_REQUEST"
    assert switch.commands == []


async def test_body_at_the_limits_is_read(client: Client) -> None:
    text = json.dumps(lookup_message(id="l1", deep=json.loads(nested(23)), quoted='\\"{[' * 99))
    reply = await client.send(f"{BASE}/meterLookups/l1", text.ljust(65_536))
    assert reply.status == 201


async def test_escaped_backslash_before_u0000_is_no_nul(client: Client) -> None:
    message = lookup_message(id="l1", note="\\u0000")
    assert (await client.send(f"{BASE}/meterLookups/l1", message)).status == 201


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
async def test_body_over_the_limit_is_not_read_to_its_end(client: Client, declared: bool) -> None:
    """The sender gets its answer while it still has most of its body to send."""
    url = client.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(url[0], int(url[1]))
    size = "Content-Length: 1000000000" if declared else "Transfer-Encoding: chunked"
    head = (
        f"POST {PURCHASE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: {basic(USER, PASSWORD)}\r\n{size}\r\n\r\n"
    )
    writer.write(head.encode())
    for _ in range(70):
        writer.write((b"400\r\n" if not declared else b"") + b" " * 1024)
        writer.write(b"\r\n" if not declared else b"")
    await writer.drain()
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert answer.startswith(b"HTTP/1.1 400 ")
    body = await asyncio.wait_for(reader.readuntil(b"}]}"), 10)
    assert b'"error":"exceeds 65536 bytes"' in body
    writer.close()


async def test_sender_of_a_large_body_reads_its_answer(client: Client) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(500):
            yield b" " * 1024

    reply = await client.send(PURCHASE, parts())
    assert reply.places() == ["body"]
    assert reply.headers["connection"] == "close"


async def test_rest_of_a_large_body_is_taken_until_the_connection_closes(client: Client) -> None:
    """Closing while the sender still sends would reset the connection, and the answer with it."""
    url = client.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(url[0], int(url[1]))
    head = (
        f"POST {PURCHASE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: {basic(USER, PASSWORD)}\r\nContent-Length: 500000\r\n\r\n"
    )
    writer.write(head.encode() + b" " * 100_000)
    await asyncio.wait_for(reader.readuntil(b"}]}"), 10)
    for _ in range(40):
        writer.write(b" " * 10_000)
        await writer.drain()
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_body_that_does_not_arrive_is_given_up(switch: ScriptedSwitch) -> None:
    async with channel_to(switch, settings(body_seconds=0.1)) as client:
        url = client.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(url[0], int(url[1]))
        head = (
            f"POST {PURCHASE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: {basic(USER, PASSWORD)}\r\nContent-Length: 9\r\n\r\n{{"
        )
        writer.write(head.encode())
        answer = await asyncio.wait_for(reader.readuntil(b"}]}"), 10)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"did not arrive in time" in answer
        writer.close()


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/xml", "application/jsonx", "json"]
)
async def test_wrong_content_type(client: Client, content_type: str | None) -> None:
    data = json.dumps(purchase_message(id="p1")).encode()
    reply = await client.send(PURCHASE, data, content_type=content_type)
    assert reply.places() == ["Content-Type"]


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "Application/JSON;v=3", "application/problem+json"],
)
async def test_content_type_with_parameters(client: Client, content_type: str) -> None:
    reply = await client.send(PURCHASE, purchase_message(id="p1"), content_type=content_type)
    assert reply.status == 201


async def test_compressed_body_is_refused(client: Client) -> None:
    reply = await client.send(PURCHASE, b"x", headers={"Content-Encoding": "gzip"})
    assert reply.places() == ["Content-Encoding"]


async def test_headers_over_the_limit(client: Client) -> None:
    reply = await client.send(
        PURCHASE,
        purchase_message(),
        headers={"X-Long": "x" * 7_000} | {"X-Longer": "x" * 7_000, "X-Longest": "x" * 7_000},
    )
    assert reply.places() == ["headers"]


async def test_sender_that_goes_away_before_its_message_is_whole(
    client: Client, switch: ScriptedSwitch
) -> None:
    url = client.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(url[0], int(url[1]))
    head = (
        f"POST {PURCHASE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: {basic(USER, PASSWORD)}\r\nContent-Length: 99\r\n\r\n{{"
    )
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await client.buy(purchase_message())).status == 201
    assert len(switch.commands) == 1
