"""Transactions as a read model: one row for each message that asks something of a provider, as it
stands. Only rows of kind PURCHASE are sales."""

from collections.abc import Sequence

import msgspec
from psycopg import sql
from psycopg.types.json import Json

from domain.advice import (
    AdviceDelivered,
    AdviceGivenUp,
    ConfirmationAdvised,
    ReversalAdvised,
)
from domain.event import Event
from domain.exchange import ProviderAsked
from domain.fault_report import FaultReportDone, FaultReportFailed, FaultReportRequested
from domain.key_change import KeyChangeDone, KeyChangeFailed, KeyChangeRequested
from domain.lookup import LookupAnswered, LookupFailed, LookupRequested
from domain.purchase import (
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    PurchaseRequested,
    PurchaseRouted,
    RetryRequested,
    SurplusSaleFound,
)
from domain.reprint import ReprintDone, ReprintFailed, ReprintOriginalFound, ReprintRequested
from domain.service import ServiceOutcomeUnknown, ServiceRouted
from domain.trial import TrialDone, TrialFailed, TrialRequested
from ledger import Recorded
from projections.projection import Connection, schema_of, sql_beside
from projections.transaction_row import TransactionRow


def _opening(entry: Recorded) -> TransactionRow | None:
    """The row that a stream's first event begins, if there is to be one."""
    event = entry.event
    match event:
        case PurchaseRequested():
            kind, message_id = "PURCHASE", event.purchase_id
        case LookupRequested():
            kind, message_id = "LOOKUP", event.lookup_id
        case TrialRequested():
            kind, message_id = "TRIAL", event.trial_id
        case ReprintRequested():
            kind, message_id = "REPRINT", event.reprint_id
        case FaultReportRequested():
            kind, message_id = "FAULT_REPORT", event.fault_report_id
        case KeyChangeRequested():
            kind, message_id = "KEY_CHANGE", event.key_change_id
        case _:
            return None
    row = TransactionRow(
        message_id=message_id,
        kind=kind,
        requested_at=event.at,
        meter=event.meter.number,
        utility_type=event.meter.utility_type.value,
        client=event.client,
        institution=event.institution,
        merchant=event.merchant,
        terminal=event.terminal,
        channel=event.channel,
        position=entry.position,
    )
    if isinstance(event, PurchaseRequested | TrialRequested):
        row.amount_cents, row.currency = event.amount.cents, event.amount.currency
    row.apply(event)
    return row


_COLUMNS = TransactionRow.__struct_fields__
_TOPICS: tuple[type[Event], ...] = (
    LookupRequested,
    LookupAnswered,
    LookupFailed,
    PurchaseRequested,
    PurchaseRouted,
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    ProviderAsked,
    RetryRequested,
    SurplusSaleFound,
    ConfirmationAdvised,
    ReversalAdvised,
    AdviceDelivered,
    AdviceGivenUp,
    TrialRequested,
    TrialDone,
    TrialFailed,
    ReprintRequested,
    ReprintOriginalFound,
    ReprintDone,
    ReprintFailed,
    FaultReportRequested,
    FaultReportDone,
    FaultReportFailed,
    KeyChangeRequested,
    KeyChangeDone,
    KeyChangeFailed,
    ServiceRouted,
    ServiceOutcomeUnknown,
)
_SELECT = sql.SQL("SELECT {} FROM transaction WHERE message_id = ANY(%s)").format(
    sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
)
# All rows of a batch in one statement. They come as one JSON array, for the lists in them have no
# common length.
_UPSERT = sql.SQL(
    "INSERT INTO transaction ({0}) SELECT {0} FROM json_populate_recordset(NULL::transaction, %s)"
    " ON CONFLICT (message_id) DO UPDATE SET {1}"
).format(
    sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)),
    sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in _COLUMNS[1:]
    ),
)


class Transactions:
    """Feeds `transaction`."""

    name = "transactions"
    tables = sql_beside(__file__)
    topics = _TOPICS

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        rows: dict[str, TransactionRow] = {}
        late: dict[str, list[Event]] = {}
        for entry in recorded:
            event = entry.event
            assert isinstance(event, Event)
            message_id = entry.stream.partition("/")[2]
            opening = _opening(entry) if entry.version == 1 else None
            if opening is not None:
                rows[message_id] = opening
            elif message_id in rows:
                rows[message_id].apply(event)
            else:
                late.setdefault(message_id, []).append(event)
        if late:
            await _load(connection, rows, late)
        if rows:
            await connection.execute(_UPSERT, (Json(list(rows.values()), msgspec.json.encode),))


async def _load(
    connection: Connection, rows: dict[str, TransactionRow], late: dict[str, list[Event]]
) -> None:
    """Continues rows of earlier batches."""
    cursor = await connection.execute(_SELECT, (list(late),))
    for found in await cursor.fetchall():
        row = TransactionRow(**dict(zip(_COLUMNS, found, strict=True)))
        for event in late[row.message_id]:
            row.apply(event)
        rows[row.message_id] = row


# How people quote a reference: any case, whatever punctuation; a slip prints it without.
_QUOTED = "left(regexp_replace(upper({}), '[^A-Z0-9]', '', 'g'), 40)"
_WANTED = _QUOTED.format("%(reference)s::text")
_SOLD = f"""
    SELECT message_id FROM {schema_of(Transactions.name)}.transaction
    WHERE meter = %(meter)s AND utility_type = %(utility_type)s
      AND kind = 'PURCHASE' AND status = 'APPROVED'
      AND (%(reference)s::text IS NULL OR ({_WANTED} <> '' AND (
            {_QUOTED.format("provider_reference")} = {_WANTED}
            OR EXISTS (SELECT FROM unnest(receipts) AS r WHERE {_QUOTED.format("r")} = {_WANTED}))))
    ORDER BY requested_at DESC, position DESC LIMIT %(limit)s
""".encode()  # noqa: S608 (the schema's name is a constant)


async def sold(
    connection: Connection, utility_type: str, number: str, reference: str | None, limit: int
) -> Sequence[str]:
    """Ids of the meter's approved purchases, the one asked for last first; `reference`: only those
    whose sale the provider knows by it, or one of whose receipts has this number."""
    wanted = {
        "meter": number,
        "utility_type": utility_type,
        "reference": reference,
        "limit": limit,
    }
    cursor = await connection.execute(_SOLD, wanted)
    return [row[0] for row in await cursor.fetchall()]
