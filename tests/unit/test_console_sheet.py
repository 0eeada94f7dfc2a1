"""Lists as files: what a spreadsheet gets to see, and what it can't be made to do."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from lxml import etree
from starlette.responses import StreamingResponse

from api.console.parts.sheet import Cell, csv_response, xlsx_response

ZONE = ZoneInfo("Africa/Johannesburg")
AT = datetime(2026, 11, 24, 22, 3, 7, 123_000, tzinfo=UTC)
COLUMNS = ("Meter", "Amount", "Time", "Retries")
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


async def rows_of(rows: Sequence[Sequence[Cell]]) -> AsyncIterator[Sequence[Cell]]:
    for row in rows:
        yield row


async def body_of(response: object) -> bytes:
    assert isinstance(response, StreamingResponse)
    chunks = [chunk async for chunk in response.body_iterator]
    return b"".join(c.encode() if isinstance(c, str) else bytes(c) for c in chunks)


async def as_csv(rows: Sequence[Sequence[Cell]]) -> bytes:
    return await body_of(await csv_response("list.csv", COLUMNS, rows_of(rows), zone=ZONE))


async def as_cells(rows: Sequence[Sequence[Cell]]) -> list[list[tuple[str, str]]]:
    """(type, content) of each cell of the workbook; "n" is a number, "inlineStr" a text."""
    body = await body_of(await xlsx_response("list.xlsx", COLUMNS, rows_of(rows), zone=ZONE))
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        sheet = etree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert sheet.find(f".//{SHEET}f") is None
    return [
        [(c.get("t") or "n", "".join(map(str, c.itertext()))) for c in row.iter(f"{SHEET}c")]
        for row in sheet.iter(f"{SHEET}row")
    ]


async def test_a_csv_file_is_read_back_by_any_reader() -> None:
    body = await as_csv([('a "b", c\nd', Decimal("1234.50"), AT, 2), ("", None, None, -7)])
    assert body.startswith(b"\xef\xbb\xbfMeter,Amount,Time,Retries\r\n")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert rows[1] == ['a "b", c\nd', "1234.50", "2026-11-25T00:03:07.123+02:00", "2"]
    assert rows[2] == ["", "", "", "-7"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
async def test_no_text_becomes_a_formula(start: str) -> None:
    text = f"{start}HYPERLINK(A1)"
    body = await as_csv([(text, None, None, None)])
    row = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))[1]
    assert row[0] == f"'{text}"
    kind, content = (await as_cells([(text, None, None, None)]))[1][0]
    assert (kind, content.strip()) == ("inlineStr", text.replace("\r", "_x000D_").strip())


async def test_a_workbook_has_numbers_dates_and_texts() -> None:
    header, row = await as_cells([("04123456789", Decimal("1234.50"), AT, 2)])
    assert [content for _, content in header] == list(COLUMNS)
    assert row[0] == ("inlineStr", "04123456789")
    assert row[1] == ("n", "1234.50")
    assert row[3] == ("n", "2")
    kind, days = row[2]
    assert kind == "n"
    # 25 November 2026 is day 46351 of a spreadsheet's calendar; the time is the zone's own.
    assert float(days) == pytest.approx(46_351 + 187.123 / 86_400, abs=1e-7)  # pyright: ignore[reportUnknownMemberType]


async def test_a_number_too_long_for_a_spreadsheet_stays_whole() -> None:
    _, row = await as_cells([("m", Decimal("12345678901234567.89"), None, 2**60)])
    assert row[1:] == [("inlineStr", "12345678901234567.89"), ("inlineStr", str(2**60))]


async def test_nothing_is_lost_of_a_long_list() -> None:
    rows = [(str(number), None, AT, number) for number in range(1_203)]
    lines = (await as_csv(rows)).decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [str(n) for n in range(1_203)]
    cells = await as_cells(rows)
    assert [row[0][1] for row in cells[1:]] == [str(n) for n in range(1_203)]


async def test_an_empty_list_has_its_header() -> None:
    assert (await as_csv([])).decode("utf-8-sig") == "Meter,Amount,Time,Retries\r\n"
    assert len(await as_cells([])) == 1
