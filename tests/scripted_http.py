"""An HTTP provider whose every answer a test writes down, over a real socket."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

Handler = Callable[["Asked"], "Awaitable[Said] | Said"]


class Asked(msgspec.Struct, frozen=True):
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        return msgspec.json.decode(self.body, type=dict[str, object])


class Said(msgspec.Struct, frozen=True):
    """One answer; a `status` of 0 drops the connection instead."""

    body: bytes | Mapping[str, object] = b""
    status: int = 200


class ScriptedHttp:
    """`asked` holds every request, in order; `url` is where it listens."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.asked: list[Asked] = []
        self.url = ""

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    async def receive(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(
            request.method,
            request.path,
            dict(request.query),
            dict(request.headers),
            await request.read(),
        )
        self.asked.append(asked)
        said = self._handler(asked)
        if not isinstance(said, Said):
            said = await said
        if said.status == 0:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        body = said.body if isinstance(said.body, bytes) else msgspec.json.encode(said.body)
        return web.Response(status=said.status, body=body, content_type="application/json")


@asynccontextmanager
async def scripted_http(handler: Handler) -> AsyncGenerator[ScriptedHttp]:
    """Serves until the block ends."""
    scripted = ScriptedHttp(handler)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", scripted.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    scripted.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield scripted
    finally:
        await runner.cleanup()
