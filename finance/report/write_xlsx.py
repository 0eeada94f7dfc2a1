"""A report as a workbook: a summary with charts, then a sheet for each table.

Amounts are numbers in rand. A cell's number is the IEEE double nearest to cents / 100, which is
what a spreadsheet program itself makes of the amount when somebody types it, and it is written with
16 digits: below AMOUNT_CENTS_MAX that names this very double, so that two places come back as they
were (tests/unit/test_report_xlsx.py). Totals are written as numbers, not as formulas, and are the
ones that the other forms have.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from finance.report.figures.figures import Figures, Series
from finance.report.figures.table import Cell, Column, ColumnKind, Row, Table
from finance.report.spreadsheet_text import without_control

AMOUNT_CENTS_MAX = 10**15
TEXT_CHARACTERS_MAX = 32_000
"""A cell holds 32,767."""
_WIDTH_MAX = 48
_MEASURED_ROWS = 200
_MONEY = "#,##0.00;[Red]-#,##0.00"
_NUMBER_FORMATS = {
    ColumnKind.CENTS: _MONEY,
    ColumnKind.COUNT: "#,##0",
    ColumnKind.DATE: "yyyy-mm-dd",
    ColumnKind.TIME: "yyyy-mm-dd hh:mm:ss",
    ColumnKind.TEXT: "@",
}
_WIDTHS = {ColumnKind.CENTS: 14, ColumnKind.COUNT: 9, ColumnKind.DATE: 11, ColumnKind.TIME: 19}
_CHART_ROWS = 16


class AmountTooLargeError(ValueError):
    """A workbook can't hold the amount to the cent."""


