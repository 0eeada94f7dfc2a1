"""A workbook (XLSX), row by row: typed cells brought into the text that a CSV file would have."""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
from openpyxl import Workbook

from domain.extract import BODY
from domain.inbox import LineException
from domain.record import COLUMNS
from finance.inbox.reading import values
from finance.inbox.reading.block import Block
from finance.inbox.reading.cells import EXACT_DIGITS, cell_text, has_lost_digits, plain_text
from finance.inbox.reading.columns import (
    Columns,
    LayoutError,
    columns_by_heading,
    columns_by_number,
    extract_columns,
)
from finance.inbox.reading.convert import Converter
from finance.inbox.reading.header import Header, header_of, is_header
from finance.inbox.reading.rows import BadLine, Rows, field_name
from finance.inbox.reading.shown_line import shown
from finance.process.process import ReconciliationProcess
from finance.settings import FinanceSettings

SIGNATURE = b"PK\x03\x04"
"""How a workbook begins, and no CSV file does."""
BLOCK_ROWS = 10_000
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_Cells = Sequence[Any]


class WorkbookFile:
    """Takes a workbook's parts, gives blocks once it is whole. Row numbers are the sheet's. Raises
    LayoutError."""

    def __init__(self, process: ReconciliationProcess, settings: FinanceSettings) -> None:
        self._process = process
        self._layout = process.layout
        self._settings = settings
        self._content = io.BytesIO()
        self.header: Header | None = None
        self.is_extract = not process.layout.columns

    def feed(self, part: bytes, *, last: bool) -> Iterator[Block]:
        """The blocks; none before the last part."""
        self._content.write(part)
        if self._content.tell() > self._settings.workbook_bytes_max:
            raise LayoutError(
                f"a workbook has at most {self._settings.workbook_bytes_max} bytes; save it as CSV"
            )
        if last:
            yield from self._blocks()

    def _blocks(self) -> Iterator[Block]:
        rows = self._numbered_rows()
        columns, first = self._head(rows)
        converter = Converter(self._process, columns, cells=True, defused=self.is_extract)
        body = rows if first is None else chain([first], rows)
        while batch := list(islice(body, BLOCK_ROWS)):
            yield self._block(batch, columns, converter)

    def _numbered_rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Rows that are not empty, without empty cells at their end; skipped ones left out."""
        held: list[tuple[int, list[Any]]] = []
        for number, row in enumerate(self._rows(), 1):
            if number > self._settings.workbook_rows_max:
                raise LayoutError(f"a sheet has at most {self._settings.workbook_rows_max} rows")
            cells = list(row)
            while cells and (cells[-1] is None or cells[-1] == ""):
                cells.pop()
            if not cells or number <= self._layout.skip_lines:
                continue
            held.append((number, cells))
            if len(held) > self._layout.skip_last_lines:
                yield held.pop(0)

    def _rows(self) -> Iterator[_Cells]:
        rows = self._sheet().iter_rows(values_only=True)
        for number in count():
            try:
                row = next(rows, None)
            except Exception as error:
                # Whatever damage makes of the libraries that a workbook is read with.
                raise LayoutError(
                    f"the workbook can't be read behind row {number}: {error}"
                ) from None
            if row is None:
                return
            yield row

    def _sheet(self) -> Any:  # noqa: ANN401 (two kinds of sheet, one without types)
        limit = self._settings.workbook_unpacked_bytes_max
        try:
            with zipfile.ZipFile(self._content) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
            self._content.seek(0)
            # Read only what says how much it is: a small workbook may unpack to a full memory.
            book = None if unpacked > limit else _opened(self._content)
        except Exception as error:
            raise LayoutError(f"the workbook can't be opened: {error}") from None
        if book is None:
            raise LayoutError(f"the workbook unpacks to more than {limit} bytes; save it as CSV")
        names: list[str] = book.sheetnames
        if self._layout.sheet and self._layout.sheet not in names:
            raise LayoutError(f"no sheet {self._layout.sheet!r}; there are: {', '.join(names)}")
        sheet = book[self._layout.sheet or names[0]]
        # What the file says of its own size may be wrong, and would cut it.
        sheet.reset_dimensions()
        return sheet

    def _head(
        self, rows: Iterator[tuple[int, list[Any]]]
    ) -> tuple[Columns, tuple[int, list[Any]] | None]:
        """The columns, and the first row if it is a record's."""
        first = next(rows, None)
        if first is None:
            raise LayoutError("the sheet is empty")
        texts = [plain_text(cell) for cell in first[1]]
        if self.is_extract:
            if not is_header(texts):
                return extract_columns(), first
            self.header = header_of(texts)
            return extract_columns(), None
        if self._layout.headings:
            return columns_by_heading(self._layout, texts), None
        return columns_by_number(self._layout, len(texts)), first

    def _block(
        self, batch: list[tuple[int, list[Any]]], columns: Columns, converter: Converter
    ) -> Block:
        places = {place: COLUMNS[name] for name, place in columns.places.items()}
        good: list[tuple[int, list[Any]]] = []
        bad: list[BadLine] = []
        for number, cells in batch:
            reason = self._wrong(cells, columns)
            if reason:
                bad.append((number, "", reason))
            else:
                good.append((number, cells))
        texts: dict[str, list[str | None]] = {}
        for place, kind in places.items():
            texts[field_name(place)] = [
                cell_text(cells[place], kind, self._layout) if place < len(cells) else None
                for _, cells in good
            ]
        table = pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()})
        numbers = np.array([number for number, _ in good], dtype=np.int64)
        converted = converter.converted(Rows(table, numbers, []))
        bad += [(number, "", why) for number, why in converted.bad]
        rows = dict(batch)
        return Block(
            first_line=batch[0][0],
            last_line=batch[-1][0],
            records=converted.records,
            exceptions=tuple(
                LineException(number, self._shown(rows[number]), why)
                for number, _, why in sorted(bad)
            ),
            left_out=converted.left_out,
            body_lines=converted.lines + converted.left_out + len(bad),
            stated_cents=converted.stated_cents,
        )

    def _wrong(self, cells: _Cells, columns: Columns) -> str:
        """Why a row can't be one of the body at all; "" if it can."""
        if len(cells) > columns.fields:
            return f"the row has {len(cells)} cells, not {columns.fields}"
        if self.is_extract and plain_text(cells[0]).strip() != BODY:
            return f"record_type is {values.shown(plain_text(cells[0]) or None)}, not {BODY!r}"
        for column, place in columns.places.items():
            cell = cells[place] if place < len(cells) else None
            if isinstance(cell, str) and _CONTROL.search(cell):
                return f"{columns.called(column)} has a line break or a control character"
            if has_lost_digits(cell):
                return (
                    f"{columns.called(column)} is a number of more than {EXACT_DIGITS} digits, of "
                    "which the workbook has lost the last: format the column as text"
                )
        return ""

    def _shown(self, cells: _Cells) -> str:
        text = self._layout.delimiter.join(plain_text(cell) for cell in cells)
        return shown(text, self._settings.exception_text_characters)


def _opened(content: io.BytesIO) -> Workbook:
    return openpyxl.load_workbook(content, read_only=True, data_only=True)
