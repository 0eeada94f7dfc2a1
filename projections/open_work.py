"""Open work as a read model: where the recovery and store-and-forward workers should look."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from psycopg.types.json import Jsonb

from domain.advice import (
    AdviceAttempted,
    AdviceDelivered,
    AdviceGivenUp,
    ConfirmationAdvised,
    ReversalAdvised,
)
from domain.event import Event
from domain.exchange import Operation, ProviderAsked
from domain.fault_report import FaultReportDone, FaultReportFailed
from domain.key_change import KeyChangeDone, KeyChangeFailed
from domain.purchase import (
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    RecoveryAttempted,
)
from domain.reprint import ReprintDone, ReprintFailed
from domain.service import SERVICE_OPERATIONS, ServiceOutcomeUnknown
from domain.trial import TrialDone, TrialFailed
from ledger import Recorded
from projections.projection import Connection, schema_of, sql_beside


class _Row(msgspec.Struct):
    """A row of `purchase`, in the order of its columns after the id, without due_at."""

    provider: str | None = None
    since: datetime | None = None
    outcome_due_at: datetime | None = None
    attempts: int = 0
    advices: dict[str, str] = {}

    def apply(self, event: Event) -> None:
        match event:
            case ProviderAsked(operation=Operation.VEND | Operation.RECOVER):
                self._asked(event)
            case ProviderAsked() if event.operation in SERVICE_OPERATIONS:
                self._asked(event)
            case ProviderAsked(advice_id=str() as advice_id) if advice_id in self.advices:
                self.provider = event.provider
                self._advice_due(advice_id, event.deadline)
            case PurchaseOutcomeUnknown() | RecoveryAttempted():
                self.outcome_due_at = event.next_recovery_at
            case PurchaseApproved() | PurchaseDeclined() | ServiceOutcomeUnknown():
                self.outcome_due_at = None
            case TrialDone() | ReprintDone() | FaultReportDone() | KeyChangeDone():
                self.outcome_due_at = None
            case TrialFailed() | ReprintFailed() | FaultReportFailed() | KeyChangeFailed():
                self.outcome_due_at = None
            case ConfirmationAdvised() | ReversalAdvised():
                self.since = self.since or event.at
                self._advice_due(event.advice_id, event.at)
            case AdviceAttempted() if event.advice_id in self.advices:
                self._advice_due(event.advice_id, event.next_attempt_at)
            case AdviceDelivered() | AdviceGivenUp():
                self.advices = {k: v for k, v in self.advices.items() if k != event.advice_id}
            case _:
                pass

    def _asked(self, event: ProviderAsked) -> None:
        self.provider = event.provider
        self.since = self.since or event.at
        self.outcome_due_at = event.deadline
        self.attempts = event.attempt

    def _advice_due(self, advice_id: str, at: datetime) -> None:
        self.advices = {**self.advices, advice_id: at.isoformat()}

    @property
    def due_at(self) -> datetime | None:
        """None when nothing is left to do."""
        if self.outcome_due_at is not None:
            return self.outcome_due_at
        return min((datetime.fromisoformat(at) for at in self.advices.values()), default=None)


class OpenWork:
    """Feeds `purchase`."""

    name = "open_work"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (
        ProviderAsked,
        PurchaseOutcomeUnknown,
        RecoveryAttempted,
        PurchaseApproved,
        PurchaseDeclined,
        ConfirmationAdvised,
        ReversalAdvised,
        AdviceAttempted,
        AdviceDelivered,
        AdviceGivenUp,
        TrialDone,
        TrialFailed,
        ReprintDone,
        ReprintFailed,
        FaultReportDone,
        FaultReportFailed,
        KeyChangeDone,
        KeyChangeFailed,
        ServiceOutcomeUnknown,
    )

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        changes: dict[str, list[Event]] = {}
        for entry in recorded:
            event = entry.event
            assert isinstance(event, Event)
            if isinstance(event, ProviderAsked) and event.operation is Operation.LOOKUP:
                continue
            changes.setdefault(entry.stream.partition("/")[2], []).append(event)
        if not changes:
            return
        rows = await _rows(connection, list(changes))
        before = set(rows)
        for purchase_id, events in changes.items():
            row = rows.get(purchase_id) or _Row()
            for event in events:
                row.apply(event)
                if row.due_at is None:
                    # Nothing is left to do, so the row goes, also where more follows in this batch:
                    # how events fall into batches must not show in the rows.
                    row = _Row()
            rows[purchase_id] = row
        done = [key for key in changes if rows[key].due_at is None]
        await _delete(connection, [key for key in done if key in before])
        await _write(connection, {key: rows[key] for key in changes if key not in set(done)})


async def _rows(connection: Connection, ids: list[str]) -> dict[str, _Row]:
    cursor = await connection.execute(
        """
        SELECT purchase_id, provider, since, outcome_due_at, attempts, advices
        FROM purchase WHERE purchase_id = ANY(%s)
        """,
        (ids,),
    )
    return {row[0]: _Row(*row[1:]) for row in await cursor.fetchall()}


async def _delete(connection: Connection, ids: list[str]) -> None:
    if ids:
        await connection.execute("DELETE FROM purchase WHERE purchase_id = ANY(%s)", (ids,))


async def _write(connection: Connection, rows: dict[str, _Row]) -> None:
    if not rows:
        return
    await connection.cursor().executemany(
        """
        INSERT INTO purchase (purchase_id, provider, since, outcome_due_at, attempts, advices,
                              due_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (purchase_id) DO UPDATE SET
            provider = excluded.provider, since = excluded.since,
            outcome_due_at = excluded.outcome_due_at, attempts = excluded.attempts,
            advices = excluded.advices, due_at = excluded.due_at
        """,
        [
            (key, r.provider, r.since, r.outcome_due_at, r.attempts, Jsonb(r.advices), r.due_at)
            for key, r in rows.items()
        ],
    )


async def purchases_due(
    connection: Connection, now: datetime, after: tuple[datetime, str] | None, limit: int
) -> Sequence[tuple[datetime, str]]:
    """(due time, id) of purchases that want attention by `now`, the longest due first; `after`:
    only what comes after that pair."""
    due_at, purchase_id = after or (None, None)
    cursor = await connection.execute(
        f"""
        SELECT due_at, purchase_id FROM {schema_of(OpenWork.name)}.purchase
        WHERE due_at <= %s AND (
            %s::timestamptz IS NULL OR (due_at, purchase_id) > (%s::timestamptz, %s::text))
        ORDER BY due_at, purchase_id LIMIT %s
        """.encode(),  # noqa: S608 (the schema's name is a constant)
        (now, due_at, due_at, purchase_id, limit),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]
