"""In which fields the two records of a pair differ."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.record import ColumnType
from finance.process.matching import Tolerance
from finance.recon.columns import Column, column, kind_of, plain_text, taken, unequal
from finance.recon.slots import Mask, Places
from finance.recon.status import FIELDS

EXACT = Tolerance()


def differing(
    ours: pd.DataFrame,
    theirs: pd.DataFrame,
    rows: tuple[Places, Places],
    fields: Sequence[str],
    tolerances: Mapping[str, Tolerance],
) -> NDArray[np.uint32]:
    """For each pair (row of ours, row of theirs) the fields in which they differ, as the number of
    finance/recon/status.py. Fields agree where one side has none, and within their tolerance."""
    found = np.zeros(len(rows[0]), np.uint32)
    for field in fields:
        mine, other = column(ours, field, rows[0]), column(theirs, field, rows[1])
        apart = differ(mine, other, field, tolerances.get(field, EXACT))
        found[apart] |= np.uint32(1 << FIELDS.index(field))
    return found


def differ(mine: Column, other: Column, field: str, tolerance: Tolerance) -> Mask:
    """Where the two columns differ by more than is tolerated."""
    apart = unequal(mine, other)
    places = np.flatnonzero(apart)
    if places.size:
        # Few pairs come this far, so that what is exact may be slow.
        apart[places] = _truly(taken(mine, places), taken(other, places), field, tolerance)
    return apart


def _truly(mine: Column, other: Column, field: str, tolerance: Tolerance) -> Mask:
    kind = kind_of(field)
    if kind is ColumnType.TEXT:
        return unequal(plain_text(mine), plain_text(other))
    pairs: list[tuple[Any, Any]] = list(zip(mine.to_pylist(), other.to_pylist(), strict=True))
    if kind is ColumnType.UNITS:
        return np.array([_amount(a) != _amount(b) for a, b in pairs], np.bool_)
    if kind is ColumnType.CENTS:
        return np.array([not within(a, b, tolerance) for a, b in pairs], np.bool_)
    days = timedelta(days=tolerance.days)
    return np.array([abs(a - b) > days for a, b in pairs], np.bool_)


def within(ours: int, theirs: int, tolerance: Tolerance) -> bool:
    """Whether two amounts in cents differ by no more than is tolerated. Exact: no rounding."""
    apart = abs(ours - theirs)
    if not tolerance.cents and not tolerance.percent:
        return not apart
    if tolerance.cents and apart > tolerance.cents:
        return False
    return not tolerance.percent or apart * 100 <= tolerance.percent * abs(ours)


def _amount(text: str) -> Any:  # noqa: ANN401 (a number, or what is none)
    try:
        return Decimal(text)
    except InvalidOperation:
        return text
