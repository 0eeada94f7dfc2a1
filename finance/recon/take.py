"""Take: the ledger's own sales into a process, each once, as frames in the archive."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.reconciliation import Process, SalesTaken, process_stream
from finance.context import Context
from finance.our_sales import caught_up, whose_sales
from finance.process.process import ReconciliationProcess
from finance.recon.our_frames import our_frame
from ledger.decide import TooManyConflictsError
from projections.frame import encoded
from projections.sales_search import sales_batch


async def take(context: Context, process_id: str) -> int:
    """Lets the process's sales that it has not taken yet take part, and returns how many they are;
    none: nothing is written. Their frames are in the archive before the event that names them, and
    that goes only behind what was read: whoever else takes at the same time, or is killed at it,
    no sale is taken twice or left out.

    Raises UnknownProcessError, TooManyConflictsError, and what the ledger and the database raise.
    """
    process = context.process(process_id)
    until = await caught_up(context)
    stream = process_stream(process_id)
    state = await context.state(stream, Process())
    for _ in range(context.settings.conflicts_max):
        archived = await _archived(context, process, state.taken_position, until)
        if not archived.records:
            return 0
        taking = _Taking(process_id, archived, context.clock())
        state = await context.decide(stream, state, taking.deciding)
        if taking.done:
            return archived.records
    raise TooManyConflictsError(stream)


@dataclass(frozen=True)
class _Archived:
    """Sales of the positions above `after` and up to `until`, in the archive."""

    after: int
    until: int
    frames: tuple[str, ...] = ()
    records: int = 0
    total_cents: int = 0


@dataclass
class _Taking:
    """The decision to let archived sales take part; not `done` when others were taken meanwhile."""

    process: str
    archived: _Archived
    at: datetime
    done: bool = False

    def deciding(self, state: Process) -> Sequence[SalesTaken]:
        archived = self.archived
        self.done = state.taken_position == archived.after
        if not self.done:
            return ()
        taken = SalesTaken(
            at=self.at,
            process=self.process,
            file=state.files_ever + 1,
            after_position=archived.after,
            to_position=archived.until,
            records=archived.records,
            frames=archived.frames,
            total_cents=archived.total_cents,
        )
        return [taken]


async def _archived(
    context: Context, process: ReconciliationProcess, after: int, until: int
) -> _Archived:
    """Puts the sales into the archive, at most settings.sales_batch of them in a frame."""
    frames: list[str] = []
    records, cents, position, limit = 0, 0, after, context.settings.sales_batch
    whose = whose_sales(process)
    async with context.connect() as connection:
        while position < until:
            content = await sales_batch(connection, whose, position, until, limit)
            batch = our_frame(content, process.calendar, records)
            if batch is None:
                break
            frames.append(await context.archive.put(connection, encoded(batch.records)))
            records += batch.records.num_rows
            cents += batch.total_cents
            position = batch.last_position
    return _Archived(after, until, tuple(frames), records, cents)
