"""Withdraw: a file whose rollback is approved leaves its process with all its records."""

from collections.abc import Sequence

from domain.event import Event
from domain.inbox import FileRolledBack, InboxFile, RollbackRefused, file_stream
from domain.reconciliation import FileWithdrawn, process_stream
from domain.settlement import SettlementStatus
from finance.context import Context
from finance.inbox.inbox import UnknownFileError
from finance.recon.state import Standing, catch_up, load_standing
from ledger.decide import TooManyConflictsError
from ledger.errors import VersionConflict


class SettlementUnderwayError(ValueError):
    """A settlement of the process is being prepared, and may take the file's records in."""


async def withdraw(context: Context, file_id: str) -> InboxFile:
    """Does what an approved rollback asks for, unless a record of the file is in a settlement: then
    the rollback is refused. Returns the file as it stands then; one whose rollback is not approved
    stays as it is. May be repeated after a crash.

    Raises UnknownFileError, SettlementUnderwayError (try again later), TooManyConflictsError, and
    what the ledger raises."""
    state = await context.state(file_stream(file_id), InboxFile())
    if state.upload is None:
        raise UnknownFileError(f"no file {file_id!r}")
    if not state.withdrawing:
        return state
    refusal = await _taken_out(context, state.upload.process, file_id)

    def deciding(state: InboxFile) -> Sequence[Event]:
        if not state.withdrawing:
            return []
        at = context.clock()
        return [RollbackRefused(at=at, reason=refusal) if refusal else FileRolledBack(at=at)]

    return await context.decide(file_stream(file_id), state, deciding)


async def _taken_out(context: Context, process_id: str, file_id: str) -> str:
    """Takes the file out of the process if it is there; why it can't be, if so."""
    standing = await load_standing(context, process_id)
    for _ in range(context.settings.conflicts_max):
        number = _number(standing, file_id)
        if number is None:
            return ""  # by an earlier attempt: before its rollback is asked for, a file takes part
        settlements = standing.process.settlements
        if standing.in_settlement(number):
            return "records of it are in a settlement"
        if SettlementStatus.PREPARING in settlements.values():
            raise SettlementUnderwayError(f"a settlement of {process_id} is being prepared")
        withdrawn = FileWithdrawn(
            at=context.clock(), process=process_id, file=number, file_id=file_id
        )
        try:
            await context.ledger.append(process_stream(process_id), standing.version, [withdrawn])
        except VersionConflict:
            await catch_up(context, process_id, standing)
            continue
        return ""
    raise TooManyConflictsError(process_stream(process_id))


def _number(standing: Standing, file_id: str) -> int | None:
    files = standing.process.files.values()
    return next((one.file for one in files if one.file_id == file_id), None)
