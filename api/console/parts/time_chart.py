"""A chart over time with its figures beside it as a table, for those who can't see the chart."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from nicegui import ui

from api.console.page import View
from api.console.parts.charts import Axis, Series, chart, show
from projections.grain import HOUR
from projections.window import Window

Draw = Callable[[Sequence[str], Sequence[Series], Axis, str], dict[str, Any]]
Write = Callable[[float | None], str]
"""How a value stands in the table."""


class TimeChart:
    """One chart. `draw` is one of the chart kinds."""

    def __init__(self, view: View, title: str, draw: Draw, axis: Axis, write: Write) -> None:
        self._view = view
        self._draw = draw
        self._axis = axis
        self._write = write
        self._times: Sequence[str] = ()
        self._series: Sequence[Series] = ()
        with ui.element("section").classes("box").props(f'aria-label="{title}"'):
            ui.html(title, tag="h2", sanitize=True)
            self._chart = chart(draw((), (), axis, title))
            with ui.expansion("Figures as a table").classes("figures") as self._expansion:
                self._table = view.html("chart_table.html", times=(), series=(), write=write)
            self._expansion.on_value_change(self._fill)

    def show(self, times: Sequence[str], series: Sequence[Series], said: str) -> None:
        """Draws these values; `said` is what a screen reader reads of them."""
        self._times, self._series = times, series
        show(self._chart, self._draw(times, series, self._axis, said))
        self._fill()

    def _fill(self) -> None:
        # Up to a thousand cells that hardly anybody looks at.
        if self._expansion.value:
            self._table.set_content(
                self._view.render(
                    "chart_table.html", times=self._times, series=self._series, write=self._write
                )
            )


def written(view: View, window: Window, now: datetime) -> list[str]:
    """The window's times in the console's zone; with the day where it has more than one."""
    form = "%d %b %H:%M" if window.grain >= HOUR else "%H:%M"
    zone = view.console.formats.zone
    return [at.astimezone(zone).strftime(form) for at in window.times(now)]


def count(value: float | None) -> str:
    """How many."""
    return str(int(value or 0))


def rounded(value: float | None) -> float | None:
    """To two decimals, which is more than a chart shows."""
    return None if value is None else round(value, 2)


def positive(value: float | None) -> float | None:
    """Whole milliseconds, as a logarithmic axis can show them."""
    return None if value is None else max(round(value), 1)
