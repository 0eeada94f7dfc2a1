"""Sales as a read model of finance: what moved money, in the columns of the switch extract.

A sale that the provider made against the rules (SurplusSaleFound) has no row: nobody was charged
for it. The provider's file has it, so reconciliation shows it as theirs without a counterpart.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from psycopg import sql
from psycopg.types.json import Json

from domain.advice import AdviceDelivered, Delivery, ReversalAdvised
from domain.event import Event
from domain.purchase import PurchaseApproved, PurchaseRequested, PurchaseRouted
from ledger import Recorded
from projections.projection import Connection, sql_beside
from projections.sale_row import Asked, SaleRow, asked, purchase_row, reversal_row

COLUMNS = SaleRow.__struct_fields__
_NAMES = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
_READ = sql.SQL("SELECT {} FROM sale WHERE message_type = 'PURCHASE' AND purchase_id = ANY(%s)")
_WRITE = sql.SQL(
    "INSERT INTO sale ({0}) SELECT {0} FROM json_populate_recordset(NULL::sale, %s)"
    " ORDER BY position ON CONFLICT (purchase_id, message_type) DO NOTHING"
).format(_NAMES)
_KEEP = (
    "INSERT INTO unsold (purchase_id, request)"
    " SELECT * FROM json_to_recordset(%s) AS kept (purchase_id text, request jsonb)"
    " ON CONFLICT (purchase_id) DO UPDATE SET request = excluded.request"
)
_KEEP_ADVISED = (
    "INSERT INTO advised SELECT * FROM json_populate_recordset(NULL::advised, %s)"
    " ON CONFLICT DO NOTHING"
)


class Sales:
    """Feeds `sale`."""

    name = "sales"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (
        PurchaseRequested,
        PurchaseRouted,
        PurchaseApproved,
        ReversalAdvised,
        AdviceDelivered,
    )

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        batch = _Batch()
        await batch.load(connection, recorded)
        for entry in recorded:
            batch.take(entry)
        await batch.store(connection)


class _Batch:
    """What a batch of events reads and changes."""

    def __init__(self) -> None:
        self._unsold: dict[str, Asked] = {}
        self._changed: set[str] = set()
        self._sold: set[str] = set()
        self._advised: dict[str, datetime] = {}
        self._new_advised: set[str] = set()
        self._ended: set[str] = set()
        self._purchases: dict[str, SaleRow] = {}
        self._rows: list[SaleRow] = []

    async def load(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        """What earlier batches left that these events go on with."""
        going_on: set[str] = set()
        reversed_: set[str] = set()
        delivered: set[str] = set()
        for entry in recorded:
            match entry.event:
                case PurchaseRouted() | PurchaseApproved():
                    going_on.add(_purchase(entry))
                case AdviceDelivered(delivery=Delivery.REVERSED) as event:
                    reversed_.add(_purchase(entry))
                    delivered.add(event.advice_id)
                case _:
                    pass
        going_on -= {_purchase(e) for e in recorded if isinstance(e.event, PurchaseRequested)}
        if going_on:
            self._unsold = await _unsold(connection, going_on)
        if reversed_:
            self._purchases = await _purchases(connection, reversed_)
            self._advised = await _advised(connection, delivered)

    def take(self, entry: Recorded) -> None:
        """Takes in one event, in order."""
        purchase_id, event = _purchase(entry), entry.event
        match event:
            case PurchaseRequested():
                self._keep(purchase_id, asked(event))
            case PurchaseRouted() if event.utility and purchase_id in self._unsold:
                routed = msgspec.structs.replace(
                    self._unsold[purchase_id], receiver_id=event.utility
                )
                self._keep(purchase_id, routed)
            case PurchaseApproved():
                request = self._unsold.pop(purchase_id)
                self._changed.discard(purchase_id)
                self._sold.add(purchase_id)
                row = purchase_row(request, purchase_id, event, entry.position)
                self._purchases[purchase_id] = row
                self._rows.append(row)
            case ReversalAdvised():
                self._advised[event.advice_id] = event.at
                self._new_advised.add(event.advice_id)
            case AdviceDelivered():
                self._delivered(purchase_id, event, entry.position)
            case _:
                pass

    def _keep(self, purchase_id: str, request: Asked) -> None:
        self._unsold[purchase_id] = request
        self._changed.add(purchase_id)

    def _delivered(self, purchase_id: str, event: AdviceDelivered, position: int) -> None:
        if event.delivery is Delivery.REVERSED:
            at = self._advised[event.advice_id]
            bought = self._purchases[purchase_id]
            self._rows.append(reversal_row(bought, event.advice_id, at, position))
        self._new_advised.discard(event.advice_id)
        self._ended.add(event.advice_id)

    async def store(self, connection: Connection) -> None:
        """Writes what has changed."""
        if self._sold:
            await connection.execute(
                "DELETE FROM unsold WHERE purchase_id = ANY(%s)", (list(self._sold),)
            )
        if self._ended:
            await connection.execute(
                "DELETE FROM advised WHERE advice_id = ANY(%s)", (list(self._ended),)
            )
        if self._changed:
            kept = [{"purchase_id": p, "request": self._unsold[p]} for p in sorted(self._changed)]
            await connection.execute(_KEEP, (Json(kept, msgspec.json.encode),))
        if self._new_advised:
            new = [{"advice_id": a, "advised_at": self._advised[a]} for a in self._new_advised]
            await connection.execute(_KEEP_ADVISED, (Json(new, msgspec.json.encode),))
        if self._rows:
            await connection.execute(_WRITE, (Json(self._rows, msgspec.json.encode),))


def _purchase(entry: Recorded) -> str:
    return entry.stream.partition("/")[2]


async def _unsold(connection: Connection, ids: set[str]) -> dict[str, Asked]:
    cursor = await connection.execute(
        "SELECT purchase_id, request::text FROM unsold WHERE purchase_id = ANY(%s)", (list(ids),)
    )
    rows = await cursor.fetchall()
    return {row[0]: msgspec.json.decode(row[1], type=Asked) for row in rows}


async def _purchases(connection: Connection, ids: set[str]) -> dict[str, SaleRow]:
    cursor = await connection.execute(_READ.format(_NAMES), (list(ids),))
    rows = await cursor.fetchall()
    found = [msgspec.convert(dict(zip(COLUMNS, row, strict=True)), SaleRow) for row in rows]
    return {row.purchase_id: row for row in found}


async def _advised(connection: Connection, ids: set[str]) -> dict[str, datetime]:
    cursor = await connection.execute(
        "SELECT advice_id, advised_at FROM advised WHERE advice_id = ANY(%s)", (list(ids),)
    )
    return dict(await cursor.fetchall())
