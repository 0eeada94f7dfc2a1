"""A file's story in words: who did what with it and when, and how its loading went."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from domain.event import Event
from domain.inbox import (
    FileApproved,
    FileFailed,
    FileFinalized,
    FileLoaded,
    FileRejected,
    FileRolledBack,
    FileSource,
    FileUploaded,
    InboxFile,
    LineException,
    LinesLoaded,
    RollbackApproved,
    RollbackRefused,
    RollbackRejected,
    RollbackRequested,
)
from domain.steered import Steered

SWITCH = "switch"
SOURCES = {
    FileSource.CONSOLE: "at the console",
    FileSource.COMMAND_LINE: "by command",
    FileSource.SFTP: "from an SFTP server",
    FileSource.S3: "from an S3 bucket",
}


class Step(msgspec.Struct, frozen=True):
    """One line of the story."""

    at: datetime
    what: str
    by: str = SWITCH
    role: str = ""
    comment: str = ""


def file_of(events: Iterable[Event]) -> InboxFile:
    """What its events come to."""
    state = InboxFile()
    for version, event in enumerate(events, 1):
        state = state.after(event, version)
    return state


def steps(events: Sequence[Event]) -> list[Step]:
    """The story, newest first. Loading is one line for as long as nothing came between."""
    found: list[Step] = []
    loading: list[LinesLoaded] = []
    for event in events:
        if isinstance(event, LinesLoaded):
            loading.append(event)
            continue
        if loading:
            found.append(_loading(loading))
            loading = []
        what = _what(event)
        if what is None:
            continue
        if isinstance(event, Steered):
            found.append(Step(event.at, what, event.by, event.role, event.comment))
        else:
            found.append(Step(event.at, what))
    if loading:
        found.append(_loading(loading))
    return found[::-1]


def exceptions(events: Iterable[Event]) -> list[LineException]:
    """The lines that could not be read in the last attempt to load it, by number."""
    found: list[LineException] = []
    for event in events:
        if isinstance(event, FileUploaded):
            found = []
        elif isinstance(event, LinesLoaded):
            found += event.exceptions
    return found


def loaded(events: Iterable[Event]) -> FileLoaded | None:
    """How its loading ended; None while it has not, or has not again since it came anew."""
    found: FileLoaded | None = None
    for event in events:
        if isinstance(event, FileUploaded):
            found = None
        elif isinstance(event, FileLoaded):
            found = event
    return found


def _loading(parts: Sequence[LinesLoaded]) -> Step:
    records = sum(part.records for part in parts)
    bad = sum(len(part.exceptions) for part in parts)
    out = sum(part.left_out for part in parts)
    said = f"Lines {parts[0].first_line} to {parts[-1].last_line} read: {records} records"
    if bad:
        said += f", {bad} exceptions"
    if out:
        said += f", {out} lines that moved no money left out"
    return Step(parts[-1].at, f"{said}.")


def _what(event: Event) -> str | None:
    match event:
        case FileUploaded():
            mending = f", to mend {event.corrects}" if event.corrects else ""
            return (
                f"Uploaded {SOURCES[event.source]} as {event.file_name}"
                f" ({event.size_bytes} bytes){mending}."
            )
        case FileApproved():
            return "Approved: it may be loaded."
        case FileRejected():
            return "Rejected: it is not loaded."
        case FileLoaded():
            return f"Loaded: {event.records} records, {event.exceptions} exceptions."
        case FileFailed():
            return f"Nothing of it could be loaded: {event.reason}"
        case RollbackRequested():
            return "Rollback asked for."
        case RollbackApproved():
            return "Rollback approved."
        case RollbackRejected():
            return "Rollback rejected: it stays."
        case RollbackRefused():
            return f"It can't be withdrawn: {event.reason}"
        case FileRolledBack():
            return "Withdrawn with its records."
        case FileFinalized():
            return "Finalized: all its transactions are settled or closed."
        case _:
            return None
