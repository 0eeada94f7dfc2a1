"""Lists as files: CSV and XLSX, written row by row so that their length costs no memory.

What channels and providers send ends up in cells, so no text may be taken for a formula: in CSV it
gets a leading apostrophe, in XLSX every text is written as text.
"""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO
from urllib.parse import quote

import xlsxwriter
from starlette.responses import Response, StreamingResponse

Cell = str | int | Decimal | datetime | None
"""What a cell may hold. A datetime has its zone; an amount is a Decimal."""

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_ROWS_AT_ONCE = 500
_BYTES_AT_ONCE = 65_536
_NUMBER_DIGITS_MAX = 15  # A spreadsheet's numbers are doubles: more digits would be changed.
_TEXT_CHARACTERS_MAX = 32_767
_WIDTH_MIN, _WIDTH_MAX = 10, 60


async def csv_response(
    file_name: str,
    columns: Sequence[str],
    rows: AsyncIterator[Sequence[Cell]],
    *,
    zone: tzinfo,
) -> Response:
    """The rows as CSV (RFC 4180, UTF-8 with a byte order mark), sent while they are read. Times
    are RFC 3339 in `zone`.

    Raises what `rows` raises before the first rows; later than that the file breaks off, and the
    browser says that the download failed."""
    batches = _batches(rows)
    nothing: list[Sequence[Cell]] = []
    first = await anext(batches, nothing)

    async def text() -> AsyncGenerator[bytes]:
        yield b"\xef\xbb\xbf" + _csv_bytes([columns, *first], zone)
        async for batch in batches:
            yield _csv_bytes(batch, zone)

    return StreamingResponse(text(), media_type=CSV_TYPE, headers=_headers(file_name))


async def xlsx_response(
    file_name: str,
    columns: Sequence[str],
    rows: AsyncIterator[Sequence[Cell]],
    *,
    zone: tzinfo,
) -> Response:
    """The rows as a workbook of one sheet with a frozen header. Times are dates in `zone`, without
    it, as spreadsheets have them. It is sent when it is complete.

    Raises what `rows` raises."""
    with TemporaryDirectory(prefix="ppu-export-") as folder:
        book = _Book(Path(folder), columns, zone)
        try:
            async for batch in _batches(rows):
                # In a thread, for sales go on in this one.
                await asyncio.to_thread(book.add, batch)
        finally:
            done = await asyncio.to_thread(book.close)
    return StreamingResponse(_sent(done), media_type=XLSX_TYPE, headers=_headers(file_name))


def _headers(file_name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name, safe='')}",
        "Cache-Control": "no-store",
    }


async def _batches(rows: AsyncIterator[Sequence[Cell]]) -> AsyncGenerator[list[Sequence[Cell]]]:
    batch: list[Sequence[Cell]] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == _ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _csv_bytes(rows: Sequence[Sequence[Cell]], zone: tzinfo) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[csv_text(cell, zone) for cell in row] for row in rows])
    return out.getvalue().encode("utf-8", "replace")


def csv_text(cell: Cell, zone: tzinfo) -> str:
    """A cell as CSV has it, before quoting."""
    match cell:
        case None:
            return ""
        case str():
            return f"'{cell}" if cell.startswith(_FORMULA) else cell
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return cell.astimezone(zone).isoformat(timespec="milliseconds")
        case Decimal():
            return f"{cell:f}"
        case int():
            return str(cell)


class _Book:
    """A workbook on its way into a file in `folder`; for one thread at a time."""

    def __init__(self, folder: Path, columns: Sequence[str], zone: tzinfo) -> None:
        self._path = folder / "export.xlsx"
        # The library is without types.
        self._book: Any = xlsxwriter.Workbook(
            str(self._path), {"constant_memory": True, "tmpdir": str(folder)}
        )
        self._sheet: Any = self._book.add_worksheet("Export")
        self._sheet.freeze_panes(1, 0)
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
        self._amount = self._book.add_format({"num_format": "0.00"})
        bold = self._book.add_format({"bold": True})
        for at, name in enumerate(columns):
            self._sheet.write_string(0, at, name, bold)
        self._columns = columns
        self._zone = zone
        self._rows = 0

    def add(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Writes rows below those there are. Raises ValueError when the sheet is full."""
        if self._rows == 0:
            self._set_widths(rows)
        for row in rows:
            self._rows += 1
            for at, cell in enumerate(row):
                if self._write(at, cell) != 0:
                    raise ValueError(f"row {self._rows} doesn't fit on a sheet")

    def close(self) -> BinaryIO:
        """The finished file, open for reading; it is gone when that is closed."""
        self._book.close()
        return self._path.open("rb")

    def _write(self, column: int, cell: Cell) -> int:
        match cell:
            case None:
                return 0
            case str():
                return self._text(column, cell)
            case bool():
                return self._text(column, csv_text(cell, self._zone))
            case datetime():
                local = cell.astimezone(self._zone).replace(tzinfo=None)
                return int(self._sheet.write_datetime(self._rows, column, local, self._time))
            case Decimal() | int():
                written = csv_text(cell, self._zone)
                if sum(c.isdigit() for c in written) > _NUMBER_DIGITS_MAX:
                    return self._text(column, written)
                form = self._amount if isinstance(cell, Decimal) else None
                return int(self._sheet.write_number(self._rows, column, cell, form))

    def _text(self, column: int, text: str) -> int:
        shown = text[:_TEXT_CHARACTERS_MAX]
        if not shown.isascii():
            shown = shown.encode("utf-8", "replace").decode()
        return int(self._sheet.write_string(self._rows, column, shown))

    def _set_widths(self, rows: Sequence[Sequence[Cell]]) -> None:
        for at, name in enumerate(self._columns):
            cells = (csv_text(row[at], self._zone) for row in rows)
            width = max((len(text) for text in cells), default=0)
            width = min(max(width, len(name), _WIDTH_MIN), _WIDTH_MAX)
            self._sheet.set_column(at, at, width + 1)


async def _sent(file: BinaryIO) -> AsyncGenerator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, _BYTES_AT_ONCE):
            yield chunk
