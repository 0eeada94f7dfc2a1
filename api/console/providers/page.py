"""Load balancer: a card for each provider, the sick ones first."""

from datetime import datetime, timedelta

from nicegui import ui

from api.console.page import View
from api.console.parts.chosen import chosen
from api.console.providers.card import ProviderCard, ProviderFacts
from projections.provider_figures import Traffic, traffic
from projections.provider_standing import in_doubt, providers, shares
from projections.window import WINDOWS, Window

QUIET_SECONDS = 10.0
"""While nothing happens, figures are taken anew this often, for the window moves on."""


async def build(view: View) -> None:
    """The cards."""
    window = chosen(view, "window", {key: w.label for key, w in WINDOWS.items()}, "5m")
    view.html("choices.html", chosen=window, label="Figures of the last")
    page = _Cards(view, WINDOWS[window.value])
    await page.refresh()
    view.on_change(["provider_health", "open_work"], page.refresh, every_seconds=1.0)
    ui.timer(QUIET_SECONDS, page.refresh, immediate=False)


class FactsReader:
    """Reads what cards show. How providers stand is read each time, their figures only as often as
    the window's are."""

    def __init__(self, view: View, window: Window, provider: str | None = None) -> None:
        self._view = view
        self._window = window
        self._provider = provider
        self._traffic: Traffic | None = None

    async def read(self) -> list[ProviderFacts]:
        """The sick ones first; of a reader for one provider that one alone."""
        console = self._view.console
        now = console.clock()
        standings = await providers(console.reading)
        share, doubtful = shares(standings), await in_doubt(console.reading, now)
        flow = await self._flow(now)
        facts = [
            ProviderFacts(one, share[one.provider], flow, doubtful.get(one.provider, 0))
            for one in standings
            if self._provider in (None, one.provider)
        ]
        return sorted(facts, key=lambda fact: (fact.worry, fact.standing.label.lower()))

    async def _flow(self, now: datetime) -> Traffic:
        held = self._traffic
        fresh = timedelta(seconds=self._window.refresh_seconds)
        if held is None or now - held.now >= fresh:
            reading = self._view.console.reading
            held = await traffic(reading, self._window, now, provider=self._provider)
            self._traffic = held
        return held


class _Cards:
    def __init__(self, view: View, window: Window) -> None:
        self._view = view
        self._reader = FactsReader(view, window)
        self._nothing = view.html("providers_none.html")
        self._grid = ui.element("div").classes("providers")
        self._cards: dict[str, ProviderCard] = {}
        self._order: list[str] = []

    async def refresh(self) -> None:
        facts = await self._reader.read()
        self._nothing.set_visibility(not facts)
        for fact in facts:
            name = fact.standing.provider
            if name in self._cards:
                self._cards[name].show(fact)
            else:
                with self._grid:
                    self._cards[name] = ProviderCard(self._view, fact, self.refresh)
        order = [fact.standing.provider for fact in facts]
        if order != self._order:
            for index, name in enumerate(order):
                self._cards[name].element.move(self._grid, index)
            self._order = order
