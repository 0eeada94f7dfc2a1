"""The read models' rows: the same live, rebuilt, and in batches of any size."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from domain.advice import AdviceAttempted, AdviceKind
from domain.exchange import Operation
from domain.message import message_stream
from domain.notification import Answer, NotificationQueued
from domain.operator import Actor
from domain.provider import Capabilities
from domain.sale import MeterDetail, UtilityType
from ledger import Ledger
from projections.catalogue import read_models
from projections.projection import schema_of
from projections.runner import ProjectionRunner, RunnerSettings, connect
from projections.work_finder import PooledWorkFinder
from switch.attend import Attendant
from switch.command import KeyChanged, LookedUp, Refused, Reprinted, Sold
from switch.notify import notify
from switch.operate import Operating
from switch.ports import Notice
from switch.settings import SwitchSettings
from switch.streams import NotAPurchaseError
from switch.subscription import Subscription
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock

TABLES = {
    "audit": ("entry", "present"),
    "contract_table": ("meter", "support", "utility_meters", "utility_support"),
    "message_legs": ("message_leg",),
    "notifications": ("notification",),
    "open_work": ("purchase",),
    "provider_health": ("provider", "change", "traffic", "purchases", "unsold"),
    "queue": ("item", "key_change"),
    "routing_preferences": ("utility",),
    "transactions": ("transaction",),
}
ANN = Actor("ann", "operator", "10.0.0.7", "/providers", "because")
METERS = [METER.number, "2", "3", "nobody's"]
SETTINGS = SwitchSettings(
    lease_poll_seconds=0.0, broadcast_window_seconds=5.0, attend_now_gap_seconds=0.0
)
EVERYTHING = Capabilities(
    confirm=True, reverse=True, trial=True, reprint=True, fault_report=True, key_change=True
)
SUBSCRIPTIONS = [Subscription(name, users=frozenset({"till"})) for name in ("s1", "s2")]

Rows = dict[str, list[dict[str, Any]]]


def runner(ledger: Ledger, url: str, batch: int = 1_000) -> ProjectionRunner:
    settings = RunnerSettings(batch, linger_seconds=0.0, idle_seconds=0.01)
    return ProjectionRunner(ledger, url, read_models(), settings)


async def rows(url: str, schema_for: Callable[[str], str] = schema_of) -> Rows:
    """All rows of all tables of all read models."""
    found: Rows = {}
    connection = await connect(url)
    async with connection:
        for name, tables in TABLES.items():
            for table in tables:
                query = sql.SQL("SELECT to_jsonb(t) FROM {}.{} AS t ORDER BY 1").format(
                    sql.Identifier(schema_for(name)), sql.Identifier(table)
                )
                cursor = await connection.execute(query)
                found[f"{name}.{table}"] = [row[0] for row in await cursor.fetchall()]
    return found


async def built(
    ledger: Ledger, url: str, prefix: str, batch: int = 1_000, until: int | None = None
) -> Rows:
    """The rows as a fresh build makes them."""
    connection = await connect(url)
    async with connection:
        for model in read_models():
            schema = f"{prefix}_{model.name}"
            await runner(ledger, url, batch).build(connection, model, schema, until=until)
    return await rows(url, lambda name: f"{prefix}_{name}")


class Nobody:
    """Finds no purchase: a reprint of any sale goes to the meter's provider."""

    async def sold(
        self, utility_type: UtilityType, number: str, reference: str | None, limit: int
    ) -> Sequence[str]:
        del utility_type, number, reference, limit
        return []


class Moody:
    """A subscriber that answers by chance with one of `answers`."""

    def __init__(self, chance: random.Random, *answers: int | None) -> None:
        self._chance = chance
        self.answers = answers

    async def notify(self, subscriber: str, notice: Notice) -> Answer:
        del subscriber, notice
        return Answer(self._chance.choice(self.answers))


