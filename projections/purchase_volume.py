"""Purchases counted by the time that they were asked for in: a part of the read model provider
health.

Each purchase counts once, with the outcome that it has now: one that is recovered hours later moves
from unknown to approved in the minute of its request. A declined one that a retry tries anew counts
as declined until the retry has an outcome.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.purchase import (
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    PurchaseRequested,
)
from projections.grain import GRAINS, begin
from projections.projection import Connection

VOLUME_EVENTS = (PurchaseRequested, PurchaseApproved, PurchaseDeclined, PurchaseOutcomeUnknown)
VolumeEvent = PurchaseRequested | PurchaseApproved | PurchaseDeclined | PurchaseOutcomeUnknown

_STATUSES = ("approved", "declined", "unknown", "pending")
_STATUS_OF: dict[type[VolumeEvent], str] = {
    PurchaseRequested: "pending",
    PurchaseApproved: "approved",
    PurchaseDeclined: "declined",
    PurchaseOutcomeUnknown: "unknown",
}
_CHANGES = (*_STATUSES, "approved_cents")


class _Purchase(msgspec.Struct):
    """What `unsold` holds of one. `counted`: the status that the tables count it with."""

    requested_at: datetime
    cents: int
    currency: str
    status: str
    counted: str | None


_Key = tuple[int, datetime, str]

_UPSERT = f"""
    INSERT INTO purchases AS p (grain, at, currency, {", ".join(_CHANGES)})
    SELECT * FROM unnest(%s::int[], %s::timestamptz[], %s::text[], %s::int[], %s::int[], %s::int[],
                         %s::int[], %s::bigint[])
    ON CONFLICT (grain, at, currency) DO UPDATE SET
        {", ".join(f"{name} = p.{name} + excluded.{name}" for name in _CHANGES)}
""".encode()  # noqa: S608 (names that are constants here)


async def count_purchases(
    connection: Connection, changes: Sequence[tuple[str, VolumeEvent]]
) -> None:
    """Adds the purchases' events, each with the purchase's id, to `purchases`."""
    purchases: dict[str, _Purchase] = {}
    later: dict[str, str] = {}
    for purchase_id, event in changes:
        status = _STATUS_OF[type(event)]
        if isinstance(event, PurchaseRequested):
            amount = event.amount
            purchases[purchase_id] = _Purchase(
                event.at, amount.cents, amount.currency, status, None
            )
        elif purchase_id in purchases:
            purchases[purchase_id].status = status
        else:
            later[purchase_id] = status
    for purchase_id, known in (await _taken(connection, list(later))).items():
        known.status = later[purchase_id]
        purchases[purchase_id] = known
    if purchases:
        await _keep_unsold(connection, purchases)
        await _add(connection, purchases)


async def _taken(connection: Connection, ids: list[str]) -> dict[str, _Purchase]:
    """Takes purchases of earlier batches out of `unsold`."""
    if not ids:
        return {}
    cursor = await connection.execute(
        """
        DELETE FROM unsold WHERE purchase_id = ANY(%s)
        RETURNING purchase_id, requested_at, cents, currency, status
        """,
        (ids,),
    )
    return {
        key: _Purchase(requested_at, cents, currency, status, counted=status)
        for key, requested_at, cents, currency, status in await cursor.fetchall()
    }


async def _keep_unsold(connection: Connection, purchases: dict[str, _Purchase]) -> None:
    """An approved purchase is never anything else again, so only the others are kept."""
    rows = [(key, p) for key, p in purchases.items() if p.status != "approved"]
    if not rows:
        return
    await connection.execute(
        """
        INSERT INTO unsold (purchase_id, requested_at, cents, currency, status)
        SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::bigint[], %s::text[], %s::text[])
        """,
        (
            [key for key, _ in rows],
            [p.requested_at for _, p in rows],
            [p.cents for _, p in rows],
            [p.currency for _, p in rows],
            [p.status for _, p in rows],
        ),
    )


async def _add(connection: Connection, purchases: dict[str, _Purchase]) -> None:
    minutes: dict[tuple[datetime, str], list[int]] = {}
    for purchase in purchases.values():
        key = (begin(purchase.requested_at, GRAINS[0]), purchase.currency)
        change = minutes.setdefault(key, [0] * len(_CHANGES))
        if purchase.counted is not None:
            change[_STATUSES.index(purchase.counted)] -= 1
        change[_STATUSES.index(purchase.status)] += 1
        if purchase.status == "approved":
            change[-1] += purchase.cents
    sums: dict[_Key, list[int]] = {}
    for (minute, currency), change in minutes.items():
        for grain in GRAINS:
            total = sums.setdefault((grain, begin(minute, grain), currency), [0] * len(_CHANGES))
            total[:] = map(sum, zip(total, change, strict=True))
    rows = sorted(sums.items())
    await connection.execute(
        _UPSERT,
        (
            [key[0] for key, _ in rows],
            [key[1] for key, _ in rows],
            [key[2] for key, _ in rows],
            *([change[column] for _, change in rows] for column in range(len(_CHANGES))),
        ),
    )
