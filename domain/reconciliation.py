"""Reconciliation: what became of each record of a process, run by run and decision by decision.

One stream a process holds all of it, so two runs, or a run and a decision, can never both have a
record. Refs (domain/record.py) name records. The latest event that names a record says how it
stands; one that leaves a pair is named with it in the same run.
"""

from enum import StrEnum
from typing import Self

import msgspec

from domain.event import Event
from domain.record import Side
from domain.settlement import (
    SettlementDiscarded,
    SettlementPrepared,
    SettlementReady,
    SettlementRefused,
    SettlementReleased,
    SettlementRequested,
    SettlementStatus,
    cycle_of,
)
from domain.steered import Steered

REFS_MAX = 5_000
"""Records that one event names at most on one side; more are several events."""


class Winner(StrEnum):
    """Whose figures count where two sides differ."""

    OURS = "OURS"
    THEIRS = "THEIRS"
    NEITHER = "NEITHER"
    """Closed, and never settled."""


class ProcessConfigured(Event, frozen=True, kw_only=True):
    """The process's settings, as they hold from here on: JSON, and its checksum."""

    process: str
    settings: str
    sha256: str


class FileAdmitted(Event, frozen=True, kw_only=True):
    """A loaded file takes part from here on. `file` is its number within the process, `frames` its
    records in the archive, whose refs have file 0 until they are read for this process."""

    process: str
    file: int
    file_id: str
    side: Side
    records: int
    frames: tuple[str, ...]


class SalesTaken(Event, frozen=True, kw_only=True):
    """The switch's own records of the ledger's positions above `after_position` up to
    `to_position` take part; their frames are in the archive."""

    process: str
    file: int
    after_position: int
    to_position: int
    records: int
    frames: tuple[str, ...]
    total_cents: int = 0


class FileWithdrawn(Event, frozen=True, kw_only=True):
    """The file's records are gone from the process, as if they had never been."""

    process: str
    file: int
    file_id: str


class RecordsUnmatched(Event, frozen=True, kw_only=True):
    """No counterpart was found, so far."""

    process: str
    run: int
    side: Side
    refs: tuple[int, ...]


class RecordsMatched(Event, frozen=True, kw_only=True):
    """`ours[i]` and `theirs[i]` are the same transaction by the matching key number `key` (from 0)
    and agree in all compared fields."""

    process: str
    run: int
    key: int
    ours: tuple[int, ...]
    theirs: tuple[int, ...]


class RecordsPartlyMatched(Event, frozen=True, kw_only=True):
    """As RecordsMatched, but they differ in `fields`."""

    process: str
    run: int
    key: int
    fields: tuple[str, ...]
    ours: tuple[int, ...]
    theirs: tuple[int, ...]


class DuplicatesFound(Event, frozen=True, kw_only=True):
    """These share a key with others of their own side, so nobody can say which belongs to which:
    a person has to. Records with the same number in `ours_groups` / `theirs_groups` belong to one
    question."""

    process: str
    run: int
    key: int
    ours: tuple[int, ...] = ()
    ours_groups: tuple[int, ...] = ()
    theirs: tuple[int, ...] = ()
    theirs_groups: tuple[int, ...] = ()


class DifferencesResolved(Event, frozen=True, kw_only=True):
    """Partly matched pairs that a rule settles without a person: at the amount of `winner`."""

    process: str
    run: int
    rule: str
    winner: Winner
    ours: tuple[int, ...]
    theirs: tuple[int, ...]


class RecordsExpired(Event, frozen=True, kw_only=True):
    """No counterpart came within the process's time."""

    process: str
    run: int
    side: Side
    refs: tuple[int, ...]


class RunCounts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Lines by how they stand at the end of a run."""

    matched: int = 0
    partly_matched: int = 0
    resolved: int = 0
    unmatched_ours: int = 0
    unmatched_theirs: int = 0
    duplicates_ours: int = 0
    duplicates_theirs: int = 0
    expired: int = 0
    settled: int = 0


class RunFinished(Event, frozen=True, kw_only=True):
    """A run looked at all records with business dates up to `as_of` (YYYY-MM-DD)."""

    process: str
    run: int
    as_of: str
    counts: RunCounts


class DecisionKind(StrEnum):
    """What a person can decide about records, with another person's approval."""

    MATCH = "MATCH"
    """`ours[i]` and `theirs[i]` are the same transaction."""
    UNMATCH = "UNMATCH"
    """`ours[i]` and `theirs[i]` are not; no run pairs them again."""
    RESOLVE = "RESOLVE"
    """Pairs, or records alone, end in favour of `winner`: settled at its figures, or closed."""
    ADJUST = "ADJUST"
    """`amount_cents` more (or less) in the next settlement; `ours` or `theirs` may say about what.
    """
    REVIVE = "REVIVE"
    """Expired records wait for a counterpart again."""


