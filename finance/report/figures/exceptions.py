"""Exceptions: the lines of the other party's files that could not be read, and why."""

from collections.abc import Sequence

from domain.inbox import FileStatus
from finance.report.figures.figures import Figures, KeyFigure, require_equal
from finance.report.figures.heading import heading
from finance.report.figures.table import Column, ColumnKind, Row, Table
from finance.report.wanted import Wanted
from projections.inbox import FileRow
from projections.inbox_search import ExceptionRow

_COUNT = ColumnKind.COUNT
_FILE = (
    Column("file_name", "File", stretch=True),
    Column("file_id", "Id", printed=False),
    Column("uploaded_at", "Uploaded", ColumnKind.TIME),
    Column("uploaded_by", "By"),
    Column("status", "Status"),
    Column("records", "Records", _COUNT, summed=True),
    Column("exceptions", "Exceptions", _COUNT, summed=True),
    Column("left_out", "Left out", _COUNT, summed=True),
    Column("reason", "Reason", printed=False),
)
_LINE = (
    Column("file_name", "File"),
    Column("file_id", "File id", printed=False),
    Column("line", "Line", _COUNT),
    Column("reason", "Reason", stretch=True),
    Column("text", "Text of the line"),
)
_NOTE = (
    "These are the files that came in on the days above. A line that can't be read does not stop"
    " the rest of its file; corrected, it may come in another file."
)


class ExceptionFigures:
    """Takes files in, with their exceptions."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._files = Table("files", "Files", _FILE, "No file came in.")
        self._lines = Table("exceptions", "Exceptions", _LINE, "Every line could be read.")
        self._failed = 0

    @property
    def lines(self) -> int:
        """Exceptions so far."""
        return len(self._lines)

    def add_file(self, row: FileRow) -> None:
        """Its exceptions follow."""
        self._files.add([_file(row)])
        self._failed += row.status == FileStatus.ERROR

    def add(self, row: FileRow, exceptions: Sequence[ExceptionRow]) -> None:
        """Exceptions of a file."""
        self._lines.add(
            (row.file_name, row.file_id, one.line, one.reason, one.text) for one in exceptions
        )

    def close(self) -> None:
        """Gives back what it holds, when no figures are made of it."""
        self._lines.close()

    def figures(self) -> Figures:
        """The report. Raises TotalsDifferError when a file's exceptions are not as many as it was
        loaded with."""
        wanted = self._wanted
        first, last = wanted.dates()
        counted = self._files.total("exceptions")
        require_equal(wanted.subject, [("exceptions", len(self._lines), counted)])
        totals = {
            "files": len(self._files),
            "records": self._files.total("records"),
            "exceptions": counted,
        }
        return Figures(
            **heading(wanted.process, wanted.made_at),
            report=wanted.report,
            subject=wanted.subject,
            title="Lines that could not be read",
            first=first,
            last=last,
            position=wanted.position,
            key=(
                KeyFigure("Exceptions", _COUNT, counted, strong=True),
                KeyFigure("Files", _COUNT, totals["files"]),
                KeyFigure("Files not loaded", _COUNT, self._failed),
                KeyFigure("Records loaded", _COUNT, totals["records"]),
            ),
            totals=totals,
            main=self._lines,
            tables=(self._files,),
            notes=(_NOTE,),
        )


def _file(row: FileRow) -> Row:
    return (
        row.file_name,
        row.file_id,
        row.uploaded_at,
        row.uploaded_by,
        row.status,
        row.records,
        row.exceptions,
        row.left_out,
        row.reason,
    )
