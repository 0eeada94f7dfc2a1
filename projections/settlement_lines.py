"""Lines of settlements with what their records say, from the frames in the archive, by COPY."""

import io
from collections import OrderedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow.csv import WriteOptions, write_csv

from ledger import Archive
from projections.frame import decoded
from projections.projection import Connection

RANGES_MAX = 10_000
"""Frames whose first and last ref are remembered."""

# The record's column → the read model's.
_OF_RECORD = {
    "business_date": "business_date",
    "transaction_time": "transaction_time",
    "transaction_id": "transaction_id",
    "original_id": "original_id",
    "message_type": "message_type",
    "settlement_entity_id": "provider",
    "client_id": "client",
    "channel_id": "channel",
    "receiver_id": "receiver",
    "utility_type": "utility_type",
    "meter_id": "meter",
    "provider_reference": "provider_reference",
}
FIGURES = (
    "settlement_id",
    "ref",
    "principal_cents",
    "commission_cents",
    "commission_vat_cents",
    "net_cents",
    "fee",
)
"""The columns that an event says itself."""
_COLUMNS = ("process", *FIGURES, *_OF_RECORD.values())

Refs = NDArray[np.int64]


class LineWriter:
    """Writes `settlement_line`. A frame is content by its checksum, so its refs never change."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._ranges: OrderedDict[tuple[str, int], tuple[int, int]] = OrderedDict()

    async def write(self, connection: Connection, process: str, lines: pa.Table) -> None:
        """`lines` has the columns of `FIGURES`. One whose record no frame has is written all the
        same, without what the record would say: its figures are part of the totals."""
        refs = _refs(lines)
        found = np.zeros(len(refs), dtype=bool)
        for file in np.unique(refs >> 32).tolist():
            for sha256 in await _frames(connection, process, file):
                wanted = self._wanted(sha256, file, refs)
                if not wanted.any():
                    continue
                frame = decoded(
                    await self._archive.get(connection, sha256), file, tuple(_OF_RECORD)
                )
                self._remember(sha256, file, _refs(frame))
                here = wanted & np.isin(refs, _refs(frame))
                found |= here
                if here.any():
                    await _copy(connection, process, _joined(lines.filter(pa.array(here)), frame))
        if not found.all():
            await _copy(connection, process, lines.filter(pa.array(~found)))

    def _wanted(self, sha256: str, file: int, refs: Refs) -> NDArray[np.bool_]:
        """Which of `refs` the frame may have."""
        known = self._ranges.get((sha256, file))
        if known is None:
            return refs >> 32 == file
        return (refs >= known[0]) & (refs <= known[1])

    def _remember(self, sha256: str, file: int, refs: Refs) -> None:
        if len(refs):
            self._ranges[sha256, file] = (int(refs.min()), int(refs.max()))
        if len(self._ranges) > RANGES_MAX:
            self._ranges.popitem(last=False)


def _refs(table: pa.Table) -> Refs:
    return table["ref"].to_numpy()


async def _frames(connection: Connection, process: str, file: int) -> list[str]:
    cursor = await connection.execute(
        "SELECT sha256 FROM frame WHERE process = %s AND file = %s ORDER BY number",
        (process, file),
    )
    return [row[0] for row in await cursor.fetchall()]


def _joined(lines: pa.Table, frame: pa.Table) -> pa.Table:
    """`lines`, all of which the frame has, with their records' columns."""
    order = np.argsort(_refs(frame), kind="stable")
    at = order[np.searchsorted(_refs(frame)[order], _refs(lines))]
    records = frame.take(at)
    for column, name in _OF_RECORD.items():
        lines = lines.append_column(name, records[column])
    return lines


async def _copy(connection: Connection, process: str, lines: pa.Table) -> None:
    """Those of its columns that `lines` has; the rest are null."""
    lines = lines.append_column("process", pa.array([process] * len(lines), pa.string()))
    names = [name for name in _COLUMNS if name in lines.schema.names]
    target = io.BytesIO()
    write_csv(_writable(lines.select(names)), target, WriteOptions(include_header=False))
    statement = f"COPY settlement_line ({', '.join(names)}) FROM STDIN (FORMAT csv)"
    async with connection.cursor().copy(statement.encode()) as copy:
        await copy.write(target.getvalue())


def _writable(lines: pa.Table) -> pa.Table:
    """PostgreSQL has no text with a zero byte, and one such line must not hold up the rest."""
    for number, name in enumerate(lines.schema.names):
        if lines.schema.types[number] == pa.string():
            plain = pc.replace_substring(lines[name].cast(pa.string()), "\0", "")
            lines = lines.set_column(number, name, plain)
    return lines
