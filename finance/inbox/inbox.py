"""The inbox as people use it: upload a file, approve it, have it withdrawn.

What one person asks for, another one approves. Loading and withdrawing themselves are the worker's
(load.py, withdraw.py).
"""

from collections.abc import AsyncIterable, Callable, Sequence
from pathlib import Path

import msgspec

from domain.event import Event
from domain.inbox import (
    FileApproved,
    FileRejected,
    FileSource,
    FileStatus,
    FileUploaded,
    InboxFile,
    RollbackApproved,
    RollbackRejected,
    RollbackRequested,
    file_id,
    file_stream,
)
from domain.operator import Actor
from domain.reconciliation import Process, process_stream
from domain.steered import Source
from domain.steered import source as source_of
from finance.approval import require_another
from finance.context import Context
from finance.inbox.name import check_name
from finance.inbox.receive import FileRefusedError, Received, file_chunks, receive
from finance.process.process import OURSELVES, ReconciliationProcess

SETTINGS = Actor("settings")
"""Who approves where the process's settings ask for no approval."""
PICKED_UP = frozenset({FileSource.SFTP, FileSource.S3})

_MAY_COME_AGAIN = frozenset({FileStatus.ROLLBACK, FileStatus.ERROR})


class UnknownFileError(ValueError):
    """No process has such a file in its inbox."""


class WrongStatusError(ValueError):
    """The file is not where this can be done with it."""


class Uploaded(msgspec.Struct, frozen=True):
    """A file in one process's inbox. `again`: it was there already, since `at` (RFC 3339, UTC), by
    `by`, and nothing was changed."""

    file_id: str
    status: FileStatus
    again: bool
    by: str
    at: str


