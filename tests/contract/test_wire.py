"""The bytes around a message on the wire, read and written by hand: lengths, lines, and how a
network splits them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from domain.exchange import VendQuestion
from domain.money import Money
from domain.outcome import Outcome
from domain.sale import MeterDetail
from providers.config import Credentials, ProtocolName, ProviderConfig
from providers.protocols.ipaymsg import CustInfoReq, CustInfoRes, IpayMessage, decode, encode
from providers.protocols.ipaymsg.frames import FRAME_BYTES_MAX
from providers.registry import build_adapter
from tests.simulation import PLAIN, SHORT, every_provider_fleet, simulators, utc_now

ANSWER_SECONDS_MAX = 10.0
METER = MeterDetail(PLAIN)


@asynccontextmanager
async def listening() -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A port that notes what comes first on each connection, and closes it."""
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4 * FRAME_BYTES_MAX))
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], heard


async def sent(
    protocol: ProtocolName, question: VendQuestion
) -> tuple[bytes, list[bytes], Outcome]:
    """What was prepared for `question`, what came out of the socket, and how it ended."""
    async with listening() as (port, heard):
        config = ProviderConfig(
            id="p",
            name="P",
            protocol=protocol,
            host="127.0.0.1",
            port=port,
            timeouts=SHORT,
            credentials=Credentials(password="4821"),
        )
        adapter = build_adapter(config, utc_now)
        prepared = adapter.prepare(question, 7, utc_now())
        reply = await adapter.exchange(prepared)
        await adapter.close()
    return prepared.wire, heard, reply.outcome


async def test_an_ipay_message_goes_out_behind_two_bytes_of_length() -> None:
    wire, heard, outcome = await sent("ipaymsg", VendQuestion(METER, Money(10_000)))
    assert heard == [bytes([len(wire) // 256, len(wire) % 256]) + wire]
    assert outcome is Outcome.UNKNOWN


async def test_an_aeon_message_goes_out_as_one_line() -> None:
    wire, heard, outcome = await sent("aeon", VendQuestion(METER, Money(10_000)))
    assert heard == [wire]
    assert wire.endswith(b"</request>\n")
    assert wire.count(b"\n") == 1
    assert outcome is Outcome.NOT_SENT


async def test_a_message_that_no_length_can_say_is_not_sent() -> None:
    meter = MeterDetail("1" * FRAME_BYTES_MAX)
    wire, heard, outcome = await sent("ipaymsg", VendQuestion(meter, Money(10_000)))
    assert len(wire) > FRAME_BYTES_MAX
    assert (heard, outcome) == ([], Outcome.NOT_SENT)


# What the iPay simulator reads


def asking(number: int) -> bytes:
    """A lookup in its frame, the length written by hand."""
    message = IpayMessage(
        client="C",
        terminal="00001",
        sequence=str(number),
        at=datetime(2025, 7, 1, tzinfo=UTC),
        body=CustInfoReq(ref=f"{number:012d}", meter=PLAIN),
    )
    payload = encode(message)
    return bytes([len(payload) // 256, len(payload) % 256]) + payload


async def answers(pieces: list[bytes], count: int) -> list[str]:
    """The references of the answers to what goes out in these packets."""
    async with simulators(every_provider_fleet()) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.ports["ipay"])
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        told: list[str] = []
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            for _ in range(count):
                length = int.from_bytes(await reader.readexactly(2), "big")
                body = decode(await reader.readexactly(length)).body
                assert isinstance(body, CustInfoRes)
                told.append(body.ref)
        writer.close()
    return told


@pytest.mark.parametrize("cut", [1, 2, 3, 50])
async def test_a_length_or_message_in_two_packets_is_read(cut: int) -> None:
    wire = asking(1)
    assert await answers([wire[:cut], wire[cut:]], 1) == ["000000000001"]


async def test_two_messages_in_one_packet_are_both_answered() -> None:
    wire = asking(1) + asking(2)
    told = await answers([wire[:-5], wire[-5:]], 2)
    assert told == ["000000000001", "000000000002"]


@pytest.mark.parametrize(
    "wire", [b"\x00\x00", b"\x00\x00" + asking(1), b"\x00\x01<", b"\x00\x04<a/>"]
)
async def test_what_is_no_message_ends_the_connection_without_an_answer(wire: bytes) -> None:
    with pytest.raises(asyncio.IncompleteReadError) as ended:
        await answers([wire], 1)
    assert ended.value.partial == b""