class History:
    """Random doings of channels, people and workers over a real ledger."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self.chance = random.Random(seed)
        self.clock = TestClock(timedelta(milliseconds=5))
        self.providers = [
            ScriptedProvider(name, self.clock, EVERYTHING, frozenset(METERS[:served]))
            for name, served in (("a", 1), ("b", 2), ("c", 3))
        ]
        for one in self.providers:
            one.fault = self._fault
        self.board = Switchboard(
            self.clock, self.providers, SETTINGS, log=ledger, subscriptions=SUBSCRIPTIONS
        )
        self.board.purchases = Nobody()
        self.operating = Operating(self.board.context)
        self.subscriber = Moody(self.chance, 200, 503, 404, None)
        self.purchases = 0
        self.services: list[str] = []
        self.faulty = True
        self._ids = 0

    def _fault(self, operation: Operation) -> Fault:
        if not self.faulty or (operation is Operation.LOOKUP and self.chance.random() < 0.8):
            return Fault.NONE
        bad = [Fault.NOT_SENT, Fault.SILENT_AFTER, Fault.SILENT_BEFORE, Fault.DECLINE]
        return self.chance.choice([Fault.NONE, Fault.NONE, *bad])

    def _id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}-{self._ids}"

    async def step(self) -> None:
        board, chance = self.board, self.chance
        purchase = f"p{chance.randint(1, max(1, self.purchases))}"
        meter = chance.choice(METERS)
        match chance.randint(0, 22):
            case 19:
                await self._steer()
            case 20:
                await self._operate(purchase)
            case 21 | 22:
                self.clock.leap(chance.choice([1, 10]))
                await self._known(self.operating.attend_now(ANN, purchase))
            case 14 | 15:
                await self._serve()
            case 16:
                advised = chance.choice([*self.services, "nothing"])
                await board.confirm_key_change(advised, self._id("c"))
            case 17:
                self.clock.leap(chance.choice([1, 30, 200]))
                await self._known(board.attend(chance.choice([*self.services, "nothing"])))
            case 18:
                await self._notify(purchase)
            case 0 | 1:
                await board.look_up(self._id("l"), meter)
            case 2 | 3 | 4 | 5:
                self.purchases += 1
                await board.buy(f"p{self.purchases}", number=meter)
            case 6:
                await self._known(board.retry(purchase, self._id("r"), number=meter))
            case 7 | 8:
                kind = chance.choice(list(AdviceKind))
                await board.advise(kind, purchase, self._id("a"))
            case 9 | 10:
                self.clock.leap(chance.choice([1, 30, 200]))
                await self._known(board.attend(purchase))
            case 11:
                await board.steering.request_rebroadcast(UtilityType.ELECTRICITY, meter, OP)
            case 12:
                preference = chance.sample(["a", "b", "c"], chance.randint(0, 2))
                await board.steering.set_meter_preference(
                    UtilityType.ELECTRICITY, meter, preference, OP
                )
            case 13:
                named = chance.sample(["a", "b", "c"], chance.randint(0, 3))
                ranked = chance.randint(0, len(named))
                utility = chance.choice(["Test Municipality", "Elsewhere"])
                await board.steering.set_preferences(utility, named[:ranked], named[ranked:], OP)
            case _:
                await asyncio.sleep(0.001)

    async def _steer(self) -> None:
        """What people change that isn't a meter's."""
        steering, chance = self.board.steering, self.chance
        provider = chance.choice("abc")
        match chance.randint(0, 4):
            case 0 | 1:
                await steering.set_weight(provider, chance.randint(0, 3), ANN)
            case 2:
                await steering.disable(provider, ANN)
            case 3:
                await steering.enable(provider, OP)
            case _:
                name = chance.choice([self.providers[0].utility, "Elsewhere"])
                order = chance.sample("abc", 2)
                ranked, excluded = order[:1], order[1 : chance.randint(1, 2)]
                await steering.set_preferences(name, ranked, excluded, chance.choice([ANN, OP]))

    async def _operate(self, message_id: str) -> None:
        """What people do that changes nothing."""
        operating = self.operating
        match self.chance.randint(0, 5):
            case 0:
                await operating.signed_in(ANN)
            case 1:
                await operating.sign_in_refused(ANN)
            case 2:
                await operating.signed_out(ANN)
            case 3:
                await operating.tokens_viewed(ANN, message_id)
            case 4:
                await operating.exported(ANN, "transactions", "csv", "/transactions?status=UNKNOWN")
            case _:
                await operating.access_refused(ANN, "providers/weight")

    async def _serve(self) -> None:
        service = self._id("s")
        self.services.append(service)
        match self.chance.randint(0, 3):
            case 0:
                await self.board.trial(service)
            case 1:
                await self.board.reprint(service)
            case 2:
                await self.board.report_fault(service)
            case _:
                await self.board.change_key(service)

    async def _notify(self, purchase_id: str) -> None:
        events = await self.board.context.log.read(message_stream(purchase_id))
        if any(isinstance(entry.event, NotificationQueued) for entry in events):
            for one in SUBSCRIPTIONS:
                await notify(self.board.context, self.subscriber, one.subscriber, purchase_id)

    async def _known(self, doing: Any) -> None:  # noqa: ANN401 (any use case)
        with suppress(NotAPurchaseError):
            await doing

    async def settle(self) -> None:
        """No more faults; the workers do what the read model says is due, until nothing is."""
        self.faulty, self.subscriber.answers = False, (200,)
        for number in range(1, self.purchases + 1):
            for _ in range(6):
                self.clock.leap(700)
                await self._known(self.board.attend(f"p{number}"))
            await self._notify(f"p{number}")
        for service in self.services:
            await self.board.attend(service)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_live_rebuilt_and_any_batch_size_give_the_same_rows(
    ledger: Ledger, database_url: str, seed: int
) -> None:
    history = History(ledger, seed)
    await history.board.open()
    chance = random.Random(seed)
    stops: dict[int, Rows] = {}
    for number in range(150):
        await history.step()
        if chance.random() < 0.15:
            # Live feeding stops anywhere, also in the midst of a purchase.
            end = await runner(ledger, database_url, chance.choice([1, 2, 7])).catch_up()
            if number % 3 == 0:
                stops[end] = await rows(database_url)
    await history.board.quiet()
    end = await runner(ledger, database_url, 5).catch_up()
    live = await rows(database_url)
    assert all(live[table] for table in live), {table: len(found) for table, found in live.items()}

    for batch in (1, 7, 1_000):
        assert await built(ledger, database_url, f"batch_{batch}", batch) == live, batch
    for position, stood in stops.items():
        assert await built(ledger, database_url, f"at_{position}", until=position) == stood
    for model in read_models():
        assert await runner(ledger, database_url).rebuild(model) == end
    assert await rows(database_url) == live

    await history.settle()
    await runner(ledger, database_url).catch_up()
    settled = await rows(database_url)
    assert settled["open_work.purchase"] == [], "nothing is open"
    transactions = settled["transactions.transaction"]
    statuses = {row["status"] for row in transactions if row["kind"] in ("LOOKUP", "PURCHASE")}
    assert statuses <= {"ANSWERED", "FAILED", "APPROVED", "DECLINED"}
    served = {row["status"] for row in transactions if row["message_id"] in history.services}
    assert served <= {"DONE", "FAILED", "UNKNOWN"}
    notified = {row["status"] for row in settled["notifications.notification"]}
    assert notified <= {"DELIVERED", "GIVEN_UP"}
    await history.board.close()


# Rows in particular


@pytest.fixture
async def board(ledger: Ledger) -> AsyncIterator[Switchboard]:
    """Providers a, which serves the meter, and b, which doesn't; nothing happened yet."""
    clock = TestClock()
    clock.now = datetime(2026, 3, 1, 8, tzinfo=UTC)
    providers = [
        ScriptedProvider("a", clock, EVERYTHING),
        ScriptedProvider("b", clock, meters=frozenset()),
    ]
    board = Switchboard(clock, providers, SETTINGS, log=ledger)
    board.purchases = Nobody()
    await board.open()
    yield board
    await board.close()


