"""Settlements of one process: its cycles, what each comes to, and what somebody asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from nicegui import ui

from api.console.commands.finance import RequestSettlement
from api.console.finance.acts import SettlementActs
from api.console.finance.shell import (
    REFRESH_SECONDS,
    Ask,
    navigation,
    on_act,
    process_of,
)
from api.console.page import View
from api.console.parts.steady import keep_focus
from api.console.role import Permission
from finance.calendar import cycle_dates, cycle_of, latest_complete_cycle
from finance.process.process import ReconciliationProcess
from projections.keyset import Cursor, cursor_of
from projections.settlements_search import KEYS, SettlementFilter, requests, settlements

MODELS = ("settlements",)
STATUSES = {
    "": "all but discarded",
    "READY": "awaits release",
    "RELEASED": "released",
    "PREPARING": "being prepared",
    "DISCARDED": "discarded",
}
OFFERED_CYCLES = 8
TONES = {"READY": "wait", "PREPARING": "wait", "RELEASED": "good", "DISCARDED": "soft"}


@dataclass(frozen=True)
class Selection:
    """What the address asks for."""

    path: str
    status: str = ""
    cursor: Cursor | None = None
    problems: tuple[str, ...] = ()

    def address(self, **changes: str) -> str:
        """The page with these parameters, on the first page unless one is named."""
        query = urlencode({k: v for k, v in ({"status": self.status} | changes).items() if v})
        return f"{self.path}?{query}" if query else self.path


def selection(path: str, query: Mapping[str, str]) -> Selection:
    """What the address asks for; what makes no sense in it is left out and told."""
    problems: list[str] = []
    status = query.get("status", "")
    if status not in STATUSES:
        problems.append(f"There is no status “{status[:40]}”.")
        status = ""
    cursor = None
    for name, back in (("later", False), ("earlier", True)):
        if name in query:
            try:
                cursor = cursor_of(query[name], KEYS, back=back)
            except ValueError:
                problems.append("The address names no page of this list: this is the first.")
    return Selection(path, status, cursor, tuple(problems))


def recent_cycles(process: ReconciliationProcess, now: datetime) -> list[str]:
    """The process's last cycles that are over, latest first."""
    cycles = [latest_complete_cycle(now, process.settle, process.calendar)]
    while len(cycles) < OFFERED_CYCLES:
        before = cycle_dates(cycles[-1])[0] - timedelta(days=1)
        cycles.append(cycle_of(before, process.settle))
    return cycles


async def build(view: View) -> None:
    """The tab."""
    process = process_of(view)
    if process is not None:
        navigation(view, "settlements", process)
        await SettlementsTab(view, process).build()


class SettlementsTab:
    """One open page."""

    def __init__(self, view: View, process: ReconciliationProcess) -> None:
        self._view = view
        self._process = process
        self._chosen = selection(f"/finance/{process.id}/settlements", view.query)

    async def build(self) -> None:
        view = self._view
        if view.may(Permission.FINANCE_OPERATE):
            with ui.row().classes("finance-bar"):
                ui.button("Prepare a settlement …", on_click=self._ask).props("no-caps unelevated")
        view.html("finance_settlements_filter.html", chosen=self._chosen, statuses=STATUSES)
        self._list = ui.html(await self._content(), sanitize=False)
        keep_focus(self._list)
        on_act(self._list, SettlementActs(view).act)
        if self._chosen.cursor is None:
            view.on_change(MODELS, self._refresh, REFRESH_SECONDS)

    async def _refresh(self) -> None:
        self._list.set_content(await self._content())

    async def _content(self) -> str:
        view, chosen = self._view, self._chosen
        reading = view.console.reading
        page = await settlements(
            reading,
            SettlementFilter(process=self._process.id, status=chosen.status),
            cursor=chosen.cursor,
            limit=view.console.settings.page_rows,
        )
        return view.render(
            "finance_settlements.html",
            chosen=chosen,
            page=page,
            asked=await requests(reading, self._process.id),
            statuses=STATUSES,
            tones=TONES,
            me=view.session.operator,
        )

    def _ask(self) -> None:
        view, process = self._view, self._process
        cycles = recent_cycles(process, view.console.clock())

        async def request(comment: str) -> bool:
            command = RequestSettlement(
                process=process.id, cycle=str(cycle.value or "").strip(), comment=comment
            )
            return await view.do(
                command, f"The settlement of {command.cycle} is asked for: it will be prepared."
            )

        ask = Ask(
            f"Prepare a settlement of {process.name}",
            "The worker prepares it from what is reconciled up to the cycle's end, and another"
            " person releases it.",
            "Prepare",
            request,
        )
        with ask.fields:
            cycle = ui.input("Cycle", value=cycles[0], autocomplete=cycles)
            cycle.props("outlined dense").classes("full")
            offered = ", ".join(cycles[:3])
            ui.label(f"Cycles here are {process.settle.value.lower()}: {offered} …").classes("soft")
