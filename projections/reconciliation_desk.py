"""What a desk has to know before it lets people decide about records."""

from collections.abc import Sequence

import msgspec

from projections.projection import Connection, schema_of

_SCHEMA = schema_of("reconciliation")


class Standing(msgspec.Struct, frozen=True):
    """How a record stands: see projections/reconciliation.sql."""

    ref: int
    side: str
    status: str
    partner: int
    by_hand: bool
    settlement: str


class Asked(msgspec.Struct, frozen=True):
    """A decision as it was asked for, and its status."""

    decision: str
    ours: tuple[int, ...]
    theirs: tuple[int, ...]
    winner: str
    amount_cents: int
    requested_by: str
    status: str


async def version_read(connection: Connection, process: str) -> int:
    """How far the read model has come with the process's stream; 0: it has none."""
    cursor = await connection.execute(
        f"SELECT version FROM {_SCHEMA}.process WHERE process = %s".encode(),  # noqa: S608
        (process,),
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def standings_of(
    connection: Connection, process: str, refs: Sequence[int]
) -> dict[int, Standing]:
    """How these records stand; those that take no part are missing."""
    cursor = await connection.execute(
        "SELECT ref, side, status, partner, by_hand, settlement"  # noqa: S608
        f" FROM {_SCHEMA}.record WHERE process = %s AND ref = ANY (%s)".encode(),
        (process, list(refs)),
    )
    return {row[0]: Standing(*row) for row in await cursor.fetchall()}


async def asked(connection: Connection, process: str, decision_id: str) -> Asked | None:
    """The decision of this id."""
    cursor = await connection.execute(
        "SELECT decision, ours, theirs, winner, amount_cents, requested_by, status"  # noqa: S608
        f" FROM {_SCHEMA}.decision WHERE process = %s AND decision_id = %s".encode(),
        (process, decision_id),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    kind, ours, theirs, *rest = row
    return Asked(kind, tuple(ours), tuple(theirs), *rest)


async def pending_about(connection: Connection, process: str, refs: Sequence[int]) -> set[int]:
    """Those of the records that a decision which waits for approval names."""
    cursor = await connection.execute(
        "SELECT unnest(ours || theirs)"  # noqa: S608
        f" FROM {_SCHEMA}.decision WHERE process = %(process)s AND status = 'PENDING'"
        " AND (ours && %(refs)s::bigint[] OR theirs && %(refs)s::bigint[])".encode(),
        {"process": process, "refs": list(refs)},
    )
    return {row[0] for row in await cursor.fetchall()} & set(refs)