@pytest.fixture
async def feed(ledger: Ledger, database_url: str) -> Callable[[], Any]:
    """Feeds the read models and gives all rows back."""

    async def fed() -> Rows:
        await runner(ledger, database_url).catch_up()
        return await rows(database_url)

    return fed


Feed = Callable[[], Any]


def fault(board: Switchboard, fault: Fault) -> None:
    board.providers["a"].fault = lambda _operation: fault


async def test_a_row_of_the_contract_table_after_the_first_lookup(
    board: Switchboard, feed: Feed
) -> None:
    board.providers["c"] = silent = ScriptedProvider("c", board.clock)
    silent.fault = lambda _operation: Fault.SILENT_BEFORE
    await board.close()
    board.restart()
    await board.open()
    assert isinstance(await board.look_up("l1"), LookedUp)
    found = await feed()
    (meter,) = found["contract_table.meter"]
    assert meter["number"] == METER.number
    assert meter["utility"] == "test-municipality"
    assert meter["utility_name"] == "Test Municipality"
    assert meter["rebroadcast"] is False
    assert meter["last_broadcast_at"] is not None
    support = {
        row["provider"]: (row["status"], row["last_response_at"] is not None)
        for row in found["contract_table.support"]
    }
    assert support == {
        "a": ("SUPPORTED", True),
        "b": ("NOT_SUPPORTED", True),
        "c": ("UNCONFIRMED", False),
    }


