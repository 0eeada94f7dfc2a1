"""Admit: a loaded file's records take part in its process from here on, once."""

from domain.inbox import FileStatus, FileUploaded, InboxFile, file_stream
from domain.reconciliation import FileAdmitted, Process, process_stream
from domain.record import FILES_MAX, Side
from finance.configured import configured
from finance.context import Context
from finance.process.process import OURSELVES
from ledger.decide import TooManyConflictsError
from ledger.errors import VersionConflict


class TooManyFilesError(ValueError):
    """The process has had as many files as it can number."""


async def admit(context: Context, file_id: str) -> None:
    """Lets the file's records take part, unless they do, or the file is no longer LOADED. Raises
    UnknownProcessError, TooManyFilesError, TooManyConflictsError, and what the ledger raises."""
    upload = (await context.state(file_stream(file_id), InboxFile())).upload
    assert upload is not None
    stream = process_stream(upload.process)
    for _ in range(context.settings.conflicts_max):
        # The process first: a file that was withdrawn up to here says so itself when it is read
        # now, and a withdrawal after here makes the append fail.
        process = await context.state(stream, Process())
        file = await context.state(file_stream(file_id), InboxFile())
        if file.status is not FileStatus.LOADED or file.withdrawing:
            return
        if any(one.file_id == file_id for one in process.files.values()):
            return
        settings = context.process(upload.process)
        events = [
            *configured(settings, process.settings_sha256, context.clock()),
            _admitted(context, file_id, upload, file, process),
        ]
        try:
            await context.ledger.append(stream, process.version, events)
        except VersionConflict:
            continue
        return
    raise TooManyConflictsError(stream)


def _admitted(
    context: Context, file_id: str, upload: FileUploaded, file: InboxFile, process: Process
) -> FileAdmitted:
    number = process.files_ever + 1
    if number > FILES_MAX:
        raise TooManyFilesError(f"process {upload.process} has had {FILES_MAX} files")
    return FileAdmitted(
        at=context.clock(),
        process=upload.process,
        file=number,
        file_id=file_id,
        side=Side.OURS if upload.party == OURSELVES else Side.THEIRS,
        records=file.records,
        frames=file.frames,
    )
