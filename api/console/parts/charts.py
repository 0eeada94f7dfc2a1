"""Charts over time: ECharts options from series, in colours of the style sheet.

Charts are drawn as SVG, so colours can be the style sheet's variables and follow light and dark.
Series differ by more than colour: lines by dash and mark, bars by their pattern.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import ui

_MARKS = ("circle", "rect", "triangle", "diamond", "pin", "emptyCircle", "emptyRect", "arrow")
_DASHES = ("solid", "dashed", "dotted")
COLOURS = tuple(f"var(--series-{number})" for number in range(1, 11))
"""One for each of ten providers; an eleventh begins anew, with another mark."""

Values = Sequence[float | None]


@dataclass(frozen=True)
class Series:
    """Values for each time; None where there is none."""

    name: str
    values: Values
    colour: str


@dataclass(frozen=True)
class Axis:
    """What the values are: `unit` follows each value; `greatest` is where the axis ends."""

    unit: str = ""
    greatest: float | None = None
    least: float | None = 0
    logarithmic: bool = False


def lines(times: Sequence[str], series: Sequence[Series], axis: Axis, said: str) -> dict[str, Any]:
    """Options of a chart with a line for each series; `said` is what a screen reader reads."""
    return _options(times, axis, said) | {
        "legend": _legend([one.name for one in series]),
        "series": [_line(number, one) for number, one in enumerate(series)],
    }


def bars(times: Sequence[str], series: Sequence[Series], axis: Axis, said: str) -> dict[str, Any]:
    """Options of a chart with the series on top of each other."""
    return _options(times, axis, said) | {
        "legend": _legend([one.name for one in series]),
        "series": [
            {
                "name": one.name,
                "type": "bar",
                "stack": "all",
                "data": list(one.values),
                "itemStyle": {"color": one.colour},
                "emphasis": {"disabled": True},
                "barCategoryGap": "15%",
            }
            for one in series
        ],
    }


def chart(options: dict[str, Any]) -> ui.echart:
    """The chart as an element; `show` changes it."""
    return ui.echart(options, renderer="svg").classes("chart")


def show(element: ui.echart, options: dict[str, Any]) -> None:
    """Draws other options."""
    shown: dict[str, Any] = element.options  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    shown.update(options)
    element.update()


def _line(number: int, series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "type": "line",
        "data": list(series.values),
        "symbol": _MARKS[number % len(_MARKS)],
        "symbolSize": 5,
        # A time without neighbours would be invisible without its mark.
        "showAllSymbol": True,
        "lineStyle": {
            "color": series.colour,
            "type": _DASHES[number % len(_DASHES)],
            "width": 2,
        },
        "itemStyle": {"color": series.colour},
        "emphasis": {"disabled": True},
    }


def _legend(names: list[str]) -> dict[str, Any]:
    return {"data": names, "top": 0, "textStyle": {"color": "var(--ink)"}, "itemGap": 14}


def _options(times: Sequence[str], axis: Axis, said: str) -> dict[str, Any]:
    return {
        "animation": False,
        "aria": {"enabled": True, "label": {"description": said}, "decal": {"show": True}},
        "grid": {"left": 8, "right": 16, "top": 56, "bottom": 8, "containLabel": True},
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": "var(--card)",
            "borderColor": "var(--line)",
            "textStyle": {"color": "var(--ink)"},
            ":valueFormatter": f"(value) => value == null ? '\u2013' : value + '{axis.unit}'",
        },
        "xAxis": {
            "type": "category",
            "data": list(times),
            "axisLabel": {"color": "var(--soft)", "hideOverlap": True},
            "axisLine": {"lineStyle": {"color": "var(--soft)"}},
        },
        "yAxis": {
            "type": "log" if axis.logarithmic else "value",
            "min": None if axis.logarithmic else axis.least,
            "max": axis.greatest,
            "axisLabel": {"color": "var(--soft)", "formatter": f"{{value}}{axis.unit}"},
            "splitLine": {"lineStyle": {"color": "var(--line)"}},
        },
    }
