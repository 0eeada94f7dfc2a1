"""The queue as a read model: outcomes in doubt, advices that wait, and what ended without effect.

`open_work` tells the workers where to look next; this tells people what is there and why."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

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
from domain.key_change import KeyChangeDone, KeyChangeFailed, KeyChangeRequested
from domain.purchase import (
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    RecoveryAttempted,
    SurplusSaleFound,
)
from domain.reprint import ReprintDone, ReprintFailed
from domain.service import ServiceOutcomeUnknown
from domain.trial import TrialDone, TrialFailed
from ledger import Recorded
from projections.projection import Connection, sql_beside

OUTCOME_KINDS = ("PURCHASE", "TRIAL", "REPRINT", "FAULT_REPORT", "KEY_CHANGE")
ADVICE_KINDS = ("CONFIRMATION", "REVERSAL", "KEY_CHANGE_CONFIRMATION")
SURPLUS_SALE = "SURPLUS_SALE"
ENDED_KINDS = (*ADVICE_KINDS, *OUTCOME_KINDS[1:], SURPLUS_SALE)

_KIND_OF = {
    Operation.VEND: "PURCHASE",
    Operation.RECOVER: "PURCHASE",
    Operation.TRIAL: "TRIAL",
    Operation.REPRINT: "REPRINT",
    Operation.FAULT_REPORT: "FAULT_REPORT",
    Operation.KEY_CHANGE: "KEY_CHANGE",
}
_Key = tuple[str, str]


class QueueItem(msgspec.Struct):
    """A row of `item`, in the order of its columns. Times UTC."""

    message_id: str
    kind: str
    part: str
    state: str
    provider: str
    reference: str
    since: datetime
    attempts: int = 0
    last_attempt_at: datetime | None = None
    next_attempt_at: datetime | None = None
    detail: str = ""
    because: str | None = None
    error_type: str | None = None
    finished_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.finished_at is None

    def asked(self, event: ProviderAsked) -> None:
        self.state, self.provider = "ASKED", event.provider
        self.last_attempt_at, self.next_attempt_at = event.at, event.deadline
        if event.operation is Operation.RECOVER or event.advice_id is not None:
            self.attempts += 1
        else:
            self.reference = event.reference

    def due_again(self, state: str, at: datetime, detail: str) -> None:
        self.state, self.next_attempt_at = state, at
        self.detail = detail or self.detail

    def finished(self, state: str, at: datetime, detail: str) -> None:
        self.state, self.finished_at, self.next_attempt_at = state, at, None
        self.detail = detail or self.detail


class _Message:
    """The items of one message, by (kind, part)."""

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.items: dict[_Key, QueueItem] = {}
        self.key_change = False

    def apply(self, event: Event) -> None:
        match event:
            case KeyChangeRequested():
                self.key_change = True
            case ProviderAsked():
                self._asked(event)
            case ConfirmationAdvised() | ReversalAdvised():
                self._advised(event)
            case AdviceAttempted() | AdviceDelivered() | AdviceGivenUp():
                self._advice(event)
            case SurplusSaleFound():
                self._surplus(event)
            case _:
                self._outcome(event)

    def _begin(self, kind: str, part: str, state: str, provider: str, at: datetime) -> QueueItem:
        new = QueueItem(self.message_id, kind, part, state, provider, "", at)
        return self.items.setdefault((kind, part), new)

    def _asked(self, event: ProviderAsked) -> None:
        if event.advice_id is not None:
            item = self._of(event.advice_id)
            if item is not None and item.open:
                item.asked(event)
            return
        kind = _KIND_OF[event.operation]
        self._begin(kind, "", "ASKED", event.provider, event.at).asked(event)

    def _outcome(self, event: Event) -> None:
        match event:
            case PurchaseOutcomeUnknown() | RecoveryAttempted():
                item = self._begin("PURCHASE", "", "UNKNOWN", event.provider, event.at)
                item.due_again("UNKNOWN", event.next_recovery_at, event.detail)
            case ServiceOutcomeUnknown():
                for item in self._outcomes():
                    item.finished("UNRESOLVED", event.at, event.detail)
            case _:
                # It is known now, however late.
                for item in self._outcomes():
                    del self.items[item.kind, item.part]

    def _outcomes(self) -> list[QueueItem]:
        return [item for item in self.items.values() if item.kind in OUTCOME_KINDS]

    def _of(self, advice_id: str) -> QueueItem | None:
        found = (self.items.get((kind, advice_id)) for kind in ADVICE_KINDS)
        return next((item for item in found if item is not None), None)

    def _advised(self, event: ConfirmationAdvised | ReversalAdvised) -> None:
        if isinstance(event, ReversalAdvised):
            kind = "REVERSAL"
        else:
            kind = "KEY_CHANGE_CONFIRMATION" if self.key_change else "CONFIRMATION"
        # Later the provider is in no event of the advice's before it is asked.
        provider = next((item.provider for item in self._outcomes()), "")
        item = self._begin(kind, event.advice_id, "WAITING", provider, event.at)
        item.next_attempt_at = event.at

    def _advice(self, event: AdviceAttempted | AdviceDelivered | AdviceGivenUp) -> None:
        item = self._of(event.advice_id)
        match event:
            case _ if item is None:
                pass
            case AdviceDelivered():
                del self.items[item.kind, item.part]
            case AdviceAttempted() if item.open:
                item.due_again("WAITING", event.next_attempt_at, event.detail)
            case AdviceGivenUp():
                failure = event.failure
                item.finished("GIVEN_UP", event.at, failure.detail if failure else "")
                item.because = event.because.value
                item.error_type = failure.error_type.value if failure else None
                item.provider = event.provider or item.provider
            case _:
                pass

    def _surplus(self, event: SurplusSaleFound) -> None:
        item = self._begin(SURPLUS_SALE, event.reference, "SURPLUS", event.provider, event.at)
        if item.open:
            item.finished("SURPLUS", event.at, "")


class Queue:
    """Feeds `item` and `key_change`."""

    name = "queue"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (
        ProviderAsked,
        PurchaseOutcomeUnknown,
        RecoveryAttempted,
        PurchaseApproved,
        PurchaseDeclined,
        SurplusSaleFound,
        ConfirmationAdvised,
        ReversalAdvised,
        AdviceAttempted,
        AdviceDelivered,
        AdviceGivenUp,
        KeyChangeRequested,
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
        messages = await _messages(connection, changes)
        before = {key: msgspec.structs.replace(item) for key, item in _items(messages.values())}
        for message_id, events in changes.items():
            for event in events:
                messages[message_id].apply(event)
        after = dict(_items(messages.values()))
        await _delete(connection, [key for key in before if key not in after])
        await _write(connection, [i for key, i in after.items() if before.get(key) != i])
        await _write_key_changes(connection, changes)


def _items(messages: Iterable[_Message]) -> Iterable[tuple[tuple[str, str, str], QueueItem]]:
    for message in messages:
        for item in message.items.values():
            yield (item.message_id, item.kind, item.part), item


_COLUMNS = QueueItem.__struct_fields__
_TYPES = {"since": "timestamptz", "attempts": "integer"} | {
    name: "timestamptz" for name in _COLUMNS if name.endswith("_at")
}
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM item WHERE message_id = ANY(%s)".encode()  # noqa: S608
_UPSERT = f"""
    INSERT INTO item ({", ".join(_COLUMNS)})
    SELECT * FROM unnest({", ".join(f"%s::{_TYPES.get(name, 'text')}[]" for name in _COLUMNS)})
    ON CONFLICT (message_id, kind, part) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[3:])}
