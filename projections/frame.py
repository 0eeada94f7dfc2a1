"""Frames of records as they lie in the archive: Parquet, one row a record.

The columns are those of domain/record.py, an `int64` `ref` and a `business_date`; absent is null.
The refs of a frame from a file say nothing of the file (file 0): it gets its number when the
process admits it, which adds `file << 32` (domain.record.record_ref).
"""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from domain.record import COLUMNS, ColumnType

_TYPES: dict[ColumnType, pa.DataType] = {
    ColumnType.TEXT: pa.string(),
    ColumnType.CENTS: pa.int64(),
    ColumnType.TIME: pa.timestamp("us", tz="UTC"),
    ColumnType.DATE: pa.date32(),
    ColumnType.UNITS: pa.string(),
}

_REF = pa.field("ref", pa.int64(), nullable=False)
SCHEMA: pa.Schema = pa.schema(
    [
        _REF,
        pa.field("business_date", pa.date32(), nullable=False),
        *(pa.field(name, _TYPES[kind]) for name, kind in COLUMNS.items()),
    ]
)


def encoded(records: pa.Table) -> bytes:
    """`records`, which has SCHEMA, for the archive."""
    sink = pa.BufferOutputStream()
    pq.write_table(  # pyright: ignore[reportUnknownMemberType]
        records, sink, compression="zstd", compression_level=1
    )
    return sink.getvalue().to_pybytes()


def decoded(content: bytes, file: int, columns: Collection[str] | None = None) -> pa.Table:
    """The records of a frame, with the refs that they have as file number `file`; `columns`: which,
    besides `ref` (default: all)."""
    wanted = None if columns is None else ["ref", *(c for c in columns if c != "ref")]
    table = pq.read_table(  # pyright: ignore[reportUnknownMemberType]
        pa.BufferReader(content), columns=wanted, use_threads=False
    )
    refs = pc.add(table["ref"], pa.scalar(file << 32, pa.int64()))
    return table.set_column(table.schema.get_field_index("ref"), _REF, refs)
