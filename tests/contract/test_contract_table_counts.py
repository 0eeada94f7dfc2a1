"""How many meters a utility has, and what providers say of them: as many as there are, whatever
meters and providers did and however it fell into batches."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import sql

from domain.event import Event
from domain.lookup import LookupAnswered
from domain.meter import (
    BroadcastReason,
    MeterBroadcast,
    MeterPreferenceSet,
    MeterSeen,
    MunicipalityAssigned,
    RebroadcastCleared,
    RebroadcastRequested,
    SupportAnswered,
    meter_stream,
)
from domain.routing import Support
from domain.sale import Customer, LookupAnswer, MeterDetail, UtilityDetail, UtilityType
from ledger import Recorded
from projections.contract_table import ContractTable
from projections.projection import Connection
from projections.runner import connect

KINDS = (UtilityType.ELECTRICITY, UtilityType.WATER)
NUMBERS = ("1", "2", "3", "4", "5")
PROVIDERS = ("a", "b", "c")
UTILITIES = ("u", "v", "w")
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)

Rows = dict[str, list[tuple[Any, ...]]]


class History:
    """Random events of a few meters, in the order of the ledger. Streams follow no rule but their
    own numbering: a lookup's answer may come before the meter's first event, a meter may move."""

    def __init__(self, seed: int, length: int) -> None:
        self._chance = random.Random(seed)
        self._versions = Counter[str]()
        self.recorded: list[Recorded] = []
        for _ in range(length):
            self._step()

    def _step(self) -> None:
        kind, number = self._chance.choice(KINDS), self._chance.choice(NUMBERS)
        stream = meter_stream(kind, number)
        if not self._versions[stream] and self._chance.random() < 0.5:
            self._add(stream, MeterSeen(at=self._at, number=number, utility_type=kind))
        match self._chance.randint(0, 9):
            case 0 | 1 | 2:
                answered = LookupAnswered(
                    at=self._at,
                    provider=self._chance.choice(PROVIDERS),
                    number=number,
                    utility_type=kind,
                    answer=ANSWER,
                )
                self._add(f"message/{len(self.recorded)}", answered)
            case _:
                self._add(stream, self._of_the_meter())

    def _of_the_meter(self) -> Event:
        at, chance = self._at, self._chance
        match chance.randint(0, 6):
            case 0 | 1:
                utility = chance.choice(UTILITIES)
                name = f"{utility} {chance.randint(1, 3)}"
                return MunicipalityAssigned(at=at, utility=utility, name=name)
            case 2 | 3:
                yes = chance.random() < 0.5
                provider = chance.choice(PROVIDERS)
                return SupportAnswered(at=at, provider=provider, supported=yes, lookup_id="l")
            case 4:
                asked = tuple(chance.sample(PROVIDERS, chance.randint(0, 3)))
                reason = BroadcastReason.SCHEDULED
                return MeterBroadcast(at=at, lookup_id="l", providers=asked, reason=reason)
            case 5:
                return RebroadcastRequested(at=at, by="op")
            case _:
                return chance.choice(
                    [
                        RebroadcastCleared(at=at, lookup_id="l"),
                        MeterPreferenceSet(at=at, by="op", providers=("a",)),
                    ]
                )

    def _add(self, stream: str, event: Event) -> None:
        self._versions[stream] += 1
        place = len(self.recorded) + 1
        self.recorded.append(Recorded(place, stream, self._versions[stream], event))

    @property
    def _at(self) -> datetime:
        # Not always later than the one before: processes' clocks differ.
        return BEGAN + timedelta(seconds=len(self.recorded) + self._chance.randint(-5, 5))


ANSWER = LookupAnswer(MeterDetail("1"), Customer(), UtilityDetail("anything"))


class Counted:
    """What the history comes to, counted meter by meter at its end."""

    def __init__(self, recorded: Sequence[Recorded]) -> None:
        self.utility: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.support: dict[tuple[str, str], Support] = {}
        for entry in recorded:
            self._take(entry.stream, entry.event)
        meters = Counter(self.utility.values())
        self.meters = sorted((u, self.names[u], n) for u, n in meters.items())
        by_status = Counter(
            (self.utility[meter], provider, status)
            for (meter, provider), status in self.support.items()
            if meter in self.utility
        )
        pairs = sorted({(utility, provider) for utility, provider, _ in by_status})
        self.providers = [
            (*pair, *(by_status[*pair, status] for status in STATUSES)) for pair in pairs
        ]

    def _take(self, stream: str, event: object) -> None:
        match event:
            case MunicipalityAssigned():
                self.utility[stream], self.names[event.utility] = event.utility, event.name
            case SupportAnswered():
                status = Support.SUPPORTED if event.supported else Support.NOT_SUPPORTED
                self.support[stream, event.provider] = status
            case MeterBroadcast():
                for provider in event.providers:
                    self.support.setdefault((stream, provider), Support.UNCONFIRMED)
            case LookupAnswered():
                key = (meter_stream(event.utility_type, event.number), event.provider)
                self.support.setdefault(key, Support.UNCONFIRMED)
            case _:
                pass


STATUSES = (Support.SUPPORTED, Support.NOT_SUPPORTED, Support.UNCONFIRMED)


async def fed(connection: Connection, recorded: Sequence[Recorded], sizes: Sequence[int]) -> Rows:
    """The tables after the events in batches of these sizes, over and over."""
    model, at, turn = ContractTable(), 0, 0
    await connection.execute("DROP SCHEMA IF EXISTS counted CASCADE; CREATE SCHEMA counted")
    await connection.execute("SET search_path = counted")
    await connection.execute(model.tables.encode())
    while at < len(recorded):
        size = sizes[turn % len(sizes)]
        async with connection.transaction():
            await model.apply(connection, recorded[at : at + size])
        at, turn = at + size, turn + 1
    found: Rows = {}
    for table in ("meter", "support", "utility_meters", "utility_support"):
        query = sql.SQL("SELECT * FROM {} ORDER BY 1, 2, 3").format(sql.Identifier(table))
        found[table] = await (await connection.execute(query)).fetchall()
    return found


@pytest.mark.parametrize("seed", range(8))
async def test_the_counts_are_those_of_the_meters_in_batches_of_any_size(
    database_url: str, seed: int
) -> None:
    chance = random.Random(seed)
    recorded = History(seed, 300).recorded
    counted = Counted(recorded)
    assert counted.meters, "a history worth counting"
    connection = await connect(database_url)
    async with connection:
        whole = await fed(connection, recorded, [len(recorded)])
        assert whole["utility_meters"] == counted.meters
        assert whole["utility_support"] == counted.providers
        for sizes in ([1], [7], [chance.randint(1, 40) for _ in range(20)]):
            assert await fed(connection, recorded, sizes) == whole, sizes


async def test_a_meters_supporters_are_counted_with_it(database_url: str) -> None:
    recorded = History(3, 300).recorded
    support = Counted(recorded).support
    connection = await connect(database_url)
    async with connection:
        await fed(connection, recorded, [11])
        query = b"SELECT utility_type, number, supporters FROM meter"
        rows = await (await connection.execute(query)).fetchall()
    assert rows
    for kind, number, supporters in rows:
        stream = meter_stream(UtilityType(kind), number)
        yes = [s for (m, _), s in support.items() if m == stream and s is Support.SUPPORTED]
        assert supporters == len(yes), stream


async def test_a_utility_that_its_last_meter_leaves_is_not_counted_any_more(
    database_url: str,
) -> None:
    stream = meter_stream(UtilityType.ELECTRICITY, "1")
    events: list[Event] = [
        SupportAnswered(at=BEGAN, provider="a", supported=True, lookup_id="l"),
        MunicipalityAssigned(at=BEGAN, utility="u", name="U"),
        MunicipalityAssigned(at=BEGAN, utility="v", name="V"),
        SupportAnswered(at=BEGAN, provider="a", supported=False, lookup_id="l"),
    ]
    recorded = [Recorded(n, stream, n, event) for n, event in enumerate(events, 1)]
    connection = await connect(database_url)
    async with connection:
        before = await fed(connection, recorded[:2], [1])
        assert before["utility_meters"] == [("u", "U", 1)]
        assert before["utility_support"] == [("u", "a", 1, 0, 0)]
        after = await fed(connection, recorded, [1])
        assert after["utility_meters"] == [("v", "V", 1)]
        assert after["utility_support"] == [("v", "a", 0, 1, 0)]
