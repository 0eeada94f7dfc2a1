"""A provider's card: how it stands and fares, and the buttons that change it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import ui

from api.console.commands.providers import WEIGHT_MAX, DisableProvider, EnableProvider, SetWeight
from api.console.page import View
from api.console.providers.attention import timing_out
from api.console.role import Permission
from domain.exchange import Operation
from projections.provider_figures import Traffic
from projections.provider_standing import ProviderStanding


@dataclass(frozen=True)
class ProviderFacts:
    """What a card shows."""

    standing: ProviderStanding
    share: float
    traffic: Traffic
    doubtful: int

    @property
    def worry(self) -> int:
        """0 is the sickest, for sorting."""
        if not self.standing.healthy:
            return 0
        if self.doubtful or timing_out(self.traffic.total(self.standing.provider)):
            return 1
        # Somebody knows of it.
        return 3 if self.standing.enabled else 2


class ProviderCard:
    """One card. Its buttons stay where they are while its figures change, so that no click gets
    lost; `changed` is called after a change was made."""

    def __init__(
        self, view: View, facts: ProviderFacts, changed: Callable[[], Awaitable[None]]
    ) -> None:
        self._view = view
        self._changed = changed
        self._facts = facts
        self._asked_at_version: int | None = None
        one = facts.standing
        self.element = ui.element("section").classes("box provider")
        self.element.props(f'aria-label="{one.provider}" data-provider="{one.provider}"')
        with self.element:
            with ui.element("div").classes("head"):
                with ui.element("h2"):
                    ui.link(one.label, f"/providers/{one.provider}")
                self._badges = view.html("provider_badges.html", facts=facts).classes("badges")
            self._figures = view.html("provider_card.html", facts=facts, pending=False, V=_V)
            self._buttons()
        self.show(facts)

    def _buttons(self) -> None:
        view = self._view
        with ui.element("div").classes("actions"):
            if view.may(Permission.SWITCH_PROVIDER):
                self._disable = ui.button("Disable", on_click=self._ask_disable, color=None)
                self._disable.props("outline no-caps").classes("stop")
                self._enable = ui.button("Enable", on_click=self._ask_enable)
                self._enable.props("unelevated no-caps")
            if view.may(Permission.STEER_ROUTING):
                edit = ui.button("Edit weight", on_click=self._ask_weight, color=None)
                edit.props("outline no-caps")

    def show(self, facts: ProviderFacts) -> None:
        """Shows other facts."""
        self._facts = facts
        if self._asked_at_version != facts.standing.version:
            self._asked_at_version = None
        sick = not facts.standing.healthy
        self.element.classes(add="sick") if sick else self.element.classes(remove="sick")
        self._badges.set_content(self._view.render("provider_badges.html", facts=facts))
        pending = self._asked_at_version is not None
        self._figures.set_content(
            self._view.render("provider_card.html", facts=facts, pending=pending, V=_V)
        )
        if self._view.may(Permission.SWITCH_PROVIDER):
            self._disable.set_visibility(facts.standing.enabled)
            self._enable.set_visibility(not facts.standing.enabled)

    async def _carry_out(self, command: DisableProvider | EnableProvider | SetWeight) -> None:
        self._asked_at_version = self._facts.standing.version
        name = self._facts.standing.label
        match command:
            case DisableProvider():
                done = f"{name} is disabled: no switch process sends it anything new."
            case EnableProvider():
                done = f"{name} is enabled."
            case SetWeight():
                done = f"{name} has the weight {command.weight}."
        if not await self._view.do(command, done):
            self._asked_at_version = None
        await self._changed()

    async def _ask_disable(self) -> None:
        one = self._facts.standing
        text = (
            "It gets no new lookups, purchases or probes from any switch process, within a second."
            " What it was asked already goes on, and what is in doubt is still recovered there."
        )
        comment = await _asked(f"Disable {one.label}?", text, "Disable", danger=True)
        if comment is not None:
            await self._carry_out(DisableProvider(provider=one.provider, comment=comment))

    async def _ask_enable(self) -> None:
        one = self._facts.standing
        text = "Live routing changes: it gets traffic again within a second."
        comment = await _asked(f"Enable {one.label}?", text, "Enable")
        if comment is not None:
            await self._carry_out(EnableProvider(provider=one.provider, comment=comment))

    async def _ask_weight(self) -> None:
        one = self._facts.standing
        answer = await _asked_weight(one)
        if answer is None or answer[0] == one.weight:
            return
        weight, comment = answer
        await self._carry_out(SetWeight(provider=one.provider, weight=weight, comment=comment))


_V = {"VEND": Operation.VEND.value, "LOOKUP": Operation.LOOKUP.value}


def _cancel(dialog: ui.dialog) -> None:
    button = ui.button("Cancel", on_click=lambda: dialog.submit(None), color=None)
    button.props("flat no-caps")


async def _asked(title: str, text: str, confirm: str, *, danger: bool = False) -> str | None:
    """Asks once more; the comment, or None when it was cancelled."""
    with ui.dialog() as dialog, ui.card().classes("ask"):
        ui.html(title, tag="h2", sanitize=True)
        ui.label(text)
        comment = ui.input("Comment (for the audit log; may be empty)").classes("w-full")
        comment.props("maxlength=500 dense outlined").style("width: 100%")
        with ui.element("div").classes("actions"):
            _cancel(dialog)
            ui.button(confirm, on_click=lambda: dialog.submit(comment.value or "")).props(
                f"unelevated no-caps autofocus color={'negative' if danger else 'primary'}"
            )
    answer: str | None = await dialog
    dialog.delete()
    return answer


async def _asked_weight(one: ProviderStanding) -> tuple[int, str] | None:
    """The weight and a comment, or None when it was cancelled."""
    with ui.dialog() as dialog, ui.card().classes("ask"):
        ui.html(f"Weight of {one.label}", tag="h2", sanitize=True)
        ui.label(
            "Live routing changes: from now on every purchase that is balanced by weight goes by"
            " the new one. 0 takes it out of balancing; preferences still send it traffic."
        ).classes("live")
        number = ui.number("Weight", value=one.weight, min=0, max=WEIGHT_MAX, step=1, precision=0)
        number.props("dense outlined autofocus").style("width: 100%")
        comment = ui.input("Comment (for the audit log; may be empty)")
        comment.props("maxlength=500 dense outlined").style("width: 100%")
        problem = ui.label("").classes("bad").props("role=alert")

        def update() -> None:
            value = number.value
            if value is None or value != int(value) or not 0 <= value <= WEIGHT_MAX:
                problem.set_text(f"A weight is a whole number from 0 to {WEIGHT_MAX:,}.")
                return
            dialog.submit((int(value), comment.value or ""))

        with ui.element("div").classes("actions"):
            _cancel(dialog)
            ui.button("Update", on_click=update).props("unelevated no-caps")
    answer: tuple[int, str] | None = await dialog
    dialog.delete()
    return answer
