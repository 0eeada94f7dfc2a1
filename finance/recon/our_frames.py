"""The switch's own sales as frames of records."""

import io
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from domain.record import COLUMNS, ColumnType, RecordKind
from finance.business_day import business_days
from finance.process.calendar import Calendar
from projections.frame import SCHEMA
from projections.sales_search import BATCH_COLUMNS

Column: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"

_WHOLE = {"position", "transaction_us"} | {
    name for name, kind in COLUMNS.items() if kind is ColumnType.CENTS
}
_TYPES = {name: pa.int64() if name in _WHOLE else pa.string() for name in BATCH_COLUMNS}


@dataclass(frozen=True)
class Batch:
    """Records with the refs of file 0. `total_cents`: purchases less reversals; `last_position`:
    of the ledger, of the last record."""

    records: pa.Table
    total_cents: int
    last_position: int


def our_frame(content: bytes, calendar: Calendar, lines_before: int) -> Batch | None:
    """The records of a CSV of projections.sales_search.sales_batch, whose lines count on from
    `lines_before`; None when it has none."""
    if not content:
        return None
    sales = csv.read_csv(
        io.BytesIO(content),
        read_options=csv.ReadOptions(column_names=list(BATCH_COLUMNS), use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=_TYPES,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    microseconds: NDArray[np.int64] = sales["transaction_us"].to_numpy()
    days = pa.array(business_days(microseconds, calendar)).cast(pa.date32())
    lines = np.arange(lines_before + 1, lines_before + 1 + sales.num_rows, dtype=np.int64)
    made: dict[str, Column] = {
        "ref": pa.array(lines << 1),
        "business_date": days,
        "transaction_time": pa.array(microseconds).cast(pa.timestamp("us", tz="UTC")),
        "settlement_date": days,
    }
    ordered = [made[name] if name in made else sales[name] for name in SCHEMA.names]
    return Batch(
        records=pa.Table.from_arrays(ordered, schema=SCHEMA),
        total_cents=_total(sales),
        last_position=int(sales["position"].to_numpy()[-1]),
    )


def _total(sales: pa.Table) -> int:
    amounts: NDArray[np.int64] = sales["amount_minor"].to_numpy()
    reversal: NDArray[np.bool_] = sales["message_type"].to_numpy() == RecordKind.REVERSAL.value
    return int(np.where(reversal, -amounts, amounts).sum())
