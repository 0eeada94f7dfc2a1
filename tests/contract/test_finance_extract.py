"""The switch extract: the ledger's sales of business dates as a file."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from domain.advice import AdviceKind
from domain.extract import BODY_FIELDS, HEADER_FIELDS
from domain.money import Money
from finance import extract as extract_module
from finance.context import Context, UnknownProcessError
from finance.extract import Extract, not_reconciled, write_extract
from finance.process.calendar import Calendar
from finance.process.process import ProcessKind, ReconciliationProcess
from ledger import Ledger
from switch.buy import buy
from switch.command import Buy, Sender
from tests.finance_context import finance_context
from tests.scripted_provider import CONFIRMS_AND_REVERSES, Fault, ScriptedProvider
from tests.switchboard import METER, SENDER, Switchboard, TestClock

DAY = date(2026, 3, 1)
MADE_AT = datetime(2026, 3, 2, 4, 0, 0, 250_000, tzinfo=UTC)
A = ReconciliationProcess(id="a", name="A", kind=ProcessKind.PROVIDER, party="a")
TILL = ReconciliationProcess(id="till", name="Till", kind=ProcessKind.CHANNEL, party="till")
EVENING = ReconciliationProcess(
    id="evening",
    name="A, days that end at 17:00 in London",
    kind=ProcessKind.PROVIDER,
    party="a",
    calendar=Calendar(cut_off="17:00", time_zone="Europe/London"),
)


@pytest.fixture
async def board(ledger: Ledger) -> AsyncIterator[Switchboard]:
    """Two providers that serve a meter each; it is 10:00 in South Africa on 1 March 2026."""
    clock = TestClock()
    clock.now = datetime(2026, 3, 1, 8, tzinfo=UTC)
    providers = [
        ScriptedProvider("a", clock, CONFIRMS_AND_REVERSES),
        ScriptedProvider("b", clock, CONFIRMS_AND_REVERSES, frozenset({"2"})),
    ]
    board = Switchboard(clock, providers, log=ledger)
    await board.open()
    await board.look_up("l1")
    await board.look_up("l2", "2")
    yield board
    await board.close()


@pytest.fixture
async def context(ledger: Ledger, database_url: str) -> Context:
    return await finance_context(ledger, database_url, (A, TILL, EVENING), clock=lambda: MADE_AT)


async def sold(
    board: Switchboard, purchase_id: str, cents: int = 10_000, sender: Sender = SENDER
) -> None:
    message = '{"rrn": "000000000042", "stan": "000007"}'
    command = Buy(purchase_id, METER, Money(cents), sender, message)
    await buy(board.context, board.look_ups, command)


def names(folder: Path) -> list[str]:
    """What the folder has, hidden files included."""
    return [path.name for path in folder.iterdir()]


Row = dict[str, str]


def read(extract: Extract) -> tuple[Row, list[Row]]:
    """The header and the lines of the file."""
    content = extract.path.read_bytes().decode("ascii")
    assert content.endswith("\r\n")
    assert "\n" not in content.replace("\r\n", "")
    header, *body = csv.reader(io.StringIO(content, newline=""), strict=True)
    return (
        dict(zip(HEADER_FIELDS, header, strict=True)),
        [dict(zip(BODY_FIELDS, line, strict=True)) for line in body],
    )


async def test_the_file_has_the_products_name_and_its_header_counts_the_lines(
    board: Switchboard, context: Context, tmp_path: Path
) -> None:
    await sold(board, "p1")
    await sold(board, "p2", 2_550)
    made = await write_extract(context, "a", DAY, DAY, tmp_path / "out")
    epoch = int(MADE_AT.timestamp())
    assert made.path == tmp_path / "out" / f"PPU_A_EXTRACT_PPU_SWITCH_20260301_{epoch}.csv"
    assert names(made.path.parent) == [made.path.name]
    assert (made.records, made.total_cents) == (2, 12_550)
    header, body = read(made)
    assert header == {
        "record_type": "H",
        "spec_version": "8.3",
        "creator": "PPU",
        "partner": "A",
        "service": "PPU",
        "extract_name": "SWITCH",
        "period_start": "2026-03-01T00:00:00+02:00",
        "period_end": "2026-03-01T23:59:59+02:00",
        "generated_at": "2026-03-02T06:00:00+02:00",
        "record_count": "2",
        "total_amount_minor": "12550",
        "currency": "710",
    }
    assert [line["transaction_id"] for line in body] == ["p1", "p2"]


async def test_a_line_says_what_was_sold_in_the_columns_of_the_layout(
    board: Switchboard, context: Context, tmp_path: Path
) -> None:
    await sold(board, "p1")
    _, (line,) = read(await write_extract(context, "a", DAY, DAY, tmp_path))
    told = {name: value for name, value in line.items() if value}
    at = datetime.fromisoformat(told.pop("transaction_time"))
    assert at.utcoffset() is not None
    assert at.date() == DAY
    tokens = told.pop("token_amount_minor"), told.pop("tax_minor"), told.pop("units")
    assert int(tokens[0]) + int(tokens[1]) == 10_000
    assert told == {
        "record_type": "D",
        "transaction_id": "p1",
        "message_type": "PURCHASE",
        "transaction_state": "APPROVED",
        "settlement_date": "20260301",
        "client_id": "till",
        "settlement_entity_id": "a",
        "receiver_id": "test-municipality",
        "provider_reference": told["provider_reference"],
        "receipt_number": told["receipt_number"],
        "rrn": "000000000042",
        "stan": "000007",
        "utility_type": "ELECTRICITY",
        "meter_id": METER.number,
        "amount_minor": "10000",
        "currency": "710",
        "debt_minor": "0",
        "service_charge_minor": "0",
        "tender_type": "CASH",
    }


async def test_a_purchase_and_its_reversal_are_two_lines_each_on_its_own_day(
    board: Switchboard, context: Context, tmp_path: Path
) -> None:
    await sold(board, "p1")
    board.clock.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    await board.advise(AdviceKind.REVERSAL, "p1", "a1")
    await board.attend("p1")
    first = await write_extract(context, "a", DAY, DAY, tmp_path)
    both = await write_extract(context, "a", DAY, date(2026, 3, 2), tmp_path)
    assert [line["message_type"] for line in read(first)[1]] == ["PURCHASE"]
    purchase, reversal = read(both)[1]
    assert (reversal["message_type"], reversal["original_id"]) == ("REVERSAL", "p1")
    assert (purchase["settlement_date"], reversal["settlement_date"]) == ("20260301", "20260302")
    assert both.total_cents == 20_000, "a check on lines lost, not a balance"


async def test_what_sold_nothing_is_not_in_it(
    board: Switchboard, context: Context, tmp_path: Path
) -> None:
    await sold(board, "p1")
    await board.trial("t1")
    await board.report_fault("f1")
    await board.change_key("k1")
    board.providers["a"].fault = lambda _operation: Fault.DECLINE
    await sold(board, "p2")
    _, body = read(await write_extract(context, "a", DAY, DAY, tmp_path))
    assert [line["transaction_id"] for line in body] == ["p1"]


async def test_a_day_begins_and_ends_where_the_calendar_says(
    board: Switchboard, context: Context, tmp_path: Path
) -> None:
    for hour, minute in ((16, 59), (17, 0), (21, 59), (22, 0)):
        board.clock.now = datetime(2026, 3, 1, hour, minute, tzinfo=UTC)
        await sold(board, f"{hour}:{minute:02}")
    days = {
        name: [line["transaction_id"] for line in read(made)[1]]
        for name in ("a", "evening")
        for made in [await write_extract(context, name, DAY, DAY, tmp_path)]
    }
    assert days == {"a": ["16:59", "17:00", "21:59"], "evening": ["16:59"]}
    made = await write_extract(context, "evening", DAY, date(2026, 3, 2), tmp_path)
    header, body = read(made)
    assert header["period_start"] == "2026-02-28T17:00:00+00:00"
    assert header["period_end"] == "2026-03-02T16:59:59+00:00"
    assert [line["settlement_date"] for line in body] == ["20260301"] + 3 * ["20260302"]


async def test_a_channels_extract_has_its_purchases_at_every_provider(
    board: Switchboard, context: Context, tmp_path: Path
) -> None:
    await sold(board, "p1")
    await sold(board, "p2", sender=Sender("till", "another"))
    await board.buy("p3", number="2")
    header, body = read(await write_extract(context, "till", DAY, DAY, tmp_path))
    assert header["partner"] == "TILL"
    assert [(line["transaction_id"], line["settlement_entity_id"]) for line in body] == [
        ("p1", "a"),
        ("p3", "b"),
    ]


async def test_no_field_is_a_formula_a_line_break_or_more_than_ascii(
    board: Switchboard, context: Context, tmp_path: Path
) -> None:
    sender = Sender("till", "till", "=cmd|' /C calc'!A0", '+1,"2"', "@x", "-é\r\nD,1")
    await sold(board, "p1", sender=sender)
    _, (line,) = read(await write_extract(context, "a", DAY, DAY, tmp_path))
    assert line["originator_institution_id"] == "'=cmd|' /C calc'!A0"
    assert line["merchant_id"] == '\'+1,"2"'
    assert line["terminal_id"] == "'@x"
    assert line["channel_id"] == "'-? D,1"


async def test_a_day_without_sales_has_a_header_alone(context: Context, tmp_path: Path) -> None:
    header, body = read(await write_extract(context, "a", DAY, DAY, tmp_path))
    assert (header["record_count"], header["total_amount_minor"], body) == ("0", "0", [])


async def test_many_lines_are_written_in_parts_with_progress(
    board: Switchboard, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract_module, "LINES_PER_WRITE", 3)
    for number in range(8):
        await sold(board, f"p{number}")
    seen: list[tuple[int, int]] = []
    made = await write_extract(
        context, "a", DAY, DAY, tmp_path, lambda done, total: seen.append((done, total))
    )
    assert [line["transaction_id"] for line in read(made)[1]] == [f"p{n}" for n in range(8)]
    assert seen == [(3, 8), (6, 8), (8, 8), (8, 8)]


async def test_a_file_that_fails_midway_is_not_there(
    board: Switchboard, context: Context, tmp_path: Path
) -> None:
    await sold(board, "p1")

    def full(_done: int, _total: int) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        await write_extract(context, "a", DAY, DAY, tmp_path, full)
    assert names(tmp_path) == []


async def test_sales_of_a_provider_without_a_process_are_counted(
    board: Switchboard, context: Context
) -> None:
    await sold(board, "p1")
    await board.buy("p3", number="2")
    assert await not_reconciled(context, DAY, DAY) == {"b": 1}
    assert await not_reconciled(context, date(2026, 2, 28), date(2026, 2, 28)) == {}


async def test_dates_that_run_backwards_and_unknown_processes_are_refused(
    context: Context, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="the last date, 2026-02-28, is before the first"):
        await write_extract(context, "a", DAY, date(2026, 2, 28), tmp_path)
    with pytest.raises(UnknownProcessError, match="no process 'x'"):
        await write_extract(context, "x", DAY, DAY, tmp_path)
