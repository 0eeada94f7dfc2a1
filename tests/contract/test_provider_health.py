"""Provider health and message legs: their figures against counting by hand, over random histories
that last for days, in batches of any size."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.event import Event
from domain.exchange import Leg, Operation, ProviderAnswered
from domain.failure import ErrorType, Failure
from domain.message import message_stream
from domain.money import Money
from domain.operator import Actor
from domain.outcome import Outcome
from domain.provider import (
    Capabilities,
    HealthChanged,
    ProviderConfigured,
    ProviderDisabled,
    ProviderEnabled,
    WeightSet,
    provider_stream,
)
from domain.purchase import (
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    PurchaseRequested,
)
from domain.sale import Customer, MeterDetail, Sale, UtilityDetail
from domain.steered import source
from ledger import Ledger
from projections.grain import begin
from projections.keyset import cursor_of
from projections.latency import BUCKETS, bucket
from projections.message_legs import KEY_KINDS, MessageLeg, MessageLegs, legs_of
from projections.projection import schema_of
from projections.provider_figures import TIMED, traffic
from projections.provider_health import ProviderHealth
from projections.provider_standing import changes, provider, providers
from projections.purchase_figures import Purchases, purchases, purchases_since
from projections.reading import Reading
from projections.runner import ProjectionRunner, RunnerSettings, connect
from projections.window import WINDOWS

BEGAN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
NAMES = ("a", "b", "c")
MODELS = (ProviderHealth(), MessageLegs())
TABLES = {
    "provider_health": ("provider", "change", "traffic", "purchases", "unsold"),
    "message_legs": ("message_leg",),
}
METER = MeterDetail("04000000001")
SALE = Sale((), Customer(), UtilityDetail("T"), METER, "R")
AWAY = Failure(ErrorType.UPSTREAM_UNAVAILABLE, "nobody behind me", "99")
REFUSED = Failure(ErrorType.AMOUNT_TOO_LOW, "too little", "E7")
BOSS = Actor("boss", "administrator", "10.0.0.9", "/providers", "too slow")


class Days:
    """Random exchanges and purchases, kept as they happened."""

    def __init__(self, ledger: Ledger, seed: int, step: timedelta) -> None:
        self.chance = random.Random(seed)
        self.ledger = ledger
        self.now = BEGAN
        self.step = step
        self.versions: Counter[str] = Counter()
        self.answers: list[tuple[str, ProviderAnswered]] = []
        self.purchases: dict[str, tuple[PurchaseRequested, str]] = {}

    async def happen(self, stream: str, event: Event) -> None:
        await self.ledger.append(stream, self.versions[stream], [event])
        self.versions[stream] += 1

    async def go_on(self) -> None:
        """One more thing happens; clocks of two processes are not quite the same."""
        self.now += self.step * self.chance.random()
        at = self.now - timedelta(seconds=self.chance.choice([0, 0, 0, 3, 70]))
        match self.chance.randint(0, 5):
            case 0:
                await self._request(at)
            case 1 | 2 if self.purchases:
                await self._end(at)
            case _:
                await self._answer(at)

    async def _request(self, at: datetime) -> None:
        purchase_id = f"p{len(self.purchases)}"
        amount = Money(self.chance.randint(100, 99_999), self.chance.choice(["710", "710", "072"]))
        asked = PurchaseRequested(
            at=at, purchase_id=purchase_id, meter=METER, amount=amount, client="till"
        )
        self.purchases[purchase_id] = (asked, "pending")
        await self.happen(message_stream(purchase_id), asked)

    async def _end(self, at: datetime) -> None:
        purchase_id = self.chance.choice(list(self.purchases))
        asked, status = self.purchases[purchase_id]
        if status == "approved":
            return
        ended: dict[str, Event] = {
            "approved": PurchaseApproved(at=at, provider="a", reference="1", sale=SALE),
            "declined": PurchaseDeclined(at=at, failure=REFUSED, retriable=True),
            "unknown": PurchaseOutcomeUnknown(at=at, provider="a", next_recovery_at=at),
        }
        status = self.chance.choice(list(ended))
        self.purchases[purchase_id] = (asked, status)
        await self.happen(message_stream(purchase_id), ended[status])

    async def _answer(self, at: datetime) -> None:
        outcome = self.chance.choice([Outcome.APPROVED, *Outcome])
        took = int(self.chance.lognormvariate(4, 2))
        legs = [Leg("?", self.chance.choice(["!", None]), took // 2) for _ in range(2)]
        failures = {Outcome.DECLINED: self.chance.choice([AWAY, REFUSED])}
        event = ProviderAnswered(
            at=at,
            exchange=1,
            provider=self.chance.choice(NAMES),
            operation=self.chance.choice([Operation.VEND, Operation.LOOKUP, Operation.RECOVER]),
            outcome=outcome,
            took_ms=took,
            legs=() if outcome is Outcome.NOT_SENT else tuple(legs[self.chance.randint(0, 1) :]),
            failure=failures.get(outcome),
            detail="no answer" if outcome is Outcome.UNKNOWN else None,
            late=self.chance.random() < 0.1,
        )
        stream = message_stream(f"m{len(self.answers)}")
        self.answers.append((stream, event))
        await self.happen(stream, event)

    def counted(self, key: str, of: str, operation: Operation) -> dict[datetime, list[int]]:
        """By hand: what `traffic` should say of a window that ends now."""
        window, found = WINDOWS[key], dict[datetime, list[int]]()
        for _, event in self.answers:
            if (event.provider, event.operation) != (of, operation):
                continue
            at = begin(event.at, window.grain)
            if not window.since(self.now) <= at <= self.now:
                continue
            row = found.setdefault(at, [0] * (6 + BUCKETS))
            row[list(Outcome).index(event.outcome)] += 1
            row[4] += event.failure is AWAY
            row[5] += event.late
            if event.outcome is not Outcome.NOT_SENT:
                row[6 + bucket(event.took_ms)] += 1
        return found


@pytest.fixture
async def reading(database_url: str) -> AsyncIterator[Reading]:
    async with Reading(database_url) as reading:
        yield reading


def runner(ledger: Ledger, url: str, batch: int) -> ProjectionRunner:
    return ProjectionRunner(ledger, url, MODELS, RunnerSettings(batch=batch, idle_seconds=0.01))


async def all_rows(url: str, schemas: dict[str, str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    async with await connect(url) as connection:
        for name, tables in TABLES.items():
            for table in tables:
                query = f"SELECT to_jsonb(t) FROM {schemas[name]}.{table} AS t ORDER BY 1"
                cursor = await connection.execute(query.encode())
                found[table] = [row[0] for row in await cursor.fetchall()]
    return found


@pytest.mark.parametrize(
    ("seed", "step"),
    [(1, timedelta(seconds=40)), (2, timedelta(hours=1)), (3, timedelta(hours=5))],
    ids=["an hour or so", "some days", "weeks"],
)
async def test_figures_are_those_counted_by_hand_whatever_the_batches(
    ledger: Ledger, database_url: str, reading: Reading, seed: int, step: timedelta
) -> None:
    days, chance = Days(ledger, seed, step), random.Random(seed)
    for _ in range(400):
        await days.go_on()
        if chance.random() < 0.05:
            await runner(ledger, database_url, chance.choice([1, 3, 50])).catch_up()
    await runner(ledger, database_url, 7).catch_up()

    for key, window in WINDOWS.items():
        flow = await traffic(reading, window, days.now)
        for name in NAMES:
            for operation in (*TIMED, Operation.RECOVER):
                found = {
                    at: [c.approved, c.declined, c.unknown, c.not_sent, c.turned_away, c.late]
                    + (c.took or [0] * BUCKETS)
                    for at, c in flow.cells.get((name, operation.value), {}).items()
                }
                wanted = days.counted(key, name, operation)
                if operation not in TIMED:
                    wanted = {at: row[:6] + [0] * BUCKETS for at, row in wanted.items()}
                assert found == wanted, (key, name, operation)
        only = await traffic(reading, window, days.now, provider="b")
        assert only.total() == flow.total("b")
        only = await traffic(reading, window, days.now, operation=Operation.VEND)
        assert only.total("a") == flow.total("a", [Operation.VEND])

    live = await all_rows(database_url, {name: schema_of(name) for name in TABLES})
    for batch in (1, 9, 1_000):
        schemas = {model.name: f"batch_{batch}_{model.name}" for model in MODELS}
        async with await connect(database_url) as connection:
            for model in MODELS:
                build = runner(ledger, database_url, batch).build
                await build(connection, model, schemas[model.name])
        assert await all_rows(database_url, schemas) == live, batch


@pytest.mark.parametrize("batch", [1, 2, 100])
async def test_a_slot_has_only_its_last_time_in_whatever_order_answers_come(
    ledger: Ledger, database_url: str, reading: Reading, batch: int
) -> None:
    """Minutes are kept for two days: then the next one takes the place of the first."""
    days = Days(ledger, 1, timedelta())
    for late in (0, 2, 0, 2, 4, 2, 4):
        answer = ProviderAnswered(
            at=BEGAN + timedelta(days=late),
            exchange=1,
            provider="a",
            operation=Operation.VEND,
            outcome=Outcome.APPROVED,
            took_ms=10 + late,
        )
        await days.happen(message_stream(f"m{len(days.versions)}"), answer)
    await runner(ledger, database_url, batch).catch_up()

    async def at(day: int) -> tuple[int, int, int]:
        now = BEGAN + timedelta(days=day)
        found = [(await traffic(reading, WINDOWS[key], now)).total() for key in ("1h", "24h", "7d")]
        assert all(sum(one.took) == one.approved for one in found)
        first, second, third = (one.approved for one in found)
        return first, second, third

    assert await at(0) == (0, 2, 2)
    assert await at(2) == (0, 3, 5)
    assert await at(4) == (2, 2, 7)


@pytest.mark.parametrize("seed", [4, 5])
async def test_each_purchase_counts_once_in_the_time_of_its_request(
    ledger: Ledger, database_url: str, reading: Reading, seed: int
) -> None:
    days, chance = Days(ledger, seed, timedelta(minutes=2)), random.Random(seed)
    for _ in range(400):
        await days.go_on()
        if chance.random() < 0.1:
            await runner(ledger, database_url, chance.choice([1, 5])).catch_up()
    await runner(ledger, database_url, 1_000).catch_up()

    def by_hand(since: datetime) -> Purchases:
        total = Purchases()
        for asked, status in days.purchases.values():
            if asked.at >= since:
                setattr(total, status, getattr(total, status) + 1)
                if status == "approved":
                    currency = asked.amount.currency
                    sold = total.cents.get(currency, 0) + asked.amount.cents
                    total.cents[currency] = sold
        return total

    midnight = BEGAN.replace(hour=0)
    assert await purchases_since(reading, midnight, days.now) == by_hand(midnight)
    hour = await purchases(reading, WINDOWS["1h"], days.now)
    expected = by_hand(WINDOWS["1h"].since(days.now))
    assert sum(one.approved for one in hour) == expected.approved
    assert sum(one.in_doubt for one in hour) == expected.in_doubt
    assert sum(one.declined for one in hour) == expected.declined
    assert sum(sum(one.cents.values()) for one in hour) == sum(expected.cents.values())
    assert expected.total > 0


async def test_a_purchase_recovered_later_moves_from_unknown_to_approved(
    ledger: Ledger, database_url: str, reading: Reading
) -> None:
    days = Days(ledger, 1, timedelta())
    asked = PurchaseRequested(
        at=BEGAN, purchase_id="p", meter=METER, amount=Money(10_000), client="till"
    )
    stream = message_stream("p")

    async def first_minute() -> Purchases:
        await runner(ledger, database_url, 10).catch_up()
        return (await purchases(reading, WINDOWS["24h"], BEGAN + timedelta(hours=3)))[-13]

    await days.happen(stream, asked)
    assert await first_minute() == Purchases(pending=1)
    unknown = PurchaseOutcomeUnknown(at=BEGAN, provider="a", next_recovery_at=BEGAN)
    await days.happen(stream, unknown)
    assert await first_minute() == Purchases(unknown=1)
    later = BEGAN + timedelta(hours=2)
    sold = PurchaseApproved(at=later, provider="a", reference="1", sale=SALE, recovered=True)
    await days.happen(stream, sold)
    assert await first_minute() == Purchases(approved=1, cents={"710": 10_000})


async def test_how_a_provider_stands_and_what_was_changed(
    ledger: Ledger, database_url: str, reading: Reading
) -> None:
    days, stream = Days(ledger, 1, timedelta()), provider_stream("a")
    later = [BEGAN + timedelta(minutes=number) for number in range(6)]
    steps: list[Event] = [
        ProviderConfigured(
            at=later[0],
            provider="a",
            name="Alpha",
            protocol="xmlvend",
            capabilities=Capabilities(trial=True, confirm=True),
        ),
        WeightSet(at=later[1], provider="a", weight=10, by="settings"),
        HealthChanged(
            at=later[2], provider="a", healthy=False, reason="5 in a row", by="process-1"
        ),
        ProviderDisabled(at=later[3], provider="a", **source(BOSS)),
        WeightSet(at=later[4], provider="a", weight=30, **source(BOSS)),
        ProviderEnabled(at=later[5], provider="a", **source(BOSS)),
    ]
    for number, step in enumerate(steps):
        await days.happen(stream, step)
        if number in (2, 3):
            await runner(ledger, database_url, 10).catch_up()
            seen = await provider(reading, "a")
            assert seen is not None
            assert (seen.healthy, seen.enabled) == (False, number == 2)
    await runner(ledger, database_url, 10).catch_up()
    (found,) = await providers(reading)
    assert (found.label, found.weight, found.capabilities) == ("Alpha", 30, ["confirm", "trial"])
    assert (found.enabled, found.healthy, found.health_reason) == (True, False, "5 in a row")
    assert (found.changed, found.changed_at, found.changed_by, found.changed_comment) == (
        "ENABLED",
        later[5],
        "boss",
        "too slow",
    )
    history = await changes(reading, "a", 10)
    assert [(row.kind, row.by, row.before, row.after) for row in history] == [
        ("ENABLED", "boss", None, None),
        ("WEIGHT", "boss", 10, 30),
        ("DISABLED", "boss", None, None),
        ("UNHEALTHY", "process-1", None, None),
        ("WEIGHT", "settings", None, 10),
        ("CONFIGURED", "settings", None, None),
    ]
    assert await changes(reading, "a", 2, before_version=4) == history[3:5]
    assert await provider(reading, "nobody") is None


async def test_the_legs_of_a_provider_come_page_by_page(
    ledger: Ledger, database_url: str, reading: Reading
) -> None:
    days = Days(ledger, 8, timedelta(seconds=10))
    for _ in range(150):
        await days.go_on()
    await runner(ledger, database_url, 20).catch_up()
    wanted = [
        (event.at, stream.partition("/")[2], event)
        for stream, event in days.answers
        if event.provider == "a"
    ]

    async def pages(outcome: str | None) -> Sequence[MessageLeg]:
        found: list[MessageLeg] = []
        mark = None
        while True:
            cursor = None if mark is None else cursor_of(mark, KEY_KINDS)
            page = await legs_of(reading, "a", outcome=outcome, cursor=cursor, limit=7)
            found += page.rows
            if page.later is None:
                return found
            mark = page.later

    for outcome in (None, *Outcome):
        found = await pages(outcome)
        chosen = [one for one in wanted if outcome in (None, one[2].outcome)]
        assert len(found) == sum(max(len(event.legs), 1) for _, _, event in chosen)
        assert {leg.message_id for leg in found} == {message_id for _, message_id, _ in chosen}
        order = [(leg.answered_at, leg.position, leg.leg) for leg in found]
        assert order == sorted(order, reverse=True)
    sent_nothing = await pages(Outcome.NOT_SENT)
    assert sent_nothing
    assert {(leg.leg, leg.answered) for leg in sent_nothing} == {(0, False)}
    by_id = {message_id: event for _, message_id, event in wanted}
    for leg in await pages(None):
        event = by_id[leg.message_id]
        assert leg.asked_at == event.at - timedelta(milliseconds=event.took_ms)
        if leg.leg:
            assert leg.answered is (event.legs[leg.leg - 1].received is not None)
        assert leg.error_type == (event.failure and event.failure.error_type.value)
