"""Frames of records as tests want them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from projections.frame import SCHEMA, encoded

DAY = date(2026, 3, 8)


def frame(lines: int, columns: Mapping[str, Sequence[Any]] | None = None) -> bytes:
    """Records of the lines from 1 to `lines`, worth 0, 1, 2 ... cents on DAY; `columns` says
    otherwise."""
    values: dict[str, Sequence[Any]] = {
        "ref": [line << 1 for line in range(1, lines + 1)],
        "business_date": [DAY] * lines,
        "amount_minor": range(lines),
        **(columns or {}),
    }
    rows = [{name: column[at] for name, column in values.items()} for at in range(lines)]
    return encoded(pa.Table.from_pylist(rows, schema=SCHEMA))
