"""Meters: find one by a part of its number, and list those of a utility, marked, or blocked."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from nicegui import events, ui

from api.console.page import View
from projections.keyset import Page
from projections.meter_search import (
    MeterFilter,
    MeterRow,
    meters,
    meters_cursor,
    meters_with,
    part_of,
    utilities,
)

SUGGESTIONS = 12
LIST_ID = "meter-suggestions"
REFRESH_SECONDS = 2.0
RELATIVE_TIMES = timedelta(seconds=30)
"""How long a time such as "3 min ago" may stand."""
UTILITY_CHARACTERS_MAX = 200


def meter_address(row: MeterRow) -> str:
    """The meter's own page."""
    return f"/meters/{quote(row.number, safe='')}?type={row.utility_type}"


def list_address(**parameters: str) -> str:
    """The list with these parameters; empty ones are left out."""
    given = {name: value for name, value in parameters.items() if value}
    return "/meters" + (f"?{urlencode(given)}" if given else "")


class Drawn:
    """What is on the page. It is drawn anew only for other content, or after a while because of its
    relative times: whoever is at a link or marks a text is not thrown out by other meters' news."""

    def __init__(self, content: object, at: datetime) -> None:
        self._content = content
        self._at = at

    def stale(self, content: object, now: datetime) -> bool:
        """Whether `content` has to be drawn."""
        return content != self._content or now - self._at >= RELATIVE_TIMES


class _Finder:
    """The input, and under it the meters that it may mean; arrows choose one, Enter opens it."""

    def __init__(self, view: View, text: str) -> None:
        self._view = view
        self._found: list[MeterRow] = []
        self._at = -1
        self._asked = 0
        with ui.element("div").classes("meter-finder"):
            self._input = ui.input(
                "Meter number, or a part of it", value=text, on_change=self._changed
            ).props(
                f"outlined dense autocomplete=off autofocus role=combobox aria-autocomplete=list"
                f" aria-controls={LIST_ID} aria-expanded=false maxlength=60"
            )
            self._list = ui.html("", sanitize=False)
        for key, handler in (
            ("down.prevent", lambda: self._move(1)),
            ("up.prevent", lambda: self._move(-1)),
            ("esc", self._close),
            ("enter", self._enter),
        ):
            self._input.on(f"keydown.{key}", handler)  # pyright: ignore[reportUnknownMemberType]

    async def _changed(self, _: events.ValueChangeEventArguments[str | None]) -> None:
        self._asked += 1
        asked, text = self._asked, (self._input.value or "").strip()
        if not text:
            self._close()
            return
        try:
            found = await meters_with(self._view.console.reading, part_of(text), SUGGESTIONS)
        except ValueError as problem:
            self._show([], str(problem))
            return
        # What was typed meanwhile has its own answer.
        if asked == self._asked:
            self._show(found, "" if found else "No meter has this in its number.")

    def _show(self, found: list[MeterRow], said: str) -> None:
        self._found, self._at = found, -1
        self._draw(said)

    def _draw(self, said: str = "") -> None:
        items = [(row, meter_address(row)) for row in self._found]
        self._list.set_content(
            self._view.render(
                "meter_suggestions.html", items=items, at=self._at, said=said, list_id=LIST_ID
            )
        )
        active = f"{LIST_ID}-{self._at}" if self._at >= 0 else ""
        self._input.props(
            f'aria-expanded={"true" if self._found else "false"} aria-activedescendant="{active}"'
        )

    def _move(self, step: int) -> None:
        if self._found:
            self._at = (max(self._at, 0 if step < 0 else -1) + step) % len(self._found)
            self._draw()

    def _close(self) -> None:
        self._asked += 1
        self._found, self._at = [], -1
        self._list.set_content("")
        self._input.props('aria-expanded=false aria-activedescendant=""')

    async def _enter(self) -> None:
        if 0 <= self._at < len(self._found):
            ui.navigate.to(meter_address(self._found[self._at]))
            return
        # What is shown may be of what was typed before.
        self._asked += 1
        text = (self._input.value or "").strip()
        try:
            found = await meters_with(self._view.console.reading, part_of(text), 2)
        except ValueError as problem:
            self._show([], str(problem))
            return
        exact = [row for row in found if row.number == text]
        chosen = exact if len(exact) == 1 else found
        if len(chosen) == 1:
            ui.navigate.to(meter_address(chosen[0]))
        else:
            ui.navigate.to(list_address(part=text))


class _List:
    """What the address asks for."""

    def __init__(self, view: View) -> None:
        query = view.query
        self._reading = view.console.reading
        self._rows = view.console.settings.page_rows
        self.part = query.get("part", "").strip()
        utility = query.get("utility", "").strip()
        if len(utility) > UTILITY_CHARACTERS_MAX or "\0" in utility:
            raise ValueError("There is no such utility.")
        self.wanted = MeterFilter(
            utility=utility,
            flagged=_switched(query, "flagged"),
            blocked=_switched(query, "blocked"),
        )
        self._cursor = None
        for name in ("after", "before"):
            if mark := query.get(name, ""):
                self._cursor = meters_cursor(mark, back=name == "before")

    async def page(self) -> Page[MeterRow]:
        """The rows; of a part of a number the first ones only."""
        if self.part:
            found = await meters_with(self._reading, part_of(self.part), self._rows + 1)
            more = len(found) > self._rows
            return Page(found[: self._rows], None, "more" if more else None)
        return await meters(self._reading, self.wanted, cursor=self._cursor, limit=self._rows)

    def parameters(self) -> dict[str, str]:
        """The address's, without the page."""
        return {
            "utility": self.wanted.utility,
            "flagged": "1" if self.wanted.flagged else "",
            "blocked": "1" if self.wanted.blocked else "",
        }


def _switched(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "")
    if value not in ("", "0", "1"):
        raise ValueError(f"{name} in the address is 1 or nothing.")
    return value == "1"


async def build(view: View) -> None:
    """The page."""
    _Finder(view, view.query.get("part", "")[:UTILITY_CHARACTERS_MAX])
    try:
        listed = _List(view)
        page = await listed.page()
    except ValueError as problem:
        view.html("meters_problem.html", problem=str(problem))
        return
    known = await utilities(view.console.reading)
    view.html(
        "meters_filter.html",
        part=listed.part,
        wanted=listed.wanted,
        utilities=known,
        unlisted=listed.wanted.utility not in {"", *(one.utility for one in known)},
    )
    shown = ui.html(_rendered(view, listed, page), sanitize=False)
    drawn = Drawn(page, view.console.clock())

    async def refresh() -> None:
        nonlocal drawn
        page, now = await listed.page(), view.console.clock()
        if drawn.stale(page, now):
            drawn = Drawn(page, now)
            shown.set_content(_rendered(view, listed, page))

    view.on_change(["contract_table"], refresh, REFRESH_SECONDS)


def _rendered(view: View, listed: _List, page: Page[MeterRow]) -> str:
    given = listed.parameters()
    return view.render(
        "meters.html",
        items=[(row, meter_address(row)) for row in page.rows],
        part=listed.part,
        wanted=listed.wanted,
        more=page.later is not None,
        earlier=list_address(**given, before=page.earlier or "") if page.earlier else "",
        later=list_address(**given, after=page.later or "") if page.later else "",
    )