async def test_every_later_answer_moves_the_time_of_the_last_response(
    board: Switchboard, feed: Feed
) -> None:
    async def last(provider: str) -> datetime:
        found = await feed()
        (at,) = [
            row["last_response_at"]
            for row in found["contract_table.support"]
            if row["provider"] == provider
        ]
        return datetime.fromisoformat(at)

    await board.look_up("l1")
    before = {name: await last(name) for name in "ab"}
    board.clock.leap(3_600)
    await board.look_up("l2")
    assert await last("a") - before["a"] >= timedelta(hours=1)
    assert await last("b") == before["b"], "it was not asked"


async def test_flag_and_preference_show_and_go(board: Switchboard, feed: Feed) -> None:
    await board.look_up("l1")
    kind = UtilityType.ELECTRICITY
    await board.steering.request_rebroadcast(kind, METER.number, OP)
    await board.steering.set_meter_preference(kind, METER.number, ["b", "a"], OP)
    (meter,) = (await feed())["contract_table.meter"]
    assert (meter["rebroadcast"], meter["preference"]) == (True, ["b", "a"])
    await board.look_up("l2")
    (meter,) = (await feed())["contract_table.meter"]
    assert (meter["rebroadcast"], meter["preference"]) == (False, ["b", "a"])


async def test_a_purchase_is_open_work_until_its_outcome_is_known(
    board: Switchboard, feed: Feed
) -> None:
    await board.look_up("l1")
    assert isinstance(await board.buy("p1"), Sold)
    assert (await feed())["open_work.purchase"] == []

    fault(board, Fault.SILENT_AFTER)
    await board.buy("p2")
    (row,) = (await feed())["open_work.purchase"]
    purchase = await board.purchase("p2")
    assert row["purchase_id"] == "p2"
    assert row["provider"] == "a"
    assert datetime.fromisoformat(row["due_at"]) == purchase.next_recovery_at

    fault(board, Fault.NONE)
    board.clock.leap(60)
    await board.attend("p2")
    assert (await feed())["open_work.purchase"] == []


