"""One meter: who serves it and by which rule, what it bought, and what was changed about it."""

from collections.abc import Mapping
from urllib.parse import quote

import msgspec
from nicegui import ui

from api.console.commands.meters import RequestRebroadcast, SetMeterPreference
from api.console.meters.page import Drawn, meter_address
from api.console.meters.preference_dialog import Choice, PreferenceDialog
from api.console.meters.story import Change, story_of
from api.console.page import View
from api.console.role import Permission
from domain.event import Event
from domain.meter import meter_stream
from domain.routing import Support
from domain.sale import UtilityType
from domain.utility import Utility, utility_stream
from projections.meter_search import (
    MeterRow,
    MeterTransaction,
    ProviderSupport,
    meters_called,
    support,
    transactions,
)

MODELS = ("contract_table", "transactions", "provider_health")
REFRESH_SECONDS = 1.0
TRANSACTIONS = 10
CHANGES = 100
"""Lines of the history, the newest; the replay has all."""
_STATUS = {
    Support.SUPPORTED: ("Supported", "good"),
    Support.NOT_SUPPORTED: ("Not Supported", "bad"),
    Support.UNCONFIRMED: ("Unconfirmed", "wait"),
}


class Line(msgspec.Struct, frozen=True):
    """A provider as the page shows it: `routing` is its place by preference or ranking, `trouble`
    why it can't be used now, each '' for none."""

    provider: ProviderSupport
    awaited: bool
    status: str
    tone: str
    routing: str
    trouble: str

    @property
    def name(self) -> str:
        return self.provider.name or self.provider.provider

    @property
    def usable(self) -> bool:
        """Whether it may sell to the meter now."""
        return self.provider.status is Support.SUPPORTED and not self.trouble


class Shown(msgspec.Struct, frozen=True):
    """All that the page shows."""

    meter: MeterRow
    lines: list[Line]
    transactions: list[MeterTransaction]
    changes: list[Change]
    more_changes: bool
    names: dict[str, str]

    @property
    def waiting(self) -> int:
        """How many providers owe an answer."""
        return sum(line.awaited for line in self.lines)

    @property
    def trouble(self) -> str:
        """NOT_ASKED: nobody was ever asked; BLOCKED: nobody supports it; UNAVAILABLE: nobody who
        does may or can sell now; ''."""
        if self.meter.last_broadcast_at is None:
            return "NOT_ASKED"
        if self.meter.blocked:
            return "BLOCKED"
        return "" if any(line.usable for line in self.lines) else "UNAVAILABLE"


async def build(view: View) -> None:
    """The page; of a number with several types, the choice."""
    number, given = view.parameter("number"), view.query.get("type", "").strip().upper()
    found = await meters_called(view.console.reading, number) if "\0" not in number else []
    chosen = [row for row in found if row.utility_type == given] if given else found
    if len(chosen) == 1:
        await _Page(view, chosen[0].utility_type, number).build()
    else:
        links = [(row, meter_address(row)) for row in found]
        view.html("meter_choice.html", number=number, given=given, links=links)