class Inbox:
    """What can be asked for; each asking is durable when it returns."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def upload(
        self,
        process_ids: Sequence[str],
        file_name: str,
        content: AsyncIterable[bytes] | Path,
        actor: Actor,
        source: FileSource,
        *,
        party: str | None = None,
        corrects: str | None = None,
    ) -> list[Uploaded]:
        """Puts a file into the inbox of each process. `party`: who made it (default: the process's
        party). `corrects`: the file whose exceptions it mends. The same bytes at the same process
        are the same file: they are kept once, unless the file failed or was withdrawn since.

        Raises UnknownProcessError, FileNameError, FileRefusedError, UnknownFileError (of
        `corrects`), OSError of a path, and what the ledger and the database raise."""
        context = self._context
        if not process_ids:
            raise FileRefusedError("which process is the file for?")
        processes = [context.process(name) for name in dict.fromkeys(process_ids)]
        made_by = [_party(process, party) for process in processes]
        name = check_name(file_name)
        if corrects is not None:
            await self.file(corrects)
        if isinstance(content, Path):
            content = file_chunks(content, context.settings.part_bytes)
        received = await receive(context, content)
        return [
            await self._enter(process, whose, name, received, actor, source, corrects)
            for process, whose in zip(processes, made_by, strict=True)
        ]

    async def _enter(
        self,
        process: ReconciliationProcess,
        party: str,
        name: str,
        received: Received,
        actor: Actor,
        source: FileSource,
        corrects: str | None,
    ) -> Uploaded:
        file = file_id(process.id, received.sha256)
        again = False

        def deciding(state: InboxFile) -> list[Event]:
            nonlocal again
            again = state.status is not None and state.status not in _MAY_COME_AGAIN
            if again:
                return []
            at = self._context.clock()
            uploaded = FileUploaded(
                at=at,
                process=process.id,
                party=party,
                file_name=name,
                sha256=received.sha256,
                size_bytes=received.size_bytes,
                parts=received.parts,
                source=source,
                corrects=corrects,
                **_said_by(actor),
            )
            # What people withdrew must not come back by itself, because it still lies on a server.
            withdrawn = state.status is FileStatus.ROLLBACK
            if (source not in PICKED_UP or withdrawn) and process.approve_uploads:
                return [uploaded]
            return [uploaded, FileApproved(at=at, **_said_by(SETTINGS))]

        state = await self._decide(file, deciding)
        assert state.upload is not None
        assert state.status is not None
        upload = state.upload
        return Uploaded(file, state.status, again, upload.by, upload.at.isoformat())

    async def file(self, file_id: str) -> InboxFile:
        """A file as it stands. Raises UnknownFileError."""
        _check_id(file_id)
        state = await self._context.state(file_stream(file_id), InboxFile())
        return _known(file_id, state)

    async def approve(self, file_id: str, actor: Actor) -> InboxFile:
        """The file may be loaded. Raises UnknownFileError, WrongStatusError unless it is QUEUED,
        SameOperatorError for the person who uploaded it."""

        def deciding(state: InboxFile) -> list[Event]:
            _check_queued(_known(file_id, state), actor)
            return [FileApproved(at=self._context.clock(), **_said_by(actor))]

        return await self._decide(file_id, deciding)

    async def reject(self, file_id: str, actor: Actor) -> InboxFile:
        """The file is not loaded; it may be uploaded again. Raises as `approve`."""

        def deciding(state: InboxFile) -> list[Event]:
            _check_queued(_known(file_id, state), actor)
            return [FileRejected(at=self._context.clock(), **_said_by(actor))]

        return await self._decide(file_id, deciding)

    async def request_rollback(self, file_id: str, actor: Actor) -> InboxFile:
        """Asks for the file and its records to be withdrawn. Raises UnknownFileError, and
        WrongStatusError unless it is LOADED, its records take part, and nobody has asked yet."""
        state = await self.file(file_id)
        upload = state.upload
        assert upload is not None
        process = await self._context.state(process_stream(upload.process), Process())
        takes_part = any(one.file_id == file_id for one in process.files.values())

        def deciding(state: InboxFile) -> list[Event]:
            _check_loaded(_known(file_id, state))
            if state.rollback_by is not None:
                raise WrongStatusError(f"{state.rollback_by} has asked for its rollback already")
            if not takes_part:
                # Otherwise its records could come in behind their withdrawal.
                raise WrongStatusError("it was loaded a moment ago: try again")
            return [RollbackRequested(at=self._context.clock(), **_said_by(actor))]

        return await self._decide(file_id, deciding)

    async def approve_rollback(self, file_id: str, actor: Actor) -> InboxFile:
        """The file is to be withdrawn. Raises UnknownFileError, WrongStatusError unless somebody
        asked for it, SameOperatorError for that one."""

        def deciding(state: InboxFile) -> list[Event]:
            _check_asked(_known(file_id, state), actor)
            return [RollbackApproved(at=self._context.clock(), **_said_by(actor))]

        return await self._decide(file_id, deciding)

    async def reject_rollback(self, file_id: str, actor: Actor) -> InboxFile:
        """The file stays. Raises as `approve_rollback`."""

        def deciding(state: InboxFile) -> list[Event]:
            _check_asked(_known(file_id, state), actor)
            return [RollbackRejected(at=self._context.clock(), **_said_by(actor))]

        return await self._decide(file_id, deciding)

    async def _decide(
        self, file_id: str, deciding: Callable[[InboxFile], Sequence[Event]]
    ) -> InboxFile:
        _check_id(file_id)
        stream = file_stream(file_id)
        state = await self._context.state(stream, InboxFile())
        return await self._context.decide(stream, state, deciding)


def _party(process: ReconciliationProcess, party: str | None) -> str:
    if party not in (None, process.party, OURSELVES):
        raise FileRefusedError(
            f"process {process.id} is between {OURSELVES} and {process.party}, not {party!r}"
        )
    return party or process.party


def _said_by(actor: Actor) -> Source:
    """What an event says of who made it. No read model could hold a NUL in a comment."""
    return source_of(msgspec.structs.replace(actor, comment=actor.comment.replace("\0", " ")))


def _check_id(file_id: str) -> None:
    if "\0" in file_id:
        raise UnknownFileError(f"no file {file_id!r}")


def _known(file_id: str, state: InboxFile) -> InboxFile:
    if state.upload is None:
        raise UnknownFileError(f"no file {file_id!r}")
    return state


def _check_queued(state: InboxFile, actor: Actor) -> None:
    assert state.upload is not None
    if state.status is not FileStatus.QUEUED:
        raise WrongStatusError(f"{state.upload.file_name} {_WHERE[state.status]}")
    require_another(state.upload.by, actor)


def _check_loaded(state: InboxFile) -> None:
    assert state.upload is not None
    if state.status is not FileStatus.LOADED:
        raise WrongStatusError(f"{state.upload.file_name} {_WHERE[state.status]}")


def _check_asked(state: InboxFile, actor: Actor) -> None:
    assert state.upload is not None
    _check_loaded(state)
    if state.withdrawing:
        raise WrongStatusError(f"the rollback of {state.upload.file_name} is approved already")
    if state.rollback_by is None:
        raise WrongStatusError(f"nobody has asked for the rollback of {state.upload.file_name}")
    require_another(state.rollback_by, actor)


_WHERE: dict[FileStatus | None, str] = {
    FileStatus.QUEUED: "awaits approval of its upload",
    FileStatus.LOADING: "is being loaded",
    FileStatus.LOADED: "is loaded already",
    FileStatus.ERROR: "was not loaded: no record of it takes part",
    FileStatus.ROLLBACK: "is rolled back already",
    FileStatus.FINALIZED: "is finalized: all its transactions are settled",
}
