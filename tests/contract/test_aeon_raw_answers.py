"""What the AEON adapter makes of answers that no simulator gives: raw bytes from a scripted server,
in the two steps of a sale."""

import asyncio

import msgspec
import pytest

from domain.exchange import (
    VendQuestion,
)
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome
from providers.config import Tls
from providers.protocols.aeon.errors import AEON_ERRORS
from providers.registry import build_adapter
from tests.aeon_port import (
    CONFIRMED,
    METER,
    REFERENCE,
    TOKEN,
    VEND,
    answer,
    ask,
    failed,
    in_turn,
    server,
    sold,
)
from tests.simulation import SHORT, utc_now


async def test_a_sale_with_nothing_but_what_is_needed() -> None:
    noted: list[str] = []

    async def note(handle: str) -> bool:
        noted.append(handle)
        return True

    reply = await ask(in_turn(CONFIRMED, sold()), note=note)
    assert reply.outcome is Outcome.APPROVED
    assert reply.sale is not None
    assert [token.digits for token in reply.sale.tokens] == [TOKEN]
    assert reply.sale.provider_reference == "T2"
    assert noted == ["T1"]
    assert len(reply.legs) == 2
    assert TOKEN not in repr(reply.legs)
    assert "4821" not in repr(reply.legs)


@pytest.mark.parametrize("code", [*sorted(AEON_ERRORS), "9/9999", "103/3", "", "4"])
async def test_every_code_on_the_selling_step(code: str) -> None:
    """Only codes that exclude a sale decline; everything else is asked about."""
    reply = await ask(in_turn(CONFIRMED, failed("GetVoucher", code)))
    assert reply.sale is None
    assert reply.failure is not None
    definite = code in AEON_ERRORS and AEON_ERRORS[code].definite
    assert reply.outcome is (Outcome.DECLINED if definite else Outcome.UNKNOWN)


@pytest.mark.parametrize("code", [*sorted(AEON_ERRORS), "9/9999", ""])
async def test_every_code_on_the_first_step(code: str) -> None:
    """Nothing was sold. A refusal of the meter or amount is final; else the next provider may."""
    reply = await ask(in_turn(failed("ConfirmMeter", code)))
    assert reply.outcome in (Outcome.DECLINED, Outcome.NOT_SENT)
    assert reply.failure is not None
    business = {
        ErrorType.UNKNOWN_METER_ID,
        ErrorType.METER_ID_BLOCKED,
        ErrorType.AMOUNT_TOO_LOW,
        ErrorType.AMOUNT_TOO_HIGH,
        ErrorType.NO_FREE_UNITS_DUE,
        ErrorType.FUNCTION_NOT_SUPPORTED,
    }
    final = reply.failure.error_type in business
    assert reply.outcome is (Outcome.DECLINED if final else Outcome.NOT_SENT)


UNUSABLE = [
    b"</response>",
    b"\xff\xfe<</response>",
    b"<response></response>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + CONFIRMED,
    answer("SoldVoucher", ""),
    answer("GetVoucher", ""),
    answer("ConfirmMeter", ""),
]


@pytest.mark.parametrize("received", [*UNUSABLE, sold()])
async def test_an_unusable_first_answer_sold_nothing(received: bytes) -> None:
    reply = await ask(in_turn(received))
    assert reply.outcome is Outcome.NOT_SENT
    assert reply.detail
    assert len(reply.legs) == 1


@pytest.mark.parametrize(
    "received",
    [
        *UNUSABLE,
        CONFIRMED,
        sold("Reprint"),
        sold(session="S2"),
        sold(reference="000000000008"),
        sold(meter="04257670466"),
        sold(rand="86.95"),
        sold(rand="1e3"),
        sold().replace(b"StdTokens", b"STSTokens"),
        sold().replace(b"1111222", b"111122x"),
        answer("GetVoucher", f"<TransRef>T2</TransRef><Reference>{REFERENCE}</Reference>"),
    ],
)
async def test_an_unusable_answer_to_the_selling_step_is_unknown(received: bytes) -> None:
    reply = await ask(in_turn(CONFIRMED, received))
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.detail
    assert (reply.sale, reply.failure) == (None, None)
    assert TOKEN not in repr(reply)


