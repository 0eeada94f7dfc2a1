"""The search for transactions: the same rows as looking at each one, page by page, however little
of an index one page may look at."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from psycopg.types.json import Json

from api.console.transactions.export import COLUMNS, INCOMPLETE, ROWS_AT_ONCE, cells
from domain.sale import UtilityType
from ledger import Ledger
from projections.projection import Connection
from projections.reading import Reading
from projections.runner import ProjectionRunner
from projections.transaction_filter import Filters
from projections.transaction_row import TransactionRow
from projections.transaction_search import Cursor, Page, SearchSettings, TransactionSearch
from projections.transactions import Transactions

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
ROWS = 600
SECONDS = ROWS // 2
"""Two rows a second, many of them in the same one."""
PAGE = 7
BROAD = SearchSettings()
NARROW = SearchSettings(scan_rows=20, probe_rows=5, reference_rows=20)
"""Of an index, less than most filters need to fill a page."""
STATUSES = {
    "PURCHASE": ("APPROVED", "APPROVED", "DECLINED", "UNKNOWN", "PENDING"),
    "LOOKUP": ("ANSWERED", "FAILED"),
    "REPRINT": ("DONE", "FAILED"),
}

Fill = Callable[[Sequence[TransactionRow]], object]


def random_row(number: int, chance: random.Random) -> TransactionRow:
    kind = chance.choice(["PURCHASE"] * 4 + ["LOOKUP"] * 2 + ["REPRINT"])
    status = chance.choice(STATUSES[kind])
    requested = START + timedelta(seconds=chance.randrange(SECONDS))
    # Some were in doubt for a long while.
    took = timedelta(seconds=chance.choice([0.04, 0.2, 3, 5, 5.5, 60, 200]))
    ended = status not in ("PENDING", "UNKNOWN")
    return TransactionRow(
        message_id=f"message-{number}",
        kind=kind,
        status=status,
        requested_at=requested,
        finished_at=requested + took if ended else None,
        meter=f"0400000000{chance.choice('1122345678')}",
        utility_type=chance.choice(["ELECTRICITY"] * 8 + ["WATER", "GAS"]),
        client=chance.choice(["till", "till", "app", "bank"]),
        channel=chance.choice(["", "ussd", "web"]),
        amount_cents=chance.choice([1_000, 2_000, 2_000, 12_345]) if kind == "PURCHASE" else None,
        provider=chance.choice(["ipay", "ipay", "ontec", None]),
        utility=chance.choice(["cpt", "cpt", "joburg", "hermanus", None]),
        terms=[f"RRN{number}", chance.choice(["BASKET1", "BASKET2", "BASKET3"]), "27821234567"],
        position=number,
    )


def random_filters(chance: random.Random, fields: int) -> Filters:
    choices: dict[str, Sequence[object]] = {
        "since": [START + timedelta(seconds=chance.uniform(0, SECONDS))],
        "until": [START + timedelta(seconds=chance.uniform(0, SECONDS))],
        "service": [kind.value for kind in UtilityType],
        "operation": list(STATUSES),
        "provider": ["ipay", "ontec", "nobody"],
        "utility": ["cpt", "joburg", "hermanus"],
        "client": ["till", "app", "bank"],
        "channel": ["ussd", "web"],
        "status": ["APPROVED", "DECLINED", "UNKNOWN", "PENDING", "FAILED", "DONE"],
        "cents_min": [1_000, 2_000],
        "cents_max": [2_000, 20_000],
        "meter": ["04000000001", "04000000002", "04000000003", "none"],
        "reference": ["basket-1", "rrn 17", "MESSAGE-3", "082 123 4567", "04000000002", "x"],
    }
    chosen = chance.sample(sorted(choices), fields)
    return replace(Filters(), **{name: chance.choice(choices[name]) for name in chosen})


def holds(filters: Filters, row: TransactionRow) -> bool:
    """Whether one row is wanted, said as plainly as can be."""
    since, until = filters.since, filters.until
    ended = row.finished_at
    in_range = (since is None or row.requested_at >= since) and (
        until is None or row.requested_at < until
    )
    if ended is not None and not in_range:
        in_range = (since is None or ended >= since) and (until is None or ended < until)
    cents = row.amount_cents
    plain = all(
        wanted is None or wanted == has
        for wanted, has in (
            (filters.service, row.utility_type),
            (filters.operation, row.kind),
            (filters.provider, row.provider),
            (filters.utility, row.utility),
            (filters.client, row.client),
            (filters.channel, row.channel),
            (filters.status, row.status),
            (filters.meter, row.meter),
        )
    )
    least, most = filters.cents_min, filters.cents_max
    paid = (least is None or (cents is not None and cents >= least)) and (
        most is None or (cents is not None and cents <= most)
    )
    return in_range and plain and paid and _referred(filters.reference, row)


def _referred(reference: str | None, row: TransactionRow) -> bool:
    if reference is None:
        return True
    known = {*row.terms, row.meter, row.message_id}
    plain = "".join(c for c in reference.upper() if c.isalnum())
    return bool(known & {reference, reference.lower(), plain, "27" + plain[1:]})


def wanted_of(rows: Sequence[TransactionRow], filters: Filters) -> list[int]:
    found = [row for row in rows if holds(filters, row)]
    found.sort(key=lambda row: (row.requested_at, row.position), reverse=True)
    return [row.position for row in found]


async def insert(connection: Connection, rows: Sequence[TransactionRow]) -> None:
    columns = ", ".join(TransactionRow.__struct_fields__)
    table = "projection_transactions.transaction"
    await connection.execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns}"
        f" FROM json_populate_recordset(NULL::{table}, %s)".encode(),
        (Json(list(rows), msgspec.json.encode),),
    )


@pytest.fixture
async def reading(database_url: str, ledger: Ledger) -> AsyncIterator[Reading]:
    await ProjectionRunner(ledger, database_url, [Transactions()]).set_up()
    async with Reading(database_url) as opened:
        yield opened


@pytest.fixture
async def rows(reading: Reading) -> list[TransactionRow]:
    chance = random.Random(7)
    made = [random_row(number, chance) for number in range(1, ROWS + 1)]
    async with reading.connection() as connection:
        await insert(connection, made)
    return made


async def all_older(
    search: TransactionSearch, filters: Filters, before: Cursor | None = None
) -> list[Page]:
    """Every page from there on, in the order that a person turns them."""
    pages = [await search.page(filters, PAGE, before=before)]
    while (older := pages[-1].older) is not None:
        pages.append(await search.page(filters, PAGE, before=older))
        assert len(pages) <= ROWS, "the pages never end"
    return pages


def positions(pages: Sequence[Page]) -> list[int]:
    return [row.position for page in pages for row in page.rows]


@pytest.mark.parametrize("settings", [BROAD, NARROW], ids=["broad", "narrow"])
async def test_each_filter_and_any_combination_finds_what_it_names(
    reading: Reading, rows: list[TransactionRow], settings: SearchSettings
) -> None:
    search, chance = TransactionSearch(reading, settings), random.Random(11)
    some = 0
    for fields in [0, *[1] * 40, *[2] * 40, *[3] * 20, *[5] * 10]:
        filters = random_filters(chance, fields)
        pages = await all_older(search, filters)
        assert positions(pages) == wanted_of(rows, filters), filters
        some += bool(positions(pages))
    assert some > 50, "the filters found next to nothing"


@pytest.mark.parametrize("settings", [BROAD, NARROW], ids=["broad", "narrow"])
async def test_turning_back_shows_the_same_rows(
    reading: Reading, rows: list[TransactionRow], settings: SearchSettings
) -> None:
    search, chance = TransactionSearch(reading, settings), random.Random(13)
    for fields in [0, *[1] * 20, *[2] * 20]:
        filters = random_filters(chance, fields)
        wanted = wanted_of(rows, filters)
        last = (await all_older(search, filters))[-1]
        pages = [last]
        while (newer := pages[-1].newer) is not None:
            pages.append(await search.page(filters, PAGE, after=newer))
            assert len(pages) <= ROWS, "the pages never end"
        assert positions(pages[::-1]) == wanted, filters


async def test_pages_have_each_row_once_while_rows_come_in(
    reading: Reading, rows: list[TransactionRow]
) -> None:
    search, chance = TransactionSearch(reading, NARROW), random.Random(17)
    filters = Filters(client="till", until=START + timedelta(days=1))
    before, found, number = None, list[int](), ROWS
    async with reading.connection() as connection:
        while True:
            page = await search.page(filters, PAGE, before=before)
            found += [row.position for row in page.rows]
            if page.older is None:
                break
            before = page.older
            number += 1
            new = random_row(number, chance)
            new.requested_at = START + timedelta(hours=1, seconds=number)
            await insert(connection, [new])
    assert found == wanted_of(rows, filters)


async def test_a_page_says_how_far_it_looked(reading: Reading, rows: list[TransactionRow]) -> None:
    search = TransactionSearch(reading, NARROW)
    newest = sorted(rows, key=lambda row: (row.requested_at, row.position), reverse=True)
    page = await search.page(Filters(channel="nobody's"), PAGE)
    looked_at = newest[NARROW.scan_rows - 1]
    assert page.rows == []
    assert page.searched_to == looked_at.requested_at
    assert page.older == Cursor(looked_at.requested_at, looked_at.position)
    full = await search.page(Filters(), PAGE)
    assert (len(full.rows), full.searched_to) == (PAGE, None)


async def test_what_began_long_before_a_range_and_ended_in_it_is_in_it(
    reading: Reading,
) -> None:
    search, chance = TransactionSearch(reading, NARROW), random.Random(1)
    row = random_row(1, chance)
    row.requested_at, row.finished_at = START, START + timedelta(days=3)
    async with reading.connection() as connection:
        await insert(connection, [row])
    third_day = Filters(since=START + timedelta(days=2), until=START + timedelta(days=4))
    second_day = Filters(since=START + timedelta(days=1), until=START + timedelta(days=2))
    assert positions(await all_older(search, third_day)) == [1]
    assert positions(await all_older(search, second_day)) == []


async def test_an_id_is_found_however_it_is_written(reading: Reading) -> None:
    search = TransactionSearch(reading)
    row = random_row(1, random.Random(1))
    row.message_id = "15db66c5-e726-41f2-bc80-51dcd5b27abf"
    async with reading.connection() as connection:
        await insert(connection, [row])
    for text in (
        row.message_id,
        row.message_id.upper(),
        row.message_id.replace("-", ""),
        " rrn-1 ",
    ):
        assert positions([await search.page(Filters(reference=text), PAGE)]) == [1], text


async def test_no_filter_is_taken_for_sql(reading: Reading, rows: list[TransactionRow]) -> None:
    search = TransactionSearch(reading)
    for text in ("' OR true --", "%(since)s", "\\", "{}", '"'):
        for name in ("provider", "utility", "client", "channel", "status", "meter", "reference"):
            page = await search.page(replace(Filters(), **{name: text}), PAGE)
            assert page.rows == [], (name, text)
    assert positions(await all_older(search, Filters())) == wanted_of(rows, Filters())


async def test_an_export_has_the_whole_list_or_says_that_it_has_not(
    reading: Reading, rows: list[TransactionRow]
) -> None:
    filters = Filters(operation="PURCHASE")
    ids = [f"message-{position}" for position in wanted_of(rows, filters)]
    column = COLUMNS.index("Message id")

    async def exported(rows_max: int, looks_max: int = 100) -> list[object]:
        found = [row async for row in cells(reading, filters, rows_max, looks_max)]
        assert {len(row) for row in found} <= {len(COLUMNS)}
        return [row[0] if row[0] == INCOMPLETE else row[column] for row in found]

    assert len(ids) > ROWS_AT_ONCE, "one page has it all"
    assert await exported(len(ids)) == ids
    assert await exported(len(ids) - 1) == [*ids[:-1], INCOMPLETE]
    assert await exported(len(ids), looks_max=1) == [*ids[:ROWS_AT_ONCE], INCOMPLETE]
