"""Settlements as a read model: what each owes sale by sale, who prepared and released it, and the
journal that releases post to."""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from domain.event import Event
from domain.journal import postings
from domain.reconciliation import (
    RECONCILIATION_EVENTS,
    FileAdmitted,
    FileWithdrawn,
    SalesTaken,
)
from domain.settlement import (
    SETTLEMENT_EVENTS,
    Counterparty,
    SettlementAdjusted,
    SettlementDiscarded,
    SettlementLines,
    SettlementPrepared,
    SettlementReady,
    SettlementRefused,
    SettlementReleased,
    SettlementRequested,
    Totals,
    cycle_of,
)
from ledger import Archive, Recorded
from projections.projection import Connection, sql_beside
from projections.settlement_lines import FIGURES, LineWriter

LINES_AT_ONCE = 200_000
"""Lines that are held before they are written."""

_VERSION = (
    "INSERT INTO process VALUES (%s, %s)"
    " ON CONFLICT (process) DO UPDATE SET version = excluded.version"
)
_REQUEST = (
    "INSERT INTO request VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (process, cycle) DO UPDATE SET requested_at = excluded.requested_at,"
    " requested_by = excluded.requested_by, role = excluded.role, address = excluded.address,"
    " page = excluded.page, comment = excluded.comment, status = 'WAITING', reason = ''"
)
_PREPARED = (
    "INSERT INTO settlement (settlement_id, process, cycle, status, counterparty, party, currency,"
    " until, settings_sha256, prepared_at, prepared_by, prepared_comment, position)"
    " VALUES (%s, %s, %s, 'PREPARING', %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_READY = (
    "UPDATE settlement SET status = 'READY', sales = %s, principal_cents = %s,"
    " commission_cents = %s, commission_vat_cents = %s, adjustment_cents = %s, net_cents = %s,"
    " remarks = %s, ready_at = %s, ready_position = %s WHERE settlement_id = %s"
)
_RELEASED = (
    "UPDATE settlement SET status = 'RELEASED', released_at = %s, released_by = %s,"
    " released_comment = %s, released_position = %s WHERE settlement_id = %s"
    " RETURNING counterparty, party, currency, sales, principal_cents, commission_cents,"
    " commission_vat_cents, adjustment_cents, net_cents"
)
_DISCARDED = (
    "UPDATE settlement SET status = 'DISCARDED', discarded_at = %s, discarded_by = %s,"
    " discarded_comment = %s WHERE settlement_id = %s"
)
_POSTING = "INSERT INTO posting VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"


class Settlements:
    """Feeds `settlement`, `settlement_line`, `adjustment`, `posting` and `request`. Lines take what
    their records say from the frames in `archive`."""

    name = "settlements"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (*RECONCILIATION_EVENTS, *SETTLEMENT_EVENTS)

    def __init__(self, archive: Archive | None = None) -> None:
        self._lines = LineWriter(archive or Archive())

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        held: list[SettlementLines] = []
        for entry in recorded:
            event = entry.event
            if isinstance(event, SettlementLines):
                held.append(event)
                if sum(len(one.lines) for one in held) >= LINES_AT_ONCE:
                    await self._write(connection, held)
            elif isinstance(event, SettlementDiscarded):
                # Its lines may be among those that are held.
                await self._write(connection, held)
                await _discarded(connection, event)
            else:
                await _take(connection, entry)
        await self._write(connection, held)
        await _moved(connection, recorded)

    async def _write(self, connection: Connection, held: list[SettlementLines]) -> None:
        by_process: dict[str, list[pa.Table]] = {}
        for event in held:
            by_process.setdefault(event.process, []).append(_figures(event))
        for process, tables in by_process.items():
            await self._lines.write(connection, process, pa.concat_tables(tables))
        held.clear()


