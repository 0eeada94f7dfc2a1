"""Records of a process by their refs, out of the frames in the archive."""

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.reconciliation import Admitted
from domain.record import RecordKind
from finance.context import Context
from projections.frame import SCHEMA, decoded

Refs = NDArray[np.int64]
Progress = Callable[[int, int], None]
"""Called with (done, in all)."""


class MissingRecordError(Exception):
    """A record that the process's stream names is in none of its frames."""


async def records(
    context: Context,
    files: Mapping[int, Admitted],
    refs: Refs,
    columns: Collection[str],
    progress: Progress | None = None,
) -> pa.Table:
    """`ref` and `columns` of these records, in their order (each once, 0 left out). One frame at a
    time is in memory. Raises MissingRecordError, NotArchived and what the database raises."""
    wanted = np.unique(refs[refs != 0])
    numbers = np.unique(wanted >> 32).tolist()
    frames = [(number, sha) for number in numbers for sha in _frames(files, number)]
    parts = [_empty(columns)]
    async with context.connect() as connection:
        for done, (number, sha256) in enumerate(frames):
            frame = decoded(await context.archive.get(connection, sha256), number, columns)
            here = np.isin(_refs(frame), wanted, assume_unique=True)
            if here.any():
                parts.append(frame.filter(pa.array(here)))
            if progress is not None:
                progress(done + 1, len(frames))
    found = pa.concat_tables(parts)
    return found.take(_places(_refs(found), refs[refs != 0]))


def places(table: pa.Table, refs: Refs) -> NDArray[np.int64]:
    """The row of each ref, all of which are there."""
    return _places(_refs(table), refs)


def purchases_named(table: pa.Table, ids: Collection[str]) -> dict[str, int]:
    """The first row of each purchase whose transaction id is among `ids`."""
    kind, wanted = table["message_type"].to_numpy(), pa.array(sorted(ids), pa.string())
    column = table["transaction_id"].cast(pa.string())
    named = pc.is_in(column, value_set=wanted)  # pyright: ignore[reportUnknownMemberType]
    at = np.flatnonzero(named.to_numpy().astype(bool) & (kind == RecordKind.PURCHASE.value))
    found: dict[str, int] = {}
    for name, row in zip(column.take(at).to_pylist(), at.tolist(), strict=True):
        found.setdefault(str(name), row)
    return found


def _frames(files: Mapping[int, Admitted], number: int) -> Iterable[str]:
    if number not in files:
        raise MissingRecordError(f"file {number} takes no part, but its records are named")
    return files[number].frames


def _places(have: Refs, refs: Refs) -> NDArray[np.int64]:
    order = np.argsort(have, kind="stable")
    at = np.minimum(np.searchsorted(have[order], refs), max(len(have) - 1, 0))
    missing = refs if not len(have) else refs[have[order][at] != refs]
    if len(missing):
        raise MissingRecordError(f"no frame has the record {int(missing[0])}")
    return order[at]


def _refs(table: pa.Table) -> Refs:
    return table["ref"].to_numpy()


def _empty(columns: Collection[str]) -> pa.Table:
    return SCHEMA.empty_table().select(["ref", *(name for name in columns if name != "ref")])
