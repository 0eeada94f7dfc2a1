"""The dialog that puts providers in order for one meter, by buttons, so that keys alone do it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from nicegui import ui

Save = Callable[[tuple[str, ...], str], Awaitable[bool]]
"""Called with the providers in order and a comment; whether it was done."""


class Choice(msgspec.Struct, frozen=True):
    """A provider that may be preferred: its name, and its support status in words."""

    name: str
    status: str


class PreferenceDialog:
    """Opens at once. `choices` by provider id; `order` is what holds now."""

    def __init__(self, choices: Mapping[str, Choice], order: Sequence[str], save: Save) -> None:
        self._choices = choices
        self._order = list(order)
        self._save = save
        self._buttons = dict[str, ui.button]()
        with ui.dialog(value=True) as self._dialog, ui.card().classes("meter-dialog"):
            ui.html("Meter preference", tag="h2", sanitize=True)
            ui.label(
                "These providers sell to this meter first, in this order, before its utility's"
                " ranking and the weights. One that does not support it, is excluded or is down is"
                " passed over."
            )
            self._body = ui.element("div").classes("preference-body")
            self._comment = ui.input("Comment (kept in the audit log)")
            self._comment.props("outlined dense maxlength=500")
            with ui.row().classes("meter-buttons"):
                ui.button("Cancel", on_click=self._dialog.close).props("flat no-caps")
                ui.button("Save", on_click=self._saved).props("no-caps unelevated")
        self._dialog.on("hide", self._dialog.delete)  # pyright: ignore[reportUnknownMemberType]
        self._draw()

    def _draw(self) -> None:
        self._body.clear()
        self._buttons.clear()
        with self._body:
            with ui.element("ol").props('aria-label="Preferred, first one first"'):
                for at, provider in enumerate(self._order):
                    self._preferred(at, provider)
            if not self._order:
                ui.label("None: the utility's ranking and the weights decide.").classes("soft")
            rest = [provider for provider in self._choices if provider not in self._order]
            if rest:
                ui.html("Others", tag="h3", sanitize=True)
            with ui.element("ul").props('aria-label="Others"'):
                for provider in rest:
                    self._other(provider)

    def _preferred(self, at: int, provider: str) -> None:
        choice = self._choices[provider]
        with ui.element("li"):
            ui.label(f"{at + 1}. {choice.name}").classes("preference-name")
            ui.label(choice.status).classes("soft")
            up = self._icon("arrow_upward", f"{choice.name} up", lambda: self._swap(at, at - 1))
            up.set_enabled(at > 0)
            down = self._icon(
                "arrow_downward", f"{choice.name} down", lambda: self._swap(at, at + 1)
            )
            down.set_enabled(at < len(self._order) - 1)
            self._icon("close", f"{choice.name} out", lambda: self._take_out(at))

    def _other(self, provider: str) -> None:
        choice = self._choices[provider]
        with ui.element("li"):
            ui.label(choice.name).classes("preference-name")
            ui.label(choice.status).classes("soft")
            self._icon("add", f"Prefer {choice.name}", lambda: self._add(provider))

    def _swap(self, one: int, other: int) -> None:
        self._order[one], self._order[other] = self._order[other], self._order[one]
        self._draw()
        name = self._choices[self._order[other]].name
        up, down = f"{name} up", f"{name} down"
        self._focus(*((up, down) if other < one else (down, up)))

    def _take_out(self, at: int) -> None:
        provider = self._order.pop(at)
        self._draw()
        self._focus(f"Prefer {self._choices[provider].name}")

    def _add(self, provider: str) -> None:
        self._order.append(provider)
        self._draw()
        name = self._choices[provider].name
        self._focus(f"{name} up", f"{name} out")

    def _focus(self, label: str, otherwise: str = "") -> None:
        """Keys go on where they were, though the buttons are new ones."""
        wanted = self._buttons[label]
        button = wanted if wanted.enabled else self._buttons.get(otherwise)
        if button is not None:
            self._body.client.run_javascript(
                f"setTimeout(() => document.getElementById('{button.html_id}')?.focus(), 50)"
            )

    async def _saved(self) -> None:
        if await self._save(tuple(self._order), self._comment.value or ""):
            self._dialog.close()

    def _icon(self, icon: str, label: str, act: Callable[[], None]) -> ui.button:
        button = ui.button(icon=icon, on_click=act).props("flat round dense")
        button.props["aria-label"] = label
        self._buttons[label] = button
        return button