""".encode()  # noqa: S608 (the columns are our own)


async def _messages(connection: Connection, changes: dict[str, list[Event]]) -> dict[str, _Message]:
    """The messages of the batch with what was kept of them."""
    messages = {message_id: _Message(message_id) for message_id in changes}
    cursor = await connection.execute(_SELECT, (list(changes),))
    for row in await cursor.fetchall():
        item = QueueItem(*row)
        messages[item.message_id].items[item.kind, item.part] = item
    confirmed = [
        message_id
        for message_id, events in changes.items()
        if any(isinstance(event, ConfirmationAdvised) for event in events)
    ]
    if confirmed:
        cursor = await connection.execute(
            "SELECT message_id FROM key_change WHERE message_id = ANY(%s)", (confirmed,)
        )
        for (message_id,) in await cursor.fetchall():
            messages[message_id].key_change = True
    return messages


async def _delete(connection: Connection, keys: list[tuple[str, str, str]]) -> None:
    if keys:
        await connection.execute(
            """
            DELETE FROM item USING unnest(%s::text[], %s::text[], %s::text[]) AS gone (m, k, p)
            WHERE message_id = m AND kind = k AND part = p
            """,
            tuple(map(list, zip(*keys, strict=True))),
        )


async def _write(connection: Connection, items: list[QueueItem]) -> None:
    if not items:
        return
    rows = [msgspec.structs.astuple(item) for item in items]
    await connection.execute(_UPSERT, tuple(map(list, zip(*rows, strict=True))))


async def _write_key_changes(connection: Connection, changes: dict[str, list[Event]]) -> None:
    new = [
        (message_id,)
        for message_id, events in changes.items()
        if any(isinstance(event, KeyChangeRequested) for event in events)
    ]
    if new:
        await connection.cursor().executemany(
            "INSERT INTO key_change VALUES (%s) ON CONFLICT DO NOTHING", new
        )
