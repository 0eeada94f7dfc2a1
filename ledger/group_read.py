"""Group read: streams that are asked for at the same time are read in one query.

While one query is under way the next ones collect, as with appends. A read that is alone is not
held back.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from psycopg import sql
from psycopg.rows import TupleRow

Fetch = Callable[[sql.Composed, Sequence[Any]], Awaitable[list[TupleRow]]]

# Each stream's rows come together and in order, behind the number of the stream in the question.
_QUERY = """
SELECT asked.number, found.* FROM unnest(%s::text[], %s::bigint[])
    WITH ORDINALITY AS asked (stream, after_version, number)
CROSS JOIN LATERAL (
    SELECT {columns} FROM {table}
    WHERE originator_id = asked.stream AND originator_version > asked.after_version
    ORDER BY originator_version LIMIT %s::bigint
) AS found ORDER BY asked.number, found.originator_version
"""

_Waiting = tuple[str, int, "asyncio.Future[list[TupleRow]]"]


class GroupRead:
    """Collects reads of streams; at most `streams_max` go into one query of `page` rows each."""

    def __init__(
        self,
        fetch: Fetch,
        columns: sql.SQL,
        table: sql.Composable,
        streams_max: int,
        page: int,
    ) -> None:
        self._fetch = fetch
        self._query = sql.SQL(_QUERY).format(columns=columns, table=table)
        self._streams_max = streams_max
        self._page = page
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def rows(self, stream: str, after_version: int) -> list[TupleRow]:
        """At most a page of the stream's rows above `after_version`, by version. Raises what the
        query raises."""
        answer: asyncio.Future[list[TupleRow]] = asyncio.get_running_loop().create_future()
        self._waiting.append((stream, after_version, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._read_all())
        return await answer

    async def _read_all(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), self._streams_max)
                await self._read([self._waiting.popleft() for _ in range(count)])
        finally:
            self._task = None

    async def _read(self, group: list[_Waiting]) -> None:
        parameters = [[w[0] for w in group], [w[1] for w in group], self._page]
        try:
            rows = await self._fetch(self._query, parameters)
        except Exception as error:
            # Whatever it is, every reader of the group gets it; none may wait for ever.
            for _, _, answer in group:
                if not answer.done():
                    answer.set_exception(error)
            return
        found: dict[int, list[TupleRow]] = {number: [] for number in range(1, len(group) + 1)}
        for row in rows:
            found[row[0]].append(row[1:])
        for (_, _, answer), its_rows in zip(group, found.values(), strict=True):
            if not answer.done():
                answer.set_result(its_rows)
