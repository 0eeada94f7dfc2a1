"""A file in the inbox of a reconciliation process: uploaded by one person, approved by another,
loaded line by line, and withdrawn or finalized in the end.

The same bytes at the same process are the same file, whatever their name: the stream's name comes
from them, so a file given twice loses at the database.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

import msgspec

from domain.event import Event
from domain.steered import Steered


class FileStatus(StrEnum):
    """Where a file is, in the product's words."""

    QUEUED = "QUEUED"
    """Awaits approval."""
    LOADING = "LOADING"
    LOADED = "LOADED"
    """All records, or some with exceptions."""
    ERROR = "ERROR"
    """No record loaded: unreadable, or its upload was rejected."""
    ROLLBACK = "ROLLBACK"
    """Withdrawn with its records."""
    FINALIZED = "FINALIZED"
    """All its transactions are settled."""


class FileSource(StrEnum):
    """How it came in."""

    CONSOLE = "CONSOLE"
    COMMAND_LINE = "COMMAND_LINE"
    SFTP = "SFTP"
    S3 = "S3"


class LineException(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line that could not be read: its number from 1, its text (cut), why."""

    line: int
    text: str
    reason: str


class FileUploaded(Steered, frozen=True, kw_only=True):
    """Its bytes are in the archive under `parts`, in order. `party` is who made it. `corrects`: the
    file whose exceptions it mends."""

    process: str
    party: str
    file_name: str
    sha256: str
    size_bytes: int
    parts: tuple[str, ...]
    source: FileSource
    corrects: str | None = None


class FileApproved(Steered, frozen=True, kw_only=True):
    """It may be loaded."""


class FileRejected(Steered, frozen=True, kw_only=True):
    """It is not to be loaded."""


class LinesLoaded(Event, frozen=True, kw_only=True):
    """The lines from `first_line` to `last_line` were read: the frame of their records is in the
    archive (no frame: none was any good). `left_out`: lines that moved no money."""

    first_line: int
    last_line: int
    records: int
    frame: str | None = None
    left_out: int = 0
    exceptions: tuple[LineException, ...] = ()


class FileLoaded(Event, frozen=True, kw_only=True):
    """All of it was read. `total_cents`: purchases less reversals. Dates are business dates.
    `remarks`: where its header does not agree with its body."""

    records: int
    exceptions: int
    total_cents: int
    first_date: str | None = None
    last_date: str | None = None
    left_out: int = 0
    remarks: tuple[str, ...] = ()


class FileFailed(Event, frozen=True, kw_only=True):
    """Nothing of it could be loaded."""

    reason: str


class RollbackRequested(Steered, frozen=True, kw_only=True):
    """Somebody wants it withdrawn."""


class RollbackApproved(Steered, frozen=True, kw_only=True):
    """It is to be withdrawn, unless one of its records is settled."""


class RollbackRejected(Steered, frozen=True, kw_only=True):
    """It stays."""


class RollbackRefused(Event, frozen=True, kw_only=True):
    """It can't be withdrawn any more."""

    reason: str


class FileRolledBack(Event, frozen=True, kw_only=True):
    """Its records are withdrawn from the process. The same file may be uploaded again."""


class FileFinalized(Event, frozen=True, kw_only=True):
    """All its records are settled or closed; nothing can be done with it any more."""


class InboxFile(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a file's events fold into. `version` 0: never uploaded."""

    version: int = 0
    upload: FileUploaded | None = None
    status: FileStatus | None = None
    approved: bool = False
    loaded_lines: int = 0
    """Lines read so far in this attempt."""
    frames: tuple[str, ...] = ()
    records: int = 0
    exceptions: int = 0
    left_out: int = 0
    rollback_by: str | None = None
    """Who wants it withdrawn, until that is decided."""
    withdrawing: bool = False
    reason: str = ""

    def after(self, event: Event, version: int) -> Self:
        """The state after `event`."""
        return msgspec.structs.replace(self, **{**self._change(event), "version": version})

    def _change(self, event: Event) -> Mapping[str, object]:
        match event:
            case FileUploaded():
                fresh = InboxFile(upload=event, status=FileStatus.QUEUED)
                return msgspec.structs.asdict(fresh)
            case FileApproved():
                return {"status": FileStatus.LOADING, "approved": True}
            case FileRejected():
                return {"status": FileStatus.ERROR, "reason": f"rejected: {event.comment}"}
            case LinesLoaded():
                return self._after_lines(event)
            case FileLoaded():
                return {"status": FileStatus.LOADED}
            case FileFailed():
                return {"status": FileStatus.ERROR, "reason": event.reason}
            case RollbackRequested():
                return {"rollback_by": event.by}
            case RollbackApproved():
                return {"withdrawing": True}
            case RollbackRejected() | RollbackRefused():
                return {"rollback_by": None, "withdrawing": False}
            case FileRolledBack():
                return {"status": FileStatus.ROLLBACK, "rollback_by": None, "withdrawing": False}
            case FileFinalized():
                return {"status": FileStatus.FINALIZED}
            case _:
                return {}

    def _after_lines(self, event: LinesLoaded) -> Mapping[str, object]:
        return {
            "loaded_lines": event.last_line,
            "frames": (*self.frames, event.frame) if event.frame else self.frames,
            "records": self.records + event.records,
            "exceptions": self.exceptions + len(event.exceptions),
            "left_out": self.left_out + event.left_out,
        }


FILE_EVENTS = (
    FileUploaded,
    FileApproved,
    FileRejected,
    LinesLoaded,
    FileLoaded,
    FileFailed,
    RollbackRequested,
    RollbackApproved,
    RollbackRejected,
    RollbackRefused,
    FileRolledBack,
    FileFinalized,
)


def file_id(process: str, sha256: str) -> str:
    """What a file is called: its process and the first half of its checksum."""
    return f"{process}-{sha256[:32]}"


def file_stream(file: str) -> str:
    """The stream of a file, by its id."""
    return f"file/{file}"
