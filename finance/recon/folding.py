"""What the events of a process's stream do to the board."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

import numpy as np

from domain.event import Event
from domain.reconciliation import (
    DecisionApproved,
    DecisionKind,
    DecisionRequested,
    DifferencesResolved,
    DuplicatesFound,
    FileWithdrawn,
    Process,
    RecordsExpired,
    RecordsMatched,
    RecordsPartlyMatched,
    RecordsUnmatched,
    RunFinished,
    Winner,
)
from domain.record import file_of
from domain.settlement import SettlementAdjusted, SettlementDiscarded, SettlementLines
from finance.recon.board import Board, Pin
from finance.recon.slots import Columns, Mask, Refs
from finance.recon.status import BY_HAND, WINNERS, Hand, Status, field_bits
from ledger import Recorded


class Folding:
    """The state that `Standing` reads from. `apply` takes the stream's events in order."""

    def __init__(self) -> None:
        self.process = Process()
        self.board = Board()
        self.last_run: RunFinished | None = None
        self.unfinished = False
        """Events of a run have come, and not its RunFinished: it was cut off."""
        self.forbidden: set[tuple[int, int]] = set()
        """Pairs (ours, theirs) that people took apart."""
        self.revived: dict[int, datetime] = {}
        """Records that wait again, since when (UTC)."""
        self._adjustments: dict[str, DecisionRequested] = {}
        self._adjusted: dict[str, str] = {}
        self._names: list[str] = [""]
        self._numbers: dict[str, int] = {"": 0}

    @property
    def version(self) -> int:
        """Of the stream, as far as it was applied."""
        return self.process.version

    def apply(self, recorded: Sequence[Recorded]) -> None:
        """Takes the next events of the stream."""
        for entry in recorded:
            event = cast("Event", entry.event)
            asked = (
                self.process.pending.get(event.decision_id)
                if isinstance(event, DecisionApproved)
                else None
            )
            self.process = self.process.after(event, entry.version)
            if asked is not None:
                self._decided(asked, event.at)
            else:
                self._happened(event)

    def look(self, refs: Refs) -> Columns:
        """How these records stand, in parallel; zeros for those that nobody named. `name` says
        what the numbers in `why` and `settlement` stand for."""
        return self.board.columns.at(self.board.slots.find(refs))

    def name(self, number: int) -> str:
        """A rule's name, a decision's or a settlement's id, by its number; "" for 0."""
        return self._names[number]

    def number(self, name: str) -> int:
        """The number of a name, in `why` and `settlement`."""
        if name not in self._numbers:
            self._numbers[name] = len(self._names)
            self._names.append(name)
        return self._numbers[name]

    def adjustments(self) -> Mapping[str, DecisionRequested]:
        """Approved adjustments that no settlement has taken in, by decision id."""
        return {k: v for k, v in self._adjustments.items() if k not in self._adjusted}

    def _happened(self, event: Event) -> None:
        match event:
            case RecordsMatched() | RecordsPartlyMatched():
                self._matched(event)
            case DifferencesResolved():
                winner, why = WINNERS.index(event.winner), self.number(event.rule)
                self.board.resolve(_refs(event.ours), _refs(event.theirs), winner, why)
            case RecordsUnmatched():
                self.board.alone(_refs(event.refs), Status.UNMATCHED)
            case DuplicatesFound():
                self._duplicates(event)
            case RecordsExpired():
                self.board.alone(_refs(event.refs), Status.EXPIRED)
            case RunFinished():
                self.last_run, self.unfinished = event, False
                return
            case _:
                self._happened_otherwise(event)
                return
        self.unfinished = True

    def _happened_otherwise(self, event: Event) -> None:
        match event:
            case FileWithdrawn():
                self._withdrawn(event.file)
            case SettlementLines():
                self.board.settle(_refs(event.lines), self.number(event.settlement_id))
            case SettlementAdjusted():
                self._adjusted |= dict.fromkeys(event.decisions, event.settlement_id)
            case SettlementDiscarded():
                self.board.unsettle(self.number(event.settlement_id))
                kept = {k: s for k, s in self._adjusted.items() if s != event.settlement_id}
                self._adjusted = kept
            case _:
                pass

    def _matched(self, event: RecordsMatched | RecordsPartlyMatched) -> None:
        ours, theirs = _refs(event.ours), _refs(event.theirs)
        if isinstance(event, RecordsMatched):
            self.board.pair(ours, theirs, Status.MATCHED, key=event.key, fields=0)
        else:
            fields = field_bits(event.fields)
            self.board.pair(ours, theirs, Status.PARTIAL, key=event.key, fields=fields)

    def _duplicates(self, event: DuplicatesFound) -> None:
        for refs, groups in (
            (event.ours, event.ours_groups),
            (event.theirs, event.theirs_groups),
        ):
            group = _refs(groups)
            self.board.alone(_refs(refs), Status.DUPLICATE, key=event.key, group=group)

    def _withdrawn(self, file: int) -> None:
        self.board.remove(file)
        self.revived = {ref: at for ref, at in self.revived.items() if file_of(ref) != file}
        self.forbidden = {
            pair for pair in self.forbidden if file not in (file_of(pair[0]), file_of(pair[1]))
        }

    def _decided(self, decision: DecisionRequested, at: datetime) -> None:
        match decision.decision:
            case DecisionKind.ADJUST:
                self._adjustments[decision.decision_id] = decision
            case DecisionKind.MATCH:
                self._decided_match(*self._pairs(decision), decision.decision_id)
            case DecisionKind.UNMATCH:
                ours, theirs = self._pairs(decision)
                self.board.part(ours, theirs)
                self.forbidden |= set(zip(ours.tolist(), theirs.tolist(), strict=True))
            case DecisionKind.REVIVE:
                refs = self._free(_refs((*decision.ours, *decision.theirs)))
                refs = refs[self.look(refs).status == Status.EXPIRED]
                self.board.alone(refs, Status.NEW)
                self.revived |= dict.fromkeys(refs.tolist(), at)
            case DecisionKind.RESOLVE:
                self._decided_resolve(decision)

    def _decided_match(self, ours: Refs, theirs: Refs, decision: str) -> None:
        number = self.number(decision)
        self.board.pair(
            ours, theirs, Status.NEW, key=BY_HAND, fields=0, hand=Hand.PAIRED, why=number
        )
        for mine, other in zip(ours.tolist(), theirs.tolist(), strict=True):
            self.board.pinned[mine] = Pin(other, decision)
            self.forbidden.discard((mine, other))

    def _decided_resolve(self, decision: DecisionRequested) -> None:
        if decision.winner is None:
            return
        winner, why = WINNERS.index(decision.winner), self.number(decision.decision_id)
        if decision.ours and decision.theirs:
            status = Status.CLOSED if decision.winner is Winner.NEITHER else Status.RESOLVED
            self._resolved_pairs(*self._pairs(decision), status, winner, why)
            return
        refs = self._free(_refs(decision.ours or decision.theirs))
        own = Winner.OURS if decision.ours else Winner.THEIRS
        # In favour of the side that does not have the sale, it never was.
        status = Status.RESOLVED if decision.winner is own else Status.CLOSED
        self.board.alone(refs, status, winner=winner, hand=Hand.RESOLVED, why=why)

    def _resolved_pairs(
        self, ours: Refs, theirs: Refs, status: Status, winner: int, why: int
    ) -> None:
        before = self.look(ours)
        same = (before.other == theirs) & (before.status != Status.DUPLICATE)
        self.board.pair(
            ours,
            theirs,
            status,
            key=np.where(same, before.key, BY_HAND),
            fields=np.where(same, before.fields, 0),
            winner=winner,
            hand=np.where(same, before.hand, 0) | Hand.RESOLVED,
            why=why,
        )

    def _pairs(self, decision: DecisionRequested) -> tuple[Refs, Refs]:
        """The pairs of a decision whose records are both still there and in no settlement."""
        ours, theirs = _refs(decision.ours), _refs(decision.theirs)
        there = self._is_free(ours) & self._is_free(theirs)
        return ours[there], theirs[there]

    def _free(self, refs: Refs) -> Refs:
        return refs[self._is_free(refs)]

    def _is_free(self, refs: Refs) -> Mask:
        present = np.isin(refs >> 32, list(self.process.files))
        return present & (self.look(refs).settlement == 0)


def _refs(refs: Sequence[int]) -> Refs:
    return np.array(refs, np.int64)
