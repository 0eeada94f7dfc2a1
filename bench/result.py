"""What a benchmark found, for eyes and for scripts."""

import sys
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table


class Row(msgspec.Struct, frozen=True):
    """One figure. `ratio` compares it with the case that its benchmark names as the yardstick."""

    case: str
    measure: str
    value: float
    unit: str
    ratio: float | None = None


def as_json(rows: Sequence[Row]) -> str:
    """One object with a list of rows."""
    return msgspec.json.format(msgspec.json.encode({"rows": rows})).decode()


def print_rows(rows: Sequence[Row], title: str, ratio_to: str) -> None:
    """A table of the rows on standard output; `ratio_to` names the yardstick."""
    table = Table(title=title)
    table.add_column("case", no_wrap=True)
    table.add_column("measure")
    for heading in ("value", "unit", f"ratio to {ratio_to}"):
        table.add_column(heading, justify="left" if heading == "unit" else "right")
    case = ""
    for row in rows:
        if case and row.case != case:
            table.add_section()
        case = row.case
        ratio = "" if row.ratio is None else f"{row.ratio:,.2f}"
        value = f"{row.value:,.0f}" if abs(row.value) >= 100 else f"{row.value:,.2f}"
        table.add_row(row.case, row.measure, value, row.unit, ratio)
    Console(file=sys.stdout).print(table)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the `ordered` values lie."""
    if not ordered:
        raise ValueError("no values")
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
