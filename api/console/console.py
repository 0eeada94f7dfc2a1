"""The console put together: its routes and pages, added to the web application."""

from fastapi import FastAPI
from nicegui import ui
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from api.console.command import Doors
from api.console.desk import Desk
from api.console.live import Live
from api.console.page import Console, add_page
from api.console.pages import transactions
from api.console.password import Passwords
from api.console.routes import ConsoleRoutes, safe_target
from api.console.session import Sessions
from api.console.settings import ConsoleSettings
from api.console.templates import Templates
from api.console.text import Formats
from projections.history import History
from projections.reading import Reading
from switch.operate import Operating
from switch.ports import Clock
from switch.steer import Steering


def build_console(
    settings: ConsoleSettings,
    *,
    steering: Steering,
    operating: Operating,
    reading: Reading,
    history: History,
    clock: Clock,
) -> Console:
    """What the pages are built with."""
    sessions = Sessions(settings, clock)
    formats = Formats(settings.time_zone)
    return Console(
        settings=settings,
        sessions=sessions,
        desk=Desk(Doors(steering, operating), sessions),
        reading=reading,
        history=history,
        live=Live(reading, settings.live_seconds),
        formats=formats,
        templates=Templates(formats),
        clock=clock,
    )


def add_console(app: FastAPI, console: Console, operating: Operating, hint: str = "") -> None:
    """Serves the console at every path of `app` that is not taken. The application must be served
    with its lifespan on. `hint` is shown at the sign-in."""
    passwords = Passwords(console.settings)
    routes = ConsoleRoutes(console.settings, console.sessions, passwords, console.desk, operating)

    async def sign_in(request: Request) -> Response:
        target = safe_target(request.query_params.get("next", "/"))
        if console.sessions.of(request) is not None:
            return RedirectResponse(target, 303)
        problem = request.query_params.get("problem", "")
        page = console.templates.render("sign_in.html", problem=problem, target=target, hint=hint)
        return HTMLResponse(page)

    app.router.routes.extend([*routes.routes(), Route("/sign-in", sign_in)])
    add_page(console, "/transactions", "Transactions", transactions.build)
    # dark=None follows the browser's own choice until the operator makes one.
    ui.run_with(  # pyright: ignore[reportUnknownMemberType]
        app, dark=None, tailwind=False, show_welcome_message=False
    )
