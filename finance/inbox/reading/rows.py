"""Rows: the fields of good lines as columns of text, absent where they are empty."""

import io
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from finance.inbox.reading.columns import Columns
from finance.inbox.reading.screen import Screened

UNREADABLE = "the line can't be taken apart into fields"

Numbers = npt.NDArray[np.int64]
BadLine = tuple[int, str, str]
"""Number, text, reason."""


class Rows(msgspec.Struct, frozen=True):
    """`table`: a column of text (`field 0` ...) for each wanted field. `numbers`: the rows' line
    numbers.  `bad`: what is no row."""

    table: pa.Table
    numbers: Numbers
    bad: list[BadLine]


def rows_of(screened: Screened, columns: Columns, wanted: set[int], delimiter: str) -> Rows:
    """The rows of a block's good lines. `wanted`: which fields, from 0."""
    names = [field_name(place) for place in sorted(wanted)]
    if not screened.numbers.size:
        nothing = pa.table({name: pa.array([], pa.string()) for name in names})
        return Rows(nothing, screened.numbers, [])
    parsed, short = _parsed(screened.content, columns.fields, names, delimiter)
    if parsed.num_rows + len(short) != screened.numbers.size:
        return _one_by_one(screened, columns, wanted, delimiter)
    bad: list[BadLine] = []
    keep = np.ones(screened.numbers.size, dtype=np.bool_)
    for index, fields, text in short:
        keep[index] = False
        # Spreadsheet programs leave lines of nothing but delimiters at the end of a sheet.
        if text.strip(f'{delimiter} \t"\r\n'):
            reason = f"the line has {fields} fields, not {columns.fields}"
            bad.append((int(screened.numbers[index]), text, reason))
    return Rows(parsed, screened.numbers[keep], bad)


def field_name(place: int) -> str:
    """What the column of a field is called in `Rows.table`."""
    return f"field {place}"


def _parsed(
    content: bytes, fields: int, names: list[str], delimiter: str
) -> tuple[pa.Table, list[tuple[int, int, str]]]:
    """The rows, and (index, fields, text) of each line with another number of fields."""
    other: list[tuple[int, int, str]] = []

    def refused(row: csv.InvalidRow) -> Literal["skip"]:
        # Without threads every row has its number.
        assert row.number is not None
        other.append((row.number - 1, row.actual_columns, row.text))
        return "skip"

    table = csv.read_csv(
        io.BytesIO(content),
        read_options=csv.ReadOptions(
            use_threads=False,
            block_size=len(content) + 1,
            column_names=[field_name(place) for place in range(fields)],
        ),
        parse_options=csv.ParseOptions(
            delimiter=delimiter, ignore_empty_lines=False, invalid_row_handler=refused
        ),
        convert_options=csv.ConvertOptions(
            check_utf8=False,
            column_types={name: pa.string() for name in names},
            include_columns=names,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return table, other


def _one_by_one(screened: Screened, columns: Columns, wanted: set[int], delimiter: str) -> Rows:
    """As `rows_of`, of halves and then of lines: only where the reader and the screen disagree
    about where lines end, which neither should."""
    lines = [line + b"\n" for line in screened.content.split(b"\n")[:-1]]
    if len(lines) == 1:
        number = int(screened.numbers[0])
        text = lines[0].decode(errors="replace")
        empty = Screened(b"", screened.numbers[:0], [])
        none = rows_of(empty, columns, wanted, delimiter)
        return Rows(none.table, none.numbers, [(number, text, UNREADABLE)])
    half = len(lines) // 2
    parts = [
        rows_of(
            Screened(b"".join(lines[a:b]), screened.numbers[a:b], []), columns, wanted, delimiter
        )
        for a, b in ((0, half), (half, len(lines)))
    ]
    return Rows(
        pa.concat_tables([part.table for part in parts]),
        np.concatenate([part.numbers for part in parts]),
        [bad for part in parts for bad in part.bad],
    )
