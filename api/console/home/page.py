"""Home: how business goes, how the providers fare, and which of them need somebody."""

from collections.abc import Callable
from datetime import UTC, datetime

from nicegui import ui

from api.console.page import View
from api.console.parts.charts import COLOURS, Axis, Series, bars, lines
from api.console.parts.chosen import chosen
from api.console.parts.time_chart import TimeChart, count, positive, rounded, written
from api.console.providers.attention import Attention
from api.console.text import milliseconds, percent
from domain.exchange import Operation
from projections.provider_figures import Figures, Traffic, traffic
from projections.provider_standing import in_doubt, providers, waiting
from projections.purchase_figures import Purchases, purchases, purchases_since
from projections.window import WINDOWS, Window

CHART_WINDOWS = ("1h", "24h", "7d")
PERCENTILES = {"p50": 50, "p95": 95, "p99": 99}
QUIET_SECONDS = 10.0
"""While nothing happens, figures are taken anew this often, for the window moves on."""


async def build(view: View) -> None:
    """The page."""
    labels = {key: WINDOWS[key].label for key in CHART_WINDOWS}
    window = chosen(view, "window", labels, "1h")
    measure = chosen(view, "measure", {name: name for name in PERCENTILES}, "p95")
    now = _Now(view)
    with ui.element("div").classes("bar-of-choices"):
        view.html("choices.html", chosen=window, label="Charts of the last")
        view.html("choices.html", chosen=measure, label="Time of vends")
    charts = _Charts(view, WINDOWS[window.value], measure.value)
    await now.refresh()
    await charts.refresh()
    view.on_change(["provider_health", "open_work"], now.refresh, every_seconds=1.0)
    every = WINDOWS[window.value].refresh_seconds
    view.on_change(["provider_health"], charts.refresh, every_seconds=every)
    ui.timer(QUIET_SECONDS, now.refresh, immediate=False)
    ui.timer(QUIET_SECONDS, charts.refresh, immediate=False)


def midnight(view: View, now: datetime) -> datetime:
    """When today began in the console's zone, in UTC."""
    local = now.astimezone(view.console.formats.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


class _Now:
    """What is so at this moment: who needs attention, and today's totals."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._attention = Attention(view)
        view.html("home_today_title.html")
        self._tiles = ui.html("", sanitize=False)

    async def refresh(self) -> None:
        console = self._view.console
        now = console.clock()
        standings = await providers(console.reading)
        recent = await traffic(console.reading, WINDOWS["5m"], now)
        self._attention.show(standings, recent, await in_doubt(console.reading, now))
        today = await purchases_since(console.reading, midnight(self._view, now), now)
        queue = await waiting(console.reading, now)
        self._tiles.set_content(self._view.render("home_today.html", today=today, queue=queue))


class _Charts:
    """The charts of one window."""

    def __init__(self, view: View, window: Window, measure: str) -> None:
        self._view = view
        self._window = window
        self._measure = measure
        with ui.element("div").classes("charts"):
            self._purchases = TimeChart(view, "Purchases by outcome", bars, Axis(), count)
            self._vends = TimeChart(view, "Vends by provider", lines, Axis(), count)
            self._success = TimeChart(
                view,
                "Success rate of vends (answered)",
                lines,
                Axis(" %", greatest=100),
                percent,
            )
            self._took = TimeChart(
                view,
                f"Time of vends, {measure}",
                lines,
                Axis(" ms", logarithmic=True),
                milliseconds,
            )

    async def refresh(self) -> None:
        console = self._view.console
        now = console.clock()
        window = self._window
        times = written(self._view, window, now)
        bought = await purchases(console.reading, window, now)
        flow = await traffic(console.reading, window, now, operation=Operation.VEND)
        names = {one.provider: one.label for one in await providers(console.reading)}
        self._purchases.show(times, _outcomes(bought), _said_purchases(window, bought))
        self._show_providers(times, flow, names)

    def _show_providers(self, times: list[str], flow: Traffic, names: dict[str, str]) -> None:
        vend = Operation.VEND.value
        # A provider keeps its colour whoever else is on the chart.
        colour = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
        cells = {
            name: flow.over_time(name, vend) for name in names if flow.total(name, [vend]).total
        }

        def drawn(value_of: Callable[[Figures], float | None]) -> list[Series]:
            return [
                Series(names[name], [value_of(cell) for cell in cells[name]], colour[name])
                for name in cells
            ]

        rank = PERCENTILES[self._measure]
        totals = {names[name]: flow.total(name, [vend]) for name in cells}
        over = f"in the last {self._window.label}, by provider"
        self._vends.show(
            times,
            drawn(lambda cell: cell.total),
            f"Vends {over}: {_listed({k: str(v.total) for k, v in totals.items()})}",
        )
        rates = {k: percent(v.answered_percent) for k, v in totals.items()}
        self._success.show(
            times,
            drawn(lambda cell: rounded(cell.answered_percent)),
            f"Success rate of vends {over}: {_listed(rates)}",
        )
        took = {k: milliseconds(v.took_ms(rank)) for k, v in totals.items()}
        self._took.show(
            times,
            drawn(lambda cell: positive(cell.took_ms(rank))),
            f"{self._measure} of the time of vends {over}: {_listed(took)}",
        )


def _outcomes(bought: list[Purchases]) -> list[Series]:
    return [
        Series("Approved", [one.approved for one in bought], "var(--good)"),
        Series("Declined", [one.declined for one in bought], "var(--wait)"),
        Series("In doubt", [one.in_doubt for one in bought], "var(--bad)"),
    ]


def _said_purchases(window: Window, bought: list[Purchases]) -> str:
    approved = sum(one.approved for one in bought)
    declined = sum(one.declined for one in bought)
    doubtful = sum(one.in_doubt for one in bought)
    return (
        f"Purchases asked for in the last {window.label}: {approved} approved,"
        f" {declined} declined, {doubtful} in doubt"
    )


def _listed(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "none"
