"""The inbox as a read model: files of reconciliation processes, and the lines that could not be
read."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from domain.event import Event
from domain.inbox import (
    FILE_EVENTS,
    FileApproved,
    FileFailed,
    FileFinalized,
    FileLoaded,
    FileRejected,
    FileRolledBack,
    FileStatus,
    FileUploaded,
    LineException,
    LinesLoaded,
    RollbackApproved,
    RollbackRefused,
    RollbackRejected,
    RollbackRequested,
)
from domain.reconciliation import FileAdmitted, FileWithdrawn
from ledger import Recorded
from projections.projection import Connection, sql_beside


class FileRow(msgspec.Struct, kw_only=True):
    """A row of `file`, its columns in order; inbox.sql says what they mean. Times UTC."""

    file_id: str
    process: str
    party: str
    file_name: str
    sha256: str
    size_bytes: int
    source: str
    corrects: str | None = None
    uploaded_at: datetime
    uploaded_by: str
    comment: str = ""
    status: str
    reason: str = ""
    decided_at: datetime | None = None
    decided_by: str = ""
    decided_comment: str = ""
    records: int = 0
    exceptions: int = 0
    left_out: int = 0
    loaded_lines: int = 0
    loaded_at: datetime | None = None
    total_cents: int | None = None
    first_date: date | None = None
    last_date: date | None = None
    remarks: list[str] = []
    admitted: int | None = None
    rollback_by: str | None = None
    rollback_at: datetime | None = None
    rollback_comment: str = ""
    withdrawing: bool = False
    changed_at: datetime

    def apply(self, event: Event) -> None:
        """The row after an event of the file's stream, or one that names the file."""
        match event:
            case FileApproved() | FileRejected():
                self._decided(event)
            case LinesLoaded():
                self.records += event.records
                self.exceptions += len(event.exceptions)
                self.left_out += event.left_out
                self.loaded_lines = event.last_line
            case FileLoaded():
                self._loaded(event)
            case FileFailed():
                self._stands(FileStatus.ERROR, event.at, event.reason)
            case FileFinalized():
                self._stands(FileStatus.FINALIZED, event.at)
            case FileAdmitted():
                self.admitted = event.file
            case FileWithdrawn():
                self.admitted = None
            case _:
                self._rollback(event)

    def _decided(self, event: FileApproved | FileRejected) -> None:
        self.decided_at, self.decided_by = event.at, event.by
        self.decided_comment = event.comment
        if isinstance(event, FileApproved):
            self._stands(FileStatus.LOADING, event.at)
        else:
            self._stands(FileStatus.ERROR, event.at, f"rejected by {event.by}: {event.comment}")

    def _loaded(self, event: FileLoaded) -> None:
        self.loaded_at, self.total_cents = event.at, event.total_cents
        self.first_date = date.fromisoformat(event.first_date) if event.first_date else None
        self.last_date = date.fromisoformat(event.last_date) if event.last_date else None
        self.remarks = list(event.remarks)
        self._stands(FileStatus.LOADED, event.at)

    def _rollback(self, event: Event) -> None:
        match event:
            case RollbackRequested():
                self.rollback_by, self.rollback_at = event.by, event.at
                self.rollback_comment = event.comment
                self.reason = ""
            case RollbackApproved():
                self.withdrawing = True
                self.changed_at = event.at
            case RollbackRejected():
                self._rollback_ends()
                self.reason = f"rollback rejected by {event.by}: {event.comment}"
            case RollbackRefused():
                self._rollback_ends()
                self.reason = f"no rollback: {event.reason}"
            case FileRolledBack():
                self.withdrawing = False
                self._stands(FileStatus.ROLLBACK, event.at)
            case _:
                pass

    def _rollback_ends(self) -> None:
        self.rollback_by, self.rollback_at, self.rollback_comment = None, None, ""
        self.withdrawing = False

    def _stands(self, status: FileStatus, at: datetime, reason: str = "") -> None:
        self.status, self.changed_at, self.reason = status.value, at, reason


class Inbox:
    """Feeds `file` and `exception`."""

    name = "inbox"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (*FILE_EVENTS, FileAdmitted, FileWithdrawn)

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        changes: dict[str, list[Event]] = {}
        for entry in recorded:
            event = entry.event
            assert isinstance(event, Event)
            named = isinstance(event, FileAdmitted | FileWithdrawn)
            file = event.file_id if named else entry.stream.partition("/")[2]
            changes.setdefault(file, []).append(event)
        if not changes:
            return
        rows = await _rows(connection, list(changes))
        for file, events in changes.items():
            await _apply(connection, rows, file, events)
        await _write(connection, [rows[file] for file in changes])


async def _apply(
    connection: Connection, rows: dict[str, FileRow], file: str, events: list[Event]
) -> None:
    exceptions: list[LineException] = []
    for event in events:
        if isinstance(event, FileUploaded):
            rows[file] = _fresh(file, event)
            exceptions = []
            await connection.execute("DELETE FROM exception WHERE file_id = %s", (file,))
            continue
        rows[file].apply(event)
        if isinstance(event, LinesLoaded):
            exceptions += event.exceptions
    if exceptions:
        await connection.execute(
            "INSERT INTO exception SELECT %s, * FROM unnest(%s::bigint[], %s::text[], %s::text[])",
            (
                file,
                [one.line for one in exceptions],
                [one.text for one in exceptions],
                [one.reason for one in exceptions],
            ),
        )


def _fresh(file: str, event: FileUploaded) -> FileRow:
    return FileRow(
        file_id=file,
        process=event.process,
        party=event.party,
        file_name=event.file_name,
        sha256=event.sha256,
        size_bytes=event.size_bytes,
        source=event.source.value,
        corrects=event.corrects,
        uploaded_at=event.at,
        uploaded_by=event.by,
        comment=event.comment,
        status=FileStatus.QUEUED.value,
        changed_at=event.at,
    )


COLUMNS = FileRow.__struct_fields__
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM file WHERE file_id = ANY(%s)".encode()  # noqa: S608
_UPSERT = f"""
    INSERT INTO file ({", ".join(COLUMNS)}) VALUES ({", ".join(["%s"] * len(COLUMNS))})
    ON CONFLICT (file_id) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])}
""".encode()  # noqa: S608 (the columns are our own)


async def _rows(connection: Connection, files: list[str]) -> dict[str, FileRow]:
    cursor = await connection.execute(_SELECT, (files,))
    return {
        row[0]: FileRow(**dict(zip(COLUMNS, row, strict=True))) for row in await cursor.fetchall()
    }


async def _write(connection: Connection, rows: list[FileRow]) -> None:
    await connection.cursor().executemany(_UPSERT, [msgspec.structs.astuple(row) for row in rows])
