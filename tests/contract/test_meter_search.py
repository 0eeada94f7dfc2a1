"""Finding meters: by a part of the number what LIKE finds, in lists page by page."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from domain.event import Event
from domain.meter import (
    BroadcastReason,
    MeterBroadcast,
    MeterSeen,
    MunicipalityAssigned,
    RebroadcastRequested,
    SupportAnswered,
    meter_stream,
)
from domain.routing import Support
from domain.sale import UtilityType
from ledger import Ledger, Recorded
from projections.catalogue import read_models
from projections.contract_table import ContractTable
from projections.meter_search import (
    GRAM,
    MeterFilter,
    meters,
    meters_called,
    meters_cursor,
    meters_with,
    part_of,
    support,
    utilities,
)
from projections.projection import schema_of
from projections.reading import Reading
from projections.runner import ProjectionRunner, connect

AT = datetime(2026, 3, 1, tzinfo=UTC)
ELECTRICITY, WATER = UtilityType.ELECTRICITY, UtilityType.WATER
EVERYTHING = 100_000


def numbers() -> list[str]:
    """Numbers with few digits to choose from, so that parts recur, and some with letters."""
    chance = random.Random(1)
    found = {"".join(chance.choices("0147", k=chance.choice([1, 3, 4, 5, 11]))) for _ in range(900)}
    return [*sorted(found), "TST001", "TST002", "tst003", "A1B2C3D4", "0" * 20]


class Filled:
    """A contract table of meters that a test says what is to be true of."""

    def __init__(self, url: str, reading: Reading) -> None:
        self._url = url
        self.reading = reading

    async def add(
        self,
        number: str,
        kind: UtilityType = ELECTRICITY,
        *,
        utility: str | None = None,
        supported: bool | None = True,
        flagged: bool = False,
    ) -> None:
        """`supported` None: nobody was asked yet."""
        events: list[Event] = [MeterSeen(at=AT, number=number, utility_type=kind)]
        if supported is not None:
            asked = MeterBroadcast(
                at=AT, lookup_id="l", providers=("a", "b"), reason=BroadcastReason.UNKNOWN
            )
            answer = SupportAnswered(at=AT, provider="a", supported=supported, lookup_id="l")
            events += [asked, answer]
        if utility is not None:
            events.append(MunicipalityAssigned(at=AT, utility=utility, name=utility.upper()))
        if flagged:
            events.append(RebroadcastRequested(at=AT, by="op"))
        stream = meter_stream(kind, number)
        await self.apply([Recorded(n, stream, n, event) for n, event in enumerate(events, 1)])

    async def apply(self, recorded: list[Recorded]) -> None:
        connection = await connect(self._url)
        async with connection, connection.transaction():
            await connection.execute(f"SET search_path = {schema_of(ContractTable.name)}".encode())
            await ContractTable().apply(connection, recorded)

    async def like(self, pattern: str) -> set[str]:
        rows = await self.reading.rows(
            f"SELECT number FROM {schema_of(ContractTable.name)}.meter WHERE upper(number) LIKE %s",
            (pattern,),
        )
        return {row[0] for row in rows}


@pytest.fixture
async def filled(ledger: Ledger, database_url: str) -> AsyncIterator[Filled]:
    await ProjectionRunner(ledger, database_url, read_models()).set_up()
    async with Reading(database_url) as reading:
        yield Filled(database_url, reading)


async def test_a_part_finds_what_like_finds(filled: Filled) -> None:
    everything = numbers()
    for number in everything:
        await filled.add(number)
    chance = random.Random(2)
    parts = {"TST", "ST00", "tst0", "1B2C3D", "0" * 20, "9", "99999", "7", "14", "147", "0147"}
    for _ in range(150):
        number = chance.choice(everything)
        begin = chance.randrange(len(number))
        parts.add(number[begin : begin + chance.randint(1, 12)])
    for part in sorted(parts):
        found = [row.number for row in await meters_with(filled.reading, part_of(part), EVERYTHING)]
        beginning = await filled.like(f"{part.upper()}%")
        anywhere = await filled.like(f"%{part.upper()}%") if len(part) >= GRAM else beginning
        assert set(found) == anywhere, part
        assert len(found) == len(set(found)), part
        first, rest = found[: len(beginning)], found[len(beginning) :]
        assert set(first) == beginning, "those that begin with it come first"
        assert first == sorted(first, key=str.upper)
        assert rest == sorted(rest, key=str.upper)


async def test_the_number_itself_comes_first_and_no_more_than_asked_for(filled: Filled) -> None:
    for number in ("04111", "0411", "104110", "041", "20411", "0411A"):
        await filled.add(number)
    await filled.add("0411", WATER)

    async def found(text: str, limit: int) -> list[tuple[str, str]]:
        rows = await meters_with(filled.reading, part_of(text), limit)
        return [(row.number, row.utility_type[0]) for row in rows]

    everything = [("0411", "E"), ("0411", "W"), ("04111", "E"), ("0411A", "E")]
    assert await found("0411", 10) == [*everything, ("104110", "E"), ("20411", "E")]
    assert await found("0411", 5) == [*everything, ("104110", "E")]
    assert await found("0411", 3) == everything[:3]
    assert await found(" 041-1.1 ", 3) == [("04111", "E")], "as it is grouped on a card"


@pytest.mark.parametrize(
    ("number", "groups"),
    [("014", []), ("0147", ["0147"]), ("a1471", ["1471", "A147"]), ("00000", ["0000"])],
)
async def test_the_groups_of_a_number_are_all_its_fours_once(
    filled: Filled, number: str, groups: list[str]
) -> None:
    rows = await filled.reading.rows(
        f"SELECT {schema_of(ContractTable.name)}.grams(%s)",
        (number,),
    )
    assert sorted(rows[0][0]) == groups


@pytest.mark.parametrize("text", ["", " ", "04%", "04_1", "04'", "ö", "1" * 21, "04\0", "٣"])
def test_what_can_be_no_part_of_a_number_is_said_so(text: str) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        part_of(text)


async def test_lists_go_page_by_page_there_and_back(filled: Filled) -> None:
    for number in ("5", "3", "b", "A", "10", "2"):
        await filled.add(number, utility="u" if number != "3" else "v")
    await filled.add("3", WATER, utility="u", supported=False)
    await filled.add("77", supported=None, flagged=True)
    await filled.add("78", supported=False, flagged=True, utility="u")

    async def walk(wanted: MeterFilter) -> list[str]:
        seen: list[str] = []
        page = await meters(filled.reading, wanted, limit=2)
        assert page.earlier is None
        while True:
            seen += [row.number for row in page.rows]
            if page.later is None:
                break
            cursor = meters_cursor(page.later, back=False)
            page = await meters(filled.reading, wanted, cursor=cursor, limit=2)
        back = [row.number for row in page.rows]
        while page.earlier is not None:
            cursor = meters_cursor(page.earlier, back=True)
            page = await meters(filled.reading, wanted, cursor=cursor, limit=2)
            back = [*(row.number for row in page.rows), *back]
        assert back == seen
        return seen

    assert await walk(MeterFilter()) == ["10", "2", "3", "3", "5", "77", "78", "A", "b"]
    assert await walk(MeterFilter(utility="u")) == ["10", "2", "3", "5", "78", "A", "b"]
    assert await walk(MeterFilter(utility="v")) == ["3"]
    assert await walk(MeterFilter(flagged=True)) == ["77", "78"]
    assert await walk(MeterFilter(blocked=True)) == ["3", "78"]
    assert await walk(MeterFilter(blocked=True, flagged=True, utility="u")) == ["78"]
    assert await walk(MeterFilter(utility="nobody's")) == []
    counts = [(one.utility, one.name, one.meters) for one in await utilities(filled.reading)]
    assert counts == [("u", "U", 7), ("v", "V", 1)]


async def test_a_meter_is_told_with_what_each_provider_says(filled: Filled) -> None:
    await filled.add("1", utility="u")
    await filled.add("1", WATER, supported=False)
    water, electricity = (await meters_called(filled.reading, "1"))[::-1]
    assert (electricity.utility_type, electricity.supporters, electricity.blocked) == (
        "ELECTRICITY",
        1,
        False,
    )
    assert (water.utility_type, water.utility_name, water.blocked) == ("WATER", None, True)
    assert await meters_called(filled.reading, "11") == []

    async def told(last_broadcast_at: datetime | None) -> dict[str, tuple[Support, bool]]:
        said = await support(filled.reading, "ELECTRICITY", "1")
        return {one.provider: (one.status, one.awaited(last_broadcast_at)) for one in said}

    assert await told(AT) == {"a": (Support.SUPPORTED, False), "b": (Support.UNCONFIRMED, True)}
    later = AT + timedelta(days=30)
    again = MeterBroadcast(
        at=later, lookup_id="l", providers=("a", "b"), reason=BroadcastReason.SCHEDULED
    )
    no = SupportAnswered(
        at=later + timedelta(seconds=1), provider="b", supported=False, lookup_id="l"
    )
    stream = meter_stream(ELECTRICITY, "1")
    await filled.apply([Recorded(9, stream, 9, again), Recorded(10, stream, 10, no)])
    assert await told(later) == {
        "a": (Support.SUPPORTED, True),
        "b": (Support.NOT_SUPPORTED, False),
    }, "what it said before still counts, and it owes an answer"