def write_xlsx(figures: Figures, path: Path) -> None:
    """Writes the workbook. Raises OSError, and AmountTooLargeError from ten million million rand
    on."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(str(path), options)
    try:
        _properties(book, figures)
        _Book(book, figures).write()
    finally:
        book.close()


def _properties(book: Workbook, figures: Figures) -> None:
    book.set_properties(  # pyright: ignore[reportUnknownMemberType]
        {
            "title": without_control(figures.title),
            "subject": without_control(f"{figures.process_name}, {figures.subject}"),
            "author": without_control(figures.branding.name),
            "created": figures.made_at.replace(tzinfo=None, microsecond=0),
        }
    )


def rand(cents: int) -> float:
    """The number that a cell holds for an amount. Raises AmountTooLargeError."""
    if abs(cents) >= AMOUNT_CENTS_MAX:
        raise AmountTooLargeError(f"{cents} cents are too many for a workbook's cell")
    return cents / 100


def _format(book: Workbook, properties: dict[str, str | int | bool]) -> Format:
    return book.add_format(properties)  # pyright: ignore[reportUnknownMemberType]


def _sheet(book: Workbook, name: str) -> Worksheet:
    return book.add_worksheet(name)  # pyright: ignore[reportUnknownMemberType]


class _Book:
    """The workbook's formats, and its sheets as they are written, one after the other."""

    def __init__(self, book: Workbook, figures: Figures) -> None:
        self._book = book
        self._figures = figures
        self._zone: ZoneInfo = figures.zone
        colour = figures.branding.colour
        self._title = _format(book, {"bold": True, "font_size": 16, "font_color": colour})
        self._bold = _format(book, {"bold": True})
        self._grey = _format(book, {"font_color": "#555555"})
        self._heading = _format(
            book, {"bold": True, "font_color": "#ffffff", "bg_color": colour, "text_wrap": True}
        )
        self._plain = {
            kind: _format(book, {"num_format": form}) for kind, form in _NUMBER_FORMATS.items()
        }
        self._total = {
            kind: _format(book, {"num_format": form, "bold": True, "top": 1, "bottom": 6})
            for kind, form in _NUMBER_FORMATS.items()
        }

    def write(self) -> None:
        """All of it."""
        figures = self._figures
        summary = _sheet(self._book, "Summary")
        self._summary(summary)
        for table in (*figures.tables, figures.main):
            self._table(_sheet(self._book, table.title[:31]), table)

    def _summary(self, sheet: Worksheet) -> None:
        figures = self._figures
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 26)
        sheet.set_landscape()
        row = self._head(sheet)
        for key in figures.key:
            self._text(sheet, row, 0, key.label, self._bold if key.strong else None)
            formats = self._total if key.strong else self._plain
            self._cell(sheet, row, 1, key.value, key.kind, formats)
            row += 1
        row = self._sums(sheet, row + 1)
        for label, text in figures.signed:
            self._text(sheet, row, 0, label)
            self._text(sheet, row, 1, text)
            row += 1
        row += 1
        for note in figures.notes:
            self._text(sheet, row, 0, note, self._grey)
            row += 1
        for number, chart in enumerate(figures.charts):
            self._chart(sheet, 1 + number * _CHART_ROWS, chart)

    def _head(self, sheet: Worksheet) -> int:
        figures = self._figures
        self._text(sheet, 0, 0, figures.branding.name, self._grey)
        self._text(sheet, 1, 0, figures.title, self._title)
        lines = [
            *((party.role, ", ".join((party.name, *party.lines))) for party in figures.parties),
            ("Process", f"{figures.process_name} ({figures.process})"),
            ("Subject", figures.subject),
            ("Business dates", f"{figures.first} to {figures.last}"),
            ("Currency (ISO 4217)", figures.currency),
            ("Made", f"{figures.made_at.astimezone(self._zone):%Y-%m-%d %H:%M:%S %Z}"),
            ("Position in the ledger", str(figures.position)),
        ]
        for row, (label, text) in enumerate(lines, 2):
            self._text(sheet, row, 0, label)
            self._text(sheet, row, 1, text)
        return 3 + len(lines)

    def _sums(self, sheet: Worksheet, row: int) -> int:
        for each in self._figures.sums:
            self._text(sheet, row, 0, each.title, self._bold)
            row += 1
            for label, cents in each.terms:
                self._text(sheet, row, 0, label)
                self._cell(sheet, row, 1, cents, ColumnKind.CENTS, self._plain)
                row += 1
            self._text(sheet, row, 0, each.result[0], self._bold)
            self._cell(sheet, row, 1, each.result[1], ColumnKind.CENTS, self._total)
            row += 2
        return row

    def _table(self, sheet: Worksheet, table: Table) -> None:
        self._columns(sheet, table)
        for at, column in enumerate(table.columns):
            self._text(sheet, 0, at, column.heading, self._heading)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(table)), len(table.columns) - 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        row = 1
        for batch in table.batches():
            for cells in batch:
                self._row(sheet, row, table.columns, cells, self._plain)
                row += 1
        if table.totals is not None:
            self._row(sheet, row, table.columns, table.totals, self._total)
        if not len(table):
            self._text(sheet, row + 1, 0, table.empty, self._grey)

    def _columns(self, sheet: Worksheet, table: Table) -> None:
        measured = table.first(_MEASURED_ROWS)
        for at, column in enumerate(table.columns):
            texts = [column.heading, *(row[at] for row in measured)]
            longest = max((len(text) for text in texts if isinstance(text, str)), default=0)
            least = _WIDTHS.get(column.kind, 6)
            sheet.set_column(at, at, min(_WIDTH_MAX, max(least, longest + 2)))

    def _row(
        self,
        sheet: Worksheet,
        row: int,
        columns: Sequence[Column],
        cells: Row,
        formats: dict[ColumnKind, Format],
    ) -> None:
        for at, (column, cell) in enumerate(zip(columns, cells, strict=True)):
            self._cell(sheet, row, at, cell, column.kind, formats)

    def _cell(
        self,
        sheet: Worksheet,
        row: int,
        at: int,
        cell: Cell,
        kind: ColumnKind,
        formats: dict[ColumnKind, Format],
    ) -> None:
        match cell:
            case None:
                sheet.write_blank(row, at, None, formats[kind])
            case str():
                self._text(sheet, row, at, cell, formats[ColumnKind.TEXT])
            case datetime():
                local = cell.astimezone(self._zone).replace(tzinfo=None)
                sheet.write_datetime(row, at, local, formats[ColumnKind.TIME])
            case date():
                at_midnight = datetime.combine(cell, time())
                sheet.write_datetime(row, at, at_midnight, formats[ColumnKind.DATE])
            case int():
                number = rand(cell) if kind is ColumnKind.CENTS else cell
                sheet.write_number(row, at, number, formats[kind])

    def _text(
        self, sheet: Worksheet, row: int, at: int, text: str, form: Format | None = None
    ) -> None:
        sheet.write_string(row, at, without_control(text)[:TEXT_CHARACTERS_MAX], form)

    def _chart(self, sheet: Worksheet, row: int, drawn: Series) -> None:
        tables = {table.name: table for table in (*self._figures.tables, self._figures.main)}
        table = tables[drawn.table]
        rows = min(len(table), len(drawn.bars))
        if not rows:
            return
        names = [column.name for column in table.columns]
        label, value = names.index(drawn.label), names.index(drawn.value)
        chart = self._book.add_chart({"type": "column"})
        assert chart is not None
        title = table.title[:31]
        chart.add_series(
            {
                "name": drawn.title,
                "categories": [title, 1, label, rows, label],
                "values": [title, 1, value, rows, value],
                "fill": {"color": self._figures.branding.colour},
                "gap": 60,
            }
        )
        chart.set_title({"name": drawn.title, "name_font": {"size": 11}})
        chart.set_legend({"none": True})
        money = drawn.kind is ColumnKind.CENTS
        chart.set_y_axis(
            {
                "num_format": "#,##0",
                "name": "rand" if money else "",
                "major_gridlines": {"visible": True, "line": {"color": "#dddddd"}},
            }
        )
        chart.set_size({"width": 620, "height": 300})
        sheet.insert_chart(row, 3, chart)
