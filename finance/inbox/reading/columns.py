"""Columns: which of a file's fields go into which columns of a record."""

import csv
from collections.abc import Sequence
from itertools import chain

import msgspec

from domain.extract import BODY_FIELDS
from domain.record import COLUMNS, NEEDED
from finance.process.layout import Layout

FIELDS_MAX = 1_000


class LayoutError(ValueError):
    """The file is not laid out as the process's settings say."""


class Columns(msgspec.Struct, frozen=True):
    """`fields`: how many fields a line has. `places`: the field (from 0) of each column that the
    file has. `headings`: what the file calls it. `constants`: the columns that the layout fills."""

    fields: int
    places: dict[str, int]
    headings: dict[str, str] = {}
    constants: dict[str, str] = {}

    def called(self, column: str) -> str:
        """The column, with what the file calls it."""
        heading = self.headings.get(column, "")
        return f"{column} ({heading!r})" if heading and heading != column else column


def extract_columns() -> Columns:
    """Those of the extract's own layout; the record type is field 0."""
    places = {name: place for place, name in enumerate(BODY_FIELDS) if name in COLUMNS}
    return Columns(len(BODY_FIELDS), places)


def columns_by_heading(layout: Layout, headings: Sequence[str]) -> Columns:
    """The columns of a file with these headings; blanks around them and letters' case count for
    nothing. Raises LayoutError when one is missing, or there twice."""
    found = [heading.strip().casefold() for heading in headings]
    if len(found) > FIELDS_MAX:
        raise LayoutError(f"a line has at most {FIELDS_MAX} fields; its headings are {len(found)}")
    places: dict[str, int] = {}
    names: dict[str, str] = {}
    for column, wanted in layout.columns.items():
        if isinstance(wanted, int):
            places[column] = _numbered(column, wanted, len(found))
            continue
        name = wanted.strip().casefold()
        if found.count(name) != 1:
            how = "no" if name not in found else "more than one"
            raise LayoutError(f"{how} heading {wanted!r}; there are: {_listed(headings)}")
        places[column], names[column] = found.index(name), wanted
    return _complete(Columns(len(found), places, names, _constants(layout)))


def columns_by_number(layout: Layout, fields: int) -> Columns:
    """The columns of a file without headings, whose lines have so many fields. Raises
    LayoutError."""
    places: dict[str, int] = {}
    for column, wanted in layout.columns.items():
        if not isinstance(wanted, int):
            raise LayoutError(f"without headings {column} needs a field's number, not {wanted!r}")
        places[column] = _numbered(column, wanted, fields)
    return _complete(Columns(fields, places, constants=_constants(layout)))


def split(line: str, delimiter: str) -> list[str]:
    """The fields of one line; a line that can't be taken apart is one field."""
    plain = line.rstrip("\r\n")
    try:
        return list(chain.from_iterable(csv.reader([plain], delimiter=delimiter)))
    except csv.Error:
        return [plain]


def _numbered(column: str, number: int, fields: int) -> int:
    if not 1 <= number <= fields:
        raise LayoutError(f"{column} is field {number} in the layout; a line has {fields}")
    return number - 1


def _constants(layout: Layout) -> dict[str, str]:
    return {name: text for name, text in layout.constants.items() if name not in layout.columns}


def _complete(columns: Columns) -> Columns:
    missing = [name for name in NEEDED if name not in {**columns.places, **columns.constants}]
    if missing:
        raise LayoutError(f"the layout has neither column nor constant for {', '.join(missing)}")
    return columns


def _listed(headings: Sequence[str]) -> str:
    text = ", ".join(repr(heading.strip()) for heading in headings)
    return text if len(text) <= 500 else f"{text[:500]}…"
