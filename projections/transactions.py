"""Transactions as a read model: one row for each message that asks something of a provider, as it
stands. Only rows of kind PURCHASE are sales."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import sql
from psycopg.types.json import Jsonb

from domain.advice import (
    AdviceDelivered,
    AdviceGivenUp,
    ConfirmationAdvised,
    ReversalAdvised,
)
from domain.event import Event
from domain.exchange import Operation, ProviderAsked
from domain.failure import Failure
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
from domain.sale import Sale
from domain.service import SERVICE_OPERATIONS, ServiceOutcomeUnknown, ServiceRouted
from domain.trial import TrialDone, TrialFailed, TrialRequested
from ledger import Recorded
from projections.projection import Connection, schema_of, sql_beside

CONFIRMATION = "confirmation"
REVERSAL = "reversal"


class TransactionRow(msgspec.Struct, kw_only=True):
    """A row of `transaction`, its columns in order. Times UTC, amounts in cents."""

    message_id: str
    kind: str
    status: str = "PENDING"
    requested_at: datetime
    finished_at: datetime | None = None
    meter: str
    utility_type: str
    client: str
    institution: str = ""
    merchant: str = ""
    terminal: str = ""
    channel: str = ""
    amount_cents: int | None = None
    currency: str | None = None
    provider: str | None = None
    provider_reference: str | None = None
    receipt: str | None = None
    receipts: list[str] = []
    utility: str | None = None
    utility_name: str | None = None
    error_type: str | None = None
    error_detail: str | None = None
    retries: int = 0
    recovered: bool = False
    confirmation: str | None = None
    reversal: str | None = None
    surplus_sales: int = 0
    advice_kinds: dict[str, str] = {}
    position: int

    def apply(self, event: Event) -> None:
        """Takes in one event of the transaction's stream."""
        match event:
            case ProviderAsked(operation=Operation.VEND):
                self.provider, self.status, self.finished_at = event.provider, "PENDING", None
            case ProviderAsked() if event.operation in SERVICE_OPERATIONS:
                self.provider = event.provider
            case PurchaseRouted() | ServiceRouted() | ReprintOriginalFound():
                self.utility, self.utility_name = event.utility, event.utility_name
            case PurchaseApproved() | PurchaseDeclined() | PurchaseOutcomeUnknown():
                self._outcome(event)
            case LookupAnswered():
                self._finished("ANSWERED", event.at)
                self.provider, self.utility = event.provider, event.utility
                self.utility_name = event.answer.utility.name
            case LookupFailed():
                self._failed("FAILED", event.at, event.failure)
            case TrialFailed() | ReprintFailed() | FaultReportFailed() | KeyChangeFailed():
                self._failed("FAILED", event.at, event.failure)
            case TrialDone() | ReprintDone() | FaultReportDone() | KeyChangeDone():
                self._done(event)
            case ServiceOutcomeUnknown():
                self._finished("UNKNOWN", event.at)
            case RetryRequested():
                self.retries += 1
            case SurplusSaleFound():
                self.surplus_sales += 1
            case ConfirmationAdvised() | ReversalAdvised() | AdviceDelivered() | AdviceGivenUp():
                self._advice(event)
            case _:
                pass

    def _outcome(self, event: PurchaseApproved | PurchaseDeclined | PurchaseOutcomeUnknown) -> None:
        match event:
            case PurchaseApproved():
                self._finished("APPROVED", event.at)
                self.provider, self.recovered = event.provider, event.recovered
                self._known_as(event.sale)
                self.error_type = self.error_detail = None
            case PurchaseDeclined():
                self._failed("DECLINED", event.at, event.failure)
                self.provider = event.provider or self.provider
            case PurchaseOutcomeUnknown():
                self.status, self.finished_at = "UNKNOWN", None

    def _done(self, event: TrialDone | ReprintDone | FaultReportDone | KeyChangeDone) -> None:
        self._finished("DONE", event.at)
        self.provider = event.provider
        match event:
            case FaultReportDone():
                self.provider_reference = event.logged.reference
            case ReprintDone() | KeyChangeDone():
                self._known_as(event.sale)
            case TrialDone():
                pass

    def _known_as(self, sale: Sale) -> None:
        parts = [*sale.tokens, *sale.debts, *sale.charges]
        self.provider_reference = sale.provider_reference
        self.receipts = list(dict.fromkeys(part.receipt for part in parts if part.receipt))
        self.receipt = next((token.receipt for token in sale.tokens if token.receipt), None)

    def _failed(self, status: str, at: datetime, failure: Failure) -> None:
        self._finished(status, at)
        self.error_type, self.error_detail = failure.error_type.value, failure.detail

    def _finished(self, status: str, at: datetime) -> None:
        self.status, self.finished_at = status, at

    def _advice(
        self, event: ConfirmationAdvised | ReversalAdvised | AdviceDelivered | AdviceGivenUp
    ) -> None:
        match event:
            case ConfirmationAdvised():
                kind, state = CONFIRMATION, "ADVISED"
            case ReversalAdvised():
                kind, state = REVERSAL, "ADVISED"
            case AdviceDelivered():
                kind, state = self.advice_kinds[event.advice_id], event.delivery.value
            case AdviceGivenUp():
                kind, state = self.advice_kinds[event.advice_id], event.because.value
        self.advice_kinds = {**self.advice_kinds, event.advice_id: kind}
        setattr(self, kind, state)


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
_UPSERT = sql.SQL(
    "INSERT INTO transaction ({}) VALUES ({}) ON CONFLICT (message_id) DO UPDATE SET {}"
).format(
    sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)),
    sql.SQL(", ").join(sql.Placeholder() * len(_COLUMNS)),
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
            await connection.cursor().executemany(_UPSERT, [_values(row) for row in rows.values()])


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


def _values(row: TransactionRow) -> tuple[Any, ...]:
    values = msgspec.structs.astuple(row)
    return tuple(Jsonb(value) if isinstance(value, dict) else value for value in values)


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
