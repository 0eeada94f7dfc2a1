"""One line of a file as it came in, out of the archive."""

import asyncio

from domain.inbox import FileUploaded
from finance.context import Context
from finance.inbox.parts import unpacked
from finance.inbox.reading.lines import LineCutter

_WORKBOOK = b"PK\x03\x04"
TEXT_CHARACTERS_MAX = 2_000


async def raw_line(context: Context, upload: FileUploaded, line: int, encoding: str) -> str | None:
    """The text of the physical line number `line`, cut; None for a workbook, which has no lines,
    and where the file is shorter. Reads the file's parts up to that line, one at a time. Raises
    NotArchived, psycopg.Error, DamagedPartError."""
    cutter = LineCutter(context.settings.line_bytes_max)
    async with context.connect() as connection:
        for number, sha256 in enumerate(upload.parts, 1):
            packed = await context.archive.get(connection, sha256)
            part = await asyncio.to_thread(unpacked, packed, context.settings.part_bytes)
            if number == 1 and part.startswith(_WORKBOOK):
                return None
            lines = cutter.feed(part, last=number == len(upload.parts))
            there = lines.content.count(b"\n")
            if line < lines.first + there:
                found = lines.content.split(b"\n", line - lines.first + 1)[line - lines.first]
                text = found.rstrip(b"\r").decode(encoding, "replace")
                return text[:TEXT_CHARACTERS_MAX]
    return None
