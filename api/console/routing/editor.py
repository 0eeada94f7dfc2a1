"""The dialog for one utility's preferences: by drag, by buttons, or by rank; with a preview."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from json import dumps
from typing import Any

from nicegui import events, ui

from api.console.command import COMMENT_CHARACTERS_MAX
from api.console.commands.routing import SetPreferences
from api.console.page import View, problem_text
from api.console.role import Permission
from api.console.routing.arrangement import Arrangement, Zone
from projections.routing_search import PlacedProvider, UtilityRow
from projections.routing_traffic import COUNTED_MAX, Preview, RoutingTraffic

_CLICK = """(event) => {
    const button = event.target.closest("button[data-do]");
    if (button) emit(button.dataset.do, button.dataset.of);
}"""
_RANK = """(event) => {
    if (event.target.dataset.rank) emit(event.target.dataset.rank, Number(event.target.value) || 0);
}"""
_DRAG = """(event) => {
    const item = event.target.closest("li[data-provider]");
    if (item) event.dataTransfer.setData("text/plain", item.dataset.provider);
}"""
_OVER = """(event) => {
    const place = event.target.closest("li[data-provider]") || event.target.closest("[data-zone]");
    if (!place) return;
    event.preventDefault();
    event.currentTarget.querySelectorAll(".over").forEach(one => one.classList.remove("over"));
    place.classList.add("over");
}"""
# Dropped on an item's upper half, it goes before that one, else after it.
_DROP = """(event) => {
    event.preventDefault();
    event.currentTarget.querySelectorAll(".over").forEach(one => one.classList.remove("over"));
    const zone = event.target.closest("[data-zone]");
    if (!zone) return;
    const item = event.target.closest("li[data-provider]");
    let before = item;
    if (item) {
        const box = item.getBoundingClientRect();
        if (event.clientY > box.top + box.height / 2) before = item.nextElementSibling;
    }
    emit(event.dataTransfer.getData("text/plain"), zone.dataset.zone,
         before ? before.dataset.provider : null);
}"""
_FOCUS = """setTimeout(() => {
    for (const [does, provider] of %s) {
        const found = [...document.querySelectorAll(".arrange button")].find(
            one => one.dataset.do === does && one.dataset.of === provider && !one.disabled);
        if (found) { found.focus(); return; }
    }
}, 50)"""


class PreferencesEditor:
    """Opens at once, for who may steer the routing."""

    def __init__(self, view: View, traffic: RoutingTraffic, row: UtilityRow) -> None:
        view.session.require(Permission.STEER_ROUTING)
        self._view = view
        self._traffic = traffic
        self._row = row
        self._providers = {one.provider: one for one in row.providers}
        self._arrangement = Arrangement(self._providers, row.ranked, row.excluded)
        with ui.dialog(value=True) as self._dialog, ui.card().classes("routing-dialog"):
            ui.html(f"Preferences of {row.name}", tag="h2", sanitize=True)
            ui.label(
                "A meter's own preference comes before these; only providers that support the"
                " meter, are enabled and healthy are used."
            ).classes("soft")
            self._body = ui.html(self._drawn(), sanitize=False).classes("full")
            self._said = ui.label("").props("role=status").classes("unseen")
            with ui.element("div").classes("routing-foot"):
                self._effect = ui.html("", sanitize=False).classes("full")
                self._effect.props("aria-live=polite")
                self._comment = ui.input("Comment (kept in the audit log)")
                self._comment.props(f"outlined dense maxlength={COMMENT_CHARACTERS_MAX}")
                self._buttons()
        self._dialog.props("no-backdrop-dismiss")
        self._dialog.on("hide", self._dialog.delete)  # pyright: ignore[reportUnknownMemberType]
        self._listen()

    def _buttons(self) -> None:
        with ui.row().classes("routing-buttons"):
            self._previews = [
                ui.button("Preview: yesterday", on_click=lambda: self._preview(1)),
                ui.button("Preview: today so far", on_click=lambda: self._preview(0)),
            ]
            for button in self._previews:
                button.props("outline no-caps")
            ui.space()
            ui.button("Cancel", on_click=self._dialog.close).props("flat no-caps")
            ui.button("Save", on_click=self._save).props("no-caps unelevated")

    def _listen(self) -> None:
        for kind, handler, script in (
            ("click", self._clicked, _CLICK),
            ("change", self._ranked, _RANK),
            ("dragstart", None, _DRAG),
            ("dragover", None, _OVER),
            ("drop", self._dropped, _DROP),
        ):
            self._body.on(kind, handler, js_handler=script)  # pyright: ignore[reportUnknownMemberType]

    def _drawn(self) -> str:
        zones = {
            zone.value: [self._provider(name) for name in names]
            for zone, names in self._arrangement.zones.items()
        }
        return self._view.render("routing_arrange.html", **zones)

    def _provider(self, provider: str) -> PlacedProvider:
        return self._providers[provider]

    def _redraw(self, provider: str, *focus: tuple[str, str]) -> None:
        """Shows the arrangement, says where `provider` is now, and keeps the focus at it. What a
        preview said is no longer so."""
        self._effect.set_content("")
        self._body.set_content(self._drawn())
        name, zone = self._providers[provider].name, self._arrangement.zone_of(provider)
        ranked = self._arrangement.ranked
        place = f"{ranked.index(provider) + 1} of {len(ranked)}" if provider in ranked else ""
        self._said.set_text(f"{name} is {zone.value} {place}".strip())
        wanted = [*focus, *((does, provider) for does in ("ranked", "up", "down", "unranked"))]
        ui.run_javascript(_FOCUS % dumps(wanted))

    def _clicked(self, clicked: events.GenericEventArguments) -> None:
        args: Sequence[Any] = clicked.args
        does, provider = str(args[0]), str(args[1])
        try:
            if does in ("up", "down"):
                self._arrangement.step(provider, -1 if does == "up" else 1)
            else:
                self._arrangement.put(provider, Zone(does))
        except ValueError:
            # Pressed twice before the list was redrawn.
            return
        self._redraw(provider, (does, provider))

    def _ranked(self, ranked: events.GenericEventArguments) -> None:
        args: Sequence[Any] = ranked.args
        provider, place = str(args[0]), args[1]
        if provider in self._providers and isinstance(place, int):
            if place > 0:
                self._arrangement.rank(provider, place)
            self._redraw(provider, ("up", provider))

    def _dropped(self, dropped: events.GenericEventArguments) -> None:
        args: Sequence[Any] = dropped.args
        provider, zone, before = str(args[0]), str(args[1]), args[2]
        if provider in self._providers and zone in list(Zone):
            self._arrangement.put(provider, Zone(zone), None if before is None else str(before))
            self._redraw(provider)

    async def _preview(self, days_ago: int) -> None:
        """Shows the effect on the traffic of a day in the console's zone."""
        begins, ends = self._day(days_ago)
        self._enable(previews=False)
        self._effect.set_content(self._view.render("routing_effect.html", waiting=True))
        wanted = (self._arrangement.ranked, self._arrangement.excluded)
        try:
            preview = await self._traffic.preview(self._row.utility, begins, ends, *wanted)
        except Exception as problem:
            said = problem_text(problem)
            if said is None:
                raise
            self._effect.set_content("")
            self._view.complain(said)
        else:
            # What was moved meanwhile is not in it.
            same = wanted == (self._arrangement.ranked, self._arrangement.excluded)
            shown = self._effect_of(preview, days_ago, begins) if same else ""
            self._effect.set_content(shown)
        finally:
            self._enable(previews=True)

    def _effect_of(self, preview: Preview, days_ago: int, begins: datetime) -> str:
        day = f"{begins.astimezone(self._view.console.formats.zone):%Y-%m-%d}"
        moves = [
            (self._called(then), self._called(now), count)
            for (then, now), count in preview.moves.moved.most_common()
        ]
        return self._view.render(
            "routing_effect.html",
            waiting=False,
            preview=preview,
            moves=moves,
            counted_max=COUNTED_MAX,
            changed=self._row.version > 1 and self._row.changed_at > begins,
            when=f"Yesterday ({day})" if days_ago else f"Today so far ({day})",
        )

    def _called(self, provider: str | None) -> str | None:
        known = self._providers.get(provider or "")
        return known.name if known is not None else provider

    def _day(self, days_ago: int) -> tuple[datetime, datetime]:
        """When the day began and ended, or ends."""
        zone = self._view.console.formats.zone
        today = self._view.console.clock().astimezone(zone).date()
        first = today - timedelta(days=days_ago)
        midnight = datetime.min.time()
        return (
            datetime.combine(first, midnight, zone),
            datetime.combine(first + timedelta(days=1), midnight, zone),
        )

    def _enable(self, *, previews: bool) -> None:
        for button in self._previews:
            button.set_enabled(previews)

    async def _save(self) -> None:
        ranked, excluded = self._arrangement.ranked, self._arrangement.excluded
        if (list(ranked), set(excluded)) == (self._row.ranked, set(self._row.excluded)):
            ui.notify("Nothing was moved, so there is nothing to save.")
            return
        command = SetPreferences(
            utility=self._row.name,
            ranked=ranked,
            excluded=excluded,
            seen_version=self._row.version,
            comment=self._comment.value or "",
        )
        if await self._view.do(command, f"The preferences of {self._row.name} are kept."):
            self._dialog.close()
