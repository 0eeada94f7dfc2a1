"""A report as CSV: what a program, or a spreadsheet, takes in line by line.

RFC 4180 with CR LF; the encoding is UTF-8. The first line has the columns' names, the first of
which is `record_type`: D for a line, T for the last line, which has the totals. Amounts are whole
cents, times RFC 3339 in the process's time zone, dates YYYYMMDD, as in the extract.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO

from domain.extract import BODY, LINE_END, defused
from finance.report.figures.figures import Figures
from finance.report.figures.table import Cell, Row, Table
from finance.report.spreadsheet_text import without_control

TOTALS = "T"


def write_csv(figures: Figures, out: BinaryIO) -> None:
    """Writes the main table. Raises OSError."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator=LINE_END)
    writer.writerow(["record_type", *(column.name for column in figures.main.columns)])
    writer.writerows(_lines(figures, figures.main))
    text.flush()
    text.detach()


def _lines(figures: Figures, table: Table) -> Iterator[list[str]]:
    for batch in table.batches():
        for row in batch:
            yield [BODY, *_cells(figures, row)]
    sums = table.sums
    if sums is not None:
        yield [TOTALS, *_cells(figures, sums)]


def _cells(figures: Figures, row: Row) -> list[str]:
    return [_text(figures, cell) for cell in row]


def _text(figures: Figures, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return defused(without_control(cell))
        case datetime():
            return cell.astimezone(figures.zone).isoformat(timespec="seconds")
        case date():
            return f"{cell:%Y%m%d}"
        case int():
            return str(cell)
