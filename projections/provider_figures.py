"""Figures of the providers' traffic over a window: counts, rates and percentiles."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.exchange import Operation
from projections.grain import slot
from projections.latency import added, percentile
from projections.projection import schema_of
from projections.provider_health import ProviderHealth
from projections.reading import Reading
from projections.window import Window

TIMED = (Operation.VEND, Operation.LOOKUP)
"""The operations whose times are shown."""


@dataclass
class Figures:
    """How exchanges ended and how long they took. A decline is an answer; one that says that the
    provider can't serve at all is not."""

    approved: int = 0
    declined: int = 0
    turned_away: int = 0
    unknown: int = 0
    not_sent: int = 0
    late: int = 0
    took: list[int] = field(default_factory=list[int])

    @property
    def total(self) -> int:
        return self.approved + self.declined + self.unknown + self.not_sent

    @property
    def answered(self) -> int:
        return self.approved + self.declined - self.turned_away

    @property
    def answered_percent(self) -> float | None:
        """The success rate: of all exchanges, those that the provider answered."""
        return 100 * self.answered / self.total if self.total else None

    @property
    def approved_percent(self) -> float | None:
        """Of the answered ones, those that were approved."""
        return 100 * self.approved / self.answered if self.answered else None

    def took_ms(self, percent: int) -> float | None:
        """A percentile of the times, in milliseconds; see `percentile`."""
        return percentile(self.took, percent)


_NOTHING = Figures()


def summed(parts: Iterable[Figures]) -> Figures:
    """All of them together."""
    total, histograms = Figures(), list[list[int]]()
    for part in parts:
        total.approved += part.approved
        total.declined += part.declined
        total.turned_away += part.turned_away
        total.unknown += part.unknown
        total.not_sent += part.not_sent
        total.late += part.late
        if part.took:
            histograms.append(part.took)
    total.took = added(histograms)
    return total


@dataclass
class Traffic:
    """What went to the providers in a window."""

    window: Window
    now: datetime
    cells: Mapping[tuple[str, str], Mapping[datetime, Figures]]
    """By provider and operation, then by time."""

    def total(
        self, provider: str | None = None, operations: Collection[str] | None = None
    ) -> Figures:
        """The sum over the whole window; without `provider` of all of them, without `operations`
        of all of these."""
        return summed(
            cell
            for (name, operation), cells in self.cells.items()
            if provider in (None, name) and (operations is None or operation in operations)
            for cell in cells.values()
        )

    def over_time(self, provider: str, operation: str) -> list[Figures]:
        """Figures for each of the window's times."""
        cells = self.cells.get((provider, operation), {})
        return [cells.get(at, _NOTHING) for at in self.window.times(self.now)]


_TRAFFIC = f"""
    SELECT at, provider, operation, approved, declined, turned_away, unknown, not_sent, late,
           CASE WHEN operation = ANY(%(timed)s) THEN took END
    FROM {schema_of(ProviderHealth.name)}.traffic
    WHERE grain = %(grain)s AND slot = ANY(%(slots)s) AND at >= %(since)s AND at <= %(now)s
      AND (%(provider)s::text IS NULL OR provider = %(provider)s)
      AND (%(operation)s::text IS NULL OR operation = %(operation)s)
"""  # noqa: S608 (the schema's name is a constant)


async def traffic(
    reading: Reading,
    window: Window,
    now: datetime,
    *,
    provider: str | None = None,
    operation: Operation | None = None,
) -> Traffic:
    """What went to the providers in the window that ends `now` (UTC); of one provider, or of one
    operation, where only that is wanted."""
    parameters: dict[str, Any] = {
        "grain": window.grain,
        "slots": [slot(at, window.grain) for at in window.times(now)],
        "since": window.since(now),
        "now": now,
        "timed": [operation.value for operation in TIMED],
        "provider": provider,
        "operation": operation,
    }
    cells: dict[tuple[str, str], dict[datetime, Figures]] = {}
    for row in await reading.rows(_TRAFFIC, parameters):
        at, name, asked, approved, declined, turned_away, unknown, not_sent, late, took = row
        figures = Figures(approved, declined, turned_away, unknown, not_sent, late, took or [])
        cells.setdefault((name, asked), {})[at] = figures
    return Traffic(window, now, cells)
