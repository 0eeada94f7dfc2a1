"""Exceptions as a file, for whoever has to mend them."""

import csv
from collections.abc import Sequence
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from domain.extract import LINE_END, defused

HEADINGS = ("line", "reason", "text")
_WIDTHS = (8, 70, 120)


def write_exceptions(path: Path, exceptions: Sequence[tuple[int, str, str]]) -> None:
    """Writes (line, text, reason) into an .xlsx file, or else as CSV. Raises OSError."""
    rows = [(line, defused(reason), defused(text)) for line, text, reason in exceptions]
    if path.suffix.lower() == ".xlsx":
        _write_workbook(path, rows)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator=LINE_END)
        writer.writerow(HEADINGS)
        writer.writerows(rows)


def _write_workbook(path: Path, rows: Sequence[tuple[int, str, str]]) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    try:
        with Workbook(str(path), options) as book:
            sheet = book.add_worksheet("Exceptions")  # pyright: ignore[reportUnknownMemberType]
            bold = book.add_format({"bold": True})  # pyright: ignore[reportUnknownMemberType]
            for column, (heading, width) in enumerate(zip(HEADINGS, _WIDTHS, strict=True)):
                sheet.set_column(column, column, width)
                sheet.write_string(0, column, heading, bold)
            sheet.freeze_panes(1, 0)
            for number, (line, reason, text) in enumerate(rows, 1):
                sheet.write_number(number, 0, line)
                sheet.write_string(number, 1, reason)
                sheet.write_string(number, 2, text)
    except FileCreateError as error:
        raise OSError(f"{path} can't be written: {error}") from None
