"""The purchases that reversals take back: what they were charged, or at least their dates."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from domain.reconciliation import Admitted
from finance.context import Context
from finance.settle.records import purchases_named
from projections.frame import decoded
from projections.runner import RunnerSettings
from projections.settlements import Settlements
from projections.settlements_search import settled_purchases

MODEL_BATCH = 100
"""Events of a transaction while the read model catches up: one may name 5,000 records."""
IDS_AT_ONCE = 10_000

_EPOCH = date(1970, 1, 1)
_COLUMNS = ("business_date", "message_type", "transaction_id")


class Original(NamedTuple):
    """A purchase that is in a settlement: cents, fee rule, business date as days since 1970."""

    principal: int
    commission: int
    vat: int
    fee: str
    day: int | None


async def settled_originals(
    context: Context, process_id: str, ids: Collection[str]
) -> dict[str, Original]:
    """Those of the purchases (by transaction id) that are in a settlement of the process. Raises
    what the ledger and the database raise."""
    found: dict[str, Original] = {}
    if not ids:
        return found
    await caught_up(context)
    async with context.connect() as connection:
        for some in _portions(sorted(ids)):
            for row in await settled_purchases(connection, process_id, some):
                name, day, principal, commission, vat, fee = row
                number = None if day is None else (day - _EPOCH).days
                found.setdefault(name, Original(principal, commission, vat, fee, number))
    return found


async def caught_up(context: Context) -> int:
    """Brings the read model of settlements up to the ledger's present end, beside whoever else
    feeds it; returns that position. Raises what the ledger and the database raise."""
    settings = RunnerSettings(batch=MODEL_BATCH)
    return await context.caught_up(Settlements(context.archive), runner_settings=settings)


async def dates_of(
    context: Context, files: Mapping[int, Admitted], ids: Collection[str]
) -> dict[str, int]:
    """Business dates (days since 1970) of the purchases of these transaction ids that any record of
    the process tells of, the latest file's first. Raises NotArchived and what the database raises.
    """
    found: dict[str, int] = {}
    frames = [
        (number, sha256)
        for number in sorted(files, reverse=True)
        for sha256 in reversed(files[number].frames)
    ]
    async with context.connect() as connection:
        for number, sha256 in frames:
            missing = [one for one in ids if one not in found]
            if not missing:
                break
            content = await context.archive.get(connection, sha256)
            found = {**_dates(decoded(content, number, _COLUMNS), missing), **found}
    return found


def _dates(frame: pa.Table, ids: Collection[str]) -> dict[str, int]:
    rows = purchases_named(frame, ids)
    days: NDArray[np.int32] = frame["business_date"].cast(pa.int32()).to_numpy()
    return {name: int(days[row]) for name, row in rows.items()}


def _portions(ids: list[str]) -> Iterable[list[str]]:
    return (ids[at : at + IDS_AT_ONCE] for at in range(0, len(ids), IDS_AT_ONCE))