async def test_a_purchase_whose_asker_died_is_due_when_its_lease_ends(
    board: Switchboard, feed: Feed
) -> None:
    await board.look_up("l1")
    board.providers["a"].hold = asyncio.Event()
    buying = asyncio.create_task(board.buy("p1"))
    async with asyncio.timeout(30):
        while not board.providers["a"].asked[1:]:  # noqa: ASYNC110 (no event of the switch says it)
            await asyncio.sleep(0.001)
    buying.cancel()
    await asyncio.gather(buying, return_exceptions=True)
    (row,) = (await feed())["open_work.purchase"]
    leased = (await board.purchase("p1")).open
    assert leased is not None
    assert datetime.fromisoformat(row["due_at"]) == leased.deadline


async def test_an_advice_is_open_work_until_it_is_final(board: Switchboard, feed: Feed) -> None:
    await board.look_up("l1")
    await board.buy("p1")
    await board.advise(AdviceKind.REVERSAL, "p1", "a1")
    (row,) = (await feed())["open_work.purchase"]
    assert list(row["advices"]) == ["a1"]
    assert datetime.fromisoformat(row["due_at"]) <= board.clock()

    fault(board, Fault.SILENT_BEFORE)
    await board.attend("p1")
    (row,) = (await feed())["open_work.purchase"]
    advice = (await board.purchase("p1")).advices["a1"]
    assert datetime.fromisoformat(row["due_at"]) == advice.next_attempt_at
    assert row["provider"] == "a"

    fault(board, Fault.NONE)
    board.clock.leap(60)
    await board.attend("p1")
    assert (await feed())["open_work.purchase"] == []


async def test_what_comes_after_an_advices_end_opens_no_work(
    board: Switchboard, feed: Feed, ledger: Ledger
) -> None:
    """A row that could not be written would keep the read model, and all recoveries with it, at
    this event for ever."""
    await board.look_up("l1")
    await board.buy("p1")
    await board.advise(AdviceKind.REVERSAL, "p1", "a1")
    await board.attend("p1")
    now = board.clock()
    stalled = AdviceAttempted(at=now, advice_id="a1", attempt=1, next_attempt_at=now)
    version = (await board.purchase("p1")).version
    await ledger.append(message_stream("p1"), version, [stalled])
    assert (await feed())["open_work.purchase"] == []


async def test_a_transaction_tells_the_purchase_as_it_stands(
    board: Switchboard, feed: Feed
) -> None:
    await board.look_up("l1")
    fault(board, Fault.SILENT_AFTER)
    await board.buy("p1")

    async def row(message_id: str = "p1") -> dict[str, Any]:
        found = (await feed())["transactions.transaction"]
        return next(row for row in found if row["message_id"] == message_id)

    lookup = await row("l1")
    assert (lookup["kind"], lookup["status"], lookup["provider"]) == ("LOOKUP", "ANSWERED", "a")
    assert lookup["amount_cents"] is None
    unknown = await row()
    assert (unknown["kind"], unknown["status"]) == ("PURCHASE", "UNKNOWN")
    assert unknown["finished_at"] is None

    fault(board, Fault.NONE)
    answer = await board.retry("p1", "r1")
    assert isinstance(answer, Sold)
    sold = await row()
    assert sold["status"] == "APPROVED"
    assert sold["amount_cents"] == 10_000
    assert sold["currency"] == "710"
    assert (sold["retries"], sold["recovered"]) == (1, True)
    assert sold["provider_reference"] == answer.sale.provider_reference
    assert sold["receipt"] == answer.sale.tokens[0].receipt
    assert sold["utility"] == "test-municipality"
    assert sold["client"] == "till"

    await board.advise(AdviceKind.REVERSAL, "p1", "a1")
    assert (await row())["reversal"] == "ADVISED"
    await board.attend("p1")
    await board.advise(AdviceKind.CONFIRMATION, "p1", "a2")
    await board.attend("p1")
    assert ((await row())["reversal"], (await row())["confirmation"]) == ("REVERSED", "SUPERSEDED")

    fault(board, Fault.DECLINE)
    await board.buy("p2")
    declined = await row("p2")
    assert (declined["status"], declined["error_type"]) == ("DECLINED", "TRANSACTION_DECLINED")