class _Page:
    def __init__(self, view: View, utility_type: str, number: str) -> None:
        self._view = view
        self._type = UtilityType(utility_type)
        self._number = number
        self._shown: Shown | None = None

    async def build(self) -> None:
        view = self._view
        if view.may(Permission.STEER_METER):
            with ui.row().classes("meter-actions"):
                self._mark = ui.button("Mark for rebroadcast", on_click=self._confirm)
                self._mark.props("no-caps unelevated")
                ui.button("Meter preference", on_click=self._prefer).props("no-caps outline")
        shown = self._shown = await self._read()
        content = ui.html(self._rendered(shown), sanitize=False)
        drawn = Drawn(shown, view.console.clock())

        async def refresh() -> None:
            nonlocal drawn
            shown, now = await self._read(), view.console.clock()
            if drawn.stale(shown, now):
                drawn = Drawn(shown, now)
                self._shown = shown
                content.set_content(self._rendered(shown))

        view.on_change(MODELS, refresh, REFRESH_SECONDS)

    def _rendered(self, shown: Shown) -> str:
        if self._view.may(Permission.STEER_METER):
            self._mark.set_visibility(not shown.meter.rebroadcast)
        number = quote(self._number, safe="")
        return self._view.render(
            "meter.html",
            shown=shown,
            meter=shown.meter,
            replay=f"/replay?meter={number}&type={self._type.value}",
            every=f"/transactions?meter={number}",
        )

    async def _read(self) -> Shown:
        reading = self._view.console.reading
        meter = next(
            row
            for row in await meters_called(reading, self._number)
            if row.utility_type == self._type.value
        )
        said = await support(reading, self._type.value, self._number)
        names = {one.provider: one.name or one.provider for one in said}
        story = story_of(await self._events(meter_stream(self._type, self._number)), names)
        return Shown(
            meter=meter,
            lines=_lines(meter, said, await self._utility(meter.utility)),
            transactions=await transactions(reading, self._type.value, self._number, TRANSACTIONS),
            changes=story[:CHANGES],
            more_changes=len(story) > CHANGES,
            names=names,
        )

    async def _utility(self, utility: str | None) -> Utility:
        """Its preferences as they are now."""
        state = Utility(utility=utility or "")
        if utility is not None:
            for version, event in enumerate(await self._events(utility_stream(utility)), 1):
                state = state.after(event, version)
        return state

    async def _events(self, stream: str) -> list[Event]:
        recorded = await self._view.console.history.of(stream)
        return [entry.event for entry in recorded if isinstance(entry.event, Event)]

    def _confirm(self) -> None:
        with ui.dialog(value=True) as dialog, ui.card().classes("meter-dialog"):
            ui.html("Mark for rebroadcast?", tag="h2", sanitize=True)
            ui.label(
                "Nothing is sent now. At the meter's next lookup or purchase all enabled providers"
                " are asked whether they support it, their answers are kept, and the mark goes."
            )
            ui.link("First see whether the providers are well", "/providers")
            comment = ui.input("Comment (kept in the audit log)").props("outlined dense")
            comment.props("maxlength=500")

            async def mark() -> None:
                command = RequestRebroadcast(
                    utility_type=self._type, number=self._number, comment=comment.value or ""
                )
                if await self._view.do(command, "Marked. All are asked at the next transaction."):
                    dialog.close()

            with ui.row().classes("meter-buttons"):
                ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
                ui.button("Mark", on_click=mark).props("no-caps unelevated")
        dialog.on("hide", dialog.delete)  # pyright: ignore[reportUnknownMemberType]

    def _prefer(self) -> None:
        assert self._shown is not None
        meter = self._shown.meter
        choices = {
            line.provider.provider: Choice(line.name, line.status) for line in self._shown.lines
        }
        for provider in meter.preference:
            choices.setdefault(provider, Choice(provider, "never asked about this meter"))

        async def save(providers: tuple[str, ...], comment: str) -> bool:
            command = SetMeterPreference(
                utility_type=self._type,
                number=self._number,
                providers=providers,
                comment=comment,
            )
            return await self._view.do(command, "The preference is kept.")

        PreferenceDialog(choices, meter.preference, save)


def _lines(meter: MeterRow, said: list[ProviderSupport], utility: Utility) -> list[Line]:
    lines: list[Line] = []
    for one in said:
        status, tone = _STATUS[one.status]
        lines.append(
            Line(
                provider=one,
                awaited=one.awaited(meter.last_broadcast_at),
                status=status,
                tone=tone,
                routing=_routing(one, meter, utility),
                trouble=_trouble(one, utility),
            )
        )
    return lines


def _routing(one: ProviderSupport, meter: MeterRow, utility: Utility) -> str:
    provider = one.provider
    if provider in utility.excluded:
        return f"Excluded for {utility.name}"
    if provider in meter.preference:
        return f"Meter preference {meter.preference.index(provider) + 1}"
    if provider in utility.ranked:
        return f"Ranked {utility.ranked.index(provider) + 1} for {utility.name}"
    return "" if one.status is Support.NOT_SUPPORTED else "Unranked: by weight"


def _trouble(one: ProviderSupport, utility: Utility) -> str:
    if not one.name:
        return "not configured"
    reasons: Mapping[str, bool] = {
        "excluded": one.provider in utility.excluded,
        "disabled": not one.enabled,
        "unhealthy": not one.healthy,
    }
    return ", ".join(reason for reason, is_so in reasons.items() if is_so)
