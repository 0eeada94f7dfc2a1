"""The read model of sales is the same live, rebuilt and in batches of any size, and agrees with
what each purchase's own stream tells."""

import random
from typing import Any

import pytest
from psycopg import sql

from domain.advice import Delivery
from domain.message import message_stream
from domain.purchase import (
    Purchase,
)
from ledger import Ledger
from ledger.decide import fold
from projections.projection import schema_of
from projections.runner import ProjectionRunner, RunnerSettings, connect
from projections.sales import Sales
from tests.contract.test_projections_rows import History

TABLES = ("sale", "unsold", "advised")
DIGITS = "12345678901234567890"

Rows = dict[str, list[dict[str, Any]]]


def runner(ledger: Ledger, url: str, batch: int = 1_000) -> ProjectionRunner:
    settings = RunnerSettings(batch, linger_seconds=0.0, idle_seconds=0.01)
    return ProjectionRunner(ledger, url, (Sales(),), settings)


async def rows(url: str, schema: str) -> Rows:
    found: Rows = {}
    async with await connect(url) as connection:
        for table in TABLES:
            query = sql.SQL("SELECT to_jsonb(t) FROM {}.{} AS t ORDER BY 1").format(
                sql.Identifier(schema), sql.Identifier(table)
            )
            cursor = await connection.execute(query)
            found[table] = [row[0] for row in await cursor.fetchall()]
    return found


async def built(ledger: Ledger, url: str, name: str, batch: int, until: int | None = None) -> Rows:
    """The rows as a fresh build makes them."""
    async with await connect(url) as connection:
        await runner(ledger, url, batch).build(connection, Sales(), name, until=until)
    return await rows(url, name)


async def told_by_streams(ledger: Ledger, count: int) -> dict[tuple[str, str], tuple[str, int]]:
    """Provider and cents of every sale and reversal, each from its purchase's own stream."""
    told: dict[tuple[str, str], tuple[str, int]] = {}
    for number in range(1, count + 1):
        purchase_id = f"p{number}"
        state = fold(Purchase(), await ledger.read(message_stream(purchase_id)))
        if state.approval is None:
            continue
        assert state.request is not None
        what = state.approval.provider, state.request.amount.cents
        told[purchase_id, "PURCHASE"] = what
        if any(one.delivery is Delivery.REVERSED for one in state.advices.values()):
            told[purchase_id, "REVERSAL"] = what
    return told


@pytest.mark.parametrize("seed", [11, 12])
async def test_every_batch_cut_gives_the_rows_that_the_streams_tell(
    ledger: Ledger, database_url: str, seed: int
) -> None:
    history = History(ledger, seed)
    await history.board.open()
    chance = random.Random(seed)
    stops: dict[int, Rows] = {}
    for number in range(250):
        await history.step()
        if chance.random() < 0.1:
            end = await runner(ledger, database_url, chance.choice([1, 2, 7])).catch_up()
            if number % 4 == 0:
                stops[end] = await rows(database_url, schema_of("sales"))
    await history.board.quiet()
    end = await runner(ledger, database_url, 5).catch_up()
    live = await rows(database_url, schema_of("sales"))
    assert all(live.values())

    told = await told_by_streams(ledger, history.purchases)
    listed = {
        (row["purchase_id"], row["message_type"]): (
            row["settlement_entity_id"],
            row["amount_minor"],
        )
        for row in live["sale"]
    }
    assert listed == told
    assert {kind for _, kind in told} == {"PURCHASE", "REVERSAL"}

    for batch in (1, 7, 1_000):
        assert await built(ledger, database_url, f"batch_{batch}", batch) == live, batch
    for position, stood in stops.items():
        assert await built(ledger, database_url, f"at_{position}", 9, until=position) == stood
    assert await runner(ledger, database_url).rebuild(Sales()) == end
    assert await rows(database_url, schema_of("sales")) == live
    await history.board.close()
