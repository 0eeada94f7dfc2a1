"""The file of routing preferences: CSV with the header utility,ranked,excluded; providers by id,
separated by semicolons, the first to be used first. What is downloaded can be uploaded again."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC

from api.console.parts.sheet import csv_text
from projections.routing_search import UtilityRow
from switch.upload_preferences import Line

HEADER = ("utility", "ranked", "excluded")
LINES_MAX = 2_000
"""Lines after the header; the republic has 257 municipalities."""
NAME_CHARACTERS_MAX = 200
PROVIDERS_MAX = 100
_CELL_CHARACTERS_MAX = 10_000
_SEPARATOR = ";"


class UnreadableFileError(ValueError):
    """It is no file of preferences at all."""


def text_of(content: bytes) -> str:
    """The file's text. Raises UnreadableFileError unless it is UTF-8 (with a byte order mark or
    without)."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise UnreadableFileError(
            f"The file is not UTF-8 (byte {problem.start + 1}): save it as CSV UTF-8."
        ) from None


def lines_of(text: str) -> list[Line]:
    """The lines, with what is wrong in each; empty ones are left out.

    Raises UnreadableFileError for another header, broken quotes, or too many lines."""
    reader = csv.reader(io.StringIO(text.removeprefix("\N{BOM}"), newline=""), strict=True)
    lines: list[Line] = []
    try:
        header = next(reader, list[str]())
        if tuple(cell.strip().lower() for cell in header) != HEADER:
            raise UnreadableFileError(
                f"The first line must be {','.join(HEADER)}, separated by commas."
            )
        while (number := reader.line_num + 1) and (cells := next(reader, None)) is not None:
            if any(cell.strip() for cell in cells):
                lines.append(_line(number, cells))
            if len(lines) > LINES_MAX:
                raise UnreadableFileError(f"The file has more than {LINES_MAX:,} lines.")
    except csv.Error as problem:
        raise UnreadableFileError(f"Line {reader.line_num} is not CSV: {problem}.") from None
    if not lines:
        raise UnreadableFileError("The file has no line after the header.")
    return lines


def file_of(utilities: Iterable[UtilityRow]) -> str:
    """Preferences as a file, without a byte order mark."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for one in utilities:
        # What a provider calls a utility must not become a formula in somebody's spreadsheet.
        name = csv_text(one.name, UTC)
        writer.writerow([name, _SEPARATOR.join(one.ranked), _SEPARATOR.join(one.excluded)])
    return out.getvalue()


def _line(number: int, cells: Sequence[str]) -> Line:
    name = _name(cells[0])
    problem = _problem(name, cells)
    if problem:
        return Line(number, name[:NAME_CHARACTERS_MAX], problem=problem)
    return Line(number, name, _providers(cells[1]), _providers(cells[2]))


def _name(cell: str) -> str:
    """Without the apostrophe that keeps spreadsheets from calculating it."""
    plain = cell.strip()
    if plain.startswith("'") and csv_text(plain[1:], UTC) != plain[1:]:
        return plain[1:]
    return plain


def _problem(name: str, cells: Sequence[str]) -> str:
    if len(cells) != len(HEADER):
        return f"{len(cells)} cells instead of {len(HEADER)}"
    if any(len(cell) > _CELL_CHARACTERS_MAX for cell in cells):
        return f"a cell has more than {_CELL_CHARACTERS_MAX:,} characters"
    if len(name) > NAME_CHARACTERS_MAX:
        return f"the name has more than {NAME_CHARACTERS_MAX} characters"
    if not name.isprintable():
        return "the name has characters that can't be printed"
    if sum(len(_providers(cell)) for cell in cells[1:]) > PROVIDERS_MAX:
        return f"more than {PROVIDERS_MAX} providers"
    return ""


def _providers(cell: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in cell.split(_SEPARATOR) if one.strip())
