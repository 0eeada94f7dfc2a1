"""Columns of a frame of records, made comparable.

In text only letters and digits count, in upper case: parties write the same reference with and
without hyphens. What has none of them is absent, as an empty text is.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.record import COLUMNS, ColumnType
from finance.recon.slots import Mask, Places, Refs

Column: TypeAlias = "pa.Array[Any]"

_compute: Any = pc  # its stubs know little of arrays of any type

SIGNS_MAX = 12
"""Different signs that are taken out of a column one after another; with more, all at once."""

_ARROW_TEXT_BYTES_MAX = 2**31 - 1
_NO_SIGN = r"[^\p{L}\p{N}]"
_ALPHANUMERIC = np.array([chr(code).isalnum() for code in range(128)])


def kind_of(field: str) -> ColumnType:
    """How a field's values are compared; `business_date` is no column of a file."""
    return COLUMNS.get(field, ColumnType.DATE)


def column(frame: pd.DataFrame, field: str, rows: Places | None = None) -> Column:
    """The field's values, of all rows or of these, as they are; absent is null."""
    found: Any = pa.array(frame[field], from_pandas=True)
    if _is_chunked(found):
        if found.nbytes > _ARROW_TEXT_BYTES_MAX and pa.types.is_string(found.type):
            found = found.cast(pa.large_string())
        found = found.combine_chunks()
    return found if rows is None else taken(found, rows)


def taken(values: Column, rows: Places) -> Column:
    """The values of these rows, in their order."""
    found: Any = values.take(cast("Any", pa.array(rows)))
    return found


def unequal(first: Column, second: Column) -> Mask:
    """Where two columns have different values; absent differs from nothing."""
    apart = _compute.fill_null(_compute.not_equal(first, second), False)
    return np.array(apart.to_numpy(zero_copy_only=False), np.bool_)


def plain_text(texts: Column) -> Column:
    """Letters and digits of each text, in upper case; null where there are none."""
    plain: Any = texts.cast(pa.large_string())
    signs = _ascii_signs(plain)
    if signs is None or len(signs) > SIGNS_MAX:
        plain = _compute.replace_substring_regex(_compute.utf8_upper(plain), _NO_SIGN, "")
    else:
        plain = _compute.ascii_upper(plain)
        for sign in signs:
            plain = _compute.replace_substring(plain, sign, "")
    empty = _compute.equal(plain, "")
    if _compute.any(empty).as_py():
        return _compute.if_else(empty, pa.scalar(None, plain.type), plain)
    return plain


def key_codes(sides: Sequence[pd.DataFrame], fields: Sequence[str], rows: Sequence[Places]) -> Refs:
    """A number for each of the rows of one side, then of the other: equal where all of the fields
    are equal, and -1 where one of them is absent. Numbers are below some few times the rows."""
    total = sum(len(of_side) for of_side in rows)
    codes, values = np.zeros(total, np.int64), 1
    for field in fields:
        parts = [_comparable(*part, field) for part in zip(sides, rows, strict=True)]
        found, count = _encoded(parts)
        codes, values = _combined(codes, values, found, count, limit=4 * total + 1)
    return codes


def _is_chunked(values: object) -> bool:
    return isinstance(values, pa.ChunkedArray)


def _comparable(frame: pd.DataFrame, rows: Places, field: str) -> Column:
    found: Any = column(frame, field, None if len(rows) == len(frame) else rows)
    match kind_of(field):
        case ColumnType.TEXT | ColumnType.UNITS:
            return plain_text(found)
        case ColumnType.DATE:
            return found.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
        case _:
            return found.cast(pa.int64())


def _encoded(parts: Sequence[Column]) -> tuple[Refs, int]:
    """Numbers from 0 for the values, -1 for null; and how many there are."""
    whole: Any = pa.concat_arrays(cast("Any", parts)).dictionary_encode()
    codes = _compute.fill_null(whole.indices, -1).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64), len(whole.dictionary)


def _combined(codes: Refs, values: int, more: Refs, count: int, limit: int) -> tuple[Refs, int]:
    absent = (codes < 0) | (more < 0)
    both = codes * max(count, 1) + more
    both[absent] = -1
    values *= max(count, 1)
    if values <= limit:
        return both, values
    dense, count = _encoded([pa.array(both)])
    dense[absent] = -1
    return dense, count


def _ascii_signs(texts: Column) -> list[str] | None:
    """Which signs there are; None: not all of it is ASCII."""
    if not _compute.all(_compute.string_is_ascii(texts)).as_py():
        return None
    data = texts.buffers()[2]
    if data is None:
        return []
    # A slice of a larger array shows the larger one's signs, too: that costs time, no more.
    present = np.zeros(256, np.bool_)
    present[np.frombuffer(cast("Any", data), np.uint8)] = True
    found: NDArray[np.int64] = np.flatnonzero(present[:128] & ~_ALPHANUMERIC)
    return [chr(code) for code in found.tolist()]
