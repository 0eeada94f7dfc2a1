"""A workbook, row by row: typed cells mean what a CSV file's text would."""

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest

from finance.inbox.reading.columns import LayoutError
from finance.process.layout import AmountForm, Layout
from finance.settings import FinanceSettings
from tests.extract_file import body_line, header_line
from tests.reading_files import cut, read, with_layout

LAYOUT = Layout(
    columns={
        "transaction_id": "Ref",
        "transaction_time": "When",
        "settlement_date": "Day",
        "amount_minor": "Amount",
        "meter_id": "Meter",
    },
    constants={"message_type": "PURCHASE", "transaction_state": "APPROVED", "currency": "710"},
    amounts=AmountForm.DECIMAL,
    time_form="%d/%m/%Y %H:%M",
    date_form="%d/%m/%Y",
    skip_lines=1,
)
HEADINGS = ("Ref", "When", "Day", "Amount", "Meter")
WHEN = datetime(2026, 3, 1, 10)  # noqa: DTZ001 (a cell has no zone)


def workbook(*rows: Sequence[Any], sheet: str = "Sales") -> bytes:
    """A workbook whose second sheet has these rows."""
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = sheet
    for row in rows:
        first.append(list(row))
    book.create_sheet("Notes")
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def of_sales(*rows: Sequence[Any]) -> bytes:
    return workbook(["March"], HEADINGS, *rows)


def test_numbers_dates_and_text_are_read_as_what_they_are() -> None:
    content = of_sales(
        ("A", WHEN, date(2026, 3, 2), 123.45, "04000000001"),
        (),
        (1234567, "01/03/2026 10:00", "02/03/2026", 123.4, 4000000001),
        (3.0, WHEN, None, 5, None),
        ("D", WHEN, None, "7.50", None),
    )
    found = read(cut(content, 1_000), with_layout(LAYOUT))
    assert found.exceptions == []
    assert found.column("line") == [3, 5, 6, 7]
    assert found.column("transaction_id") == ["A", "1234567", "3", "D"]
    assert found.column("amount_minor") == [12_345, 12_340, 500, 750]
    assert set(found.column("transaction_time")) == {datetime(2026, 3, 1, 8, tzinfo=UTC)}
    assert found.column("settlement_date") == [date(2026, 3, 2), date(2026, 3, 2), None, None]
    assert found.column("meter_id") == ["04000000001", "4000000001", None, None]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("A", WHEN, None, 1.005, "m"), "amount_minor ('Amount') is '1.005', not an amount with"),
        (("A", WHEN, None, True, "m"), "amount_minor ('Amount') is 'TRUE', not an amount with"),
        (("A", WHEN, None, None, "m"), "amount_minor ('Amount') is empty"),
        (("A", 46_000, None, 1, "m"), "transaction_time ('When') is '46000', not a time as"),
        (("A", WHEN, "soon", 1, "m"), "settlement_date ('Day') is 'soon', not a date as"),
        ((12345678901234567890, WHEN, None, 1, "m"), "transaction_id ('Ref') is a number of more"),
        (("A\nB", WHEN, None, 1, "m"), "transaction_id ('Ref') has a line break or a control"),
        (("A", WHEN, None, 1, "m", None, "x"), "the row has 7 cells, not 5"),
    ],
)
def test_a_bad_row_is_an_exception_with_its_number(row: Sequence[Any], reason: str) -> None:
    good = ("B", WHEN, None, 1, "m")
    found = read(of_sales(good, row, good), with_layout(LAYOUT))
    assert [(one.line, one.reason[: len(reason)]) for one in found.exceptions] == [(4, reason)]
    assert found.column("line") == [3, 5]


def test_amounts_in_cents_are_whole_numbers() -> None:
    layout = Layout(columns=LAYOUT.columns, constants=LAYOUT.constants)
    rows = (("A", WHEN, None, 100, "m"), ("B", WHEN, None, 100.0, "m"), ("C", WHEN, None, 0.5, "m"))
    found = read(workbook(HEADINGS, *rows), with_layout(layout))
    assert found.column("amount_minor") == [100, 100]
    assert [one.line for one in found.exceptions] == [4]


def test_the_extract_may_come_as_a_workbook() -> None:
    lines = [header_line(2, 20_000), body_line(1), body_line(2), body_line(3, record_type="T")]
    found = read(workbook(*(line.split(",") for line in lines)))
    assert found.column("transaction_id") == ["sale-1", "sale-2"]
    assert found.reasons == [(4, "record_type is 'T', not 'D'")]
    assert found.remarks == ("its header says record_count '2'; it is 3",)


def test_a_sheet_by_name_and_last_rows_that_are_skipped() -> None:
    content = workbook(HEADINGS, ("A", WHEN, None, 1, "m"), ("Total", None, None, 1, None), ())
    layout = Layout(
        columns=LAYOUT.columns, constants=LAYOUT.constants, sheet="Sales", skip_last_lines=1
    )
    assert read(content, with_layout(layout)).column("transaction_id") == ["A"]
    other = Layout(columns=LAYOUT.columns, constants=LAYOUT.constants, sheet="Sums")
    with pytest.raises(LayoutError, match="no sheet 'Sums'; there are: Sales, Notes"):
        read(content, with_layout(other))


def test_what_is_no_workbook_is_told() -> None:
    whole = of_sales(("A", WHEN, None, 1, "m"))
    for content in (whole[:200], whole[: len(whole) // 2], b"PK\x03\x04" + b"\0" * 100):
        with pytest.raises(LayoutError, match="the workbook can't be opened"):
            read(content, with_layout(LAYOUT))
    with pytest.raises(LayoutError, match="the sheet is empty"):
        read(workbook(), with_layout(LAYOUT))


def test_a_damaged_sheet_is_told_with_the_row_where_it_ends() -> None:
    content = of_sales(("A", WHEN, None, 1, "m"))
    damaged = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(damaged, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                data = data[: data.index(b"</row>") + 20]
            new.writestr(entry, data)
    with pytest.raises(LayoutError, match="the workbook can't be read behind row 1"):
        read(damaged.getvalue(), with_layout(LAYOUT))


def test_a_workbook_that_is_too_large_is_refused() -> None:
    content = of_sales(*(("A", WHEN, None, 1, "m") for _ in range(50)))
    for limits in (
        FinanceSettings(workbook_bytes_max=1_000),
        FinanceSettings(workbook_rows_max=20),
        FinanceSettings(workbook_unpacked_bytes_max=1_000),
    ):
        with pytest.raises(LayoutError, match=r"at most|more than"):
            read(content, with_layout(LAYOUT), settings=limits)
