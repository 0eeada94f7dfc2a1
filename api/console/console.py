"""The console put together: its routes and pages, added to the web application."""

from fastapi import FastAPI
from nicegui import ui
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from api.console.audit import page as audit
from api.console.audit.export import export_routes
from api.console.command import Doors
from api.console.desk import Desk
from api.console.finance.pages import add_finance_pages, finance_routes
from api.console.home import page as home
from api.console.live import Live
from api.console.meters import meter
from api.console.meters import page as meters
from api.console.page import Console, add_page
from api.console.parts.export_limit import ExportLimit
from api.console.password import Passwords
from api.console.providers import page as providers
from api.console.providers import provider
from api.console.queue import page as queue
from api.console.replay import page as replay
from api.console.role import Permission
from api.console.routes import ConsoleRoutes, safe_target
from api.console.routing import page as routing
from api.console.routing.preferences_export import routes as preferences_files
from api.console.session import Sessions
from api.console.settings import ConsoleSettings
from api.console.templates import Templates
from api.console.text import Formats
from api.console.transaction import page as transaction
from api.console.transactions import page as transactions
from api.console.transactions.export import routes as transaction_files
from finance.doors import FinanceDoors
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
    finance: FinanceDoors | None = None,
) -> Console:
    """What the pages are built with; without `finance` it has no pages of it."""
    sessions = Sessions(settings, clock)
    formats = Formats(settings.time_zone)
    return Console(
        settings=settings,
        sessions=sessions,
        desk=Desk(Doors(steering, operating, finance), sessions),
        reading=reading,
        history=history,
        live=Live(reading, settings.live_seconds),
        exports=ExportLimit(settings.exports_at_once_max),
        formats=formats,
        templates=Templates(formats),
        clock=clock,
        patience=operating.patience,
        finance=finance,
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

    app.router.routes.extend(
        [
            *routes.routes(),
            *export_routes(console),
            *transaction_files(console),
            *preferences_files(console),
            *finance_routes(console),
            Route("/sign-in", sign_in),
        ]
    )
    add_page(console, "/queue", "In doubt and queue", queue.build)
    add_page(console, "/audit", "Audit log", audit.build, Permission.AUDIT)
    add_page(console, "/meters", "Meters", meters.build)
    add_page(console, "/meters/{number}", "Meter", meter.build)
    add_page(console, "/transactions", "Transactions", transactions.build)
    add_page(console, "/transactions/{message_id}", "Transaction", transaction.build)
    add_page(console, "/replay", "Replay", replay.build)
    add_page(console, "/", "Home", home.build)
    add_page(console, "/routing", "Routing preferences", routing.page(console))
    add_page(console, "/providers", "Load balancer", providers.build)
    add_page(console, "/providers/{provider}", "Provider", provider.build)
    add_finance_pages(console)
    # dark=None follows the browser's own choice until the operator makes one.
    ui.run_with(  # pyright: ignore[reportUnknownMemberType]
        app, dark=None, tailwind=False, show_welcome_message=False
    )
