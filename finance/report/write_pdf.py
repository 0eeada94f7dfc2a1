"""A report on paper: an A4 statement as PDF, set by Typst from statement.typ beside this module.

Everything that it says goes to the typesetter as JSON and so is data, never markup. No font and no
file of the machine is used, so the same figures make the same bytes.
"""

from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import typst

from finance.process.report import Branding
from finance.report.figures.figures import Figures, KeyFigure, Series, Sum
from finance.report.figures.table import Cell, Column, ColumnKind, Row, Table
from finance.report.page_text import amount, broken, count, moment

LOGO_BYTES_MAX = 500_000
PIXELS_PER_INCH = 110.0
_WIDE_COLUMNS = 7
"""A table with more columns lies on its side."""


class LogoError(ValueError):
    """The branding's picture can't be used; the message says why."""


def write_pdf(figures: Figures, rows_max: int) -> bytes:
    """The statement; of the main table at most `rows_max` rows, and it says so. Raises LogoError
    and typst.TypstError."""
    return _compiled(figures, rows_max, "pdf")[0]


def pages(figures: Figures, rows_max: int) -> list[bytes]:
    """Its pages as PNG, as write_pdf sets them."""
    return _compiled(figures, rows_max, "png")


def page_data(figures: Figures, rows_max: int) -> dict[str, Any]:
    """What is handed to the typesetter, as JSON takes it. Raises LogoError."""
    main = figures.main
    shown = _table(main, figures.zone, rows_max)
    return {
        **_head(figures),
        "key": [_key(each) for each in figures.key],
        "sums": [_sum(each) for each in figures.sums],
        "charts": [_chart(each) for each in figures.charts if each.bars],
        "tables": [_table(each, figures.zone, rows_max) for each in figures.tables],
        "main": shown,
        "wide": len(shown["columns"]) > _WIDE_COLUMNS,
        "notes": [broken(note) for note in figures.notes],
        "signed": [[broken(label), broken(text)] for label, text in figures.signed],
        "totals": figures.totals,
    }


def _compiled(figures: Figures, rows_max: int, form: Literal["pdf", "png"]) -> list[bytes]:
    data = msgspec.json.encode(page_data(figures, rows_max)).decode()
    made = typst.compile(
        _document(),
        format=form,
        ppi=PIXELS_PER_INCH,
        ignore_system_fonts=True,
        sys_inputs={"data": data},
        timestamp=int(figures.made_at.timestamp()),
    )
    return made if isinstance(made, list) else [made]


def document_query(figures: Figures, rows_max: int, selector: str) -> str:
    """What the set document has under `selector`, as JSON: for who checks it."""
    data = msgspec.json.encode(page_data(figures, rows_max)).decode()
    return typst.query(
        _document(), selector, field="value", ignore_system_fonts=True, sys_inputs={"data": data}
    )


@cache
def _document() -> bytes:
    return Path(__file__).with_name("statement.typ").read_bytes()


def _head(figures: Figures) -> dict[str, Any]:
    brand = figures.branding
    return {
        "brand": broken(brand.name),
        "colour": brand.colour,
        "foot": [broken(line) for line in brand.foot] or [broken(brand.name)],
        "logo": _logo(brand),
        "title": broken(figures.title),
        "subtitle": broken(f"{figures.process_name} · {figures.subject}"),
        "partner": broken(figures.partner),
        "subject": broken(figures.subject),
        "made": f"Made {moment(figures.made_at, figures.zone)}",
        "parties": [
            {
                "role": broken(party.role),
                "name": broken(party.name),
                "lines": [broken(line) for line in party.lines],
            }
            for party in figures.parties
        ],
        "facts": [
            ["Business dates", f"{figures.first} to {figures.last}"],
            ["Currency", "ZAR (rand)" if figures.currency == "710" else figures.currency],
            ["Time zone", figures.zone.key],
            ["Process", broken(figures.process)],
            ["Ledger position", count(figures.position)],
        ],
    }


def _logo(brand: Branding) -> dict[str, Any] | None:
    if not brand.logo:
        return None
    path = Path(brand.logo)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LogoError(f"branding: logo {path}: {error.strerror}") from None
    if len(content) > LOGO_BYTES_MAX:
        raise LogoError(f"branding: logo {path} has more than {LOGO_BYTES_MAX} bytes")
    match path.suffix.lower():
        case ".svg":
            return {"svg": content.decode("utf-8", "replace"), "bytes": None}
        case ".png":
            return {"svg": None, "bytes": list(content)}
        case _:
            raise LogoError(f"branding: logo {path} is no .svg or .png")


def _key(each: KeyFigure) -> dict[str, Any]:
    value = amount(each.value, sign="R") if each.kind is ColumnKind.CENTS else count(each.value)
    return {"label": broken(each.label), "value": value, "strong": each.strong}


def _sum(each: Sum) -> dict[str, Any]:
    return {
        "title": broken(each.title),
        "terms": [[broken(label), amount(cents)] for label, cents in each.terms],
        "result": [broken(each.result[0]), amount(each.result[1], sign="R")],
    }


def _chart(each: Series) -> dict[str, Any]:
    write = amount if each.kind is ColumnKind.CENTS else count
    days = all(_is_date(label) for label, _ in each.bars)
    return {
        "title": broken(each.title),
        "days": days,
        "highest": write(max(value for _, value in each.bars)),
        "bars": [
            {
                "label": broken(label[5:] if days else label[:40]),
                "value": value,
                "text": write(value),
            }
            for label, value in each.bars
        ],
    }


def _is_date(label: str) -> bool:
    try:
        date.fromisoformat(label)
    except ValueError:
        return False
    return True


def _table(table: Table, zone: ZoneInfo, rows_max: int) -> dict[str, Any]:
    printed = [at for at, column in enumerate(table.columns) if column.printed]
    columns = [table.columns[at] for at in printed]
    rows = table.first(rows_max)
    note = ""
    if len(table) > len(rows):
        note = (
            f"The first {count(len(rows))} of {count(len(table))} lines; the totals are of all."
            " The CSV and the workbook have every line."
        )
    totals = table.totals
    return {
        "title": broken(table.title),
        "columns": [_heading(column) for column in columns],
        "rows": [_row(row, printed, table.columns, zone) for row in rows],
        "totals": None if totals is None else _row(totals, printed, table.columns, zone),
        "empty": broken(table.empty),
        "note": note,
    }


def _heading(column: Column) -> dict[str, Any]:
    number = column.kind in (ColumnKind.CENTS, ColumnKind.COUNT)
    return {
        "heading": broken(column.heading),
        "side": "right" if number else "left",
        "wide": column.stretch,
    }


def _row(row: Row, printed: list[int], columns: tuple[Column, ...], zone: ZoneInfo) -> list[str]:
    return [_text(row[at], columns[at].kind, zone) for at in printed]


def _text(cell: Cell, kind: ColumnKind, zone: ZoneInfo) -> str:
    match cell:
        case None:
            return ""
        case str():
            return broken(cell)
        case datetime():
            return f"{cell.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        case date():
            return cell.isoformat()
        case int():
            return amount(cell) if kind is ColumnKind.CENTS else count(cell)
