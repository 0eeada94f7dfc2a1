"""What is asked of the outbox: reports newest first, one of them, and the deliveries due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.outbox import ReportFile
from projections.keyset import Cursor, Page, read_page
from projections.outbox import DeliveryRow, Outbox
from projections.projection import Connection, schema_of
from projections.reading import Reading

DELIVERIES_MAX = 100
"""Of one report, shown."""
KEYS = (datetime, str)
"""What a mark of a list's page consists of."""

_SCHEMA = schema_of(Outbox.name)


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A report of the outbox. `totals` in cents, counts otherwise; `position` is what it was made
    from; the last three count its deliveries. Times are UTC."""

    report_id: str
    process: str
    kind: str
    subject: str
    files: list[ReportFile]
    totals: dict[str, int]
    position: int
    made_at: datetime
    made_by: str
    comment: str
    pending: int
    sent: int
    given_up: int

    def file(self, form: str) -> ReportFile | None:
        """Its file of this form."""
        return next((file for file in self.files if file.form == form), None)


class OutboxFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which reports: '' and False don't restrict. `since` and `until` (UTC) are about when they
    were made, `until` left out. `not_delivered`: a delivery of it was given up."""

    process: str = ""
    kind: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    not_delivered: bool = False


_NAMES = ReportRow.__struct_fields__
_SELECT = f"SELECT {', '.join(_NAMES)} FROM {_SCHEMA}.report"  # noqa: S608 (names of our own)


def _row(row: Sequence[Any]) -> ReportRow:
    return msgspec.convert(dict(zip(_NAMES, row, strict=True)), ReportRow)


def _conditions(wanted: OutboxFilter) -> list[str]:
    conditions = [f"{name} = %({name})s" for name in ("process", "kind", "subject")]
    conditions = [c for c in conditions if getattr(wanted, c.partition(" ")[0])]
    if wanted.since is not None:
        conditions.append("made_at >= %(since)s")
    if wanted.until is not None:
        conditions.append("made_at < %(until)s")
    if wanted.not_delivered:
        conditions.append("given_up > 0")
    return conditions


async def reports(
    reading: Reading, wanted: OutboxFilter, *, cursor: Cursor | None = None, limit: int
) -> Page[ReportRow]:
    """A page of the outbox, newest first."""
    return await read_page(
        reading,
        select=_SELECT,
        conditions=_conditions(wanted),
        keys=("made_at", "report_id"),
        descending=True,
        parameters=msgspec.structs.asdict(wanted),
        cursor=cursor,
        limit=limit,
        make=_row,
        key_of=lambda row: (row.made_at, row.report_id),
    )


async def report(reading: Reading, report_id: str) -> ReportRow | None:
    """One report by its id."""
    rows = await reading.rows(f"{_SELECT} WHERE report_id = %s", (report_id,))
    return _row(rows[0]) if rows else None


async def deliveries(reading: Reading, report_id: str) -> list[DeliveryRow]:
    """To whom it goes, by name, and how that stands; DELIVERIES_MAX at most."""
    names = DeliveryRow.__struct_fields__
    rows = await reading.rows(
        f"SELECT {', '.join(names)} FROM {_SCHEMA}.delivery"  # noqa: S608 (names of our own)
        f" WHERE report_id = %s ORDER BY recipient LIMIT {DELIVERIES_MAX}",
        (report_id,),
    )
    return [DeliveryRow(**dict(zip(names, row, strict=True))) for row in rows]


_DUE = f"""
    SELECT report_id, recipient FROM {_SCHEMA}.delivery
    WHERE due_at <= %s ORDER BY due_at, report_id, recipient LIMIT %s
""".encode()  # noqa: S608 (names of our own)


async def deliveries_due(
    connection: Connection, now: datetime, limit: int
) -> list[tuple[str, str]]:
    """(report id, recipient) of deliveries that may be tried by `now`, the longest due first."""
    cursor = await connection.execute(_DUE, (now, limit))
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def latest_of(
    connection: Connection, process: str, kind: str, subject: str
) -> tuple[str, datetime] | None:
    """Id and moment (UTC) of the process's latest report of this kind and subject."""
    cursor = await connection.execute(
        f"SELECT report_id, made_at FROM {_SCHEMA}.report"  # noqa: S608 (names of our own)
        " WHERE process = %s AND kind = %s AND subject = %s ORDER BY made_at DESC LIMIT 1".encode(),
        (process, kind, subject),
    )
    return await cursor.fetchone()
