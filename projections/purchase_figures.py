"""Figures of purchases over time: queries for pages."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from projections.grain import QUARTER
from projections.projection import schema_of
from projections.provider_health import ProviderHealth
from projections.reading import Reading
from projections.window import Window


@dataclass
class Purchases:
    """Purchases that were asked for in some time, each with the outcome that it has now. `cents` by
    currency (ISO 4217 number): what the approved ones were for."""

    approved: int = 0
    declined: int = 0
    unknown: int = 0
    pending: int = 0
    cents: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def total(self) -> int:
        return self.approved + self.declined + self.in_doubt

    @property
    def in_doubt(self) -> int:
        """Those without an outcome."""
        return self.unknown + self.pending


_PURCHASES = f"""
    SELECT at, currency, approved, declined, unknown, pending, approved_cents
    FROM {schema_of(ProviderHealth.name)}.purchases
    WHERE grain = %s AND at >= %s AND at <= %s ORDER BY at
"""  # noqa: S608 (the schema's name is a constant)


async def purchases(reading: Reading, window: Window, now: datetime) -> list[Purchases]:
    """For each of the times of the window that ends `now` (UTC)."""
    rows = await reading.rows(_PURCHASES, (window.grain, window.since(now), now))
    by_time: dict[datetime, list[tuple[str, int, int, int, int, int]]] = {}
    for at, *row in rows:
        by_time.setdefault(at, []).append((row[0], row[1], row[2], row[3], row[4], row[5]))
    return [_summed(by_time.get(at, [])) for at in window.times(now)]


async def purchases_since(reading: Reading, since: datetime, now: datetime) -> Purchases:
    """The sum from `since` (UTC, on a quarter of an hour) to `now`: a hundred rows a day, however
    many purchases there were."""
    rows = await reading.rows(_PURCHASES, (QUARTER, since, now))
    return _summed((r[1], r[2], r[3], r[4], r[5], r[6]) for r in rows)


def _summed(rows: Iterable[tuple[str, int, int, int, int, int]]) -> Purchases:
    total = Purchases()
    for currency, approved, declined, unknown, pending, cents in rows:
        total.approved += approved
        total.declined += declined
        total.unknown += unknown
        total.pending += pending
        if cents:
            total.cents[currency] = total.cents.get(currency, 0) + cents
    return total
