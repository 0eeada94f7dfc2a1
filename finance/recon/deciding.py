"""Which decisions about records can be asked for, and which fit how the records stand."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from domain.reconciliation import DecisionKind, Winner
from domain.record import file_of, line_of
from finance.settings import FinanceSettings
from projections.reconciliation_desk import Standing

ADJUSTMENT_CENTS_MAX = 10**12
"""Ten thousand million rand: more is a slip of the hand."""

_ALONE = ("NEW", "UNMATCHED", "DUPLICATE")
_PAIRED = ("NEW", "MATCHED", "PARTIAL", "RESOLVED")


class DecisionRefusedError(ValueError):
    """It can't be asked for, or doesn't fit how the records stand now; nothing was written."""


class Wish(NamedTuple):
    """What somebody wants: domain/reconciliation.py says what each kind means."""

    kind: DecisionKind
    ours: tuple[int, ...]
    theirs: tuple[int, ...]
    winner: Winner | None
    amount_cents: int

    @property
    def refs(self) -> tuple[int, ...]:
        return (*self.ours, *self.theirs)

    @property
    def pairs(self) -> bool:
        """Whether it is about pairs, not records alone."""
        return bool(self.ours and self.theirs)


def check_wish(wish: Wish, reason: str, settings: FinanceSettings) -> None:
    """Whether it makes sense by itself. Raises DecisionRefusedError."""
    if not reason.strip():
        raise DecisionRefusedError("a decision needs a reason")
    if max(len(wish.ours), len(wish.theirs)) > settings.decision_records_max:
        raise DecisionRefusedError(
            f"a decision names at most {settings.decision_records_max:,} records a side"
        )
    twice = [ref for ref, count in Counter(wish.refs).items() if count > 1]
    if twice:
        raise DecisionRefusedError(f"{name_of(twice[0])} is named twice")
    if wish.kind is DecisionKind.ADJUST:
        _check_adjustment(wish)
        return
    if wish.amount_cents:
        raise DecisionRefusedError("only an adjustment has an amount")
    if not wish.refs:
        raise DecisionRefusedError("which records is it about?")
    if wish.pairs and len(wish.ours) != len(wish.theirs):
        raise DecisionRefusedError(
            f"{len(wish.ours)} records of ours and {len(wish.theirs)} of theirs are no pairs"
        )
    if wish.kind in (DecisionKind.MATCH, DecisionKind.UNMATCH) and not wish.pairs:
        raise DecisionRefusedError(f"{wish.kind.lower()} takes records of both sides")
    if (wish.kind is DecisionKind.RESOLVE) != (wish.winner is not None):
        raise DecisionRefusedError("a winner is for resolving, and resolving takes one")


def _check_adjustment(wish: Wish) -> None:
    if wish.winner is not None:
        raise DecisionRefusedError("an adjustment has no winner")
    if not 0 < abs(wish.amount_cents) <= ADJUSTMENT_CENTS_MAX:
        raise DecisionRefusedError(
            f"an adjustment is not 0, and at most {ADJUSTMENT_CENTS_MAX:,} cents"
        )
    if len(wish.ours) > 1 or len(wish.theirs) > 1:
        raise DecisionRefusedError("an adjustment is about one line at most")


def check_records(wish: Wish, records: Mapping[int, Standing]) -> None:
    """Whether it fits how the records stand. Raises DecisionRefusedError, which names the first
    record that it doesn't fit."""
    for side, refs in (("OURS", wish.ours), ("THEIRS", wish.theirs)):
        for ref in refs:
            found = records.get(ref)
            if found is None or found.side != side:
                raise DecisionRefusedError(f"{name_of(ref)} is no record of {side.lower()} here")
            if wish.kind is not DecisionKind.ADJUST:
                _check_record(wish, found)
    if wish.kind is DecisionKind.UNMATCH or (wish.kind is DecisionKind.RESOLVE and wish.pairs):
        _check_pairs(wish, records)


def _check_record(wish: Wish, found: Standing) -> None:
    if found.settlement:
        raise DecisionRefusedError(f"{name_of(found.ref)} is in settlement {found.settlement}")
    match wish.kind:
        case DecisionKind.MATCH:
            fits = found.partner == 0 and found.status in _ALONE
            wanted = "alone and open"
        case DecisionKind.REVIVE:
            fits, wanted = found.status == "EXPIRED", "expired"
        case DecisionKind.RESOLVE if not wish.pairs:
            fits = found.partner == 0 and found.status in (*_ALONE, "EXPIRED")
            wanted = "alone"
        case _:
            fits, wanted = found.partner != 0 and found.status in _PAIRED, "part of a pair"
    if not fits:
        raise DecisionRefusedError(
            f"{name_of(found.ref)} is {found.status.lower()}"
            f"{' in a pair' if found.partner else ''}, not {wanted}"
        )


def _check_pairs(wish: Wish, records: Mapping[int, Standing]) -> None:
    for ours, theirs in zip(wish.ours, wish.theirs, strict=True):
        if records[ours].partner != theirs:
            raise DecisionRefusedError(f"{name_of(ours)} and {name_of(theirs)} are no pair")


def name_of(ref: int) -> str:
    """A record in words."""
    return f"record {ref} (file {file_of(ref)}, line {line_of(ref)})"
