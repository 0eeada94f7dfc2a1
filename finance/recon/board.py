"""The board: who is whose counterpart. It keeps both sides of a pair in step, whatever is moved."""

from typing import NamedTuple

import numpy as np

from finance.recon.slots import Columns, Places, Refs, Slots
from finance.recon.status import Hand, Status


class Pin(NamedTuple):
    """A counterpart that people chose, by which decision."""

    theirs: int
    decision: str


class Board:
    """Pairs, groups and records alone. Whatever takes a record from its pair leaves the other
    record NEW, so that the next run says how it stands."""

    def __init__(self) -> None:
        self.slots = Slots()
        self.pinned: dict[int, Pin] = {}
        """Pairs made by people, by our record."""

    @property
    def columns(self) -> Columns:
        """The arrays as they are now; a new page replaces them."""
        return self.slots.columns

    def partners(self, places: Places) -> Refs:
        """The refs of the counterparts; 0: none."""
        columns = self.columns
        duplicate = columns.status[places] == Status.DUPLICATE
        return np.where(duplicate, 0, columns.other[places])

    def pair(
        self,
        ours: Refs,
        theirs: Refs,
        status: Status,
        *,
        key: int | Refs,
        fields: int | Refs,
        winner: int = 0,
        hand: int | Refs | None = None,
        why: int = 0,
    ) -> None:
        """`ours[i]` and `theirs[i]` belong together. `hand`: None leaves what people did to a pair
        that was one before."""
        mine, other = self.slots.make(ours), self.slots.make(theirs)
        # Making the second may have replaced the arrays, but no place has moved.
        moved = ~((self.partners(mine) == theirs) & (self.partners(other) == ours))
        for refs, places in ((ours, mine), (theirs, other)):
            self._release(refs[moved], places[moved])
            self._clear(places[moved])
        columns = self.columns
        for places, partner in ((mine, theirs), (other, ours)):
            columns.status[places] = status
            columns.key[places] = key
            columns.fields[places] = fields
            columns.winner[places] = winner
            columns.other[places] = partner
            columns.why[places] = why
            if hand is not None:
                columns.hand[places] = hand

    def alone(
        self,
        refs: Refs,
        status: Status,
        *,
        key: int = 0,
        group: Refs | None = None,
        winner: int = 0,
        hand: int = 0,
        why: int = 0,
    ) -> None:
        """The records have no counterpart. `group`: of duplicates."""
        places = self.slots.make(refs)
        self._release(refs, places)
        self._clear(places)
        columns = self.columns
        columns.status[places] = status
        columns.key[places] = key
        columns.winner[places] = winner
        columns.hand[places] = hand
        columns.why[places] = why
        if group is not None:
            columns.other[places] = group

    def resolve(self, ours: Refs, theirs: Refs, winner: int, why: int) -> None:
        """Those of the pairs that are pairs end at the figures of `winner`, by a rule."""
        mine, other = self.slots.make(ours), self.slots.make(theirs)
        paired = self.partners(mine) == theirs
        for places in (mine[paired], other[paired]):
            self.columns.status[places] = Status.RESOLVED
            self.columns.winner[places] = winner
            self.columns.why[places] = why

    def part(self, ours: Refs, theirs: Refs) -> None:
        """Those of the pairs that are pairs are none any more."""
        mine = self.slots.find(ours)
        together = (self.partners(mine) == theirs) & (theirs != 0)
        self.alone(ours[together], Status.NEW)

    def remove(self, file: int) -> None:
        """The records of a file were never there."""
        places = np.flatnonzero(self.slots.of_files([file]))
        self._release(self.slots.refs()[places], places)
        self._clear(places)
        self.columns.settlement[places] = 0

    def settle(self, refs: Refs, settlement: int) -> None:
        """The records, and their counterparts, are in the settlement of that number."""
        places = self.slots.make(refs)
        partners = self.partners(places)
        self.columns.settlement[places] = settlement
        self.columns.settlement[self.slots.find(partners[partners != 0])] = settlement

    def unsettle(self, settlement: int) -> None:
        """What was in the settlement is free again."""
        column = self.columns.settlement
        column[column == settlement] = 0

    def _release(self, refs: Refs, places: Places) -> None:
        """Sets the counterparts of the records free."""
        partners = self.partners(places)
        had = partners != 0
        if not had.any():
            return
        refs, partners = refs[had], partners[had]
        others = self.slots.find(partners)
        free = self.partners(others) == refs
        self._clear(others[free])
        if self.pinned:
            by_hand = (self.columns.hand[places[had]] & Hand.PAIRED) != 0
            for ref in (*refs[by_hand].tolist(), *partners[by_hand].tolist()):
                self.pinned.pop(ref, None)

    def _clear(self, places: Places) -> None:
        for column in self.columns[:-1]:  # but not the settlement, which only its own events change
            column[places] = 0
