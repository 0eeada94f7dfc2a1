"""Reading: a file's parts into blocks of records, whatever kind of file it is."""

from collections.abc import Iterator

from domain.extract import ExtractName
from finance.inbox.name import remarks_on_name
from finance.inbox.reading.block import Block, Tally
from finance.inbox.reading.csv_file import CsvFile
from finance.inbox.reading.header import header_remarks
from finance.inbox.reading.workbook import SIGNATURE, WorkbookFile
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.settings import FinanceSettings


class FileReading:
    """Takes a file's parts in order, each but the last of at least four bytes, and gives blocks of
    records in the order of their lines. Raises LayoutError for a file that is not laid out as the
    process's settings say."""

    def __init__(self, process: ReconciliationProcess, settings: FinanceSettings) -> None:
        self._process = process
        self._settings = settings
        self._file: CsvFile | WorkbookFile | None = None
        self.tally = Tally()

    def feed(self, part: bytes, *, last: bool) -> Iterator[Block]:
        """The blocks that are whole now. The next part may be given when all were taken."""
        if self._file is None:
            kind = WorkbookFile if part.startswith(SIGNATURE) else CsvFile
            self._file = kind(self._process, self._settings)
        for block in self._file.feed(part, last=last):
            self.tally.add(block)
            yield block

    def remarks(self, file_name: str, party: str) -> tuple[str, ...]:
        """At the end: where the file's name or its header do not agree with what is in it, and
        with whom it is from."""
        provider = self._process.kind is ProcessKind.PROVIDER
        usual = ExtractName.MARKOFF if provider else ExtractName.MARKUP
        remarks = remarks_on_name(file_name, party, usual)
        if self._file is not None and self._file.is_extract:
            remarks += header_remarks(
                self._file.header,
                self.tally.body_lines,
                self.tally.stated_cents,
                party,
                self._process.currency,
            )
        return tuple(remarks)