async def test_a_free_sale_without_a_token_is_unknown() -> None:
    bare = answer("GetVoucher", f"<TransRef>T2</TransRef><Reference>{REFERENCE}</Reference>")
    reply = await ask(in_turn(CONFIRMED, bare), VendQuestion(METER, Money(0)))
    assert reply.outcome is Outcome.UNKNOWN


async def test_a_socket_that_closes_between_the_steps_sold_nothing() -> None:
    """GetVoucher was never given to it, and that is known."""
    lines: list[str] = []

    async def script(line: str, writer: asyncio.StreamWriter) -> None:
        lines.append(line)
        writer.write(CONFIRMED)
        writer.close()

    async def note(_: str) -> bool:
        await asyncio.sleep(0.1)
        return True

    reply = await ask(script, note=note)
    assert reply.outcome is Outcome.NOT_SENT
    assert len(lines) == 1


async def test_bytes_that_nobody_asked_for_spoil_the_socket() -> None:
    """A second answer after the first could be read as the sale's."""
    lines: list[str] = []

    async def script(line: str, writer: asyncio.StreamWriter) -> None:
        lines.append(line)
        writer.write(CONFIRMED + sold())

    reply = await ask(script)
    assert reply.outcome is Outcome.NOT_SENT
    assert len(lines) == 1


async def test_bytes_that_come_while_the_handle_is_noted_spoil_the_socket() -> None:
    async def script(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(CONFIRMED)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(sold())

    async def note(_: str) -> bool:
        await asyncio.sleep(0.2)
        return True

    assert (await ask(script, note=note)).outcome is Outcome.NOT_SENT


async def test_white_space_between_answers_belongs_to_none() -> None:
    reply = await ask(in_turn(CONFIRMED + b"\r\n \n", b"\r\n" + sold()))
    assert reply.outcome is Outcome.APPROVED


async def test_an_answer_over_several_lines_and_in_many_pieces_is_read() -> None:
    async def script(line: str, writer: asyncio.StreamWriter) -> None:
        wire = CONFIRMED if "ConfirmMeter" in line else sold().replace(b"<data>", b"\n<data>\n")
        for byte in wire:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    assert (await ask(script)).outcome is Outcome.APPROVED


async def test_a_note_that_takes_too_long_leaves_no_time_to_sell() -> None:
    """A GetVoucher that is sent at the last moment ends in a time-out and an unknown sale."""
    lines: list[str] = []

    async def script(line: str, writer: asyncio.StreamWriter) -> None:
        lines.append(line)
        writer.write(CONFIRMED)

    async def note(_: str) -> bool:
        await asyncio.sleep(0.7)
        return True

    timeouts = msgspec.structs.replace(SHORT, vend=1.0)
    reply = await ask(script, note=note, timeouts=timeouts)
    assert (reply.outcome, len(lines)) == (Outcome.NOT_SENT, 1)
    assert "too little time" in (reply.detail or "")


@pytest.mark.parametrize("end", [b"", b"</response>"])
async def test_an_answer_that_is_too_long_is_unknown(end: bytes) -> None:
    reply = await ask(in_turn(CONFIRMED, b"x" * 5_000 + end), answer_bytes_max=4_096)
    assert reply.outcome is Outcome.UNKNOWN
    assert "longer than 4096 bytes" in (reply.detail or "")


async def test_a_port_without_tls_is_not_sent_where_tls_is_wanted() -> None:
    """Neither the PIN nor the meter goes out."""
    received: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append((await reader.read(65_536)).decode("latin-1"))
        writer.write(CONFIRMED)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server(in_turn()) as config:
        port = listening.sockets[0].getsockname()[1]
        config = msgspec.structs.replace(config, port=port, tls=Tls())
        adapter = build_adapter(config, utc_now)
        reply = await adapter.exchange(adapter.prepare(VEND, 7, utc_now()))
    listening.close()
    assert reply.outcome is Outcome.NOT_SENT
    assert len(received) == 1
    assert "4821" not in received[0]
    assert METER.number not in received[0]


async def test_each_question_has_a_socket_of_its_own() -> None:
    sockets: list[int] = []

    async def script(_: str, writer: asyncio.StreamWriter) -> None:
        sockets.append(id(writer))
        writer.write(CONFIRMED if len(sockets) % 2 else sold())

    async with server(script) as config:
        adapter = build_adapter(config, utc_now)
        for _ in range(2):
            await adapter.exchange(adapter.prepare(VEND, 7, utc_now()))
    first, second, third, fourth = sockets
    assert first == second
    assert third == fourth
