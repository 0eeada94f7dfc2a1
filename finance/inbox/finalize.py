"""Finalize: files all of whose records are settled or closed are done with."""

from collections.abc import Sequence

from domain.event import Event
from domain.inbox import FileFinalized, FileStatus, InboxFile, file_stream
from finance.context import Context
from finance.recon.state import load_standing


async def finalize(context: Context, process_id: str) -> list[str]:
    """Finalizes what is finished; returns the ids of those files. Raises TooManyConflictsError, and
    what the ledger raises."""
    standing = await load_standing(context, process_id)
    done: list[str] = []
    for admitted in standing.process.files.values():
        if not admitted.file_id or not standing.finished(admitted.file):
            continue
        if await _finalized(context, admitted.file_id):
            done.append(admitted.file_id)
    return done


async def _finalized(context: Context, file_id: str) -> bool:
    stream = file_stream(file_id)
    state = await context.state(stream, InboxFile())
    if state.status is FileStatus.FINALIZED:
        return False

    def deciding(state: InboxFile) -> Sequence[Event]:
        # A rollback that is approved is refused first, so that nobody wonders what became of it.
        if state.status is not FileStatus.LOADED or state.withdrawing:
            return []
        return [FileFinalized(at=context.clock())]

    state = await context.decide(stream, state, deciding)
    return state.status is FileStatus.FINALIZED
