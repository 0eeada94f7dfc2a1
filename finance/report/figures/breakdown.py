"""Sums of lines by something that they have in common: a municipality, a utility type, a day."""

from collections.abc import Sequence
from datetime import date
from typing import Self

from finance.report.figures.table import Column, ColumnKind, Row, Table

GROUPS_MAX = 10_000
NONE = "(none)"
"""The key of lines that don't say theirs."""
ADJUSTMENTS = "(adjustments)"
"""The key of what belongs to no sale: always last."""


class TooManyGroupsError(ValueError):
    """A breakdown would be longer than anybody reads."""


class Breakdown:
    """For each key: how many lines, and the sums of their `amounts`, in cents."""

    def __init__(
        self, name: str, title: str, key: Column, amounts: Sequence[Column], counted: str = "Sales"
    ) -> None:
        self._name, self._title, self._key = name, title, key
        self._counted = Column("lines", counted, ColumnKind.COUNT, summed=True)
        self._amounts = tuple(amounts)
        self._sums: dict[str | date | None, list[int]] = {}

    def add(self, key: str | date | None, amounts: Sequence[int], lines: int = 1) -> Self:
        """Counts a line under `key`. Raises TooManyGroupsError."""
        sums = self._sums.get(key)
        if sums is None:
            if len(self._sums) == GROUPS_MAX:
                raise TooManyGroupsError(f"{self._title}: more than {GROUPS_MAX} of them")
            sums = self._sums[key] = [0] * (1 + len(self._amounts))
        sums[0] += lines
        for at, amount in enumerate(amounts, 1):
            sums[at] += amount
        return self

    def table(self, *, by_amount: bool = False) -> Table:
        """By key, or (`by_amount`) largest first amount first; equal ones by key."""
        table = Table(self._name, self._title, (self._key, self._counted, *self._amounts))

        def order(row: Row) -> tuple[bool, int, str]:
            amount = row[2]
            size = -amount if by_amount and isinstance(amount, int) else 0
            return (row[0] == ADJUSTMENTS, size, str(row[0]))

        rows: list[Row] = [(key or NONE, *sums) for key, sums in self._sums.items()]
        return table.add(sorted(rows, key=order))
