"""A block: what came of some consecutive lines of a file."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.inbox import LineException
from domain.record import RecordKind
from finance.inbox.reading.compute import pc


class Block(msgspec.Struct, frozen=True):
    """The lines from `first_line` to `last_line`. `records` has refs of file 0, by line.
    `body_lines`: how many lines are neither blank nor header. `stated_cents`: the amounts of those
    that could be read, as they stand."""

    first_line: int
    last_line: int
    records: pa.Table
    exceptions: tuple[LineException, ...]
    left_out: int
    body_lines: int
    stated_cents: int

    def split(self, exceptions_max: int, after: int) -> "list[Block]":
        """The lines above `after`, in blocks with at most so many exceptions. What can't be divided
        (`left_out`, `body_lines`, `stated_cents`) is in the first."""
        blocks: list[Block] = []
        rest = [one for one in self.exceptions if one.line > after]
        first = max(self.first_line, after + 1)
        left_out = self.left_out if after < self.first_line else 0
        while first <= self.last_line:
            some, rest = rest[:exceptions_max], rest[exceptions_max:]
            last = some[-1].line if rest else self.last_line
            blocks.append(
                Block(
                    first,
                    last,
                    _between(self.records, first, last),
                    tuple(some),
                    left_out,
                    self.body_lines if not blocks else 0,
                    self.stated_cents if not blocks else 0,
                )
            )
            first, left_out = last + 1, 0
        return blocks


class Tally:
    """What the blocks of a file add up to. Cents; dates are business dates, YYYY-MM-DD."""

    def __init__(self) -> None:
        self.records = 0
        self.exceptions = 0
        self.left_out = 0
        self.body_lines = 0
        self.stated_cents = 0
        self.total_cents = 0
        self.first_date: str | None = None
        self.last_date: str | None = None
        self.first_exception: LineException | None = None

    def add(self, block: Block) -> None:
        self.records += block.records.num_rows
        self.exceptions += len(block.exceptions)
        self.left_out += block.left_out
        self.body_lines += block.body_lines
        self.stated_cents += block.stated_cents
        self.total_cents += _total(block.records)
        if block.exceptions and self.first_exception is None:
            self.first_exception = block.exceptions[0]
        if block.records.num_rows:
            ends: Any = pc.min_max(block.records["business_date"])
            first, last = (ends[end].as_py().isoformat() for end in ("min", "max"))
            self.first_date = min(first, self.first_date or first)
            self.last_date = max(last, self.last_date or last)


def _between(records: pa.Table, first: int, last: int) -> pa.Table:
    """The records of these lines."""
    refs: npt.NDArray[np.int64] = records["ref"].to_numpy()
    begin = int(np.searchsorted(refs, first << 1))
    end = int(np.searchsorted(refs, (last + 1) << 1))
    return records.slice(begin, end - begin)


def _total(records: pa.Table) -> int:
    """Purchases less reversals, in cents."""
    kinds, amounts = records["message_type"], records["amount_minor"]

    def of(kind: RecordKind) -> int:
        total: Any = pc.sum(pc.filter(amounts, pc.equal(kinds, kind.value)))
        return total.as_py() or 0

    return of(RecordKind.PURCHASE) - of(RecordKind.REVERSAL)
