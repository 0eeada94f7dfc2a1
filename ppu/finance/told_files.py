"""What the commands about files tell a person, and a program."""

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.inbox import FileStatus, InboxFile
from projections.inbox import FileRow

SHOWN_EXCEPTIONS = 20


class FileTold(msgspec.Struct, frozen=True):
    """A file, as `--json` says it. `again`: it was in the inbox already."""

    file_id: str
    status: str
    records: int = 0
    exceptions: int = 0
    left_out: int = 0
    reason: str = ""
    again: bool = False
    uploaded_by: str = ""
    uploaded_at: str = ""


def told(file_id: str, state: InboxFile, *, again: bool = False) -> FileTold:
    """What there is to tell of a file that was uploaded."""
    assert state.upload is not None
    return FileTold(
        file_id=file_id,
        status=state.status.value if state.status else "",
        records=state.records,
        exceptions=state.exceptions,
        left_out=state.left_out,
        reason=state.reason,
        again=again,
        uploaded_by=state.upload.by,
        uploaded_at=state.upload.at.isoformat(),
    )


def tell(found: list[FileTold], *, as_json: bool) -> None:
    """Prints a sentence for each file, or JSON."""
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    for one in found:
        print(_sentence(one))


def _sentence(one: FileTold) -> str:
    known = f"Uploaded before, by {one.uploaded_by} at {one.uploaded_at}. " if one.again else ""
    match FileStatus(one.status):
        case FileStatus.QUEUED:
            what = (
                f"{one.file_id} awaits approval by another person than {one.uploaded_by}: "
                f"ppu finance approve {one.file_id} --as NAME"
            )
        case FileStatus.ERROR:
            what = f"{one.file_id} was not loaded: {one.reason}"
        case FileStatus.LOADED if one.exceptions:
            what = (
                f"{one.file_id} is LOADED: {one.records:,} records; {one.exceptions:,} lines could "
                f"not be read: ppu finance exceptions {one.file_id}"
            )
        case status:
            reason = f" ({one.reason})" if one.reason else ""
            what = f"{one.file_id} is {status.value}: {one.records:,} records{reason}"
    return known + what


def show_files(rows: list[FileRow]) -> None:
    """Prints the files as a table."""
    headings = ("File", "File name", "Party", "Uploaded", "By", "Status", "Records", "Exceptions")
    table = Table(*headings, box=None, pad_edge=False)
    for column in table.columns[-2:]:
        column.justify = "right"
    for row in rows:
        at = f"{row.uploaded_at:%Y-%m-%d %H:%M}Z"
        asked = row.rollback_by and row.status == FileStatus.LOADED
        table.add_row(
            row.file_id,
            Text(row.file_name),
            Text(row.party),
            at,
            Text(row.uploaded_by),
            f"{row.status}, rollback asked for" if asked else row.status,
            f"{row.records:,}",
            f"{row.exceptions:,}",
        )
    Console().print(table)


def show_exceptions(found: list[tuple[int, str, str]]) -> None:
    """Prints the first of the exceptions: (line, text, reason)."""
    table = Table("Line", "Reason", "Text", box=None, pad_edge=False)
    for line, text, why in found[:SHOWN_EXCEPTIONS]:
        table.add_row(str(line), Text(why), Text(text))
    Console().print(table)
    if len(found) > SHOWN_EXCEPTIONS:
        print(f"… and {len(found) - SHOWN_EXCEPTIONS:,} more: --output FILE.xlsx has them all")
