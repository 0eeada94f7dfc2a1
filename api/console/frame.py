"""The frame of every page: header, navigation by role, light and dark."""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from nicegui import ui

from api.console.role import Permission
from api.console.session import Session

_STATIC = Path(__file__).parent / "static"
_HEAD = "".join(
    # With its checksum in the address a browser never shows a page with an older release's styles.
    f'<link rel="stylesheet" href="/console/static/{sheet.name}?{crc32(sheet.read_bytes()):08x}">'
    for sheet in sorted(_STATIC.glob("*.css"))
)

THEME_COOKIE = "ppu_theme"
_THEMES: dict[str | None, bool] = {"dark": True, "light": False}

_PAGES = (
    ("/", "Home", "home", Permission.VIEW),
    ("/transactions", "Transactions", "receipt_long", Permission.VIEW),
    ("/meters", "Meters", "speed", Permission.VIEW),
    ("/routing", "Routing preferences", "alt_route", Permission.VIEW),
    ("/providers", "Load balancer", "balance", Permission.VIEW),
    ("/queue", "In doubt and queue", "hourglass_top", Permission.VIEW),
    ("/finance", "Finance", "account_balance", Permission.FINANCE),
    ("/replay", "Replay", "history", Permission.VIEW),
    ("/audit", "Audit log", "fact_check", Permission.AUDIT),
)


@contextmanager
def frame(
    session: Session,
    title: str,
    path: str,
    theme: str | None,
    absent: Collection[str] = (),
) -> Generator[None]:
    """Header and navigation around what is built inside. `theme`: what the operator chose before;
    without a choice the browser's own counts. `absent`: addresses that lead nowhere here."""
    ui.add_head_html(_HEAD)
    ui.colors(primary="#0b5cad")
    dark = ui.dark_mode(_THEMES.get(theme))

    async def turn() -> None:
        chosen = "light" if await ui.run_javascript("Quasar.Dark.isActive") else "dark"
        dark.set_value(_THEMES[chosen])
        ui.run_javascript(
            f"document.cookie = '{THEME_COOKIE}={chosen}; path=/; max-age=31536000; samesite=lax'"
        )

    ui.html('<a class="skip" href="#content">Skip to content</a>', sanitize=False)
    with ui.header().classes("bar"), ui.row().classes("bar-row"):
        drawer_button = ui.button(icon="menu").props('flat round color=white aria-label="Menu"')
        ui.label("Prepaid utilities switch").classes("brand gt-xs")
        ui.space()
        ui.label(f"{session.operator} · {session.role.label}").classes("who")
        ui.button(icon="contrast", on_click=turn).props(
            'flat round color=white aria-label="Light or dark"'
        )
        with ui.element("form").props('method="post" action="/console/sign-out"'):
            ui.button("Sign out").props("type=submit flat color=white no-caps")
    # Not by NiceGUI's own asking the browser: its error fills the log when somebody leaves early.
    drawer = ui.left_drawer(value=False, bordered=True).classes("nav")
    with drawer.props("width=220 breakpoint=900 show-if-above"):
        ui.html(_navigation(session, path, absent), sanitize=False, tag="nav").props(
            'aria-label="Pages"'
        )
    drawer_button.on_click(drawer.toggle)
    with ui.column().classes("content").props("id=content role=main tabindex=-1"):
        ui.html(title, tag="h1", sanitize=True)
        yield


def _navigation(session: Session, path: str, absent: Collection[str]) -> str:
    here = "/" + path.split("/")[1]
    items = [
        f'<a href="{address}"{" aria-current=page" if address == here else ""}>'
        f'<i class="q-icon material-icons" aria-hidden="true">{icon}</i>{name}</a>'
        for address, name, icon, permission in _PAGES
        if session.may(permission) and address not in absent
    ]
    return "".join(items)
