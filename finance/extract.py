"""The switch extract: the ledger's own sales of business dates, as a file for the other party.

Approved purchases and reversals that took effect; no lookups, trials or declines. Lines are
written as they are read, so that memory stays bounded however many there are.
"""

import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from domain.extract import ExtractName, file_name
from finance.calendar import window
from finance.context import Context
from finance.extract_lines import CREATOR, Counted, body_lines, header_line
from finance.our_sales import caught_up, whose_sales
from finance.process.calendar import Calendar
from finance.process.process import ProcessKind
from projections.sales_search import Window, providers_that_sold, sales_lines, sales_total

LINES_PER_WRITE = 2_000
_UNNAMED = re.compile("[^A-Za-z0-9-]+")
_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

Progress = Callable[[int, int], None]
"""Called with (lines written, lines in all)."""


@dataclass(frozen=True)
class OpenExtract:
    """An extract about to be written: the header line, and then each of `records` lines, which can
    be read once. `total_cents` adds up all of them, reversals as purchases."""

    file_name: str
    records: int
    total_cents: int
    header: str
    lines: AsyncIterator[str]


@dataclass(frozen=True)
class Extract:
    """A file that was written."""

    process: str
    path: Path
    records: int
    total_cents: int


@asynccontextmanager
async def open_extract(
    context: Context, process_id: str, first: date, last: date
) -> AsyncGenerator[OpenExtract]:
    """The extract of the business dates `first` to `last` as of the ledger's present end. Raises
    UnknownProcessError, ValueError when the dates run backwards, and what the ledger and the
    database raise."""
    process = context.process(process_id)
    if last < first:
        raise ValueError(f"the last date, {last}, is before the first, {first}")
    await caught_up(context)
    span, whose = _span(process.calendar, first, last), whose_sales(process)
    async with context.connect() as connection, connection.transaction():
        # The header counts what the lines after it are.
        await connection.execute(_ONE_MOMENT)
        records, cents = await sales_total(connection, whose, span)
        made_at = context.clock()
        counted = Counted(records, cents, span.start, span.end, made_at)
        party = _UNNAMED.sub("-", process.party)
        yield OpenExtract(
            file_name=file_name(CREATOR, party, ExtractName.SWITCH, last, made_at),
            records=records,
            total_cents=cents,
            header=header_line(process, counted),
            lines=body_lines(process.calendar, first, sales_lines(connection, whose, span)),
        )


async def write_extract(
    context: Context,
    process_id: str,
    first: date,
    last: date,
    folder: Path,
    progress: Progress | None = None,
) -> Extract:
    """Writes the extract into `folder`, where it is whole or not at all. Raises what `open_extract`
    raises, and OSError."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 (a command line's own folder)
    async with open_extract(context, process_id, first, last) as extract:
        path = folder / extract.file_name
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            await _write(unfinished, extract, progress)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return Extract(process_id, path, extract.records, extract.total_cents)


async def not_reconciled(context: Context, first: date, last: date) -> dict[str, int]:
    """Providers that sold on these dates (of an ordinary calendar) and have no process, and how
    many lines each has: their sales are in no extract."""
    known = {p.party for p in context.processes.values() if p.kind is ProcessKind.PROVIDER}
    await caught_up(context)
    async with context.connect() as connection:
        sold = await providers_that_sold(connection, _span(Calendar(), first, last))
    return {provider: count for provider, count in sold.items() if provider not in known}


def _span(calendar: Calendar, first: date, last: date) -> Window:
    return Window(window(first, calendar)[0], window(last, calendar)[1])


async def _write(path: Path, extract: OpenExtract, progress: Progress | None) -> None:
    done, waiting = 0, [extract.header]
    with path.open("w", encoding="ascii", newline="") as file:
        async for line in extract.lines:
            waiting.append(line)
            if len(waiting) >= LINES_PER_WRITE:
                file.write("".join(waiting))
                done += len(waiting)
                waiting.clear()
                if progress is not None:
                    progress(min(done, extract.records), extract.records)
        file.write("".join(waiting))
        file.flush()
        os.fsync(file.fileno())
    if progress is not None:
        progress(extract.records, extract.records)
