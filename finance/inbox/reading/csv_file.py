"""A CSV file, part by part: its first lines, then blocks of records."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from domain.extract import BODY
from domain.inbox import LineException
from finance.inbox.reading import values
from finance.inbox.reading.block import Block
from finance.inbox.reading.columns import (
    Columns,
    LayoutError,
    columns_by_heading,
    columns_by_number,
    extract_columns,
    split,
)
from finance.inbox.reading.compute import pc
from finance.inbox.reading.convert import Converter
from finance.inbox.reading.header import Header, read_header
from finance.inbox.reading.lines import LineCutter, Lines
from finance.inbox.reading.rows import Rows, field_name, rows_of
from finance.inbox.reading.screen import EncodingError, Screen
from finance.inbox.reading.shown_line import shown
from finance.process.process import ReconciliationProcess
from finance.settings import FinanceSettings

_RECORD_TYPE = 0


class CsvFile:
    """Takes a file's parts in order, gives blocks. Raises LayoutError."""

    def __init__(self, process: ReconciliationProcess, settings: FinanceSettings) -> None:
        layout = process.layout
        if len(layout.delimiter) != 1 or not layout.delimiter.isascii():
            raise LayoutError(f"the delimiter has to be one ASCII character: {layout.delimiter!r}")
        try:
            self._screen = Screen(layout.encoding, layout.delimiter, settings.line_bytes_max)
        except EncodingError as error:
            raise LayoutError(str(error)) from None
        self._process = process
        self._layout = layout
        self._cut = settings.exception_text_characters
        self._cutter = LineCutter(settings.line_bytes_max, layout.skip_last_lines)
        self._columns: Columns | None = None
        self._converter: Converter | None = None
        self.header: Header | None = None
        self.is_extract = not layout.columns

    def feed(self, part: bytes, *, last: bool) -> Iterator[Block]:
        """The block of the lines that are whole now; none when there are none."""
        lines = self._cutter.feed(part, last=last)
        body = self._after_head(lines)
        if body.content:
            yield self._block(body)

    def _after_head(self, lines: Lines) -> Lines:
        """What follows the lines before the first record, which are taken in."""
        first, content = lines.first, lines.content
        at = 0
        while self._columns is None and at < len(content):
            end = content.index(b"\n", at) + 1
            line = content[at:end]
            if first <= self._layout.skip_lines or not line.strip() or self._is_head(line):
                at, first = end, first + 1
        return Lines(first, content[at:])

    def _is_head(self, line: bytes) -> bool:
        """Learns from the first line what a line is made of; whether it is no record itself."""
        text = line.decode(self._layout.encoding, errors="replace")
        if self.is_extract:
            self.header = read_header(text, self._layout.delimiter)
            self._use(extract_columns())
            return self.header is not None
        fields = split(text, self._layout.delimiter)
        if self._layout.headings:
            self._use(columns_by_heading(self._layout, fields))
            return True
        self._use(columns_by_number(self._layout, len(fields)))
        return False

    def _use(self, columns: Columns) -> None:
        self._columns = columns
        self._converter = Converter(self._process, columns, defused=self.is_extract)

    def _block(self, lines: Lines) -> Block:
        assert self._columns is not None
        assert self._converter is not None
        screened = self._screen.screened(lines)
        wanted = {*self._columns.places.values()}
        if self.is_extract:
            wanted.add(_RECORD_TYPE)
        rows = rows_of(screened, self._columns, wanted, self._layout.delimiter)
        bad = [
            (n, text.decode(self._layout.encoding, "replace"), why) for n, text, why in screened.bad
        ]
        bad += rows.bad
        if self.is_extract:
            rows, other = _of_body(rows)
            bad += [(number, screened.text(number), why) for number, why in other]
        converted = self._converter.converted(rows)
        bad += [(number, screened.text(number), why) for number, why in converted.bad]
        bad.sort(key=lambda one: one[0])
        count = lines.content.count(b"\n")
        return Block(
            first_line=lines.first,
            last_line=lines.first + count - 1,
            records=converted.records,
            exceptions=tuple(LineException(n, shown(text, self._cut), why) for n, text, why in bad),
            left_out=converted.left_out,
            body_lines=converted.lines + converted.left_out + len(bad),
            stated_cents=converted.stated_cents,
        )


def _of_body(rows: Rows) -> tuple[Rows, list[tuple[int, str]]]:
    """The rows whose record type is the body's, and why others aren't."""
    kinds = rows.table[field_name(_RECORD_TYPE)].combine_chunks()
    body: values.Mask = values.mask(pc.equal(pc.utf8_trim_whitespace(kinds), BODY))
    if body.all():
        return rows, []
    reasons = [
        (int(rows.numbers[at]), f"record_type is {values.shown(kinds[at].as_py())}, not {BODY!r}")
        for at in np.flatnonzero(~body).tolist()
    ]
    return Rows(rows.table.filter(pa.array(body)), rows.numbers[body], rows.bad), reasons
