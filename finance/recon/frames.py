"""The records of a process that a run looks at, out of the archive."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from datetime import date
from functools import partial
from typing import Any, NamedTuple, Self

import pandas as pd
import pyarrow as pa

from domain.record import Side
from finance.context import Context
from finance.recon.slots import Mask
from finance.recon.state import Standing
from projections.frame import SCHEMA, decoded

FRAMES_AHEAD = 2
"""Decoded beside each other: each is some megabytes."""


class Frames(NamedTuple):
    """One row a record: `ref` and the columns asked for, absent is null."""

    ours: pd.DataFrame
    theirs: pd.DataFrame


async def open_records(
    context: Context,
    standing: Standing,
    as_of: date,
    columns: Collection[str],
    seen: Callable[[int, int], None],
) -> Frames:
    """All records with business dates up to `as_of` that are not settled, closed, resolved by
    people or expired. `seen` is told how many records were read, of how many. Raises NotArchived
    and what the database raises."""
    files = [file for file in standing.process.files.values() if not standing.all_out(file.file)]
    files.sort(key=lambda file: file.file)
    total, done = sum(file.records for file in files), 0
    parts: dict[Side, list[pa.Table]] = {side: [] for side in Side}

    def kept(content: bytes, file: int) -> tuple[pa.Table, int]:
        whole = decoded(content, file, columns)
        return _kept(whole, standing, as_of), whole.num_rows

    async with context.connect() as connection, _Ahead() as ahead:

        async def take_first() -> None:
            nonlocal done
            side, part, rows = await ahead.first()
            parts[side].append(part)
            done += rows
            seen(done, total)

        for file in files:
            for sha256 in file.frames:
                if ahead.is_full:
                    await take_first()
                content = await context.archive.get(connection, sha256)
                ahead.begin(file.side, partial(kept, content, file.file))
        while ahead.reading:
            await take_first()
    return Frames(*(_frame(parts[side], columns) for side in (Side.OURS, Side.THEIRS)))


class _Ahead:
    """Frames that are being decoded while the next ones are fetched, in order."""

    def __init__(self) -> None:
        self.reading: deque[tuple[Side, asyncio.Task[tuple[pa.Table, int]]]] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(task for _, task in self.reading), return_exceptions=True)

    @property
    def is_full(self) -> bool:
        return len(self.reading) >= FRAMES_AHEAD

    def begin(self, side: Side, work: Callable[[], tuple[pa.Table, int]]) -> None:
        self.reading.append((side, asyncio.create_task(asyncio.to_thread(work))))

    async def first(self) -> tuple[Side, pa.Table, int]:
        side, task = self.reading.popleft()
        return (side, *(await task))


def _kept(records: pa.Table, standing: Standing, as_of: date) -> pa.Table:
    refs = records["ref"].to_numpy()
    days: Any = records["business_date"].combine_chunks()
    due: Mask = days.cast(pa.int32()).to_numpy() <= (as_of - date(1970, 1, 1)).days
    keep = due & ~standing.taken_out(refs)
    return records if keep.all() else records.filter(pa.array(keep))


def _frame(parts: list[pa.Table], columns: Collection[str]) -> pd.DataFrame:
    named: Any = SCHEMA
    fields: list[Any] = [named.field(name) for name in ("ref", *columns)]
    schema = pa.schema(fields)
    whole = pa.concat_tables([schema.empty_table(), *(part.select(schema.names) for part in parts)])
    frame: pd.DataFrame = whole.to_pandas(  # pyright: ignore[reportUnknownMemberType]
        types_mapper=pd.ArrowDtype
    )
    return frame


def columns_of(keys: Collection[Collection[str]], compared: Collection[str]) -> list[str]:
    """The columns that matching takes, and the business date."""
    needed = {"business_date", *(field for key in keys for field in key), *compared}
    return [name for name in SCHEMA.names if name in needed]
