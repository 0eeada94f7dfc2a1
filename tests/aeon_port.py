"""A scripted AEON port, and the lines that it may answer with.

A script sees the lines of one socket; a sale is ConfirmMeter, then GetVoucher."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from domain.exchange import (
    Original,
    Question,
    Reply,
    VendQuestion,
)
from domain.money import Money
from domain.sale import MeterDetail
from providers.adapter import Note, unnoted
from providers.config import Credentials, ProviderConfig, Timeouts
from providers.registry import build_adapter
from tests.simulation import SHORT, utc_now

METER = MeterDetail("04257670465")
VEND = VendQuestion(METER, Money(10_000))
REFERENCE = "000000000007"
"""Of the question that `ask` puts."""
ORIGINAL = Original(
    reference="000000000003",
    asked_at=utc_now(),
    amount=Money(10_000),
    attempt=0,
    first_attempt_at=utc_now(),
    handle="T1",
    provider_reference="T2",
)
TOKEN = "11112222333344445555"

Script = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(script: Script, timeouts: Timeouts = SHORT) -> AsyncGenerator[ProviderConfig]:
    """An AEON port that treats each line as `script` says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        while line := await reader.readline():
            await script(line.decode(), writer)
        writer.close()
        await writer.wait_closed()

    handlers: set[asyncio.Task[None] | None] = set()
    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield ProviderConfig(
            id="bluelabel",
            name="Blue Label Telecoms",
            protocol="aeon",
            host="127.0.0.1",
            port=listening.sockets[0].getsockname()[1],
            timeouts=timeouts,
            credentials=Credentials(client="SHOP7", terminal="SER9", password="4821"),
        )
    finally:
        listening.close()
        await asyncio.gather(*filter(None, handlers), return_exceptions=True)


async def ask(
    script: Script,
    question: Question = VEND,
    *,
    note: Note = unnoted,
    timeouts: Timeouts = SHORT,
    **replaced: object,
) -> Reply:
    async with server(script, timeouts) as config:
        adapter = build_adapter(msgspec.structs.replace(config, **replaced), utc_now)
        try:
            return await adapter.exchange(adapter.prepare(question, 7, utc_now()), note)
        finally:
            await adapter.close()


def answer(event: str, data: str, code: str = "0", session: str = "S1") -> bytes:
    return (
        f"<response><SessionId>{session}</SessionId><EventType>{event}</EventType>"
        f"<event><EventCode>{code}</EventCode></event><data>{data}</data></response>\n"
    ).encode()


def failed(event: str, code: str) -> bytes:
    error, _, aeon = code.partition("/")
    codes = f"<ErrorCode>{error}</ErrorCode><AeonErrorCode>{aeon}</AeonErrorCode>"
    return answer(event, f"{codes}<AeonErrorText>words</AeonErrorText>", code=error or "1")


CONFIRMED = answer("ConfirmMeter", "<TransRef>T1</TransRef>")


def sold(
    event: str = "GetVoucher",
    *,
    reference: str = REFERENCE,
    meter: str = METER.number,
    rand: str = "86.96",
    session: str = "S1",
) -> bytes:
    return answer(
        event,
        f"<TransRef>T2</TransRef><Reference>{reference}</Reference>"
        f"<Meter><MeterNum>{meter}</MeterNum></Meter><StdTokens><StdToken><Token>{TOKEN}</Token>"
        f"<Units>43.4</Units><Amount>{rand}</Amount><Tax>13.04</Tax></StdToken></StdTokens>",
        session=session,
    )


def in_turn(*answers: bytes) -> Script:
    """Answers the lines of each socket one after the other."""
    left = list(answers)

    async def script(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0))

    return script
