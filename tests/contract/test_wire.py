"""Bytes on the wire, where no message and no codec is looked at: framing in both directions, and
XML that would fetch or declare something."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web

from domain.exchange import Reply, VendQuestion
from domain.money import Money
from domain.outcome import Outcome
from domain.sale import MeterDetail
from providers.protocols.aeon import decode_response as decode_aeon
from providers.protocols.aeon_messages import AeonError
from providers.protocols.frames import FRAME_BYTES_MAX, frame
from providers.protocols.ipaymsg import CustInfoReq, CustInfoRes, IpayMessage, decode, encode
from providers.registry import build_adapter
from tests import aeon_port, ipaymsg_port
from tests.contract import test_provider_raw_answers as xmlvend_port
from tests.simulation import PLAIN, every_provider_fleet, simulators, utc_now
from tests.unit.test_provider_golden_messages import SALE, soap

LISTEN_SECONDS = 5.0
PREFIX_BYTES = 2


@asynccontextmanager
async def heard() -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A port that notes the first piece of every connection and closes."""
    pieces: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pieces.append(await reader.read(2 * FRAME_BYTES_MAX))
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], pieces


# What the adapters write


async def test_an_ipay_message_goes_out_behind_its_length() -> None:
    async with ipaymsg_port.tcp(_nothing) as config, heard() as (port, pieces):
        config = config.__replace__(port=port) if False else _at(config, port)
        prepared, reply = await ipaymsg_port.exchange(config)
    length = len(prepared.wire)
    assert pieces == [bytes([length // 256, length % 256]) + prepared.wire]
    assert reply.outcome is Outcome.UNKNOWN


async def _nothing(_: bytes, __: asyncio.StreamWriter) -> None: ...
