"""When a provider last answered, as known at a moment: from no lookup that came later."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from domain.event import Event
from domain.failure import ErrorType, Failure
from domain.lookup import LookupAnswered, LookupFailed, LookupRequested
from domain.message import message_stream
from domain.money import Money
from domain.purchase import PurchaseRequested
from domain.sale import MeterDetail, UtilityType
from ledger import Ledger, Recorded
from projections.catalogue import read_models
from projections.last_responses import LOOKED_BACK, last_responses
from projections.projection import schema_of
from projections.reading import Reading
from projections.runner import ProjectionRunner, connect
from projections.transactions import Transactions
from tests.channel import LOOKED_UP

AT = datetime(2026, 3, 1, tzinfo=UTC)
ELECTRICITY, WATER = UtilityType.ELECTRICITY, UtilityType.WATER
MINUTE = timedelta(minutes=1)


class Filled:
    """Lookups that were answered when a test says."""

    def __init__(self, url: str, reading: Reading) -> None:
        self._url = url
        self.reading = reading
        self._positions = 0

    async def lookup(
        self, at: datetime, provider: str | None, number: str = "1", kind: UtilityType = ELECTRICITY
    ) -> None:
        """`provider` None: it failed."""
        self._positions += 10
        lookup_id = f"l{self._positions}"
        asked = LookupRequested(
            at=at, lookup_id=lookup_id, meter=MeterDetail(number, kind), client="till"
        )
        ended: Event = LookupFailed(at=at, failure=Failure(ErrorType.UNKNOWN_METER_ID, "nobody"))
        if provider is not None:
            ended = LookupAnswered(
                at=at,
                provider=provider,
                number=number,
                utility_type=kind,
                answer=LOOKED_UP.answer,
            )
        await self.apply(lookup_id, [asked, ended])

    async def purchase(self, at: datetime) -> None:
        self._positions += 10
        purchase_id = f"p{self._positions}"
        event = PurchaseRequested(
            at=at,
            purchase_id=purchase_id,
            meter=MeterDetail("1"),
            amount=Money(100),
            client="till",
        )
        await self.apply(purchase_id, [event])

    async def apply(self, message_id: str, events: list[Event]) -> None:
        stream = message_stream(message_id)
        recorded = [
            Recorded(self._positions + n, stream, n, event) for n, event in enumerate(events, 1)
        ]
        connection = await connect(self._url)
        async with connection, connection.transaction():
            await connection.execute(f"SET search_path = {schema_of(Transactions.name)}".encode())
            await Transactions().apply(connection, recorded)


@pytest.fixture
async def filled(ledger: Ledger, database_url: str) -> AsyncIterator[Filled]:
    await ProjectionRunner(ledger, database_url, read_models()).set_up()
    async with Reading(database_url) as reading:
        yield Filled(database_url, reading)


async def test_each_providers_last_answer_up_to_the_moment(filled: Filled) -> None:
    await filled.lookup(AT, "a")
    await filled.lookup(AT + MINUTE, "b")
    await filled.lookup(AT + 2 * MINUTE, "a")
    await filled.lookup(AT + 3 * MINUTE, None)
    await filled.lookup(AT, "c", kind=WATER)
    await filled.lookup(AT, "d", number="2")
    meters = [("ELECTRICITY", "1"), ("WATER", "1"), ("GAS", "1")]
    assert await last_responses(filled.reading, meters, AT + 5 * MINUTE) == {
        ("ELECTRICITY", "1"): {"a": AT + 2 * MINUTE, "b": AT + MINUTE},
        ("WATER", "1"): {"c": AT},
    }
    early = await last_responses(filled.reading, meters, AT + MINUTE)
    assert early["ELECTRICITY", "1"] == {"a": AT, "b": AT + MINUTE}
    assert await last_responses(filled.reading, meters, AT - MINUTE) == {}
    assert await last_responses(filled.reading, [], AT) == {}


async def test_it_looks_back_so_far_and_no_further(filled: Filled) -> None:
    await filled.lookup(AT, "a")
    for n in range(LOOKED_BACK - 1):
        await filled.purchase(AT + (n + 1) * MINUTE)
    until = AT + LOOKED_BACK * MINUTE
    meters = [("ELECTRICITY", "1")]
    assert await last_responses(filled.reading, meters, until) == {meters[0]: {"a": AT}}
    await filled.purchase(until)
    assert await last_responses(filled.reading, meters, until) == {}
