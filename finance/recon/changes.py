"""What a run appends: only what it found otherwise than it stands."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.event import Event
from domain.reconciliation import (
    REFS_MAX,
    DifferencesResolved,
    DuplicatesFound,
    RecordsExpired,
    RecordsMatched,
    RecordsPartlyMatched,
    RecordsUnmatched,
)
from domain.record import Side
from finance.process.matching import Resolution
from finance.recon.match import Duplicates, Matched, Pairs
from finance.recon.slots import Mask, Places, Refs
from finance.recon.state import Standing
from finance.recon.status import WINNERS, Status, field_names

_SIDES = (Side.OURS, Side.THEIRS)


class Found(NamedTuple):
    """What a run found: the matching; for each pair the number of its rule (from 1; 0: none); which
    of those alone have waited long enough."""

    matched: Matched
    rule: NDArray[np.int16]
    expired: tuple[Mask, Mask]


class Changes:
    """The events of one run, in an order that the same findings always have."""

    def __init__(self, process: str, run: int, at: datetime, rules: Sequence[Resolution]) -> None:
        self._process = process
        self._run = run
        self._at = at
        self._rules = rules

    def of(self, standing: Standing, found: Found) -> Iterator[Event]:
        """Pairs first: whoever leaves one is named after it. What is to be said is settled before
        the first event, whatever is done to `standing` meanwhile."""
        pairs, rule = found.matched.pairs, found.rule
        anew = _is_new(standing, pairs, rule)
        resolved = (rule > 0) & (anew | ~self._is_by_rule(standing, pairs, rule))
        to_pair, to_resolve = np.flatnonzero(anew), np.flatnonzero(resolved)
        parts: list[Iterator[Event]] = [
            *(self._paired(pairs, places) for places in _split(to_pair, pairs.key, pairs.fields)),
            *(self._resolved(pairs, rule, places) for places in _split(to_resolve, rule)),
            self._duplicates(*(_news(standing, part) for part in found.matched.duplicates)),
        ]
        for side, alone, old in zip(_SIDES, found.matched.alone, found.expired, strict=True):
            waiting = alone.refs[~old]
            news = waiting[standing.look(waiting).status != Status.UNMATCHED]
            parts += [self._unmatched(side, news), self._expired(side, alone.refs[old])]
        return chain.from_iterable(parts)

    def _is_by_rule(self, standing: Standing, pairs: Pairs, rule: NDArray[np.int16]) -> Mask:
        """Which pairs are resolved by that very rule already."""
        now = standing.look(pairs.ours)
        why = np.array([0, *(standing.number(rule.name) for rule in self._rules)], np.int64)
        winner = np.array([0, *(WINNERS.index(rule.winner) for rule in self._rules)], np.int64)
        same = (now.why == why[rule]) & (now.winner == winner[rule])
        return same & (now.status == Status.RESOLVED)

    def _paired(self, pairs: Pairs, places: Places) -> Iterator[Event]:
        key, fields = int(pairs.key[places[0]]), field_names(int(pairs.fields[places[0]]))
        for part in _parts(places):
            ours, theirs = _refs(pairs.ours[part]), _refs(pairs.theirs[part])
            if fields:
                yield RecordsPartlyMatched(
                    at=self._at,
                    process=self._process,
                    run=self._run,
                    key=key,
                    fields=fields,
                    ours=ours,
                    theirs=theirs,
                )
            else:
                yield RecordsMatched(
                    at=self._at,
                    process=self._process,
                    run=self._run,
                    key=key,
                    ours=ours,
                    theirs=theirs,
                )

    def _resolved(self, pairs: Pairs, rule: NDArray[np.int16], places: Places) -> Iterator[Event]:
        by = self._rules[int(rule[places[0]]) - 1]
        for part in _parts(places):
            yield DifferencesResolved(
                at=self._at,
                process=self._process,
                run=self._run,
                rule=by.name,
                winner=by.winner,
                ours=_refs(pairs.ours[part]),
                theirs=_refs(pairs.theirs[part]),
            )

    def _duplicates(self, ours: Duplicates, theirs: Duplicates) -> Iterator[Event]:
        for key in np.unique(np.concatenate((ours.key, theirs.key))).tolist():
            mine, other = np.flatnonzero(ours.key == key), np.flatnonzero(theirs.key == key)
            for first in range(0, max(len(mine), len(other)), REFS_MAX):
                left, right = (places[first : first + REFS_MAX] for places in (mine, other))
                yield DuplicatesFound(
                    at=self._at,
                    process=self._process,
                    run=self._run,
                    key=key,
                    ours=_refs(ours.refs[left]),
                    ours_groups=_refs(ours.group[left]),
                    theirs=_refs(theirs.refs[right]),
                    theirs_groups=_refs(theirs.group[right]),
                )

    def _unmatched(self, side: Side, refs: Refs) -> Iterator[Event]:
        for part in _parts(refs):
            yield RecordsUnmatched(
                at=self._at, process=self._process, run=self._run, side=side, refs=_refs(part)
            )

    def _expired(self, side: Side, refs: Refs) -> Iterator[Event]:
        for part in _parts(refs):
            yield RecordsExpired(
                at=self._at, process=self._process, run=self._run, side=side, refs=_refs(part)
            )


def _is_new(standing: Standing, pairs: Pairs, rule: NDArray[np.int16]) -> Mask:
    """Which pairs stand otherwise, but for the rule that may have resolved them."""
    now = standing.look(pairs.ours)
    same = (now.other == pairs.theirs) & (now.key == pairs.key) & (now.fields == pairs.fields)
    agrees = (pairs.fields == 0) & (now.status == Status.MATCHED)
    differs = (pairs.fields != 0) & (now.status == Status.PARTIAL)
    resolved = (rule > 0) & (now.status == Status.RESOLVED)
    return ~(same & (agrees | differs | resolved))


def _news(standing: Standing, found: Duplicates) -> Duplicates:
    now = standing.look(found.refs)
    same = (now.other == found.group) & (now.key == found.key)
    news = ~(same & (now.status == Status.DUPLICATE))
    return Duplicates(found.refs[news], found.key[news], found.group[news])


def _split(places: Places, *columns: NDArray[np.integer]) -> list[Places]:
    """The places, apart by what the columns have there; in order within each part."""
    if not places.size:
        return []
    values = [column[places].astype(np.int64) for column in columns]
    order = np.lexsort([places, *reversed(values)])
    places = places[order]
    changes = np.zeros(len(places), np.bool_)
    for column in values:
        changes[1:] |= np.diff(column[order]) != 0
    return np.split(places, np.flatnonzero(changes))


def _parts(refs: Refs) -> Iterator[Refs]:
    for first in range(0, len(refs), REFS_MAX):
        yield refs[first : first + REFS_MAX]


def _refs(refs: Refs) -> tuple[int, ...]:
    return tuple(refs.tolist())
