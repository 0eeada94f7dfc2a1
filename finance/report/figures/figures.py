"""One report's figures: what every form of it is written from, and nothing else."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from domain.outbox import ReportKind
from finance.process.report import Branding
from finance.report.figures.table import ColumnKind, Table

BARS_MAX = 31
"""Bars of one chart; the rest are one bar more."""


class TotalsDifferError(Exception):
    """The lines do not add up to what was settled: nothing is made of them."""


@dataclass(frozen=True)
class Party:
    """`role` is what it is here: "From", "Provider" ..."""

    role: str
    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeyFigure:
    """A figure worth a large print. `strong`: the one that the report is about."""

    label: str
    kind: ColumnKind
    value: int
    strong: bool = False


@dataclass(frozen=True)
class Series:
    """Bars of a chart: labels and cents (or counts). The XLSX draws them from the rows of the table
    `table`: its columns `label` and `value`."""

    title: str
    table: str
    label: str
    value: str
    kind: ColumnKind
    bars: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Sum:
    """A sum as it is worked out, for who checks it: terms (label, signed cents), and the result."""

    title: str
    terms: tuple[tuple[str, int], ...]
    result: tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`main` is what the CSV has; `tables` are the others, in order. `totals`: in cents, counts
    otherwise, as ReportMade has them. `first` and `last` are the business dates that it covers,
    `position` the ledger's position that it is made from, `made_at` when, in `zone`. `notes` say
    how the figures tie and what is left out; `signed` who did what (label, text)."""

    process: str
    process_name: str
    report: ReportKind
    subject: str
    title: str
    creator: str
    partner: str
    parties: tuple[Party, ...]
    first: date
    last: date
    currency: str
    position: int
    made_at: datetime
    zone: ZoneInfo
    key: tuple[KeyFigure, ...]
    totals: dict[str, int]
    main: Table
    tables: tuple[Table, ...] = ()
    charts: tuple[Series, ...] = ()
    sums: tuple[Sum, ...] = ()
    notes: tuple[str, ...] = ()
    signed: tuple[tuple[str, str], ...] = ()
    branding: Branding = field(default_factory=Branding)

    def digest(self) -> str:
        """SHA-256 of what it says, but for when it was made and how it looks."""
        said = (
            self.process,
            self.report,
            self.subject,
            self.title,
            (self.first, self.last),
            self.totals,
            self.signed,
        )
        digest = hashlib.sha256(msgspec.msgpack.encode(said))
        for table in (self.main, *self.tables):
            for batch in table.batches():
                digest.update(msgspec.msgpack.encode(batch))
        return digest.hexdigest()

    def close(self) -> None:
        """Gives the tables' temporary files back."""
        for table in (self.main, *self.tables):
            table.close()


def series(title: str, table: Table, label: str, value: str, rest: str = "all others") -> Series:
    """A chart of `table`'s column `value` by its column `label`, in the table's order, without the
    rows that stand for no such thing, as their label in brackets says, unless they are large."""
    names = [column.name for column in table.columns]
    at_label, at_value = names.index(label), names.index(value)
    dates = table.columns[at_label].kind is ColumnKind.DATE
    bars: list[tuple[str, int]] = []
    others = 0
    for row in table:
        name, amount = _text(row[at_label]), _number(row[at_value])
        if name.startswith("(") and (dates or not amount):
            continue
        if len(bars) < BARS_MAX:
            bars.append((name, amount))
        else:
            others += amount
    if others:
        bars.append((rest, others))
    return Series(title, table.name, label, value, table.columns[at_value].kind, tuple(bars))


def require_equal(what: str, pairs: Sequence[tuple[str, int, int]]) -> None:
    """Raises TotalsDifferError where one of (name, from the lines, as settled) differs."""
    differing = [f"{name} {ours} and {theirs}" for name, ours, theirs in pairs if ours != theirs]
    if differing:
        raise TotalsDifferError(f"{what}: its lines do not tie: {', '.join(differing)}")


def _text(cell: object) -> str:
    return cell.isoformat() if isinstance(cell, date) else str(cell or "")


def _number(cell: object) -> int:
    return cell if isinstance(cell, int) else 0
