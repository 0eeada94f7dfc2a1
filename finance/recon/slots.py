"""How each record of a process stands, as arrays: 25 bytes a slot, found by ref.

A ref is a file, a line and a bit, so slots lie in pages of neighbouring refs; a page exists once
one of its records was named. Page 0 belongs to no record and stays empty: what nobody named is
read there.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finance.recon.status import FIELDS

Refs = NDArray[np.int64]
Places = NDArray[np.int64]
"""Where records lie in the arrays."""
Mask = NDArray[np.bool_]

PAGE_BITS = 12
PAGE_SLOTS = 1 << PAGE_BITS
_FILE_BITS = 32 - PAGE_BITS
_GROWTH = 1.5

assert len(FIELDS) <= 32


class Columns(NamedTuple):
    """The arrays, or the part of them that some records have. `other` is the ref of the partner, or
    of a duplicate's group; `why` and `settlement` are numbers of names that `Standing` knows."""

    status: NDArray[np.uint8]
    hand: NDArray[np.uint8]
    winner: NDArray[np.uint8]
    key: NDArray[np.int16]
    fields: NDArray[np.uint32]
    other: NDArray[np.int64]
    why: NDArray[np.int32]
    settlement: NDArray[np.int32]

    def at(self, places: Places | slice) -> "Columns":
        """What lies there: copies, or views of a slice."""
        return Columns(
            status=self.status[places],
            hand=self.hand[places],
            winner=self.winner[places],
            key=self.key[places],
            fields=self.fields[places],
            other=self.other[places],
            why=self.why[places],
            settlement=self.settlement[places],
        )


class Slots:
    """Arrays that grow by pages."""

    def __init__(self) -> None:
        self._pages: Refs = np.zeros(1, np.int64)
        """Numbers of the pages (ref >> PAGE_BITS), sorted."""
        self._order: Places = np.zeros(1, np.int64)
        """For each of `_pages`, which page of the arrays it is."""
        self._numbers: list[int] = [0]
        """The page numbers as they lie in the arrays."""
        self.columns = _columns(PAGE_SLOTS)

    @property
    def used(self) -> int:
        """Slots of all pages; arrays may be longer."""
        return len(self._numbers) << PAGE_BITS

    def find(self, refs: Refs) -> Places:
        """Where the records lie; an empty slot for what nobody named yet."""
        numbers = refs >> PAGE_BITS
        index = np.minimum(np.searchsorted(self._pages, numbers), len(self._pages) - 1)
        page = np.where(self._pages[index] == numbers, self._order[index], 0)
        return (page << PAGE_BITS) | (refs & (PAGE_SLOTS - 1))

    def make(self, refs: Refs) -> Places:
        """Where the records lie, with pages for all of them."""
        numbers = np.unique(refs >> PAGE_BITS)
        missing = numbers[~np.isin(numbers, self._pages)]
        if missing.size:
            self._add(missing)
        return self.find(refs)

    def refs(self) -> Refs:
        """The ref of each used slot, those of the empty page 0 first."""
        numbers = np.array(self._numbers, np.int64)
        within = np.arange(PAGE_SLOTS, dtype=np.int64)
        return ((numbers[:, None] << PAGE_BITS) | within[None, :]).ravel()

    def of_files(self, files: list[int]) -> Mask:
        """Which of the used slots belong to these files."""
        numbers = np.array(self._numbers, np.int64)
        return np.repeat(np.isin(numbers >> _FILE_BITS, files), PAGE_SLOTS)

    def _add(self, missing: Refs) -> None:
        self._numbers.extend(missing.tolist())
        if self.used > len(self.columns.status):
            self.columns = _longer(self.columns, max(self.used, int(self.used * _GROWTH)))
        numbers = np.array(self._numbers, np.int64)
        self._order = np.argsort(numbers)
        self._pages = numbers[self._order]


def _columns(slots: int) -> Columns:
    return Columns(
        status=np.zeros(slots, np.uint8),
        hand=np.zeros(slots, np.uint8),
        winner=np.zeros(slots, np.uint8),
        key=np.zeros(slots, np.int16),
        fields=np.zeros(slots, np.uint32),
        other=np.zeros(slots, np.int64),
        why=np.zeros(slots, np.int32),
        settlement=np.zeros(slots, np.int32),
    )


def _longer(columns: Columns, slots: int) -> Columns:
    longer = _columns(slots)
    for old, new in zip(columns, longer, strict=True):
        new[: len(old)] = old
    return longer
