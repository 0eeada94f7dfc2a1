"""The figures of exceptions, from the read model of the inbox."""

from datetime import datetime

from finance.calendar import window
from finance.report.figures.exceptions import ExceptionFigures
from finance.report.figures.figures import Figures
from finance.report.snapshot import Snapshot
from finance.report.wanted import BATCH_ROWS, Wanted
from projections.inbox import FileRow
from projections.inbox_search import exceptions, files
from projections.keyset import Cursor


async def gather_exceptions(reading: Snapshot, wanted: Wanted) -> Figures:
    """Of the files that were uploaded within the subject: a day, week or month. Raises
    SubjectError, TooManyLinesError."""
    first, last = wanted.dates()
    calendar = wanted.process.calendar
    since, until = window(first, calendar)[0], window(last, calendar)[1]
    making = ExceptionFigures(wanted)
    try:
        for row in await _files(reading, wanted, since, until):
            making.add_file(row)
            await _add_exceptions(reading, wanted, making, row)
        return making.figures()
    except BaseException:
        making.close()
        raise


async def _files(
    reading: Snapshot, wanted: Wanted, since: datetime, until: datetime
) -> list[FileRow]:
    """The one uploaded first, first."""
    found: list[FileRow] = []
    # Every row before it in the list was uploaded at `until` or later.
    cursor: Cursor | None = Cursor((until, ""))
    while True:
        page = await files(reading, process=wanted.process.id, cursor=cursor, limit=BATCH_ROWS)
        within = [row for row in page.rows if row.uploaded_at >= since]
        found += within
        wanted.require_lines(len(found))
        if page.later is None or len(within) < len(page.rows):
            return found[::-1]
        last = page.rows[-1]
        cursor = Cursor((last.uploaded_at, last.file_id))


async def _add_exceptions(
    reading: Snapshot, wanted: Wanted, making: ExceptionFigures, row: FileRow
) -> None:
    cursor: Cursor | None = None
    while True:
        page = await exceptions(reading, row.file_id, cursor=cursor, limit=BATCH_ROWS)
        making.add(row, page.rows)
        wanted.require_lines(making.lines)
        if page.later is None:
            return
        cursor = Cursor((page.rows[-1].line,))
