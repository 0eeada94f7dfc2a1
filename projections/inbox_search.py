"""What the inbox's pages ask: files by process and status, one file, its exceptions, what awaits
approval; and what the worker has to do."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from projections.inbox import COLUMNS, FileRow, Inbox
from projections.keyset import Cursor, Page, read_page
from projections.projection import Connection, schema_of
from projections.reading import Reading

EXPORT_BATCH = 1_000

_FILE = f"{schema_of(Inbox.name)}.file"
_EXCEPTION = f"{schema_of(Inbox.name)}.exception"
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM {_FILE}"  # noqa: S608 (names of our own)
_PENDING = """(status = 'QUEUED'
    OR (status = 'LOADED' AND rollback_by IS NOT NULL AND NOT withdrawing))"""
FILE_KEYS = (datetime, str)
"""The kinds of a mark's values on pages of files (projections.keyset.cursor_of)."""
EXCEPTION_KEYS = (int,)


class ExceptionRow(msgspec.Struct, frozen=True):
    """A line that could not be read."""

    line: int
    text: str
    reason: str


class Task(StrEnum):
    """What the worker has to do with a file."""

    LOAD = "LOAD"
    """Load it, or let it take part."""
    WITHDRAW = "WITHDRAW"


class Due(msgspec.Struct, frozen=True):
    """Something to do."""

    file_id: str
    process: str
    task: Task


async def files(
    reading: Reading,
    *,
    process: str = "",
    status: str = "",
    cursor: Cursor | None = None,
    limit: int,
) -> Page[FileRow]:
    """A page of files, latest upload first; "" does not restrict."""
    conditions: list[str] = []
    if process:
        conditions.append("process = %(process)s")
    if status:
        conditions.append("status = %(status)s")
    return await _file_page(
        reading, conditions, {"process": process, "status": status}, cursor, limit, latest=True
    )


async def pending_approvals(
    reading: Reading, *, process: str = "", cursor: Cursor | None = None, limit: int
) -> Page[FileRow]:
    """A page of files whose upload (QUEUED) or rollback (`rollback_by`) awaits approval, earliest
    upload first."""
    conditions = [_PENDING, "process = %(process)s"] if process else [_PENDING]
    return await _file_page(reading, conditions, {"process": process}, cursor, limit, latest=False)


async def _file_page(
    reading: Reading,
    conditions: Sequence[str],
    parameters: dict[str, Any],
    cursor: Cursor | None,
    limit: int,
    *,
    latest: bool,
) -> Page[FileRow]:
    return await read_page(
        reading,
        select=_SELECT,
        conditions=conditions,
        keys=("uploaded_at", "file_id"),
        descending=latest,
        parameters=parameters,
        cursor=cursor,
        limit=limit,
        make=_row,
        key_of=lambda row: (row.uploaded_at, row.file_id),
    )


async def one_file(reading: Reading, file_id: str) -> FileRow | None:
    """The file of this id."""
    rows = await reading.rows(f"{_SELECT} WHERE file_id = %s", (file_id,))
    return _row(rows[0]) if rows else None


async def exceptions(
    reading: Reading, file_id: str, *, cursor: Cursor | None = None, limit: int
) -> Page[ExceptionRow]:
    """A page of a file's exceptions, by line."""
    return await read_page(
        reading,
        select=f"SELECT line, text, reason FROM {_EXCEPTION}",  # noqa: S608 (names of our own)
        conditions=["file_id = %(file_id)s"],
        keys=("line",),
        descending=False,
        parameters={"file_id": file_id},
        cursor=cursor,
        limit=limit,
        make=lambda row: ExceptionRow(*row),
        key_of=lambda row: (row.line,),
    )


async def every_exception(reading: Reading, file_id: str) -> AsyncGenerator[ExceptionRow]:
    """All of a file's exceptions, by line, read as they are taken."""
    cursor: Cursor | None = None
    while True:
        page = await exceptions(reading, file_id, cursor=cursor, limit=EXPORT_BATCH)
        for row in page.rows:
            yield row
        if page.later is None:
            return
        cursor = Cursor((page.rows[-1].line,))


_DUE = f"""
    SELECT file_id, process, withdrawing FROM {_FILE}
    WHERE status = 'LOADING' OR withdrawing OR (status = 'LOADED' AND admitted IS NULL)
    ORDER BY changed_at, file_id LIMIT %s
""".encode()  # noqa: S608 (names of our own)


async def due_files(connection: Connection, limit: int) -> list[Due]:
    """What the worker has to do, longest waiting first."""
    cursor = await connection.execute(_DUE, (limit,))
    return [
        Due(file_id, process, Task.WITHDRAW if withdrawing else Task.LOAD)
        for file_id, process, withdrawing in await cursor.fetchall()
    ]


def _row(row: Sequence[Any]) -> FileRow:
    return FileRow(**dict(zip(COLUMNS, row, strict=True)))
