"""A report's file as it lies in the archive, for whoever takes it out of the outbox."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from domain.outbox import Report, ReportFile, report_stream
from finance.context import Context


class NoSuchReportError(ValueError):
    """There is no such report, or not in this form."""


@dataclass(frozen=True)
class Download:
    """A file on its way out: `parts` are its bytes in order, each checked against its checksum."""

    file_name: str
    size_bytes: int
    parts: AsyncGenerator[bytes]


class Reports:
    """Gives out what was made; changes nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def download(self, report_id: str, form: str) -> Download:
        """The report's file of this form (csv, xlsx, pdf). Raises NoSuchReportError, and what the
        ledger raises."""
        report = await self._context.state(report_stream(report_id), Report())
        if report.made is None:
            raise NoSuchReportError(f"there is no report {report_id[:100]!r}")
        for file in report.made.files:
            if file.form == form:
                return Download(file.file_name, file.size_bytes, self._parts(file))
        there = ", ".join(file.form for file in report.made.files)
        raise NoSuchReportError(f"this report has no {form[:20]!r}; it is there as {there}")

    async def _parts(self, file: ReportFile) -> AsyncGenerator[bytes]:
        async with self._context.connect() as connection:
            for part in file.parts or (file.content,):
                yield await self._context.archive.get(connection, part)
