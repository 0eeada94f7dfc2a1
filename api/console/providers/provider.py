"""One provider: its card, its figures over time, its exchanges, and what was changed about it."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from nicegui import ui

from api.console.page import View
from api.console.parts.charts import Axis, Series, bars, lines
from api.console.parts.chosen import Chosen, chosen
from api.console.parts.time_chart import TimeChart, count, positive, rounded, written
from api.console.providers.card import ProviderCard, ProviderFacts
from api.console.providers.page import QUIET_SECONDS, FactsReader
from api.console.text import milliseconds, percent
from domain.exchange import Operation
from domain.outcome import Outcome
from projections.keyset import Cursor, cursor_of
from projections.message_legs import KEY_KINDS, legs_of
from projections.provider_figures import Figures, Traffic
from projections.provider_standing import changes
from projections.provider_standing import provider as standing_of
from projections.window import WINDOWS, Window

CHANGES_SHOWN = 20
LIST_SECONDS = 2.0
"""How often the list of exchanges is drawn anew at most."""
OUTCOMES = {"": "All"} | {
    outcome.value: outcome.value.replace("_", " ").capitalize() for outcome in Outcome
}
OPERATIONS = {Operation.VEND.value: "Vends", Operation.LOOKUP.value: "Lookups"}
PERCENTILES = (("p50", 50, "--series-1"), ("p95", 95, "--series-2"), ("p99", 99, "--series-4"))


async def build(view: View) -> None:
    """The page, or that there is no such provider."""
    provider = view.parameter("provider")[:100]
    if await standing_of(view.console.reading, provider) is None:
        view.html("provider_unknown.html", provider=provider)
        return
    view.html(
        "provider_links.html",
        transactions=f"/transactions?{urlencode({'provider': provider})}",
    )
    window = chosen(view, "window", {key: w.label for key, w in WINDOWS.items()}, "1h")
    operation = chosen(view, "operation", OPERATIONS, Operation.VEND.value)
    with ui.element("div").classes("bar-of-choices"):
        view.html("choices.html", chosen=window, label="Figures of the last")
        view.html("choices.html", chosen=operation, label="Charts of")
    figures = _Figures(view, provider, WINDOWS[window.value], operation.value)
    await figures.refresh()
    view.on_change(["provider_health", "open_work"], figures.refresh, every_seconds=1.0)
    ui.timer(QUIET_SECONDS, figures.refresh, immediate=False)
    await _Exchanges(view, provider).build()
    await _Changes(view, provider).build()


class _Figures:
    """The card and the charts."""

    def __init__(self, view: View, provider: str, window: Window, operation: str) -> None:
        self._view = view
        self._provider = provider
        self._window = window
        self._operation = operation
        self._reader = FactsReader(view, window, provider)
        self._drawn: Traffic | None = None
        self._holder = ui.element("div")
        self._card: ProviderCard | None = None
        what = OPERATIONS[operation]
        with ui.element("div").classes("charts three"):
            self._volume = TimeChart(view, f"{what} by outcome", bars, Axis(), count)
            self._success = TimeChart(
                view, f"Success rate of {what.lower()}", lines, Axis(" %", greatest=100), percent
            )
            self._took = TimeChart(
                view, f"Time of {what.lower()}", lines, Axis(" ms", logarithmic=True), milliseconds
            )

    async def refresh(self) -> None:
        (facts,) = await self._reader.read()
        if self._card is None:
            with self._holder:
                self._card = ProviderCard(self._view, facts, self.refresh)
        else:
            self._card.show(facts)
        if facts.traffic is not self._drawn:
            self._drawn = facts.traffic
            self._draw(facts)

    def _draw(self, facts: ProviderFacts) -> None:
        cells = facts.traffic.over_time(self._provider, self._operation)
        total = facts.traffic.total(self._provider, [self._operation])
        times = written(self._view, self._window, facts.traffic.now)
        over = f"in the last {self._window.label}"
        self._volume.show(times, _outcomes(cells), f"{_said_outcomes(total)} {over}")
        answered = [rounded(cell.answered_percent) for cell in cells]
        approved = [rounded(cell.approved_percent) for cell in cells]
        self._success.show(
            times,
            [
                Series("Answered", answered, "var(--series-1)"),
                Series("Approved of the answered", approved, "var(--series-3)"),
            ],
            f"Answered {over}: {percent(total.answered_percent)},"
            f" approved of these: {percent(total.approved_percent)}",
        )
        took = ", ".join(f"{p} {milliseconds(total.took_ms(rank))}" for p, rank, _ in PERCENTILES)
        self._took.show(
            times,
            [
                Series(name, [positive(cell.took_ms(rank)) for cell in cells], f"var({colour})")
                for name, rank, colour in PERCENTILES
            ],
            f"Times {over}: {took}",
        )


def _outcomes(cells: list[Figures]) -> list[Series]:
    return [
        Series("Approved", [cell.approved for cell in cells], "var(--good)"),
        Series("Declined", [cell.declined for cell in cells], "var(--wait)"),
        Series("Unknown (time-outs)", [cell.unknown for cell in cells], "var(--bad)"),
        Series("Not sent", [cell.not_sent for cell in cells], "var(--soft)"),
    ]


def _said_outcomes(total: Figures) -> str:
    return (
        f"{total.approved} approved, {total.declined} declined, {total.unknown} unknown,"
        f" {total.not_sent} not sent"
    )


class _Exchanges:
    """The list of what went to the provider, the last first. It stands still while somebody points
    at it or is in it with the keyboard."""

    def __init__(self, view: View, provider: str) -> None:
        self._view = view
        self._provider = provider
        self._held = False
        self._outcome: Chosen = chosen(view, "outcome", OUTCOMES, "")
        self._problem = ""
        self._cursor = self._cursor_of_address()

    async def build(self) -> None:
        view = self._view
        view.html("provider_exchanges_title.html")
        view.html("choices.html", chosen=self._outcome, label="Outcome")
        self._shown = ui.html(await self._rendered(), sanitize=False)
        for event, held in (
            ("mouseenter", True),
            ("mouseleave", False),
            ("focusin", True),
            ("focusout", False),
        ):
            self._shown.on(event, self._holder(held))
        if self._cursor is None:
            view.on_change(["message_legs"], self._refresh, every_seconds=LIST_SECONDS)

    def _holder(self, held: bool) -> Callable[[], Awaitable[None]]:
        async def hold() -> None:
            self._held = held
            if not held:
                await self._refresh()

        return hold

    async def _refresh(self) -> None:
        if not self._held:
            self._shown.set_content(await self._rendered())

    async def _rendered(self) -> str:
        view = self._view
        page = await legs_of(
            view.console.reading,
            self._provider,
            outcome=self._outcome.value or None,
            cursor=self._cursor,
            limit=view.console.settings.page_rows,
        )
        return view.render(
            "provider_exchanges.html",
            page=page,
            problem=self._problem,
            earlier=page.earlier and self._address("before", page.earlier),
            later=page.later and self._address("after", page.later),
        )

    def _address(self, name: str, mark: str) -> str:
        kept = {k: v for k, v in self._view.query.items() if k not in ("after", "before")}
        return f"{self._view.request.url.path}?{urlencode(kept | {name: mark})}#exchanges"

    def _cursor_of_address(self) -> Cursor | None:
        query = self._view.query
        try:
            if "before" in query:
                return cursor_of(query["before"], KEY_KINDS, back=True)
            return cursor_of(query["after"], KEY_KINDS) if "after" in query else None
        except ValueError:
            self._problem = "The address names no place in this list, so it begins with the last."
            return None


class _Changes:
    """What was changed or found about the provider, the last first."""

    def __init__(self, view: View, provider: str) -> None:
        self._view = view
        self._provider = provider
        before = view.query.get("change", "")
        self._before = int(before) if before.isascii() and before.isdigit() else None
        if self._before is not None and self._before >= 2**63:
            self._before = None

    async def build(self) -> None:
        shown = ui.html(await self._rendered(), sanitize=False)

        async def refresh() -> None:
            shown.set_content(await self._rendered())

        self._view.on_change(["provider_health"], refresh, every_seconds=1.0)

    async def _rendered(self) -> str:
        reading = self._view.console.reading
        found = await changes(reading, self._provider, CHANGES_SHOWN + 1, self._before)
        rows, more = found[:CHANGES_SHOWN], len(found) > CHANGES_SHOWN
        address = ""
        if more:
            kept = self._view.query | {"change": str(rows[-1].version)}
            address = f"{self._view.request.url.path}?{urlencode(kept)}#changes"
        return self._view.render("provider_changes.html", rows=rows, older=address)