async def test_what_sells_nothing_is_listed_by_its_kind(board: Switchboard, feed: Feed) -> None:
    await board.look_up("l1")
    await board.buy("p1")
    await board.trial("t1")
    reprinted = await board.reprint("r1", "R-1")
    await board.report_fault("f1")
    changed = await board.change_key("k1")
    assert isinstance(reprinted, Reprinted)
    assert isinstance(changed, KeyChanged)
    fault(board, Fault.SILENT_AFTER)
    await board.change_key("k2")
    fault(board, Fault.DECLINE)
    await board.trial("t2")
    board.providers["a"].capabilities = Capabilities()
    await board.report_fault("f2")

    found = {row["message_id"]: row for row in (await feed())["transactions.transaction"]}
    told = {name: (row["kind"], row["status"], row["error_type"]) for name, row in found.items()}
    assert told == {
        "l1": ("LOOKUP", "ANSWERED", None),
        "p1": ("PURCHASE", "APPROVED", None),
        "t1": ("TRIAL", "DONE", None),
        "r1": ("REPRINT", "DONE", None),
        "f1": ("FAULT_REPORT", "DONE", None),
        "k1": ("KEY_CHANGE", "DONE", None),
        "k2": ("KEY_CHANGE", "UNKNOWN", None),
        "t2": ("TRIAL", "FAILED", "TRANSACTION_DECLINED"),
        "f2": ("FAULT_REPORT", "FAILED", "FUNCTION_NOT_SUPPORTED"),
    }
    assert {row["provider"] for name, row in found.items() if name != "f2"} == {"a"}
    assert {row["utility_name"] for row in found.values()} == {"Test Municipality"}
    assert found["r1"]["provider_reference"] == reprinted.sale.provider_reference
    assert found["k1"]["provider_reference"] == changed.sale.provider_reference
    with_amount = {name for name, row in found.items() if row["amount_cents"] is not None}
    assert with_amount == {"p1", "t1", "t2"}
    assert all(row["client"] == "till" for row in found.values())


async def test_a_service_request_is_open_work_until_its_end_is_known(
    board: Switchboard, feed: Feed
) -> None:
    await board.look_up("l1")
    board.providers["a"].hold = asyncio.Event()
    asking = asyncio.create_task(board.change_key("k1"))
    async with asyncio.timeout(30):
        while not board.providers["a"].asked[1:]:  # noqa: ASYNC110 (no event of the switch says it)
            await asyncio.sleep(0.001)
    (row,) = (await feed())["open_work.purchase"]
    opened = (await board.service("k1")).open
    assert opened is not None
    assert datetime.fromisoformat(row["due_at"]) == opened.deadline
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    board.providers["a"].hold = None
    board.clock.leap(60)
    await board.attend("k1")
    assert (await feed())["open_work.purchase"] == []

    await board.change_key("k2")
    await board.confirm_key_change("k2", "c1")
    found = await feed()
    assert [row["purchase_id"] for row in found["open_work.purchase"]] == ["k2"]
    rows = {row["message_id"]: row for row in found["transactions.transaction"]}
    assert rows["k2"]["confirmation"] == "ADVISED"
    await board.attend("k2")
    found = await feed()
    assert found["open_work.purchase"] == []
    rows = {row["message_id"]: row for row in found["transactions.transaction"]}
    assert rows["k2"]["confirmation"] == "DELIVERED"


