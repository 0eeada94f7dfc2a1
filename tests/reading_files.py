"""What a file's bytes become, for tests of reading."""

from collections.abc import Iterable
from typing import Any

import msgspec

from domain.inbox import LineException
from domain.record import line_of
from finance.inbox.reading.block import Block, Tally
from finance.inbox.reading.reading import FileReading
from finance.process.layout import Layout
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.settings import FinanceSettings

PROCESS = ReconciliationProcess(id="ipay", name="iPay", kind=ProcessKind.PROVIDER, party="ipay")
SETTINGS = FinanceSettings(line_bytes_max=2_000)


class Read(msgspec.Struct, frozen=True):
    """The records, each as a dict with its `line`, and what else there is."""

    records: list[dict[str, Any]]
    exceptions: list[LineException]
    blocks: list[Block]
    tally: Tally
    remarks: tuple[str, ...]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        """Line and reason of each exception."""
        return [(one.line, one.reason) for one in self.exceptions]

    def column(self, name: str) -> list[Any]:
        return [record[name] for record in self.records]


def with_layout(layout: Layout, **changes: Any) -> ReconciliationProcess:  # noqa: ANN401
    """The process with another layout, and other settings."""
    return msgspec.structs.replace(PROCESS, layout=layout, **changes)


def cut(content: bytes, size: int) -> list[bytes]:
    """The bytes in parts of `size`."""
    return [content[at : at + size] for at in range(0, len(content), size)]


def read(
    content: bytes | Iterable[bytes],
    process: ReconciliationProcess = PROCESS,
    *,
    settings: FinanceSettings = SETTINGS,
    name: str = "sales.csv",
) -> Read:
    """The file read, in parts if it is given so."""
    parts = [content] if isinstance(content, bytes) else list(content)
    reading = FileReading(process, settings)
    blocks: list[Block] = []
    for number, part in enumerate(parts, 1):
        blocks += reading.feed(part, last=number == len(parts))
    records = [
        {**record, "line": line_of(record["ref"])}
        for block in blocks
        for record in block.records.to_pylist()
    ]
    exceptions = [one for block in blocks for one in block.exceptions]
    return Read(records, exceptions, blocks, reading.tally, reading.remarks(name, process.party))
