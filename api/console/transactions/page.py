"""Transactions: every message that asked something of a provider, newest first, as it happens."""

from datetime import datetime

import msgspec
from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from api.console.page import View
from api.console.parts.steady import keep_focus
from api.console.routes import unavailable
from api.console.transactions.address import PERIODS, Selection, selection, written
from api.console.transactions.words import (
    OPERATIONS,
    SERVICES,
    STATUSES,
    TONES,
    marks,
    references,
    took_ms,
)
from projections.meter_search import utilities
from projections.provider_standing import providers
from projections.transaction_clients import clients
from projections.transaction_row import TransactionRow
from projections.transaction_search import Page, TransactionSearch

MODELS = ("transactions",)
REFRESH_SECONDS = 0.4
"""At most so often after news."""
_SCRIPT = '<script src="/console/static/steady-list.js"></script>'
_LIST = "transactions"


async def build(view: View) -> None:
    """The page."""
    ui.add_head_html(_SCRIPT)
    await TransactionsPage(view).build()


class TransactionsPage:
    """One open page."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._search = TransactionSearch(view.console.reading)
        self._names: dict[str, str] = {}
        self._cards: dict[int, tuple[TransactionRow, str]] = {}
        """The cards that the browser has."""
        self._around = ""
        self._live = True
        self._failed_at: datetime | None = None

    async def build(self) -> None:
        wanted = self._wanted()
        await self._filter(wanted)
        if wanted.problems:
            self._view.html("transactions_none.html")
            return
        page = await self._page(wanted)
        with ui.row().classes("about"):
            if wanted.first:
                switch = ui.switch("Live", value=True)
                switch.on_value_change(self._switched)
                self._said = self._view.html("transactions_live.html", live=True, since=None)
            most = self._view.console.settings.export_rows_max
            self._view.html("transactions_range.html", wanted=wanted, export_max=most)
        cards = [card for _, card in self._take(page).values()]
        self._view.html("transactions_list.html", id=_LIST, cards=cards, wanted=wanted)
        self._around = self._links(wanted, page)
        self._pages = ui.html(self._around, sanitize=False)
        keep_focus(self._pages)
        if wanted.first:
            self._view.on_change(MODELS, self._refresh, REFRESH_SECONDS)
            # What happened while the page was on its way has been told to nobody.
            ui.timer(REFRESH_SECONDS, self._refresh, once=True)

    def _wanted(self) -> Selection:
        view = self._view
        return selection(view.query, view.console.formats.zone, view.console.clock())

    async def _page(self, wanted: Selection) -> Page:
        rows = self._view.console.settings.page_rows
        return await self._search.page(
            wanted.filters, rows, before=wanted.before, after=wanted.after
        )

    async def _filter(self, wanted: Selection) -> None:
        view = self._view
        reading = view.console.reading
        self._names = {one.provider: one.label for one in await providers(reading)}
        view.html(
            "transactions_filter.html",
            wanted=wanted,
            periods=PERIODS,
            words={
                "operation": _written(OPERATIONS),
                "service": _written(SERVICES),
                "status": _written(STATUSES),
            },
            choices={
                "provider": self._names,
                "utility": {one.utility: one.name for one in await utilities(reading)},
                "client": {client: client for client in await clients(reading)},
            },
        )

    def _take(self, page: Page) -> dict[int, tuple[TransactionRow, str]]:
        """The page's cards, of which those that the browser does not have yet are new."""
        known, cards = self._cards, dict[int, tuple[TransactionRow, str]]()
        for row in page.rows:
            held = known.get(row.position)
            cards[row.position] = held if held and held[0] == row else (row, self._card(row))
        self._cards = cards
        return cards

    def _card(self, row: TransactionRow) -> str:
        return self._view.render(
            "transactions_card.html",
            row=row,
            operation=OPERATIONS[row.kind],
            service=SERVICES[row.utility_type],
            status=STATUSES[row.status],
            tone=TONES[row.status],
            provider=self._names.get(row.provider or "", row.provider),
            references=references(row),
            took=took_ms(row),
            marks=list(marks(row)),
        )

    def _links(self, wanted: Selection, page: Page) -> str:
        return self._view.render("transactions_pages.html", wanted=wanted, page=page)

    async def _switched(self, event: ValueChangeEventArguments[bool | None]) -> None:
        self._live = bool(event.value)
        self._say(None)
        await self._refresh()

    def _say(self, since: datetime | None) -> None:
        self._said.set_content(
            self._view.render("transactions_live.html", live=self._live, since=since)
        )

    async def _refresh(self) -> None:
        if not self._live:
            return
        wanted, held = self._wanted(), self._cards
        try:
            page = await self._page(wanted)
        except Exception as problem:
            if not unavailable(problem):
                raise
            self._failed_at = self._failed_at or self._view.console.clock()
            self._say(self._failed_at)
            return
        if self._failed_at is not None:
            self._failed_at = None
            self._say(None)
        cards = self._take(page)
        changed = {key: card for key, (_, card) in cards.items() if held.get(key) != cards[key]}
        if changed or held.keys() != cards.keys():
            news = msgspec.json.encode({"keys": list(map(str, cards)), "cards": changed}).decode()
            ui.run_javascript(f"steadyList({_LIST!r}, {news})")
        links = self._links(wanted, page)
        if links != self._around:
            self._around = links
            self._pages.set_content(links)


def _written(words: dict[str, str]) -> dict[str, str]:
    return {written(word): label for word, label in words.items()}
