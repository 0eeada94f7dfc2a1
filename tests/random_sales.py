"""Who buys how much at which provider: random sales over a whole fleet."""

import random
from collections.abc import Iterator
from datetime import datetime

import msgspec

from providers.simulator.faults import FaultMode
from providers.simulator.fleet import Fleet, FleetMeter
from providers.simulator.homes import MeterBook
from providers.simulator.pricing import free_units_due
from providers.simulator.sales import SalesLedger

AGAIN_SHARE = 0.35
"""Of the random sales: to a meter that bought before."""
FREE_SHARE = 0.5
"""Of the sales to a meter that has free units due: for those alone."""
LIMIT_SHARE = 0.05
"""Of the amounts: the lowest that the meter may buy for, and as many the highest."""


class Order(msgspec.Struct, frozen=True):
    """Somebody buys."""

    provider: str
    meter: FleetMeter


class Shoppers:
    """Decides who buys next: at first every meter that the fleet names at each of its providers,
    then any of the fleet."""

    def __init__(self, fleet: Fleet, rng: random.Random) -> None:
        self._rng = rng
        self._named: list[Order] = []
        self._meters: dict[str, list[FleetMeter]] = {one.id: [] for one in fleet.providers}
        self._before: dict[str, list[FleetMeter]] = {one.id: [] for one in fleet.providers}
        for meter in MeterBook(fleet):
            if meter.behaviour in (FaultMode.NONE, FaultMode.REVERSAL_UNSUPPORTED):
                for provider in meter.providers:
                    self._meters[provider].append(meter)
        for meter in fleet.meters:
            served = [one for one, meters in self._meters.items() if meter in meters]
            self._named += [Order(provider, meter) for provider in served]

        self._orders = self._endless()
        self._next = next(self._orders)

    @property
    def meters(self) -> int:
        """How many distinct meters may buy."""
        return len({meter.number for some in self._meters.values() for meter in some})

    def batch(self, most: int) -> list[Order]:
        """At least one order and at most so many, each of another meter."""
        chosen: dict[str, Order] = {}
        while len(chosen) < most and self._next.meter.number not in chosen:
            chosen[self._next.meter.number] = self._next
            self._next = next(self._orders)
        return list(chosen.values())

    def _endless(self) -> Iterator[Order]:
        for order in self._named:
            self._before[order.provider].append(order.meter)
            yield order
        while True:
            for provider, served in self._meters.items():
                before = self._before[provider]
                again = before and self._rng.random() < AGAIN_SHARE
                meter = self._rng.choice(before if again else served)
                before.append(meter)
                yield Order(provider, meter)

    def amount(self, meter: FleetMeter, ledger: SalesLedger, at: datetime) -> int | None:
        """Cents that the meter may buy for now; 0 for free units that are due; None: nothing."""
        due = free_units_due(meter, ledger.history(meter.number, at)) is not None
        if due and self._rng.random() < FREE_SHARE:
            return 0
        least = max(1, meter.min_cents)
        if meter.credit_blocked or meter.max_cents < least:
            return None
        drawn = self._rng.random()
        if drawn < LIMIT_SHARE:
            return least
        if drawn < 2 * LIMIT_SHARE:
            return meter.max_cents
        # Small amounts as often as large ones.
        return round(least * (meter.max_cents / least) ** self._rng.random())
