"""Which records of two sides are the same transaction.

A pure function of the set of records, of what people decided, and of the process's rules: neither
the order of rows nor the numbers of files make a difference. Keys are tried in order. At each, of
the records that no earlier key took:

- a value that one record of ours has and one of theirs makes a pair, unless people took it apart:
  then both go on to the next key;
- a value that two records of one side share makes a group: all that have it, on both sides, wait
  for a person, and no later key takes them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from finance.process.matching import Matching
from finance.recon.columns import column, key_codes
from finance.recon.compare import differing
from finance.recon.slots import Mask, Places, Refs
from finance.recon.status import BY_HAND

_NONE: Refs = np.zeros(0, np.int64)


class Pinned(NamedTuple):
    """What people decided: pairs that stay (`ours[i]`, `theirs[i]`), pairs that never are again,
    and records of either side that take no part."""

    ours: Refs = _NONE
    theirs: Refs = _NONE
    forbidden: frozenset[tuple[int, int]] = frozenset()
    taken_out: Refs = _NONE


NOTHING_PINNED = Pinned()


class Duplicates(NamedTuple):
    """Records of one side that wait for a person; those with the same `group` (the least ref in
    it) are one question, over both sides."""

    refs: Refs
    key: NDArray[np.int16]
    group: Refs


class Pairs(NamedTuple):
    """`fields`: in which they differ, as a number of finance/recon/status.py. `rows`: where they
    are in the two frames."""

    ours: Refs
    theirs: Refs
    key: NDArray[np.int16]
    fields: NDArray[np.uint32]
    rows: tuple[Places, Places]


class Alone(NamedTuple):
    """Records of one side without a counterpart, and where they are in its frame."""

    refs: Refs
    rows: Places


class Matched(NamedTuple):
    """Each record that takes part is in exactly one of these; each of two is ours, then theirs."""

    pairs: Pairs
    duplicates: tuple[Duplicates, Duplicates]
    alone: tuple[Alone, Alone]


def match(
    ours: pd.DataFrame,
    theirs: pd.DataFrame,
    matching: Matching,
    pinned: Pinned = NOTHING_PINNED,
) -> Matched:
    """Frames have a `ref` (int64) and the columns of the keys and the compared fields; absent is
    null, or an empty text. A ref is in one of them and once."""
    sides = (ours, theirs)
    work = _Work(sides, pinned)
    for number, fields in enumerate(matching.keys):
        work.take_key(number, fields)
    rows, key = work.pairs()
    # Whoever reads events of neighbours reads neighbouring pages.
    order = np.argsort(work.refs[0][rows[0]])
    rows, key = (rows[0][order], rows[1][order]), key[order]
    fields = differing(ours, theirs, rows, matching.compared, matching.tolerances)
    pairs = Pairs(work.refs[0][rows[0]], work.refs[1][rows[1]], key, fields, rows)
    return Matched(pairs, (work.duplicates(0), work.duplicates(1)), (work.alone(0), work.alone(1)))


class _Work:
    """What is free, key by key."""

    def __init__(self, sides: tuple[pd.DataFrame, pd.DataFrame], pinned: Pinned) -> None:
        self._sides = sides
        self._forbidden = pinned.forbidden
        self.refs = tuple(column(side, "ref").to_numpy(zero_copy_only=False) for side in sides)
        self._free = [~np.isin(refs, pinned.taken_out) for refs in self.refs]
        self._pairs: list[tuple[Places, Places, int]] = []
        self._groups: tuple[list[Duplicates], list[Duplicates]] = ([], [])
        self._pin(pinned)

    def take_key(self, number: int, fields: Sequence[str]) -> None:
        """Pairs and groups by one key."""
        rows = [np.flatnonzero(free) for free in self._free]
        codes = key_codes(self._sides, fields, rows)
        mine, other = codes[: len(rows[0])], codes[len(rows[0]) :]
        values = int(codes.max(initial=-1)) + 1
        counts = [np.bincount(side[side >= 0], minlength=values) for side in (mine, other)]
        again = (counts[0] > 1) | (counts[1] > 1)
        self._take_groups(number, rows, (mine, other), again)
        single = (counts[0] == 1) & (counts[1] == 1)
        left, right = _first_rows(mine, rows[0], single), _first_rows(other, rows[1], single)
        allowed = self._allowed(left, right)
        self._take_pairs(left[allowed], right[allowed], number)

    def pairs(self) -> tuple[tuple[Places, Places], NDArray[np.int16]]:
        """Rows of both sides, and their key."""
        ours = np.concatenate([_NONE, *(pair[0] for pair in self._pairs)])
        theirs = np.concatenate([_NONE, *(pair[1] for pair in self._pairs)])
        numbers = [np.full(len(pair[0]), pair[2], np.int16) for pair in self._pairs]
        return (ours, theirs), np.concatenate([np.zeros(0, np.int16), *numbers])

    def duplicates(self, side: int) -> Duplicates:
        """All groups' records of one side, by group."""
        nothing = Duplicates(_NONE, np.zeros(0, np.int16), _NONE)
        found = [nothing, *self._groups[side]]
        refs = np.concatenate([part.refs for part in found])
        key = np.concatenate([part.key for part in found])
        group = np.concatenate([part.group for part in found])
        order = np.lexsort((refs, group))
        return Duplicates(refs[order], key[order], group[order])

    def alone(self, side: int) -> Alone:
        """What no key took, by ref."""
        rows = np.flatnonzero(self._free[side])
        rows = rows[np.argsort(self.refs[side][rows])]
        return Alone(self.refs[side][rows], rows)

    def _pin(self, pinned: Pinned) -> None:
        if not pinned.ours.size:
            return
        left, right = _rows_of(self.refs[0], pinned.ours), _rows_of(self.refs[1], pinned.theirs)
        both = (left >= 0) & (right >= 0)
        self._take_pairs(left[both], right[both], BY_HAND)
        # One whose counterpart is not here (yet) waits for that one and for no other.
        self._free[0][left[left >= 0]] = False
        self._free[1][right[right >= 0]] = False

    def _take_pairs(self, left: Places, right: Places, number: int) -> None:
        self._pairs.append((left, right, number))
        self._free[0][left] = False
        self._free[1][right] = False

    def _take_groups(
        self,
        number: int,
        rows: Sequence[Places],
        codes: tuple[Refs, Refs],
        again: Mask,
    ) -> None:
        if not again.any():
            return
        called = np.full(len(again), np.iinfo(np.int64).max)
        members: list[tuple[Refs, Refs]] = []
        for side in (0, 1):
            known = np.flatnonzero(codes[side] >= 0)
            chosen = known[again[codes[side][known]]]
            places, values = rows[side][chosen], codes[side][chosen]
            np.minimum.at(called, values, self.refs[side][places])
            members.append((places, values))
        for side, (places, values) in enumerate(members):
            key = np.full(len(places), number, np.int16)
            group = Duplicates(self.refs[side][places], key, called[values])
            self._groups[side].append(group)
            self._free[side][places] = False

    def _allowed(self, left: Places, right: Places) -> Mask:
        allowed = np.ones(len(left), np.bool_)
        if self._forbidden:
            refs = self.refs[0][left], self.refs[1][right]
            apart = np.array([pair[0] for pair in self._forbidden], np.int64)
            for place in np.flatnonzero(np.isin(refs[0], apart)).tolist():
                pair = int(refs[0][place]), int(refs[1][place])
                allowed[place] = pair not in self._forbidden
        return allowed


def _first_rows(codes: Refs, rows: Places, single: Mask) -> Places:
    """The row that has each of the single values, in the order of values."""
    at = np.full(len(single), -1, np.int64)
    known = codes >= 0
    at[codes[known]] = rows[known]
    return at[single]


def _rows_of(refs: Refs, wanted: Refs) -> Places:
    """Where the wanted refs are; -1 for one that isn't."""
    if not refs.size:
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(refs)
    index = np.minimum(np.searchsorted(refs, wanted, sorter=order), len(refs) - 1)
    found = order[index]
    return np.where(refs[found] == wanted, found, -1)
