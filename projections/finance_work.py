"""What is due in finance, as a read model: one small row a process. What lies in the rows of other
read models is not here again."""

from collections.abc import Sequence
from datetime import date

import msgspec
from psycopg import sql

from domain.event import Event
from domain.reconciliation import DecisionApproved, FileAdmitted, FileWithdrawn, RunFinished
from domain.settlement import SettlementPrepared, SettlementReady, SettlementReleased
from ledger import Recorded
from projections.projection import Connection, schema_of, sql_beside


class ProcessWork(msgspec.Struct, kw_only=True):
    """A row of `work`, its columns in order."""

    process: str
    matched: date | None = None
    changed_position: int | None = None
    settled: date | None = None
    released_position: int | None = None
    preparing_until: date | None = None
    """Of the settlement that is being written, until it is ready."""

    def apply(self, event: Event, position: int) -> None:
        """Changes it as the event says."""
        match event:
            case RunFinished():
                # A run never looks less far than the one before it.
                self.matched, self.changed_position = date.fromisoformat(event.as_of), None
            case FileAdmitted() | FileWithdrawn() | DecisionApproved():
                self.changed_position = position
            case SettlementPrepared():
                self.preparing_until = date.fromisoformat(event.until)
            case SettlementReady() if self.preparing_until is not None:
                self.settled = max(self.settled or date.min, self.preparing_until)
                self.preparing_until = None
            case SettlementReleased():
                self.released_position = position
            case _:
                pass


_COLUMNS = tuple(map(sql.Identifier, ProcessWork.__struct_fields__))
_SELECT = sql.SQL("SELECT {} FROM work WHERE process = ANY(%s)").format(
    sql.SQL(", ").join(_COLUMNS)
)
_UPSERT = sql.SQL(
    "INSERT INTO work ({}) VALUES ({}) ON CONFLICT (process) DO UPDATE SET {}"
).format(
    sql.SQL(", ").join(_COLUMNS),
    sql.SQL(", ").join(sql.Placeholder() * len(_COLUMNS)),
    sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in _COLUMNS[1:]),
)

TOPICS: tuple[type[Event], ...] = (
    RunFinished,
    FileAdmitted,
    FileWithdrawn,
    DecisionApproved,
    SettlementPrepared,
    SettlementReady,
    SettlementReleased,
)


class FinanceWork:
    """Feeds `work`."""

    name = "finance_work"
    tables = sql_beside(__file__)
    topics = TOPICS

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        about = [(entry.stream.partition("/")[2], entry) for entry in recorded]
        rows = await _rows(connection, sorted({process for process, _ in about}))
        for process, entry in about:
            assert isinstance(entry.event, Event)
            if process not in rows:
                rows[process] = ProcessWork(process=process)
            rows[process].apply(entry.event, entry.position)
        if rows:
            values = [msgspec.structs.astuple(row) for row in rows.values()]
            await connection.cursor().executemany(_UPSERT, values)


async def _rows(connection: Connection, processes: list[str]) -> dict[str, ProcessWork]:
    cursor = await connection.execute(_SELECT, (processes,))
    names = ProcessWork.__struct_fields__
    rows = [ProcessWork(**dict(zip(names, row, strict=True))) for row in await cursor.fetchall()]
    return {row.process: row for row in rows}


_SCHEMA = schema_of(FinanceWork.name)
_ALL = sql.SQL("SELECT {} FROM {}.work").format(
    sql.SQL(", ").join(_COLUMNS), sql.Identifier(_SCHEMA)
)


async def work_of(connection: Connection) -> dict[str, ProcessWork]:
    """What each process has behind it, by its id; those that nothing was done for are left out."""
    cursor = await connection.execute(_ALL)
    names = ProcessWork.__struct_fields__
    rows = [ProcessWork(**dict(zip(names, row, strict=True))) for row in await cursor.fetchall()]
    return {row.process: row for row in rows}
