"""How every record of a process stands: what the events of its stream fold into.

The rules are those of domain/reconciliation.py: the latest event that names a record says how it
stands, and an approved decision counts from its approval on. A file that is withdrawn takes its
records with it, and what people decided about their pairs; their counterparts stand as NEW until
the next run. Read models say the same of every record (projections/reconciliation.py).
"""

from typing import NamedTuple

import msgspec
import numpy as np

from domain.reconciliation import RunCounts, Winner, process_stream
from domain.record import Side
from domain.settlement import SettlementStatus
from finance.context import Context
from finance.recon.folding import Folding
from finance.recon.slots import Columns, Mask, Refs
from finance.recon.status import WINNERS, Hand, Status, field_names

READ_EVENTS = 100
"""Events of one read: at most some ten megabytes."""

_FINAL = (Status.EXPIRED, Status.CLOSED)


class Settleable(NamedTuple):
    """Records that may be settled, in the order of `ours`, then `theirs`; 0 where a side has none.
    `winner`: a place in WINNERS; 0: both agree (within the tolerances), and our figures count."""

    ours: Refs
    theirs: Refs
    winner: Refs


class RecordStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How one record stands. `partner`, `group`: refs, 0 for none; a group is called by the least
    ref in it. `why`: the rule that resolved it or the id of the decision. `settlement`: the id of
    the one that it is in."""

    status: Status
    partner: int = 0
    group: int = 0
    key: int = 0
    fields: tuple[str, ...] = ()
    winner: Winner | None = None
    hand: Hand = Hand(0)
    why: str = ""
    settlement: str = ""


class Standing(Folding):
    """How every record of one process stands, to read. Not for two threads at once."""

    def of(self, ref: int) -> RecordStanding:
        """How one record stands; NEW for one that nobody named."""
        at = self.look(np.array([ref], np.int64))
        status, other = Status(int(at.status[0])), int(at.other[0])
        duplicate = status is Status.DUPLICATE
        return RecordStanding(
            status=status,
            partner=0 if duplicate else other,
            group=other if duplicate else 0,
            key=int(at.key[0]),
            fields=field_names(int(at.fields[0])),
            winner=WINNERS[int(at.winner[0])],
            hand=Hand(int(at.hand[0])),
            why=self.name(int(at.why[0])) or self._pinned_by(ref, other),
            settlement=self.name(int(at.settlement[0])),
        )

    def taken_out(self, refs: Refs) -> Mask:
        """Which of these records no run looks at: they are in a settlement, expired, or people
        resolved or closed them. (Records that people paired stay in.)"""
        return _is_out(self.look(refs))

    def settleable(self) -> Settleable:
        """What is reconciled and in no settlement: pairs that agree or were resolved, and records
        alone that people resolved in favour of their own side. Whatever its business date."""
        columns, refs = self._columns(), self.board.slots.refs()
        done = np.isin(columns.status, (Status.MATCHED, Status.RESOLVED))
        ready = done & (columns.settlement == 0)
        first = np.flatnonzero(ready & self._is_side(Side.OURS))
        second = np.flatnonzero(ready & self._is_side(Side.THEIRS) & (columns.other == 0))
        ours = np.concatenate((refs[first], np.zeros(len(second), np.int64)))
        theirs = np.concatenate((columns.other[first], refs[second]))
        winner = columns.winner[np.concatenate((first, second))].astype(np.int64)
        order = np.lexsort((theirs, ours))
        return Settleable(ours[order], theirs[order], winner[order])

    def counts(self) -> RunCounts:
        """Lines by how they stand now: a pair is one line."""
        columns = self._columns()
        ours, theirs = self._is_side(Side.OURS), self._is_side(Side.THEIRS)
        free = columns.settlement == 0
        alone = columns.other == 0

        def lines(status: Status, mask: Mask) -> int:
            return int(np.count_nonzero((columns.status == status) & free & mask))

        lone = alone & theirs
        waiting = columns.status == Status.NEW
        paired = waiting & ~alone & ours
        return RunCounts(
            matched=lines(Status.MATCHED, ours),
            partly_matched=lines(Status.PARTIAL, ours) + int(np.count_nonzero(paired)),
            resolved=lines(Status.RESOLVED, ours | lone),
            unmatched_ours=lines(Status.UNMATCHED, ours),
            unmatched_theirs=lines(Status.UNMATCHED, theirs),
            duplicates_ours=lines(Status.DUPLICATE, ours),
            duplicates_theirs=lines(Status.DUPLICATE, theirs),
            expired=lines(Status.EXPIRED, ours | theirs),
            settled=int(np.count_nonzero(~free & (ours | lone))),
        )

    def in_settlement(self, file: int) -> bool:
        """Whether a record of the file is in a settlement, released or not."""
        mine = self.board.slots.of_files([file])
        return bool(np.any(self._columns().settlement[mine]))

    def all_out(self, file: int) -> bool:
        """Whether no run looks at any record of the file any more."""
        return self._count(file, _is_out(self._columns())) == self._records(file)

    def finished(self, file: int) -> bool:
        """Whether all records of the file are closed, or in settlements that are released."""
        columns = self._columns()
        released = [
            self.number(settlement)
            for settlement, status in self.process.settlements.items()
            if status is SettlementStatus.RELEASED
        ]
        done = np.isin(columns.settlement, released) | (columns.status == Status.CLOSED)
        return self._count(file, done) == self._records(file)

    def _pinned_by(self, ref: int, other: int) -> str:
        pin = self.board.pinned.get(ref) or self.board.pinned.get(other)
        return pin.decision if pin else ""

    def _records(self, file: int) -> int:
        """-1: the file takes no part."""
        admitted = self.process.files.get(file)
        return -1 if admitted is None else admitted.records

    def _count(self, file: int, mask: Mask) -> int:
        return int(np.count_nonzero(mask & self.board.slots.of_files([file])))

    def _columns(self) -> Columns:
        return self.board.columns.at(slice(self.board.slots.used))

    def _is_side(self, side: Side) -> Mask:
        """Which of the used slots are records of that side."""
        files = [n for n, file in self.process.files.items() if file.side is side]
        return self.board.slots.of_files(files)


async def load_standing(context: Context, process_id: str) -> Standing:
    """How the records of the process stand now; a few megabytes of events at a time. Raises
    LedgerUnavailable."""
    standing = Standing()
    await catch_up(context, process_id, standing)
    return standing


async def catch_up(context: Context, process_id: str, standing: Standing) -> None:
    """Brings it up to the end of the stream."""
    stream = process_stream(process_id)
    while True:
        recorded = await context.ledger.read(stream, standing.version, limit=READ_EVENTS)
        standing.apply(recorded)
        if len(recorded) < READ_EVENTS:
            return


def _is_out(columns: Columns) -> Mask:
    by_hand = (columns.hand & Hand.RESOLVED) != 0
    return (columns.settlement != 0) | np.isin(columns.status, _FINAL) | by_hand
