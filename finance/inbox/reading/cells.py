"""Cells: what a workbook's typed cell would be as a CSV file's text."""

import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from domain.record import ColumnType
from finance.process.layout import AmountForm, Layout

EXACT_DIGITS = 15
"""Digits that a spreadsheet program keeps of a number."""


def has_lost_digits(cell: Any) -> bool:  # noqa: ANN401 (as the library gives it)
    """Whether the cell is a number of which only the first digits are there."""
    return _is_number(cell) and not abs(cell) < 10**EXACT_DIGITS


def cell_text(cell: Any, kind: ColumnType, layout: Layout) -> str | None:  # noqa: ANN401
    """The cell as text of such a column; times and dates as ISO 8601. None: it is empty."""
    if kind is ColumnType.CENTS and _is_number(cell):
        return _amount(cell, layout)
    if kind is ColumnType.DATE and isinstance(cell, datetime):
        return cell.date().isoformat()
    return plain_text(cell) or None


def plain_text(cell: Any) -> str:  # noqa: ANN401 (as the library gives it)
    """The cell as text, whatever its column."""
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).upper()
        case datetime() | date() | time():
            return cell.isoformat()
        case float() if cell.is_integer() and not has_lost_digits(cell):
            return str(int(cell))
        case _:
            return str(cell)


def _is_number(cell: Any) -> bool:  # noqa: ANN401
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _amount(cell: float, layout: Layout) -> str:
    """A number as an amount of the layout's form is written, if it is one."""
    if not math.isfinite(cell):
        return str(cell)
    # The shortest text that means this number is what was typed.
    exact = Decimal(repr(cell))
    if layout.amounts is AmountForm.CENTS:
        return str(int(exact)) if exact == int(exact) else str(exact)
    if exact == round(exact, 2):
        return f"{exact:.2f}".replace(".", layout.decimal_mark)
    return str(exact)