def _figures(event: SettlementLines) -> pa.Table:
    """An event's lines, but for what their records say."""
    fees = [event.fees[number] if number >= 0 else "" for number in event.fee]
    principal = np.array(event.principal, dtype=np.int64)
    commission = np.array(event.commission, dtype=np.int64)
    vat = np.array(event.commission_vat, dtype=np.int64)
    return pa.Table.from_arrays(
        [
            pa.array([event.settlement_id] * len(fees), pa.string()),
            pa.array(event.lines, pa.int64()),
            pa.array(principal),
            pa.array(commission),
            pa.array(vat),
            pa.array(principal - commission - vat),
            pa.array(fees, pa.string()),
        ],
        names=list(FIGURES),
    )


async def _moved(connection: Connection, recorded: Iterable[Recorded]) -> None:
    """Each process is at the version of its last event."""
    versions = {entry.stream.partition("/")[2]: entry.version for entry in recorded}
    await connection.cursor().executemany(_VERSION, list(versions.items()))


async def _take(connection: Connection, entry: Recorded) -> None:
    event = entry.event
    match event:
        case FileAdmitted() | SalesTaken():
            await connection.cursor().executemany(
                "INSERT INTO frame VALUES (%s, %s, %s, %s)",
                [(event.process, event.file, n, sha) for n, sha in enumerate(event.frames)],
            )
        case FileWithdrawn():
            await connection.execute(
                "DELETE FROM frame WHERE process = %s AND file = %s", (event.process, event.file)
            )
        case SettlementRequested():
            who = (event.by, event.role, event.address, event.page, event.comment)
            await connection.execute(_REQUEST, (event.process, event.cycle, event.at, *who))
        case SettlementRefused():
            await connection.execute(
                "UPDATE request SET status = 'REFUSED', reason = %s"
                " WHERE process = %s AND cycle = %s",
                (event.reason, event.process, event.cycle),
            )
        case SettlementPrepared():
            await _prepared(connection, event, entry.position)
        case SettlementAdjusted():
            pairs = zip(event.decisions, event.amounts, strict=True)
            await connection.cursor().executemany(
                "INSERT INTO adjustment VALUES (%s, %s, %s)",
                [(event.settlement_id, decision, amount) for decision, amount in pairs],
            )
        case SettlementReady():
            await _ready(connection, event, entry.position)
        case SettlementReleased():
            await _released(connection, event, entry.position)
        case _:
            pass


async def _prepared(connection: Connection, event: SettlementPrepared, position: int) -> None:
    await connection.execute(
        _PREPARED,
        (
            event.settlement_id,
            event.process,
            event.cycle,
            event.counterparty.value,
            event.party,
            event.currency,
            event.until,
            event.settings_sha256,
            event.at,
            event.by,
            event.comment,
            position,
        ),
    )


async def _ready(connection: Connection, event: SettlementReady, position: int) -> None:
    totals = event.totals
    await connection.execute(
        _READY,
        (
            totals.sales,
            totals.principal_cents,
            totals.commission_cents,
            totals.commission_vat_cents,
            totals.adjustment_cents,
            totals.net_cents,
            list(event.remarks),
            event.at,
            position,
            event.settlement_id,
        ),
    )
    await connection.execute(
        "DELETE FROM request WHERE process = %s AND cycle = %s",
        (event.process, cycle_of(event.settlement_id)),
    )


async def _released(connection: Connection, event: SettlementReleased, position: int) -> None:
    settlement = event.settlement_id
    cursor = await connection.execute(
        _RELEASED, (event.at, event.by, event.comment, position, settlement)
    )
    [(counterparty, party, currency, *figures)] = await cursor.fetchall()
    entry = postings(Counterparty(counterparty), Totals(*figures))
    about = (position, event.at, settlement, event.process, party, currency)
    await connection.cursor().executemany(
        _POSTING,
        [(*about, one.account.value, one.debit_cents, one.credit_cents) for one in entry],
    )


async def _discarded(connection: Connection, event: SettlementDiscarded) -> None:
    settlement = event.settlement_id
    await connection.execute(_DISCARDED, (event.at, event.by, event.comment, settlement))
    await connection.execute("DELETE FROM settlement_line WHERE settlement_id = %s", (settlement,))
    await connection.execute("DELETE FROM adjustment WHERE settlement_id = %s", (settlement,))
