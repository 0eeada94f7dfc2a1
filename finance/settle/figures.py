"""What each reconciled record or pair is settled at: the winner's figures.

Pairs that agree are settled at ours. What the winner's record does not have (a file may lack the
municipality) is taken from the other one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.reconciliation import Admitted, Winner
from domain.record import RecordKind
from finance.context import Context
from finance.recon.state import Settleable
from finance.recon.status import WINNERS
from finance.settle.records import Progress, Refs, places, records

Column: TypeAlias = "pa.ChunkedArray[Any]"
Mask = NDArray[np.bool_]

_THEIRS = WINNERS.index(Winner.THEIRS)
_NEITHER = WINNERS.index(Winner.NEITHER)
_COLUMNS = (
    "business_date",
    "message_type",
    "amount_minor",
    "currency",
    "utility_type",
    "receiver_id",
    "transaction_id",
    "original_id",
)


def _is(column: Column, text: str) -> Mask:
    return np.asarray(column.to_numpy() == text, dtype=bool)


@dataclass(frozen=True)
class Figures:
    """In parallel, in order of `ref` (ours, or theirs where only they have it). `table` has
    business_date, message_type, currency, utility_type, receiver_id, transaction_id and
    original_id; `amount` is in cents and never negative, `reversal` says which way it goes."""

    ref: Refs
    amount: NDArray[np.int64]
    reversal: Mask
    table: pa.Table

    def only(self, which: Mask) -> "Figures":
        """Some of them."""
        return Figures(
            self.ref[which],
            self.amount[which],
            self.reversal[which],
            self.table.filter(pa.array(which)),
        )

    def __len__(self) -> int:
        return len(self.ref)


async def figures(
    context: Context,
    files: Mapping[int, Admitted],
    settleable: Settleable,
    progress: Progress | None = None,
) -> Figures:
    """Reads the records of what may be settled. Raises MissingRecordError, NotArchived and what the
    database raises."""
    chosen = settleable.winner != _NEITHER
    ours, theirs = settleable.ours[chosen], settleable.theirs[chosen]
    at_theirs = (settleable.winner[chosen] == _THEIRS) | (ours == 0)
    # Theirs are needed only where they count.
    loser = np.where(at_theirs, ours, 0)
    winner = np.where(at_theirs, theirs, ours)
    found = await records(
        context, files, np.unique(np.concatenate((winner, loser))), _COLUMNS, progress
    )
    table = _merged(found, winner, loser)
    ref = np.where(ours != 0, ours, theirs)
    order = np.argsort(ref, kind="stable")
    table = table.take(order)
    amount: NDArray[np.int64] = table["amount_minor"].to_numpy()
    return Figures(ref[order], amount, _is(table["message_type"], RecordKind.REVERSAL), table)


def _merged(found: pa.Table, winner: Refs, loser: Refs) -> pa.Table:
    """The winners' columns, with the losers' where a winner has none."""
    best = found.take(places(found, winner))
    with_loser = np.flatnonzero(loser)
    if not len(with_loser):
        return best
    rest = found.take(places(found, loser[with_loser]))
    at = np.full(len(winner), -1, dtype=np.int64)
    at[with_loser] = np.arange(len(with_loser))
    index: Any = pa.array(at, mask=at < 0)
    for column in _COLUMNS:
        filled = pc.coalesce(best[column], rest[column].take(index))
        best = best.set_column(best.schema.get_field_index(column), column, filled)
    return best


def in_currency(found: Figures, currency: str) -> Mask:
    """Which are in the settlement's currency."""
    return _is(found.table["currency"], currency)


def is_kind(found: Figures, kind: RecordKind) -> Mask:
    """Which are of that kind."""
    return _is(found.table["message_type"], kind)


def days(found: Figures) -> NDArray[np.int64]:
    """Business dates as days since 1970."""
    return found.table["business_date"].cast(pa.int32()).to_numpy().astype(np.int64)
