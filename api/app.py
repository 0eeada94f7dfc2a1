"""The web application: the channel interface, its OpenAPI document and the health checks."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api.channel import noop, openapi
from api.channel.channel import Channel
from api.channel.intake import Intake
from api.channel.port import SwitchPort
from api.channel.settings import ChannelSettings
from api.operations.health import health_router

DISTRIBUTION = "prepaid-utilities-switch"
# Above BASE, so that a wrong version of the interface gets the interface's own error too.
CHANNEL_ROOT = "/prepaidutility"

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class _ChannelDoor:
    """Hands everything below CHANNEL_ROOT to the channel interface before any routing: the
    framework's routes do not match every path (one with a line break in it, for one), and every
    error below the root has to be the interface's own."""

    def __init__(self, app: ASGIApp, channel: Channel) -> None:
        self._app = app
        self._channel = channel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] == "http" and (path + "/").startswith(CHANNEL_ROOT + "/"):
            await self._channel(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def create_app(
    switch: SwitchPort,
    settings: ChannelSettings,
    *,
    lifespan: Lifespan | None = None,
    include_noop: bool = False,
) -> FastAPI:
    """The application for `switch`.

    `lifespan` starts and stops what the switch needs. `include_noop` adds what
    noop.py describes. More
    routers may be added to what is returned; /prepaidutility, /health and /openapi.json are
    taken. No documentation page is served: it would load its scripts from elsewhere."""
    number = version(DISTRIBUTION)
    app = FastAPI(
        title="Prepaid utilities switch",
        version=number,
        lifespan=lifespan,
        # Our own document is served instead of one made from routes.
        openapi_url=None,
        redirect_slashes=False,
    )
    document = json.dumps(openapi.document(settings.retry_status, number)).encode()

    async def openapi_document(_: Request) -> Response:
        return Response(document, media_type="application/json")

    app.add_route("/openapi.json", openapi_document, include_in_schema=False)
    intake = Intake(settings)
    app.add_middleware(_ChannelDoor, channel=Channel(switch, intake, settings))
    if include_noop:
        app.router.routes.append(Route(noop.PATH, noop.Noop(intake, settings)))
        app.include_router(noop.ordinary_router(intake))
    app.include_router(health_router(switch))
    return app
