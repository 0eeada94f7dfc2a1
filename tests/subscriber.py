"""A subscriber on a real socket: keeps what it is sent, and answers what a test scripts."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

SECRET = "a secret between the two of us"


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 (messages are any JSON)
        return json.loads(self.body)


@dataclass
class SubscriberServer:
    """`statuses` are answered in turn, the last one from then on; None: no answer at all, and the
    connection is dropped. While `hold` is not set, nobody is answered."""

    statuses: list[int | None] = field(default_factory=lambda: [202])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    answer: bytes = b""
    hold: asyncio.Event | None = None
    received: list[Received] = field(default_factory=list[Received])
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.received.append(
            Received(
                request.method,
                request.path,
                dict(request.query),
                {name.lower(): value for name, value in request.headers.items()},
                await request.read(),
            )
        )
        if self.hold is not None:
            await self.hold.wait()
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=status, headers=self.headers, body=self.answer)


@asynccontextmanager
async def served(subscriber: SubscriberServer) -> AsyncGenerator[SubscriberServer]:
    """Listens, on the port that it had before if it had one."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", subscriber.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", subscriber.port, reuse_address=True)
    await site.start()
    subscriber.port = runner.addresses[0][1]
    try:
        yield subscriber
    finally:
        if subscriber.hold is not None:
            subscriber.hold.set()
        await runner.cleanup()
