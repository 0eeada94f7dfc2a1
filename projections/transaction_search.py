"""The search for transactions: filters that combine, in pages by keyset, bounded whatever is asked.

Of a source (see transaction_source.py) a page looks at so many rows at most, and says how far it
came where that was not enough to fill it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncCursor

from projections.projection import Connection
from projections.reading import Reading
from projections.transaction_filter import Filters
from projections.transaction_row import TransactionRow
from projections.transaction_source import (
    BY_REFERENCE_AS_METER,
    BY_TIME,
    OPEN_AT_SINCE,
    PLANNING,
    TABLE,
    Source,
    sources,
)


@dataclass(frozen=True, order=True)
class Cursor:
    """A place in the list: of what was requested then (UTC), at this position of the ledger."""

    requested_at: datetime
    position: int


@dataclass(frozen=True)
class Page:
    """Rows, newest first. `older` and `newer` are where the list goes on (to be given as `before`
    and `after`); None: there is nothing there. `searched_to`: the page is not full, because only
    what was requested since then (UTC; for a page of newer rows: until then) was looked at."""

    rows: list[TransactionRow]
    older: Cursor | None = None
    newer: Cursor | None = None
    searched_to: datetime | None = None


@dataclass(frozen=True)
class SearchSettings:
    """`scan_rows`: how many rows of a source one page may look at. `probe_rows`: how far sources
    are compared. `reference_rows`: a reference that more transactions have is no source, for they
    can only be read in any order."""

    scan_rows: int = 10_000
    probe_rows: int = 1_000
    reference_rows: int = 1_000


_COLUMNS = ", ".join(TransactionRow.__struct_fields__)
_NAMED = "(terms && %(terms)s OR message_id = ANY(%(ids)s))"
_REFERRED = f"({_NAMED} OR meter = %(reference)s)"


class TransactionSearch:
    """Answers over the read model's live tables."""

    def __init__(self, reading: Reading, settings: SearchSettings = SearchSettings()) -> None:
        self._reading = reading
        self._settings = settings

    async def page(
        self,
        filters: Filters,
        rows: int,
        before: Cursor | None = None,
        after: Cursor | None = None,
    ) -> Page:
        """At most `rows` transactions: the newest, or those `before` or `after` a place in the
        list. Raises psycopg's errors."""
        async with self._reading.connection() as connection, connection.transaction():
            # All statements of a search have to see the same rows.
            await connection.execute(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", prepare=False
            )
            await connection.execute(PLANNING)
            newer = after is not None
            search = _Search(connection, filters, self._settings, rows, before or after, newer)
            found, end = await search.run()
        return _page(found, end, rows, before, after)


def _page(
    found: list[TransactionRow],
    end: Cursor | None,
    size: int,
    before: Cursor | None,
    after: Cursor | None,
) -> Page:
    """`found` in the direction of the search, one more than fits where there is more; `end`: the
    place up to which was looked, if that was not to the list's end."""
    more, rows = len(found) > size, found[:size]
    on = _place(rows[-1]) if more else end
    searched_to = end.requested_at if end is not None and not more else None
    if after is None:
        # Those after a place leave that place itself out; it may be a row, of the page before.
        back = (
            _place(rows[0]) if rows else before and Cursor(before.requested_at, before.position - 1)
        )
        return Page(rows, on, back if before is not None else None, searched_to)
    rows.reverse()
    back = _place(rows[-1]) if rows else Cursor(after.requested_at, after.position + 1)
    return Page(rows, back, on, searched_to)


def _place(row: TransactionRow) -> Cursor:
    return Cursor(row.requested_at, row.position)


