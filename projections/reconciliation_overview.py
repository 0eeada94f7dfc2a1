"""How the processes of reconciliation stand as a whole, and which files take part in them."""

from datetime import date, datetime

import msgspec

from domain.reconciliation import RunCounts
from projections.projection import schema_of
from projections.reading import Reading
from projections.reconciliation_filter import OPEN
from projections.reconciliation_search import LINES, SIGNED

_SCHEMA = schema_of("reconciliation")


class Standings(msgspec.Struct, frozen=True):
    """A part of a process's lines: how many, and their signed sums in cents."""

    standing: str
    paired: bool
    side: str
    lines: int
    our_cents: int
    their_cents: int


async def standings(
    reading: Reading, process: str, until: date | None = None, *, matched: bool = True
) -> list[Standings]:
    """The process's lines that are in no released settlement, by how they stand; `until`: of
    business dates up to that. Without `matched` those that agree are left out: they are the many.
    """
    ours = "CASE WHEN h.side = 'OURS' THEN h.amount_cents ELSE o.amount_cents END"
    theirs = "CASE WHEN h.side = 'THEIRS' THEN h.amount_cents ELSE o.amount_cents END"
    query = f"""
        SELECT h.status, h.partner <> 0, h.side, count(*),
            coalesce(sum({SIGNED.format(f"({ours})")}), 0)::bigint,
            coalesce(sum({SIGNED.format(f"({theirs})")}), 0)::bigint
        {LINES}
        WHERE h.process = %(process)s AND h.head AND s.status IS DISTINCT FROM 'RELEASED'
            AND h.business_date <= coalesce(%(until)s::date, 'infinity')
            {"" if matched else "AND h.status <> 'MATCHED'"}
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """  # noqa: S608
    found = await reading.rows(query, {"process": process, "until": until})
    return [Standings(*row) for row in found]


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """A process as far as its stream was read. `open_lines`, `pending`: lines that wait for
    somebody or something, decisions that wait for approval."""

    process: str
    version: int
    position: int
    run: int
    as_of: date | None
    run_at: datetime | None
    counts: RunCounts
    taken_position: int
    open_lines: int
    pending: int


async def processes(reading: Reading) -> dict[str, ProcessRow]:
    """Every process that has a stream, by id."""
    query = f"""
        SELECT process, version, position, run, as_of, run_at, counts, taken_position,
            (SELECT count(*) FROM {_SCHEMA}.record AS h WHERE h.process = p.process AND h.head
                AND h.status <> 'MATCHED' AND h.status = ANY (%(open)s)),
            (SELECT count(*) FROM {_SCHEMA}.decision AS d
                WHERE d.process = p.process AND d.status = 'PENDING')
        FROM {_SCHEMA}.process AS p ORDER BY process
    """  # noqa: S608
    found = await reading.rows(query, {"open": list(OPEN)})
    names = ProcessRow.__struct_fields__
    rows: dict[str, ProcessRow] = {}
    for row in found:
        values = dict(zip(names, row, strict=True))
        values["counts"] = msgspec.convert(values["counts"], RunCounts)
        rows[row[0]] = ProcessRow(**values)
    return rows


class AdmittedRow(msgspec.Struct, frozen=True):
    """A file, or a taking of our sales, that takes part; `frames`: its records in the archive."""

    file: int
    file_id: str
    side: str
    records: int
    frames: tuple[str, ...]
    at: datetime


async def admitted(reading: Reading, process: str, file: int) -> AdmittedRow | None:
    """The file of this number."""
    found = await reading.rows(
        f"SELECT file, file_id, side, records, frames, at FROM {_SCHEMA}.admitted"  # noqa: S608
        " WHERE process = %s AND file = %s",
        (process, file),
    )
    if not found:
        return None
    number, file_id, side, records, frames, at = found[0]
    return AdmittedRow(number, file_id, side, records, tuple(frames), at)
