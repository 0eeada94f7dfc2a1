"""`kill -9` of the switch in the middle of Kazang's sale in two steps: whatever step it was at, the
purchase gets its end after the restart without anyone asking, and the provider sold once or not at
all. A retry of what was not sold sells it then."""

import asyncio
from pathlib import Path

import pytest

from domain.exchange import ProviderAsked, ProviderNoted
from domain.purchase import PurchaseStatus
from tests.channel import lookup_message, purchase_message
from tests.world import (
    LATE_MS,
    NEVER_UNHEALTHY,
    SETTLED_SECONDS_MAX,
    World,
    assert_ledgers_agree,
    sold_tokens,
    tokens_of,
    until,
    world,
)

METER = "04915371027"
"""Served by Kazang alone."""
CENTS = 12_300
PURCHASES = 5
RETRIED = 202


async def reached(running: World, purchase_id: str, *, noted: bool, sales: int) -> None:
    """Waits until the purchase is at its step, by ledger and provider."""

    async def there() -> bool:
        events = await running.events(purchase_id)
        wanted = ProviderNoted if noted else ProviderAsked
        if not any(isinstance(event, wanted) for event in events):
            return False
        return len(await running.sales()) >= sales

    await until(there, f"purchase {purchase_id} under way", SETTLED_SECONDS_MAX)


@pytest.mark.parametrize(
    ("mode", "operation", "noted", "sold_before"),
    [
        ("silent_before_sale", "LOOKUP", False, False),
        ("silent_before_sale", "VEND", True, False),
        ("silent_after_sale", "VEND", True, True),
        ("slow", "VEND", True, False),
    ],
    ids=[
        "before the quote was answered",
        "confirmed, and it never arrived",
        "sold, and not yet answered",
        "confirmed, and sold while the switch is down",
    ],
)
async def test_killed_at_each_step(
    tmp_path: Path,
    database_url: str,
    mode: str,
    operation: str,
    *,
    noted: bool,
    sold_before: bool,
) -> None:
    async with world(tmp_path, database_url, settings=NEVER_UNHEALTHY) as running:
        found = await running.client.look_up(lookup_message(meter={"meterId": METER}))
        assert found.status == 201, found.body
        await running.fault("kazang", mode, latency_ms=LATE_MS, operations=(operation,))
        messages = [
            purchase_message(
                meter={"meterId": METER}, purchaseAmount={"amount": CENTS, "currency": "710"}
            )
            for _ in range(PURCHASES)
        ]
        client = running.client
        waiting = [asyncio.ensure_future(client.buy(message)) for message in messages]
        for message in messages:
            sales = PURCHASES if sold_before else 0
            await reached(running, message["id"], noted=noted, sales=sales)
        await running.switches[0].kill()
        await asyncio.gather(*waiting, return_exceptions=True)
        await running.fault("kazang", "none")
        await running.start_switch()
        await running.settled(message["id"] for message in messages)
        await running.nothing_open()

        purchases = await running.purchases()
        sales_made = await running.sales()
        assert_ledgers_agree(purchases, sales_made)
        assert len(purchases) == PURCHASES
        statuses = {purchase.status for purchase in purchases.values()}
        assert statuses == {PurchaseStatus.APPROVED if noted else PurchaseStatus.DECLINED}
        assert len(sales_made) == (PURCHASES if noted else 0)
        for message in messages:
            answer = await running.client.retry(message["id"], message)
            assert answer.status == RETRIED, answer.body
            if noted:
                assert tokens_of(answer.body) == sold_tokens(purchases[message["id"]])
        assert_ledgers_agree(await running.purchases(), await running.sales())
        assert len(await running.sales()) == PURCHASES
