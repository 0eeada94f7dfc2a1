"""Providers that need somebody: a list in which every provider leads to its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nicegui import ui

from api.console.page import View
from projections.provider_figures import TIMED, Figures, Traffic
from projections.provider_standing import ProviderStanding

TIMEOUTS_MIN = 2
ANSWERED_PERCENT_MIN = 95.0
"""A provider that answers less, with that many time-outs in the last minutes, is listed."""
DOUBTFUL_MIN = 5
"""So is one with this many outcomes in doubt."""


def timing_out(figures: Figures) -> bool:
    """Whether so few were answered that somebody should look."""
    percent = figures.answered_percent
    return (
        figures.unknown >= TIMEOUTS_MIN and percent is not None and percent < ANSWERED_PERCENT_MIN
    )


@dataclass(frozen=True)
class _Line:
    link: ui.link
    label: ui.label
    item: ui.element


class Attention:
    """The list. Lines stay where they are as long as they are wanted, so that no click gets
    lost."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._lines: dict[str, _Line] = {}
        with ui.element("section").classes("box").props('aria-label="Needs attention"'):
            ui.html("Needs attention", tag="h2", sanitize=True)
            self._fine = ui.label("Every provider is enabled, healthy and answering.")
            self._fine.classes("good")
            self._list = ui.element("ul").classes("attention").props("role=list")

    def show(
        self,
        standings: Sequence[ProviderStanding],
        recent: Traffic,
        doubtful: Mapping[str, int],
    ) -> None:
        """Lists those that need attention."""
        for one in standings:
            reasons = self._reasons(one, recent, doubtful.get(one.provider, 0))
            if reasons:
                self._say(one, "; ".join(reasons))
            elif one.provider in self._lines:
                self._lines.pop(one.provider).item.delete()
        self._fine.set_visibility(not self._lines)

    def _reasons(self, one: ProviderStanding, recent: Traffic, doubtful: int) -> list[str]:
        """Why it needs somebody; empty when it doesn't."""
        time = self._view.console.formats.time
        said: list[str] = []
        if not one.healthy:
            said.append(f"unhealthy since {time(one.health_at)} ({one.health_reason})")
        if not one.enabled:
            comment = f": {one.changed_comment}" if one.changed_comment else ""
            said.append(f"disabled since {time(one.changed_at)} by {one.changed_by}{comment}")
        for operation in TIMED:
            # Each for itself: recoveries that are answered would hide vends that are not.
            figures = recent.total(one.provider, [operation.value])
            if timing_out(figures):
                what = f"{figures.unknown} of {figures.total} {operation.lower()}s"
                said.append(f"{what} without an answer in the last {recent.window.label}")
        if doubtful >= DOUBTFUL_MIN:
            said.append(f"{doubtful} outcomes in doubt")
        return said

    def _say(self, one: ProviderStanding, text: str) -> None:
        line = self._lines.get(one.provider)
        if line is None:
            with self._list, ui.element("li") as item:
                link = ui.link(one.label, f"/providers/{one.provider}")
                line = self._lines[one.provider] = _Line(link, ui.label(), item)
        line.label.set_text(text)
