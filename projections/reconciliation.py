"""Reconciliation as a read model: how each record of each process stands, what people decided, and
how far the runs have come. finance/recon/state.py says the same of every record."""

from collections.abc import Sequence

import msgspec
from psycopg.types.json import Json

from domain.event import Event
from domain.reconciliation import (
    RECONCILIATION_EVENTS,
    DecisionApproved,
    DecisionRejected,
    DecisionRequested,
    DifferencesResolved,
    DuplicatesFound,
    FileAdmitted,
    FileWithdrawn,
    ProcessConfigured,
    RecordsExpired,
    RecordsMatched,
    RecordsPartlyMatched,
    RecordsUnmatched,
    RunFinished,
    SalesTaken,
)
from domain.record import COLUMNS
from domain.settlement import (
    SETTLEMENT_EVENTS,
    SettlementAdjusted,
    SettlementDiscarded,
    SettlementLines,
    SettlementPrepared,
    SettlementReady,
    SettlementReleased,
)
from ledger import Archive, Recorded
from projections.admitted_records import admit
from projections.decision_rows import decided, requested
from projections.projection import Connection, sql_beside
from projections.standing_rows import Rows

_MOVED = (
    "INSERT INTO process (process, version, position) VALUES (%s, %s, %s) ON CONFLICT (process)"
    " DO UPDATE SET version = excluded.version, position = excluded.position"
)
_FINISHED = "UPDATE process SET run = %s, as_of = %s, run_at = %s, counts = %s WHERE process = %s"
_FIELDS = (*COLUMNS, "business_date")
_CONFIGURED = "UPDATE process SET settings = %s, settings_sha256 = %s WHERE process = %s"


class Reconciliation:
    """Feeds `process`, `admitted`, `record`, `decision` and `settlement`. What a record says comes
    from the frames in `archive`."""

    name = "reconciliation"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (*RECONCILIATION_EVENTS, *SETTLEMENT_EVENTS)

    def __init__(self, archive: Archive | None = None) -> None:
        self._archive = archive or Archive()

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        for entry in recorded:
            event = entry.event
            assert isinstance(event, Event)
            process = entry.stream.partition("/")[2]
            await connection.execute(_MOVED, (process, entry.version, entry.position))
            if isinstance(event, FileAdmitted | SalesTaken):
                await admit(connection, self._archive, event)
            else:
                await _take(connection, process, event, entry.position)


async def _take(connection: Connection, process: str, event: Event, position: int) -> None:
    match event:
        case ProcessConfigured():
            await connection.execute(_CONFIGURED, (event.settings, event.sha256, process))
        case RunFinished():
            counts = Json(msgspec.to_builtins(event.counts))
            await connection.execute(_FINISHED, (event.run, event.as_of, event.at, counts, process))
        case FileWithdrawn():
            await Rows(connection, process, 0, event.at).remove(event.file)
            await connection.execute(
                "DELETE FROM admitted WHERE process = %s AND file = %s", (process, event.file)
            )
        case DecisionRequested():
            await requested(connection, event, position)
        case DecisionApproved() | DecisionRejected():
            await decided(connection, event)
        case _:
            await _found(connection, process, event)


async def _found(connection: Connection, process: str, event: Event) -> None:
    """What a run found."""
    rows = Rows(connection, process, getattr(event, "run", 0), event.at)
    match event:
        case RecordsMatched():
            await rows.pair(event.ours, event.theirs, "MATCHED", key=event.key)
        case RecordsPartlyMatched():
            await rows.pair(
                event.ours, event.theirs, "PARTIAL", key=event.key, fields=_ordered(event.fields)
            )
        case DifferencesResolved():
            await rows.end(
                event.ours, event.theirs, "RESOLVED", winner=event.winner.value, why=event.rule
            )
        case RecordsUnmatched():
            await rows.alone(event.refs, "UNMATCHED")
        case RecordsExpired():
            await rows.alone(event.refs, "EXPIRED")
        case DuplicatesFound():
            for refs, groups in (
                (event.ours, event.ours_groups),
                (event.theirs, event.theirs_groups),
            ):
                await rows.alone(refs, "DUPLICATE", key=event.key, groups=groups)
        case _:
            await _settled(connection, process, event)


def _ordered(fields: Sequence[str]) -> list[str]:
    return sorted(set(fields), key=_FIELDS.index)


async def _settled(connection: Connection, process: str, event: Event) -> None:
    rows = Rows(connection, process, 0, event.at)
    match event:
        case SettlementPrepared():
            await connection.execute(
                "INSERT INTO settlement VALUES (%s, %s, 'PREPARING')",
                (event.settlement_id, process),
            )
        case SettlementReady() | SettlementReleased():
            status = "READY" if isinstance(event, SettlementReady) else "RELEASED"
            await connection.execute(
                "UPDATE settlement SET status = %s WHERE settlement = %s",
                (status, event.settlement_id),
            )
        case SettlementLines():
            await rows.settle(event.lines, event.settlement_id)
        case SettlementAdjusted():
            await connection.execute(
                "UPDATE decision SET settlement = %s WHERE process = %s AND decision_id = ANY (%s)",
                (event.settlement_id, process, list(event.decisions)),
            )
        case SettlementDiscarded():
            await rows.unsettle(event.settlement_id)
            await connection.execute(
                "UPDATE decision SET settlement = '' WHERE settlement = %s",
                (event.settlement_id,),
            )
            await connection.execute(
                "DELETE FROM settlement WHERE settlement = %s", (event.settlement_id,)
            )
        case _:
            pass
