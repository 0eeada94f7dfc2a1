"""Settle: a process's cycle, sale by sale, ready for another person to release.

What is reconciled and in no settlement goes in: business dates up to the cycle's end, those of
earlier cycles that were reconciled late too, reversals, and approved adjustments. The records are
taken by the appends to the process's stream, which hold only behind what was read; so a run, a
decision or another settlement in between means beginning anew, and a record is settled once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from domain.operator import Actor
from domain.reconciliation import Process, process_stream
from domain.settlement import (
    SettlementDiscarded,
    SettlementReady,
    SettlementRefused,
    SettlementRequested,
    SettlementStatus,
    cycle_of,
    settlement_id,
)
from domain.steered import source
from finance.calendar import latest_complete_date
from finance.context import Context
from finance.process.process import ReconciliationProcess
from finance.recon.state import Standing, catch_up, load_standing
from finance.settle.cycles import SettlementRefusedError, check_order, last_day
from finance.settle.records import Progress
from finance.settle.statement import Statement, statement
from ledger import LedgerBusy, VersionConflict
from ledger.decide import TooManyConflictsError

CUT_OFF = "it was cut off, and is made anew"
OVERTAKEN = "something was recorded meanwhile, so it is made anew"


async def prepare(
    context: Context,
    process_id: str,
    cycle: str,
    actor: Actor,
    progress: Progress | None = None,
) -> SettlementReady:
    """Prepares the cycle's settlement; another person releases it. A cycle of which nothing can be
    settled gets an empty one, whose remarks say so.

    Raises UnknownProcessError; SettlementRefusedError when the cycle is not one of the process's,
    not over, prepared, released, or before one that is; TooManyConflictsError; and what the ledger,
    the archive and the database raise. Whatever was raised, nothing half done counts."""
    preparing = _Preparing(context, context.process(process_id), cycle, actor, progress)
    return await preparing.run()


async def prepare_requested(
    context: Context, request: SettlementRequested, progress: Progress | None = None
) -> SettlementReady | None:
    """Prepares what somebody asked for, in that person's name; None when it is refused, which is
    recorded. Raises as `prepare`, but for SettlementRefusedError."""
    actor = Actor(request.by, request.role, request.address, request.page, request.comment)
    try:
        return await prepare(context, request.process, request.cycle, actor, progress)
    except SettlementRefusedError as error:
        refused = SettlementRefused(
            at=context.clock(),
            process=request.process,
            cycle=request.cycle,
            reason=str(error),
        )

    def deciding(state: Process) -> Sequence[SettlementRefused]:
        return [refused] if request.cycle in state.requested else []

    stream = process_stream(request.process)
    await context.decide(stream, await context.state(stream, Process()), deciding)
    return None


@dataclass
class _Preparing:
    context: Context
    process: ReconciliationProcess
    cycle: str
    actor: Actor
    progress: Progress | None
    standing: Standing = field(default_factory=Standing)
    mine: str = ""
    """The settlement that is being written."""

    async def run(self) -> SettlementReady:
        over = latest_complete_date(self.context.clock(), self.process.calendar)
        until = last_day(self.process, self.cycle, over)
        self.standing = await load_standing(self.context, self.process.id)
        for _ in range(self.context.settings.conflicts_max):
            try:
                await self._discard_unfinished()
                check_order(self.standing.process.settlements.items(), self.cycle, until)
                return await self._write(until)
            except VersionConflict:
                await catch_up(self.context, self.process.id, self.standing)
                self._check_still_mine()
        raise TooManyConflictsError(process_stream(self.process.id))

    async def _write(self, until: date) -> SettlementReady:
        state = self.standing.process
        name = settlement_id(self.process.id, self.cycle, state.attempts.get(self.cycle, 0) + 1)
        made = await statement(self.context, self.process, self.standing, until, self.progress)
        events = self._events(made, name, until)
        size = self.context.settings.append_events
        for at in range(0, len(events), size):
            await self._append(events[at : at + size])
            self.mine = name
        ready = events[-1]
        assert isinstance(ready, SettlementReady)
        return ready

    def _events(self, made: Statement, name: str, until: date) -> Sequence[msgspec.Struct]:
        return made.events(
            self.process,
            name,
            self.cycle,
            until,
            self.standing.process.settings_sha256,
            self.actor,
            self.context.clock(),
        )

    async def _discard_unfinished(self) -> None:
        """Frees what a settlement of the cycle holds that was not written to its end: one's own,
        or one that a crash cut off."""
        left = [
            name
            for name, status in self.standing.process.settlements.items()
            if status is SettlementStatus.PREPARING and cycle_of(name) == self.cycle
        ]
        for name in left:
            who = source(self.actor)
            who["comment"] = OVERTAKEN if name == self.mine else CUT_OFF
            discarded = SettlementDiscarded(
                at=self.context.clock(), **who, process=self.process.id, settlement_id=name
            )
            await self._append([discarded])
        self.mine = ""

    def _check_still_mine(self) -> None:
        """Raises SettlementRefusedError when somebody else prepares the same cycle and has put this
        one aside: one of the two has to give way, or they would go on for ever."""
        if self.mine and self.mine not in self.standing.process.settlements:
            raise SettlementRefusedError(
                f"{self.cycle} of {self.process.id} is being prepared by somebody else"
            )

    async def _append(self, events: Sequence[msgspec.Struct]) -> None:
        stream = process_stream(self.process.id)
        for _ in range(self.context.settings.conflicts_max):
            try:
                recorded = await self.context.ledger.append(stream, self.standing.version, events)
            except LedgerBusy:
                await asyncio.sleep(self.context.settings.busy_seconds)
            else:
                self.standing.apply(recorded)
                return
        raise TooManyConflictsError(stream)