async def test_a_notification_tells_how_often_and_with_what_end(
    board: Switchboard, feed: Feed
) -> None:
    await board.close()
    board.subscriptions = tuple(SUBSCRIPTIONS)
    board.restart()
    await board.open()
    await board.look_up("l1")
    await board.buy("p1")

    async def row(subscriber: str) -> dict[str, Any]:
        found = (await feed())["notifications.notification"]
        return next(row for row in found if row["subscriber"] == subscriber)

    queued = await row("s1")
    assert (queued["purchase_id"], queued["status"], queued["attempts"]) == ("p1", "PENDING", 0)
    assert queued["due_at"] == queued["queued_at"]

    subscriber = Moody(random.Random(1), 503)
    await notify(board.context, subscriber, "s1", "p1")
    waiting = await row("s1")
    assert (waiting["status"], waiting["attempts"], waiting["answer_status"]) == ("PENDING", 1, 503)
    assert waiting["due_at"] > waiting["last_attempt_at"]

    board.clock.leap(10)
    subscriber.answers = (200,)
    await notify(board.context, subscriber, "s1", "p1")
    done = await row("s1")
    assert (done["status"], done["attempts"], done["answer_status"]) == ("DELIVERED", 2, 200)
    assert done["due_at"] is None

    subscriber.answers = (501,)
    await notify(board.context, subscriber, "s2", "p1")
    ended = await row("s2")
    assert (ended["status"], ended["because"], ended["answer_status"]) == (
        "GIVEN_UP",
        "REFUSED",
        501,
    )
    assert ended["finished_at"] is not None


# Where the workers look


@pytest.fixture
async def finder(database_url: str) -> AsyncIterator[PooledWorkFinder]:
    pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]] = AsyncConnectionPool(
        database_url, min_size=1, open=False
    )
    async with pool:
        yield PooledWorkFinder(pool)


async def test_the_purchases_due_come_in_order_page_by_page(
    board: Switchboard, feed: Feed, finder: PooledWorkFinder
) -> None:
    await board.look_up("l1")
    fault(board, Fault.SILENT_AFTER)
    for number in range(5):
        await board.buy(f"p{number}")
        board.clock.leap(10)
    await feed()
    now = board.clock.now

    assert await finder.purchases_due(now - timedelta(hours=1), None, 10) == []
    everything = await finder.purchases_due(now, None, 10)
    assert [purchase for _, purchase in everything] == [f"p{number}" for number in range(5)]
    assert [due for due, _ in everything] == sorted(due for due, _ in everything)
    assert all(due <= now for due, _ in everything)

    first = await finder.purchases_due(now, None, 2)
    second = await finder.purchases_due(now, first[-1], 2)
    third = await finder.purchases_due(now, second[-1], 2)
    assert [*first, *second, *third] == list(everything)
    assert await finder.purchases_due(now, third[-1], 2) == []

    some = await finder.purchases_due(everything[2][0], None, 10)
    assert [purchase for _, purchase in some] == ["p0", "p1", "p2"], "due by then, and not later"


async def test_purchases_due_at_the_same_moment_are_not_lost_between_pages(
    board: Switchboard, feed: Feed, finder: PooledWorkFinder, database_url: str
) -> None:
    await feed()
    with psycopg.connect(database_url) as connection:
        connection.cursor().executemany(
            "INSERT INTO projection_open_work.purchase (purchase_id, since, due_at)"
            " VALUES (%s, %s, %s)",
            [(f"p{number}", board.clock.now, board.clock.now) for number in range(5)],
        )
    after = None
    found: list[str] = []
    while page := await finder.purchases_due(board.clock.now, after, 2):
        found += [purchase for _, purchase in page]
        after = page[-1]
    assert found == [f"p{number}" for number in range(5)]


async def test_the_worker_recovers_what_the_read_model_shows(
    board: Switchboard, feed: Feed, finder: PooledWorkFinder
) -> None:
    await board.look_up("l1")
    fault(board, Fault.SILENT_AFTER)
    for number in range(3):
        await board.buy(f"p{number}")
    fault(board, Fault.NONE)
    board.clock.leap(60)
    await feed()
    attendant = Attendant(board.context, finder)
    worker = asyncio.create_task(attendant.work_loop())
    assert await attendant.scan(None) is None
    async with asyncio.timeout(30):
        for number in range(3):
            while not (await board.purchase(f"p{number}")).settled:  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0.005)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert (await feed())["open_work.purchase"] == []


