"""A page: who may see it, its frame, and what it does when something goes wrong."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from nicegui import Client, ui
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.console.command import Command
from api.console.desk import Desk
from api.console.frame import THEME_COOKIE, frame
from api.console.live import Live, Refresh, Subscription
from api.console.parts.export_limit import ExportLimit
from api.console.role import Permission
from api.console.routes import unavailable
from api.console.session import ForbiddenError, Session, Sessions, SignedOutError
from api.console.settings import ConsoleSettings
from api.console.templates import Templates
from api.console.text import Formats
from finance.doors import FinanceDoors
from projections.history import History
from projections.reading import Reading
from switch.ports import Clock
from switch.steer import ChangedMeanwhileError
from switch.streams import TooManyConflictsError

logger = logging.getLogger("api.console")


@dataclass(frozen=True)
class Console:
    """What pages are built with."""

    settings: ConsoleSettings
    sessions: Sessions
    desk: Desk
    reading: Reading
    history: History
    live: Live
    exports: ExportLimit
    formats: Formats
    templates: Templates
    clock: Clock
    patience: timedelta
    """After this an unknown outcome is asked for once a day, and an advice is given up."""
    finance: FinanceDoors | None = None
    """None where there are no reconciliation processes."""

    @property
    def absent(self) -> tuple[str, ...]:
        """Pages that there are not here."""
        return () if self.finance is not None else ("/finance",)


class View:
    """One page that one operator has open."""

    def __init__(
        self,
        console: Console,
        session: Session,
        request: Request,
        client: Client,
        seen: Mapping[str, int],
    ) -> None:
        self.console = console
        self.session = session
        self.request = request
        self.client = client
        self._seen = seen

    @property
    def seen(self) -> Mapping[str, int]:
        """How far each read model was before the page was built, by its name."""
        return self._seen

    @property
    def query(self) -> dict[str, str]:
        """The address's parameters; of one given twice the last counts."""
        return dict(self.request.query_params)

    def parameter(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def may(self, permission: Permission) -> bool:
        return self.session.may(permission)

    def render(self, template: str, **values: object) -> str:
        """A fragment, with `now` and `may` at hand."""
        return self.console.templates.render(
            template, now=self.console.clock(), may=self.session.may, P=Permission, **values
        )

    def html(self, template: str, **values: object) -> ui.html:
        """A fragment on the page; `set_content(view.render(...))` changes it."""
        return ui.html(self.render(template, **values), sanitize=False)

    def on_change(
        self, models: Collection[str], refresh: Refresh, every_seconds: float = 0.0
    ) -> None:
        """Calls `refresh` after any of the read models moved, at most every so often, for as long
        as the page is open."""

        async def refreshed() -> None:
            with self.client:
                try:
                    self.console.sessions.check(self.session)
                except SignedOutError:
                    # What happens now is no longer for them to see.
                    unsubscribe()
                    ui.navigate.to(sign_in_address(self.request))
                else:
                    await refresh()

        subscription = Subscription(
            models,
            refreshed,
            every_seconds,
            self._seen,
            connected=lambda: self.client.has_socket_connection,
        )
        unsubscribe = self.console.live.subscribe(subscription)
        self.client.on_delete(unsubscribe)  # pyright: ignore[reportUnknownMemberType]

    async def do(self, command: Command, done: str) -> bool:
        """Carries out a command of this page's; says `done`, or what was wrong. True if it was
        carried out."""
        if await self.carry_out(command) is None:
            return False
        ui.notify(done, type="positive")
        return True

    async def carry_out(self, command: Command) -> dict[str, Any] | None:
        """What a command of this page's gave back; None when it was not carried out, after saying
        what was wrong."""
        try:
            return await self.console.desk.do(self.session, command)
        except Exception as problem:
            said = problem_text(problem)
            if said is None:
                raise
            self.complain(said)
            return None

    def complain(self, text: str) -> None:
        """Says what went wrong, until it is closed."""
        ui.notify(text, type="negative", timeout=0, close_button="Close", multi_line=True)


def problem_text(problem: Exception) -> str | None:
    """What a failed command is called for a person; None for what nobody expected."""
    match problem:
        case SignedOutError():
            return "Your session has ended: sign in again. Nothing was changed."
        case ForbiddenError():
            return f"Not allowed: {problem}. Nothing was changed."
        case ChangedMeanwhileError():
            return f"{problem}: reload, look again, and repeat it if it is still wanted."
        case ValidationError():
            return "; ".join(str(e["msg"]) for e in problem.errors())
        case TooManyConflictsError():
            return "It could not be kept, so nothing was changed. Try again."
        case ValueError():
            return str(problem)
        case _ if unavailable(problem):
            return "The ledger does not answer: look again before you repeat it."
        case _:
            return None


Build = Callable[[View], Awaitable[None]]


def add_page(
    console: Console,
    path: str,
    title: str,
    build: Build,
    permission: Permission = Permission.VIEW,
) -> None:
    """Serves `build` at `path` inside the frame, for those who may."""

    async def shown(request: Request, client: Client) -> Response | None:
        session = console.sessions.of(request)
        if session is None:
            return RedirectResponse(sign_in_address(request), 303)
        if not session.may(permission):
            return _forbidden(console, session)
        theme = request.cookies.get(THEME_COOKIE)
        with frame(session, title, request.url.path, theme, console.absent):
            try:
                seen = await console.reading.positions()
                await build(View(console, session, request, client, seen))
            except Exception as problem:
                if not unavailable(problem):
                    logger.exception("page %s failed", path)
                problem_page = console.templates.render("problem.html", address=_address(request))
                ui.html(problem_page, sanitize=False)
        return None

    ui.page(path, title=f"{title} · Prepaid utilities switch", response_timeout=30)(shown)


def sign_in_address(request: Request) -> str:
    """Where to sign in, to come back to this page."""
    return f"/sign-in?next={quote(_address(request), safe='')}"


def _address(request: Request) -> str:
    query = urlencode(request.query_params.multi_items())
    return request.url.path + (f"?{query}" if query else "")


def _forbidden(console: Console, session: Session) -> Response:
    return HTMLResponse(
        console.templates.render("forbidden.html", role=session.role.label), status_code=403
    )
