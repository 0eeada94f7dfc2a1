"""The console over plain HTTP: sign-in, sign-out, commands, styles. For pages see page.py.

A command answers 200 with what was done, 401 without a session, 403 where the role doesn't allow
it, 409 where somebody else changed it meanwhile, 413, 415 and 422 for a body that is none, 503
where it could not be kept. Bodies are JSON only, and the session's cookie is never sent from
another site, so no foreign page can give a command.
"""

import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from api.console.command import Command
from api.console.commands.catalogue import COMMANDS
from api.console.desk import Desk
from api.console.parts.export_limit import TooManyExportsError
from api.console.password import Passwords, TooManyWaitingError
from api.console.session import ForbiddenError, Sessions, SignedOutError, address_of
from api.console.settings import ConsoleSettings
from domain.operator import Actor
from finance.approval import SameOperatorError
from switch.operate import Operating
from switch.steer import ChangedMeanwhileError
from switch.streams import TooManyConflictsError

logger = logging.getLogger("api.console")

ROOT = "/console"
STATIC = Path(__file__).parent / "static"


class TooLargeBodyError(Exception):
    """The body is larger than the settings allow."""


async def body_of(request: Request, limit: int) -> bytes:
    """The request's body. Raises TooLargeBodyError as soon as it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLargeBodyError
    return bytes(body)


def error(status: int, message: str, details: list[dict[str, str]] | None = None) -> JSONResponse:
    """An error as every command answers it."""
    content: dict[str, Any] = {"error": message}
    if details:
        content["details"] = details
    return JSONResponse(content, status)


class ConsoleRoutes:
    """The routes."""

    def __init__(
        self,
        settings: ConsoleSettings,
        sessions: Sessions,
        passwords: Passwords,
        desk: Desk,
        operating: Operating,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._passwords = passwords
        self._desk = desk
        self._operating = operating

    def routes(self) -> list[BaseRoute]:
        """All of them, to be put before the pages."""
        return [
            Route(f"{ROOT}/sign-in", self._sign_in, methods=["POST"]),
            Route(f"{ROOT}/sign-out", self._sign_out, methods=["POST"]),
            Mount(f"{ROOT}/static", StaticFiles(directory=STATIC)),
            *(
                Route(f"{ROOT}/{command.path}", self._endpoint(command), methods=["POST"])
                for command in COMMANDS
            ),
        ]

    async def _sign_in(self, request: Request) -> Response:
        try:
            form = parse_qs((await body_of(request, self._settings.body_bytes_max)).decode())
        except (TooLargeBodyError, UnicodeDecodeError, ValueError):
            return error(422, "not a sign-in form")
        name = form.get("name", [""])[0].strip()
        password = form.get("password", [""])[0]
        target = safe_target(form.get("next", ["/"])[0])
        user = self._settings.users.get(name)
        actor = Actor(name, user.role.value if user else "", address_of(request))
        try:
            right = await self._passwords.right(name, password)
        except TooManyWaitingError:
            return _back("busy", target)
        if not right:
            if user is not None:
                await self._operating.sign_in_refused(actor)
            return _back("wrong", target)
        await self._operating.signed_in(actor)
        response = RedirectResponse(target, 303)
        self._sessions.begin(response, name)
        return response

    async def _sign_out(self, request: Request) -> Response:
        session = self._sessions.of(request)
        response = RedirectResponse("/sign-in", 303)
        if session is not None:
            await self._operating.signed_out(session.actor())
            self._sessions.end(response)
        return response

    def _endpoint(self, kind: type[Command]) -> Any:  # noqa: ANN401 (an ASGI endpoint)
        async def endpoint(request: Request) -> Response:
            session = self._sessions.of(request)
            if session is None:
                return error(401, "sign in at /sign-in")
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                return error(415, "the body must be application/json")
            try:
                # The role is looked at first: who may not do it learns nothing about how it is
                # asked for.
                await self._desk.admit(session, kind)
                body = await body_of(request, kind.body_bytes_max(self._settings))
                done = await self._desk.do(session, kind.model_validate_json(body))
            except Exception as problem:
                answer = answer_to(problem)
                if answer is None:
                    raise
                return answer
            return JSONResponse(done)

        return endpoint


def answer_to(problem: Exception) -> JSONResponse | None:
    """What a failed command is answered; None for what nobody expected."""
    match problem:
        case SignedOutError():
            return error(401, "sign in at /sign-in")
        case ForbiddenError() | SameOperatorError():
            return error(403, str(problem))
        case TooLargeBodyError():
            return error(413, "the body is too large")
        case TooManyExportsError():
            return error(503, "too many exports are under way: try again in a minute")
        case ChangedMeanwhileError():
            return error(409, str(problem))
        case ValidationError():
            details = [
                {"where": ".".join(map(str, e["loc"])), "what": e["msg"]} for e in problem.errors()
            ]
            return error(422, "the body is not what this command takes", details)
        case ValueError():
            return error(422, str(problem))
        case TooManyConflictsError():
            return error(503, "it could not be kept; nothing was changed")
        case _ if unavailable(problem):
            return error(503, "the ledger does not answer; look again before you repeat it")
        case _:
            return None


def unavailable(problem: Exception) -> bool:
    """Whether the ledger or the read models are away."""
    return type(problem).__module__.startswith(("ledger.", "psycopg"))


def _back(why: str, target: str) -> Response:
    return RedirectResponse(f"/sign-in?problem={why}&next={quote(target, safe='')}", 303)


def safe_target(target: str) -> str:
    """A path of this site to go on to, else the home page."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and not any(c in target for c in "\r\n\t") else "/"