class _Search:
    """One page's search, in one database transaction."""

    def __init__(
        self,
        connection: Connection,
        filters: Filters,
        settings: SearchSettings,
        rows: int,
        cursor: Cursor | None,
        newer: bool,
    ) -> None:
        self._connection = connection
        self._filters = filters
        self._settings = settings
        self._newer = newer
        self._cursor = cursor
        self._rows = rows + 1
        self._values: dict[str, Any] = filters.parameters() | {
            "rows": self._rows,
            "scan": settings.scan_rows,
            "at": cursor and cursor.requested_at,
            "position": cursor and cursor.position,
        }

    async def run(self) -> tuple[list[TransactionRow], Cursor | None]:
        """Rows in the direction of the search, at most one more than a page has; and where it ended
        for having looked at enough, if so."""
        if self._filters.since is None:
            return await self._near()
        stages = (self._near, self._open_before)
        found: list[TransactionRow] = []
        for stage in reversed(stages) if self._newer else stages:
            more, end = await stage()
            found += more
            if len(found) >= self._rows or end is not None:
                return found[: self._rows], end
        return found, None

    async def _near(self) -> tuple[list[TransactionRow], Cursor | None]:
        """What was requested within the range, or just before it."""
        rest, reference = list(self._filters.conditions()), self._filters.reference
        if reference is not None and await self._is_rare():
            return await self._referred(rest)
        if reference is not None:
            rest.append(_REFERRED)
        source = await self._best(list(sources(self._filters)))
        # The rows bring what they are ordered by, or they would all be sorted once more.
        columns = f"{_COLUMNS}, {source.tie} AS tie"
        scanned = source.scan(columns, self._bounds(), newer=self._newer, rest="LIMIT %(scan)s")
        found = await self._select(scanned, rest, source.order(newer=self._newer, tie="tie"))
        return found, await self._end(source) if len(found) < self._rows else None

    async def _open_before(self) -> tuple[list[TransactionRow], Cursor | None]:
        """What was requested before that, and ended in the range. The rows are as few as were open
        at its beginning, so all are looked at."""
        rest = [*self._filters.conditions(), "requested_at < %(floor)s", self._after_cursor()]
        if self._filters.reference is not None:
            rest.append(_REFERRED)
        # OFFSET 0 keeps the other conditions out: they would lead the planner along another index.
        query = f"SELECT {_COLUMNS} FROM {TABLE} WHERE {OPEN_AT_SINCE} OFFSET 0"  # noqa: S608
        return await self._select(query, rest, BY_TIME.order(newer=self._newer)), None

    async def _referred(self, rest: list[str]) -> tuple[list[TransactionRow], Cursor | None]:
        """By a reference that few transactions have; and those of the meter of that number, who may
        be many."""
        meter, bounds = BY_REFERENCE_AS_METER, self._bounds()
        of_meter = meter.scan(_COLUMNS, bounds, newer=self._newer, rest="LIMIT %(scan)s")
        either = (
            f"({of_meter}) UNION ALL SELECT {_COLUMNS} FROM {TABLE}"  # noqa: S608
            f" WHERE {_NAMED} AND meter <> %(reference)s AND {bounds}"
        )
        found = await self._select(either, rest, meter.order(newer=self._newer))
        end = await self._end(meter)
        if end is not None:
            found = [row for row in found if self._until(end, row)]
        return found, end if len(found) < self._rows else None

    def _until(self, end: Cursor, row: TransactionRow) -> bool:
        return _place(row) <= end if self._newer else _place(row) >= end

    async def _is_rare(self) -> bool:
        """Whether few enough transactions have the reference to look at all of them. The index is
        told to give up early: a till may write the same into all its messages."""
        limit = self._settings.reference_rows
        await self._connection.execute(
            "SELECT set_config('gin_fuzzy_search_limit', %s, true)", (str(5 * limit),)
        )
        some = f"SELECT FROM {TABLE} WHERE terms && %(terms)s LIMIT {limit + 1:d}"
        query = f"SELECT count(*) FROM ({some}) AS few"  # noqa: S608
        [(count,)] = await (await self._execute(query)).fetchall()
        await self._connection.execute("SELECT set_config('gin_fuzzy_search_limit', '0', true)")
        return count <= limit

    async def _best(self, candidates: Sequence[Source]) -> Source:
        """The source whose next rows reach furthest."""
        if len(candidates) <= 1:
            return next(iter(candidates), BY_TIME)
        bounds, rest = self._bounds(), f"OFFSET {self._settings.probe_rows - 1:d} LIMIT 1"
        probes = (
            f"({source.scan('requested_at', bounds, newer=self._newer, rest=rest)})"
            for source in candidates
        )
        [reached] = await (await self._execute(f"SELECT {', '.join(probes)}")).fetchall()
        if None in reached:
            return candidates[reached.index(None)]
        return candidates[reached.index((max if self._newer else min)(reached))]

    async def _end(self, source: Source) -> Cursor | None:
        """Where the scan of `source` ended, if there is more of it."""
        rest = f"OFFSET {self._settings.scan_rows - 1:d} LIMIT 1"
        query = source.scan("requested_at, position", self._bounds(), newer=self._newer, rest=rest)
        row = await (await self._execute(query)).fetchone()
        return None if row is None else Cursor(*row)

    def _bounds(self) -> str:
        """The part of a source that a page begins in."""
        bounds = [self._after_cursor()]
        if self._filters.until is not None:
            bounds.append("requested_at < %(until)s")
        if self._filters.since is not None:
            bounds.append("requested_at >= %(floor)s")
        return " AND ".join(bounds)

    def _after_cursor(self) -> str:
        if self._cursor is None:
            return "true"
        sign = ">" if self._newer else "<"
        return (
            f"requested_at {sign}= %(at)s"
            f" AND (requested_at {sign} %(at)s OR position {sign} %(position)s)"
        )

    async def _select(self, scanned: str, rest: list[str], order: str) -> list[TransactionRow]:
        query = (
            f"SELECT {_COLUMNS} FROM ({scanned}) AS scanned"  # noqa: S608
            f" WHERE {' AND '.join(rest) or 'true'}"
            f" ORDER BY {order} LIMIT %(rows)s"
        )
        names = TransactionRow.__struct_fields__
        found = await (await self._execute(query)).fetchall()
        return [TransactionRow(**dict(zip(names, row, strict=True))) for row in found]

    async def _execute(self, query: str) -> AsyncCursor[tuple[Any, ...]]:
        # Not prepared: a plan for any value is a plan for the wrong index.
        return await self._connection.execute(query.encode(), self._values, prepare=False)
