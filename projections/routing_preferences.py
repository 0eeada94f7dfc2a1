"""Routing preferences as a read model: one row for each utility."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.event import Event
from domain.utility import UTILITY_EVENTS, PreferencesSet, UtilityRegistered
from ledger import Recorded
from projections.projection import Connection, sql_beside


class _Row(msgspec.Struct):
    """A row of `utility`, in the order of its columns after the key."""

    name: str = ""
    sort_name: str = ""
    ranked: list[str] = []
    excluded: list[str] = []
    version: int = 0
    changed_at: datetime = datetime.min.replace(tzinfo=UTC)
    changed_by: str = ""
    comment: str = ""

    def apply(self, event: UtilityRegistered | PreferencesSet, version: int) -> None:
        match event:
            case UtilityRegistered():
                self.name, self.sort_name = event.name, event.name.casefold()
            case PreferencesSet():
                self.ranked, self.excluded = list(event.ranked), list(event.excluded)
        self.version = version
        self.changed_at, self.changed_by = event.at, event.by
        self.comment = event.comment


class RoutingPreferences:
    """Feeds `utility`."""

    name = "routing_preferences"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = UTILITY_EVENTS

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        events = [(e.event, e.version) for e in recorded if isinstance(e.event, UTILITY_EVENTS)]
        rows = await _known(connection, {event.utility for event, _ in events})
        for event, version in events:
            rows.setdefault(event.utility, _Row()).apply(event, version)
        await connection.cursor().executemany(
            """
            INSERT INTO utility (utility, name, sort_name, ranked, excluded, version, changed_at,
                                 changed_by, comment)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (utility) DO UPDATE SET
                name = excluded.name, sort_name = excluded.sort_name, ranked = excluded.ranked,
                excluded = excluded.excluded, version = excluded.version,
                changed_at = excluded.changed_at, changed_by = excluded.changed_by,
                comment = excluded.comment
            """,
            [(utility, *msgspec.structs.astuple(row)) for utility, row in rows.items()],
        )


async def _known(connection: Connection, utilities: set[str]) -> dict[str, _Row]:
    cursor = await connection.execute(
        """
        SELECT utility, name, sort_name, ranked, excluded, version, changed_at, changed_by, comment
        FROM utility WHERE utility = ANY(%s)
        """,
        (list(utilities),),
    )
    found: list[tuple[Any, ...]] = await cursor.fetchall()
    return {utility: _Row(*values) for utility, *values in found}