class DecisionRequested(Steered, frozen=True, kw_only=True):
    """`by` wants this done; `comment` is the reason. For RESOLVE, records alone are in `ours` or
    `theirs`, pairs in both. `amount_cents`: signed; positive is owed to the party."""

    process: str
    decision_id: str
    decision: DecisionKind
    ours: tuple[int, ...] = ()
    theirs: tuple[int, ...] = ()
    winner: Winner | None = None
    amount_cents: int = 0
    currency: str = "710"


class DecisionApproved(Steered, frozen=True, kw_only=True):
    """It is done, by another person than the one who wanted it."""

    process: str
    decision_id: str


class DecisionRejected(Steered, frozen=True, kw_only=True):
    """It is not done."""

    process: str
    decision_id: str


class Admitted(msgspec.Struct, frozen=True):
    """A file that takes part. `file_id` is empty for the switch's own sales."""

    file: int
    side: Side
    frames: tuple[str, ...]
    records: int
    file_id: str = ""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a process's events fold into, but for how each record stands."""

    version: int = 0
    settings_sha256: str = ""
    files: dict[int, Admitted] = {}
    """Those that take part, by number."""
    files_ever: int = 0
    taken_position: int = 0
    run: int = 0
    pending: dict[str, DecisionRequested] = {}
    settlements: dict[str, SettlementStatus] = {}
    """By settlement id; discarded ones are left out."""
    attempts: dict[str, int] = {}
    """How many settlements of a cycle there ever were, discarded ones too."""
    requested: dict[str, SettlementRequested] = {}
    """What the worker is to prepare, by cycle."""

    def after(self, event: Event, version: int) -> Self:
        """The state after `event`."""
        return msgspec.structs.replace(self, version=version, **self._change(event))

    def _change(self, event: Event) -> dict[str, object]:
        match event:
            case ProcessConfigured():
                return {"settings_sha256": event.sha256}
            case FileAdmitted():
                return self._with(
                    Admitted(event.file, event.side, event.frames, event.records, event.file_id)
                )
            case SalesTaken():
                taken = Admitted(event.file, Side.OURS, event.frames, event.records)
                return {**self._with(taken), "taken_position": event.to_position}
            case FileWithdrawn():
                return {"files": {n: f for n, f in self.files.items() if n != event.file}}
            case RunFinished():
                return {"run": event.run}
            case DecisionRequested():
                return {"pending": {**self.pending, event.decision_id: event}}
            case DecisionApproved() | DecisionRejected():
                rest = {k: d for k, d in self.pending.items() if k != event.decision_id}
                return {"pending": rest}
            case _:
                return self._after_settlement(event)

    def _with(self, file: Admitted) -> dict[str, object]:
        return {"files": {**self.files, file.file: file}, "files_ever": file.file}

    def _after_settlement(self, event: Event) -> dict[str, object]:
        match event:
            case SettlementRequested():
                return {"requested": {**self.requested, event.cycle: event}}
            case SettlementRefused():
                return {"requested": self._requested_but(event.cycle)}
            case SettlementPrepared():
                attempts = {**self.attempts, event.cycle: self.attempts.get(event.cycle, 0) + 1}
                status = SettlementStatus.PREPARING
                settlements = {**self.settlements, event.settlement_id: status}
                return {"settlements": settlements, "attempts": attempts}
            case SettlementReady():
                settlements = {**self.settlements, event.settlement_id: SettlementStatus.READY}
                rest = self._requested_but(cycle_of(event.settlement_id))
                return {"settlements": settlements, "requested": rest}
            case SettlementReleased():
                status = SettlementStatus.RELEASED
            case SettlementDiscarded():
                rest = {k: s for k, s in self.settlements.items() if k != event.settlement_id}
                return {"settlements": rest}
            case _:
                return {}
        return {"settlements": {**self.settlements, event.settlement_id: status}}

    def _requested_but(self, cycle: str) -> dict[str, SettlementRequested]:
        return {c: r for c, r in self.requested.items() if c != cycle}


RECONCILIATION_EVENTS = (
    ProcessConfigured,
    FileAdmitted,
    SalesTaken,
    FileWithdrawn,
    RecordsUnmatched,
    RecordsMatched,
    RecordsPartlyMatched,
    DuplicatesFound,
    DifferencesResolved,
    RecordsExpired,
    RunFinished,
    DecisionRequested,
    DecisionApproved,
    DecisionRejected,
)


def process_stream(process: str) -> str:
    """The stream of a process, by its id."""
    return f"process/{process}"
