"""A table of figures: typed columns, rows that may be a million, and the sums of its columns.

Rows beyond a few thousand lie in a temporary file, so that a report costs disk and not memory, and
every form of it is written from the very same rows.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from itertools import islice
from typing import IO, Self, cast

import msgspec

Cell = str | int | date | datetime | None
Row = tuple[Cell, ...]

BATCH_ROWS = 5_000
"""Rows that are held in memory at most, and written or read at once."""
_LENGTH_BYTES = 4


class ColumnKind(StrEnum):
    """What its cells are."""

    TEXT = "TEXT"
    CENTS = "CENTS"
    COUNT = "COUNT"
    DATE = "DATE"
    TIME = "TIME"
    """A moment, with its time zone."""


_TYPES: dict[ColumnKind, object] = {
    ColumnKind.TEXT: str | None,
    ColumnKind.CENTS: int | None,
    ColumnKind.COUNT: int | None,
    ColumnKind.DATE: date | None,
    ColumnKind.TIME: datetime | None,
}


class Column(msgspec.Struct, frozen=True):
    """`name` for a program, `heading` for a person. `summed`: it has a total. `printed`: it is on
    paper, too, where there is no room for all."""

    name: str
    heading: str
    kind: ColumnKind = ColumnKind.TEXT
    summed: bool = False
    printed: bool = True
    stretch: bool = False


class Table:
    """Rows under `columns`. `name` is a program's (and a sheet's), `title` a person's; `empty` is
    what is said where there is no row."""

    def __init__(
        self, name: str, title: str, columns: Sequence[Column], empty: str = "None."
    ) -> None:
        self.name = name
        self.title = title
        self.columns = tuple(columns)
        self.empty = empty
        self._summed = [at for at, column in enumerate(self.columns) if column.summed]
        self._sums = dict.fromkeys(self._summed, 0)
        self._rows = 0
        self._recent: list[Row] = []
        self._spool: IO[bytes] | None = None
        cells = tuple(_TYPES[column.kind] for column in self.columns)
        self._decoder = cast(
            "msgspec.msgpack.Decoder[list[Row]]",
            msgspec.msgpack.Decoder(list[tuple.__class_getitem__(cells)]),
        )

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[Row]:
        for batch in self.batches():
            yield from batch

    def add(self, rows: Iterable[Row]) -> Self:
        """Adds rows, each with a cell for every column. Raises ValueError for another number."""
        for row in rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.name}: {len(row)} cells for {len(self.columns)} columns")
            for at in self._summed:
                value = row[at]
                if isinstance(value, int):
                    self._sums[at] += value
            self._recent.append(row)
            self._rows += 1
            if len(self._recent) == BATCH_ROWS:
                self._spill()
        return self

    def batches(self) -> Iterator[Sequence[Row]]:
        """The rows in order, at most BATCH_ROWS at once. Rows may not be added meanwhile."""
        spool = self._spool
        if spool is not None:
            offset = 0
            while True:
                spool.seek(offset)
                length = int.from_bytes(spool.read(_LENGTH_BYTES))
                if not length:
                    break
                yield self._decoder.decode(spool.read(length))
                offset += _LENGTH_BYTES + length
        yield self._recent

    def first(self, rows: int) -> list[Row]:
        """At most so many of them."""
        return list(islice(self, rows))

    def total(self, name: str) -> int:
        """The sum of the column called `name`. Raises KeyError where it has none."""
        for at in self._summed:
            if self.columns[at].name == name:
                return self._sums[at]
        raise KeyError(name)

    @property
    def sums(self) -> Row | None:
        """The row of totals; None where no column has one."""
        if not self._summed:
            return None
        return tuple(self._sums.get(at) for at in range(len(self.columns)))

    @property
    def totals(self) -> Row | None:
        """The same for people: its first cell says what it is, if it has no total itself."""
        sums = self.sums
        return ("Total", *sums[1:]) if sums is not None and sums[0] is None else sums

    def close(self) -> None:
        """Gives the temporary file back; the table can't be read any more."""
        if self._spool is not None:
            self._spool.close()

    def _spill(self) -> None:
        if self._spool is None:
            self._spool = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        packed = msgspec.msgpack.encode(self._recent)
        self._spool.seek(0, 2)
        self._spool.write(len(packed).to_bytes(_LENGTH_BYTES) + packed)
        self._recent = []
