"""Whatever is bought, wherever: what was paid is what was given, what the adapter tells is what the
provider issued and marks off, and its tokens open the meter that they were sold for and no other.

Random meters of the whole shipped fleet and random amounts, through the real adapters, over real
sockets, at ten providers at once."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.sale import TokenType
from providers.simulator.fleet_file import load_fleet
from tests.conversation import Conversation
from tests.provider_traits import PROVIDERS
from tests.random_sales import Order, Shoppers
from tests.sale_checks import Checks
from tests.simulation import simulators

START = datetime(2026, 3, 29, 6, tzinfo=UTC)
SPAN = timedelta(days=4)
"""What all sales take together: over the end of a month, and longer than any provider's session."""
AT_ONCE = 10
BY_CHANCE_MAX = 5
"""Tokens that another meter takes: one in 65,536 of its random checks comes out right."""


class MovingClock:
    """UTC; stands still until somebody moves it."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.long)])
async def test_what_was_paid_is_what_was_given(count: int, tmp_path: Path) -> None:
    rng, clock = random.Random(count), MovingClock(START)
    fleet = load_fleet()
    shoppers = Shoppers(fleet, rng)
    assert shoppers.meters > 60_000
    async with simulators(fleet, clock=clock, seed=count) as running:
        ledger = running.simulation.sales
        talks = {
            provider: Conversation(adapter, clock)
            for provider, adapter in running.adapters(clock=clock, vend=30.0).items()
        }
        checks = Checks(running.simulation, tmp_path, rng)

        async def buy(order: Order) -> None:
            cents = shoppers.amount(order.meter, ledger, clock())
            if cents is None:
                return
            talk = talks[order.provider]
            original, reply = await talk.vend(order.meter.number, cents, order.meter.utility_type)
            checks.sale(order, original.reference, cents, reply, clock())

        while len(ledger) < count:
            batch = shoppers.batch(min(AT_ONCE, count - len(ledger)))
            await asyncio.gather(*map(buy, batch))
            clock.now += SPAN * len(batch) / count * rng.uniform(0, 2)
        checks.mark_offs()
    seen = checks.counts
    print(dict(seen))
    assert seen["sales"] == len(ledger) == count
    assert all(seen[provider] >= count // 25 for provider in PROVIDERS)
    assert all(seen[kind.value] for kind in TokenType)
    assert all(seen[kind] for kind in ("over the air", "debts", "charges", "free units alone"))
    assert seen["refused elsewhere"] > count // 2
    assert seen["taken elsewhere"] <= BY_CHANCE_MAX
