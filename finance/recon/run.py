"""A run: matches what is open in a process, and appends what it found otherwise than it stands.

Each run works out everything anew, from the records that are there and what people decided, so it
ends the same in whatever order and pieces the files came. Killed between two appends, it leaves
true events of a part; the next run appends the rest.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from domain.event import Event
from domain.reconciliation import RunFinished, process_stream
from finance.calendar import business_date, expires_on
from finance.configured import configured
from finance.context import Context
from finance.process.process import ReconciliationProcess
from finance.recon.changes import Changes, Found
from finance.recon.columns import column
from finance.recon.frames import Frames, columns_of, open_records
from finance.recon.match import Alone, Pinned, match
from finance.recon.resolve import rules_of
from finance.recon.slots import Mask
from finance.recon.state import Standing, catch_up
from finance.recon.take import take
from ledger import LedgerBusy, VersionConflict
from ledger.decide import TooManyConflictsError

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is (0: not known)."""


class FutureDateError(ValueError):
    """There are no sales of that date yet, and what waits for them must not expire."""

    def __init__(self, as_of: date, today: date) -> None:
        super().__init__(f"{as_of} is in the future; it is {today} where the parties are")


async def run(
    context: Context, process_id: str, as_of: date, progress: Progress | None = None
) -> RunFinished:
    """Takes the switch's own sales, and then does what `match_open` does."""
    _check(context, context.process(process_id), as_of)
    if progress:
        progress("taking our sales", 0, 0)
    await take(context, process_id)
    return await match_open(context, process_id, as_of, progress)


async def match_open(
    context: Context, process_id: str, as_of: date, progress: Progress | None = None
) -> RunFinished:
    """Matches all records with business dates up to `as_of`, or up to that of an earlier run where
    it was later: no run takes back what a later date has shown. Returns the end of this run, or of
    the last one where nothing has changed since.

    Raises UnknownProcessError, FutureDateError, TooManyConflictsError, NotArchived, and what the
    ledger and the database raise."""
    process = context.process(process_id)
    _check(context, process, as_of)
    say: Progress = progress or _silent
    standing = Standing()
    for _ in range(context.settings.conflicts_max):
        await catch_up(context, process_id, standing)
        try:
            return await _Run(context, process, standing, as_of, say).run()
        except VersionConflict:
            # A person or another run was quicker: what was worked out here may not hold any more.
            say("starting over", 0, 0)
    raise TooManyConflictsError(process_stream(process_id))


def _check(context: Context, process: ReconciliationProcess, as_of: date) -> None:
    today = business_date(context.clock(), process.calendar)
    if as_of > today:
        raise FutureDateError(as_of, today)


class _Run:
    """One attempt, on a standing that is up to date."""

    def __init__(
        self,
        context: Context,
        process: ReconciliationProcess,
        standing: Standing,
        as_of: date,
        say: Progress,
    ) -> None:
        self._context = context
        self._process = process
        self._standing = standing
        last = standing.last_run
        self._as_of = max(as_of, date.fromisoformat(last.as_of)) if last else as_of
        self._at = context.clock()
        self._number = standing.process.run + 1
        self._say = say

    async def run(self) -> RunFinished:
        """Raises VersionConflict when the stream has moved on."""
        standing, process = self._standing, self._process
        await self._append(configured(process, standing.process.settings_sha256, self._at))
        columns = columns_of(process.matching.keys, process.matching.compared)
        frames = await open_records(
            self._context, standing, self._as_of, columns, partial(self._say, "reading")
        )
        self._say("matching", 0, 0)
        found = await asyncio.to_thread(self._found, frames)
        rules = process.matching.resolve
        changes = Changes(process.id, self._number, self._at, rules).of(standing, found)
        await self._append_all(changes, len(frames.ours) + len(frames.theirs))
        return await self._finished()

    def _found(self, frames: Frames) -> Found:
        matching = self._process.matching
        matched = match(frames.ours, frames.theirs, matching, self._pinned())
        rule = rules_of(frames.ours, frames.theirs, matched.pairs, matching)
        expired = [
            self._expired(frame, alone) for frame, alone in zip(frames, matched.alone, strict=True)
        ]
        return Found(matched, rule, (expired[0], expired[1]))

    def _pinned(self) -> Pinned:
        pins = self._standing.board.pinned
        return Pinned(
            ours=np.array(list(pins), np.int64),
            theirs=np.array([pin.theirs for pin in pins.values()], np.int64),
            forbidden=frozenset(self._standing.forbidden),
        )

    def _expired(self, frame: pd.DataFrame, alone: Alone) -> Mask:
        """Which of them have waited their time since their business date, or since people let them
        wait again."""
        days: list[Any] = column(frame, "business_date", alone.rows).to_pylist()
        old = {day: self._is_over(day) for day in set(days)}
        expired = np.array([old[day] for day in days], np.bool_)
        revived = self._standing.revived
        again = np.isin(alone.refs, np.array(list(revived), np.int64))
        for place in np.flatnonzero(again & expired).tolist():
            since = business_date(revived[int(alone.refs[place])], self._process.calendar)
            expired[place] = self._is_over(max(since, days[place]))
        return expired

    def _is_over(self, since: date) -> bool:
        end = expires_on(since, self._process.expiry_days, self._process.calendar)
        return end <= self._as_of

    async def _append_all(self, changes: Iterator[Event], records: int) -> None:
        self._say("recording", 0, records)
        done = 0
        while events := list(islice(changes, self._context.settings.append_events)):
            await self._append(events)
            done += sum(map(_named, events))
            self._say("recording", min(done, records), records)

    async def _append(self, events: list[Any]) -> None:
        if not events:
            return
        context, standing = self._context, self._standing
        for _ in range(context.settings.conflicts_max):
            try:
                recorded = await context.ledger.append(
                    process_stream(self._process.id), standing.version, events
                )
            except LedgerBusy:
                await asyncio.sleep(context.settings.busy_seconds)
            else:
                standing.apply(recorded)
                return
        raise TooManyConflictsError(process_stream(self._process.id))

    async def _finished(self) -> RunFinished:
        standing, last = self._standing, self._standing.last_run
        counts = standing.counts()
        as_of = self._as_of.isoformat()
        if last and not standing.unfinished and (last.as_of, last.counts) == (as_of, counts):
            return last
        end = RunFinished(
            at=self._at, process=self._process.id, run=self._number, as_of=as_of, counts=counts
        )
        await self._append([end])
        return end


def _named(event: Event) -> int:
    names = (getattr(event, name, ()) for name in ("ours", "theirs", "refs"))
    return sum(map(len, names))


def _silent(_what: str, _done: int, _total: int) -> None:
    pass
