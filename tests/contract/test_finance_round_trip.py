"""An extract of ours that is loaded again gives the records that it was made from."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.advice import AdviceKind
from domain.money import Money
from domain.record import COLUMNS
from finance.extract import write_extract
from finance.inbox.reading.reading import FileReading
from finance.process.calendar import Calendar
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.recon.take import take
from finance.settings import FinanceSettings
from ledger import Ledger
from switch.buy import buy
from switch.command import Buy, Sender
from tests.finance_context import finance_context, taking_part
from tests.scripted_provider import CONFIRMS_AND_REVERSES, ScriptedProvider
from tests.switchboard import METER, Switchboard, TestClock

SENDERS = {
    "plain": Sender("till", "till", "6010", "123456789012345", "01234567", "app"),
    "formulas": Sender("till", "till", "=1+1", "+27", "@SUM(A1:A9)", "-x"),
    "quotes": Sender("till", "till", "'=1", "''+2", 'a,"b"', "'"),
    "blank": Sender("till", "till", "  ", "MERCHANT       ", "", ""),
}
MESSAGES = {
    "plain": '{"rrn": "000000000042", "stan": "000007", "basketRef": "B-1"}',
    "formulas": '{"rrn": "-1", "stan": "\\t9", "basketRef": "=\'x\'!A1"}',
    "quotes": '{"rrn": "\\"", "stan": ",", "basketRef": "\'"}',
    "blank": '{"rrn": " ", "stan": "", "basketRef": null}',
}


@pytest.fixture
async def board(ledger: Ledger) -> AsyncIterator[Switchboard]:
    """A provider that confirms and reverses; it is 16:59 in London on 1 March 2026."""
    clock = TestClock()
    clock.now = datetime(2026, 3, 1, 16, 59, tzinfo=UTC)
    board = Switchboard(clock, [ScriptedProvider("a", clock, CONFIRMS_AND_REVERSES)], log=ledger)
    await board.open()
    await board.look_up("l1")
    yield board
    await board.close()


def loaded(process: ReconciliationProcess, path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The records that loading the file gives, and what is remarked on it."""
    reading = FileReading(process, FinanceSettings())
    blocks = list(reading.feed(path.read_bytes(), last=True))
    assert not any(block.exceptions for block in blocks)
    records = [row for block in blocks for row in block.records.to_pylist()]
    return records, list(reading.remarks(path.name, "a"))


@pytest.mark.parametrize("cut_off", ["24:00", "17:00"])
async def test_every_column_of_every_record_comes_back(
    board: Switchboard, ledger: Ledger, database_url: str, tmp_path: Path, cut_off: str
) -> None:
    process = ReconciliationProcess(
        id="a",
        name="A",
        kind=ProcessKind.PROVIDER,
        party="a",
        calendar=Calendar(time_zone="Europe/London", cut_off=cut_off),
    )
    for name, sender in SENDERS.items():
        command = Buy(name, METER, Money(12_345), sender, MESSAGES[name], payment="WALLET")
        await buy(board.context, board.look_ups, command)
        board.clock.leap(40)
    await board.advise(AdviceKind.REVERSAL, "plain", "undo")
    await board.attend("plain")
    context = await finance_context(ledger, database_url, [process])
    assert await take(context, "a") == len(SENDERS) + 1
    ours = await taking_part(context, "a")

    made = await write_extract(context, "a", date(2026, 3, 1), date(2026, 3, 2), tmp_path)
    records, remarks = loaded(process, made.path)
    assert remarks == []
    columns = ("business_date", *COLUMNS)
    assert [{name: row[name] for name in columns} for row in records] == [
        {name: row[name] for name in columns} for row in ours
    ]
    assert len({row["business_date"] for row in ours}) == (2 if cut_off == "17:00" else 1)
