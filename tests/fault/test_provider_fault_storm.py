"""Many purchases at once while the provider's faults change: however each one ends, the adapter's
last word agrees with the simulators' ledger."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from domain.exchange import Original, RecoverQuestion, VendQuestion
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail, Sale
from providers.adapter import ProviderAdapter
from tests.simulation import (
    DEBTS,
    FREE,
    KEY_CHANGE,
    PLAIN,
    InProcess,
    every_provider_fleet,
    simulators,
    utc_now,
)

PURCHASES = 80
AT_ONCE = 12
RECOVERIES_MAX = 40
LATE_MS = 400
LATE_WINDOW_SECONDS = 1.5
MODES = (
    "none",
    "drop_after_request",
    "drop_mid_answer",
    "garbled_answer",
    "wrong_reference",
    "silent_after_sale",
    "silent_before_sale",
    "system_error_before_sale",
    "system_error_after_sale",
    "late_sale",
    "refuse",
)


async def settle(
    adapter: ProviderAdapter,
    meter: MeterDetail,
    number: int,
    between: Callable[[], Awaitable[None]],
) -> tuple[str, Sale | None]:
    """One purchase to its end: the reference, and the sale if there is one."""
    asked_at = utc_now()
    prepared = adapter.prepare(VendQuestion(meter, Money(1_000 + number)), number, asked_at)
    started = asyncio.get_running_loop().time()
    noted: list[str] = []

    async def note(handle: str) -> bool:
        noted.append(handle)
        return True

    reply = await adapter.exchange(prepared, note)
    if reply.outcome is not Outcome.UNKNOWN:
        return prepared.reference, reply.sale
    original = Original(
        prepared.reference,
        asked_at,
        Money(1_000 + number),
        0,
        asked_at,
        handle=noted[0] if noted else None,
    )
    for attempt in range(RECOVERIES_MAX):
        again = msgspec.structs.replace(original, attempt=attempt)
        ask = adapter.prepare(
            RecoverQuestion(meter, again), PURCHASES * (attempt + 1) + number, utc_now()
        )
        reply = await adapter.exchange(ask)
        late = asyncio.get_running_loop().time() - started > LATE_WINDOW_SECONDS
        if reply.settled is not None and (reply.settled is not Settled.NOT_FOUND or late):
            return prepared.reference, reply.sale
        await between()
        await asyncio.sleep(0.1)
    raise AssertionError(f"{prepared.reference} was never settled: {reply.detail}")


async def change_fault(running: InProcess, provider: str, rng: random.Random) -> None:
    mode = rng.choice(MODES)
    rate = 1.0 if mode == "refuse" else 0.5
    await running.fault(provider, mode, rate=rate, latency_ms=LATE_MS)


@pytest.mark.parametrize(
    "provider", ["ipay", "ontec", "contour", "bluelabel", "kazang", "easypay", "randa"]
)
async def test_every_ending_agrees_with_the_ledger(provider: str) -> None:
    rng = random.Random(7)
    async with simulators(every_provider_fleet()) as running:
        adapter = running.adapters(vend=0.3)[provider]
        numbers = iter(range(1, PURCHASES + 1))
        ended: dict[str, Sale | None] = {}

        async def another_fault() -> None:
            await change_fault(running, provider, rng)

        async def buyer() -> None:
            for number in numbers:
                await another_fault()
                meter = MeterDetail(rng.choice((PLAIN, DEBTS, FREE, KEY_CHANGE)))
                reference, sale = await settle(adapter, meter, number, another_fault)
                ended[reference] = sale

        await asyncio.gather(*(buyer() for _ in range(AT_ONCE)))
        await asyncio.sleep(LATE_MS / 1000 + 0.1)
        rows = running.sales()
        standing = {row.reference: row.tokens for row in rows if row.status == "standing"}
        told = {
            reference: tuple(token.digits for token in sale.tokens)
            for reference, sale in ended.items()
            if sale is not None
        }
        assert len(ended) == PURCHASES
        assert standing == told
        assert len({row.reference for row in rows}) == len(rows)
        assert told
        assert len(told) < PURCHASES