async def test_the_meters_due_come_oldest_first_and_only_those_that_somebody_serves(
    board: Switchboard, feed: Feed, finder: PooledWorkFinder
) -> None:
    board.providers["a"].meters = frozenset({"1", "2", "3"})
    for number in ("2", "nobody's", "3", "1"):
        await board.look_up(f"l-{number}", number)
        board.clock.leap(60)
    kind = UtilityType.ELECTRICITY
    await board.steering.request_rebroadcast(kind, "never looked up", OP)
    await feed()
    now = board.clock.now

    due = await finder.meters_due(now, 10)
    assert [meter.number for meter in due] == ["2", "3", "1"]
    assert {meter.utility_type for meter in due} == {kind}
    assert [meter.number for meter in await finder.meters_due(now, 2)] == ["2", "3"]
    earlier = await finder.meters_due(now - timedelta(seconds=90), 10)
    assert [meter.number for meter in earlier] == ["2", "3"]

    await board.steering.request_rebroadcast(kind, "2", OP)
    await board.look_up("again", "2")
    await feed()
    assert [m.number for m in await finder.meters_due(board.clock.now, 10)] == ["3", "1", "2"]


async def test_the_purchases_sold_come_last_one_first_and_by_any_reference(
    board: Switchboard, feed: Feed, finder: PooledWorkFinder
) -> None:
    board.providers["a"].meters = frozenset({"1", "2"})
    for number in "12":
        await board.look_up(f"l{number}", number)
    sales = {name: await board.buy(name, number="1") for name in ("p1", "p2", "p3")}
    await board.buy("other", number="2")
    fault(board, Fault.DECLINE)
    assert isinstance(await board.buy("declined", number="1"), Refused)
    fault(board, Fault.NONE)
    board.providers["a"].book.clear()
    await board.trial("t1", meter=MeterDetail("1"))
    await feed()
    kind = UtilityType.ELECTRICITY

    assert await finder.sold(kind, "1", None, 10) == ["p3", "p2", "p1"]
    assert await finder.sold(kind, "1", None, 2) == ["p3", "p2"]
    assert await finder.sold(UtilityType.WATER, "1", None, 10) == []
    assert await finder.sold(kind, "nobody's", None, 10) == []
    sold = sales["p2"]
    assert isinstance(sold, Sold)
    reference, receipt = sold.sale.provider_reference, sold.sale.tokens[0].receipt
    assert receipt is not None
    quoted = reference.replace("-", "").upper()
    for name in (reference, receipt, receipt.lower(), quoted, f" {reference} "):
        assert await finder.sold(kind, "1", name, 10) == ["p2"], name
    for name in ("", "--", "p2", reference[:-1], "%", "'"):
        assert await finder.sold(kind, "1", name, 10) == [], name


async def test_the_notifications_due_are_a_subscribers_own_longest_due_first(
    board: Switchboard, feed: Feed, finder: PooledWorkFinder
) -> None:
    await board.close()
    board.subscriptions = (SUBSCRIPTIONS[0],)
    board.restart()
    await board.open()
    await board.look_up("l1")
    for number in range(4):
        await board.buy(f"p{number}")
    await feed()
    now = board.clock.now
    everything = ["p0", "p1", "p2", "p3"]
    assert await finder.notifications_due("s1", now, 10) == everything
    assert await finder.notifications_due("s1", now, 2) == everything[:2]
    assert await finder.notifications_due("s1", now - timedelta(hours=1), 10) == []
    assert await finder.notifications_due("s2", now, 10) == []
    subscriber = Moody(random.Random(1), 200)
    await notify(board.context, subscriber, "s1", "p0")
    await feed()
    assert await finder.notifications_due("s1", board.clock.now, 10) == everything[1:]
