"""Routing preferences: utilities, their providers in the order in which they are used."""

from collections.abc import Sequence
from json import dumps
from typing import Any
from urllib.parse import urlencode

from nicegui import events, ui

from api.console.page import Build, Console, View
from api.console.parts.steady import keep_focus
from api.console.role import Permission
from api.console.routing.editor import PreferencesEditor
from api.console.routing.upload import PreferencesUpload
from projections.keyset import Page
from projections.routing_search import (
    SEARCH_CHARACTERS_MAX,
    Place,
    UtilityRow,
    utilities,
    utilities_cursor,
    utility_row,
)
from projections.routing_traffic import RoutingTraffic

COUNTS_SECONDS = 5.0
"""How often counts of meters are brought up to date on an open page."""
_NOTHING: Page[UtilityRow] = Page([], None, None)

# A row opens and closes at once; the server is told so that it stays so when the list is redrawn.
_PRESSED = """(event) => {
    const button = event.target.closest("button[data-do]");
    if (!button) return;
    if (button.dataset.do === "expand") {
        const open = button.getAttribute("aria-expanded") !== "true";
        button.setAttribute("aria-expanded", open);
        document.getElementById("more-" + button.dataset.of).hidden = !open;
        emit(open ? "open" : "close", button.dataset.of);
    } else emit(button.dataset.do, button.dataset.of);
}"""


def page(console: Console) -> Build:
    """The page's builder. Previews of all its pages take turns."""
    traffic = RoutingTraffic(console.reading, console.history)

    async def build(view: View) -> None:
        await _List(view, traffic).show()

    return build


class _List:
    """What the address asks for: search, page, and the rows that are open."""

    def __init__(self, view: View, traffic: RoutingTraffic) -> None:
        query = view.query
        self._view = view
        self._traffic = traffic
        self._search = query.get("search", "").strip()
        self._marks = {name: query[name] for name in ("after", "before") if query.get(name)}
        opened = query.get("open", "").split(",")
        self._open = dict.fromkeys(opened[: view.console.settings.page_rows])
        self._open.pop("", None)

    async def show(self) -> None:
        """Builds the page."""
        view = self._view
        with ui.element("div").classes("routing-top"):
            view.html(
                "routing_search.html", search=self._search, characters_max=SEARCH_CHARACTERS_MAX
            )
            self._files()
        self._shown = ui.html(await self._rendered(), sanitize=False)
        self._shown.on(  # pyright: ignore[reportUnknownMemberType]
            "click", self._pressed, js_handler=_PRESSED
        )
        keep_focus(self._shown)

        async def refresh() -> None:
            self._shown.set_content(await self._rendered())

        view.on_change(["routing_preferences"], refresh)
        view.on_change(["contract_table", "provider_health"], refresh, COUNTS_SECONDS)

    def _files(self) -> None:
        view = self._view
        with ui.row().classes("routing-files items-center"):
            if view.may(Permission.EXPORT):
                ui.link("Download preferences", "/routing/export.csv")
            if view.may(Permission.STEER_ROUTING):
                upload = ui.button("Upload a file", on_click=lambda: PreferencesUpload(view))
                upload.props("outline no-caps")

    def _address(self, **more: str) -> str:
        parameters = {"search": self._search, "open": ",".join(self._open), **more}
        given = {name: value for name, value in parameters.items() if value}
        return "/routing" + (f"?{urlencode(given)}" if given else "")

    async def _page(self) -> Page[UtilityRow]:
        cursor = None
        for name, mark in self._marks.items():
            try:
                cursor = utilities_cursor(mark, back=name == "before")
            except ValueError:
                raise ValueError("The page in the address is none.") from None
        return await utilities(
            self._view.console.reading,
            self._search,
            cursor=cursor,
            limit=self._view.console.settings.page_rows,
        )

    async def _rendered(self) -> str:
        problem = ""
        try:
            page = await self._page()
        except ValueError as wrong:
            page, problem = _NOTHING, str(wrong)
        return self._view.render(
            "routing.html",
            page=page,
            problem=problem,
            search=self._search,
            open=self._open,
            paged=bool(self._marks),
            Place=Place,
            earlier=self._address(before=page.earlier, open="") if page.earlier else "",
            later=self._address(after=page.later, open="") if page.later else "",
        )

    async def _pressed(self, pressed: events.GenericEventArguments) -> None:
        args: Sequence[Any] = pressed.args
        what, utility = str(args[0]), str(args[1])
        if what == "edit":
            await self._edit(utility)
            return
        if what == "open":
            self._open[utility] = None
        else:
            self._open.pop(utility, None)
        ui.run_javascript(f"history.replaceState(null, '', {dumps(self._address(**self._marks))})")

    async def _edit(self, utility: str) -> None:
        """Opens the dialog on the preferences as they are now, not as they were shown."""
        row = await utility_row(self._view.console.reading, utility)
        if row is None:
            self._view.complain("There is no such utility.")
            return
        PreferencesEditor(self._view, self._traffic, row)
