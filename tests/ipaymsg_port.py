"""A scripted ipayMsg provider, over either transport: raw bytes that no simulator gives."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from domain.exchange import Original, Question, RecoverQuestion, Reply, VendQuestion
from domain.money import Money
from domain.provider import Capabilities
from domain.sale import MeterDetail
from providers.adapter import Prepared
from providers.config import ProviderConfig
from providers.protocols.ipaymsg.frames import Deframer, frame
from providers.registry import build_adapter
from tests.simulation import SHORT, utc_now

METER = MeterDetail("04257670465")
VEND = VendQuestion(METER, Money(10_000))
ORIGINAL = Original("000000000990", utc_now(), Money(10_000), 0, utc_now())
RECOVER = RecoverQuestion(METER, ORIGINAL)
EVERYTHING = Capabilities(
    confirm=True, reverse=True, trial=True, reprint=True, fault_report=True, key_change=True
)

Answering = Callable[[bytes], bytes | None]
"""The payload that answers one; None closes the connection."""
Script = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def tcp(script: Script) -> AsyncGenerator[ProviderConfig]:
    """A port that treats each request frame as `script` says."""

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
            capabilities=EVERYTHING,
        )
    finally:
        server.close()
        await asyncio.gather(*filter(None, handlers), return_exceptions=True)


@asynccontextmanager
async def http(handler: Handler) -> AsyncGenerator[ProviderConfig]:
    """A port that answers each POST as `handler` says."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        yield ProviderConfig(
            id="ontec",
            name="Ontec",
            protocol="ipaymsg_http",
            url=f"http://127.0.0.1:{port}/ipaymsg",
            timeouts=SHORT,
            capabilities=EVERYTHING,
        )
    finally:
        await runner.cleanup()


@asynccontextmanager
async def port(protocol: str, answering: Answering) -> AsyncGenerator[ProviderConfig]:
    """A provider that answers as `answering` says, whatever it is spoken to over."""

    async def script(payload: bytes, writer: asyncio.StreamWriter) -> None:
        answer = answering(payload)
        if answer is None:
            writer.close()
        else:
            writer.write(frame(answer))

    async def handler(request: web.Request) -> web.Response:
        answer = answering(await request.read())
        if answer is None and request.transport is not None:
            request.transport.close()
        return web.Response(body=answer, content_type="application/xml")

    async with tcp(script) if protocol == "ipaymsg" else http(handler) as config:
        yield config


async def exchange(config: ProviderConfig, question: Question = VEND) -> tuple[Prepared, Reply]:
    adapter = build_adapter(config, utc_now)
    try:
        prepared = adapter.prepare(question, 7, utc_now())
        return prepared, await adapter.exchange(prepared)
    finally:
        await adapter.close()


async def http_reply(status: int, body: bytes, question: Question = VEND) -> Reply:
    """The reply where the web server answers so."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    async with http(handler) as config:
        return (await exchange(config, question))[1]


async def answered(protocol: str, payload: bytes | None, question: Question = VEND) -> Reply:
    """The reply where the provider answers `payload`."""
    async with port(protocol, lambda _: payload) as config:
        return (await exchange(config, question))[1]


def message(body: str, sequence: str = "70") -> bytes:
    """An answer to question 7, whose reference is 000000000070."""
    return (
        f'<ipayMsg client="C" term="1" seqNum="{sequence}" time="2025-07-01 09:30:00 +0200">'
        f'<elecMsg ver="2.44">{body}</elecMsg></ipayMsg>'
    ).encode()


def vend_res(code: str = "elec000", ref: str = "000000000070", inner: str = "") -> str:
    return f'<vendRes><ref>{ref}</ref><res code="{code}">words</res>{inner}</vendRes>'


def result(name: str, code: str, inner: str = "", attributes: str = "") -> bytes:
    """Any other answer to question 7."""
    parts = f'<ref>000000000070</ref><res code="{code}">words</res>{inner}'
    return message(f"<{name}{attributes}>{parts}</{name}>")


DIGITS = "11112222333344445555"
TOKEN = f'<stdToken units="1.0" amt="8696" tax="1304" rctNum="R1">{DIGITS}</stdToken>'
