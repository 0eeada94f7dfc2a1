"""The contract table as a read model: meter, municipality, and support per provider."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.event import Event
from domain.lookup import LookupAnswered
from domain.meter import (
    METER_EVENTS,
    Meter,
    MeterBroadcast,
    MeterPreferenceSet,
    MeterSeen,
    MunicipalityAssigned,
    RebroadcastCleared,
    RebroadcastRequested,
    SupportAnswered,
)
from domain.routing import Support
from domain.sale import UtilityType
from ledger import Recorded
from projections.projection import Connection, schema_of, sql_beside

_Key = tuple[str, str]


class _Row(msgspec.Struct):
    """A row of `meter`, in the order of its columns after the key."""

    utility: str | None = None
    utility_name: str | None = None
    rebroadcast: bool = False
    preference: list[str] = []
    first_seen_at: datetime | None = None
    last_broadcast_at: datetime | None = None

    def apply(self, event: Event) -> None:
        match event:
            case MeterSeen():
                self.first_seen_at = event.at
            case MeterBroadcast():
                self.last_broadcast_at = event.at
            case MunicipalityAssigned():
                self.utility, self.utility_name = event.utility, event.name
            case RebroadcastRequested():
                self.rebroadcast = True
            case RebroadcastCleared():
                self.rebroadcast = False
            case MeterPreferenceSet():
                self.preference = list(event.providers)
            case _:
                pass


class _Answer(msgspec.Struct):
    """A change to a row of `support`: None leaves the status as it is."""

    status: str | None = None
    at: datetime | None = None


class ContractTable:
    """Feeds `meter` and `support`."""

    name = "contract_table"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (*METER_EVENTS, LookupAnswered)

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        changes: dict[_Key, list[Event]] = {}
        answers: dict[tuple[str, str, str], _Answer] = {}
        for entry in recorded:
            event = entry.event
            if isinstance(event, LookupAnswered):
                key = (event.utility_type.value, event.number)
                answer = answers.setdefault((*key, event.provider), _Answer())
                answer.at = max(answer.at or event.at, event.at)
                continue
            assert isinstance(event, Event)
            key = _key(entry.stream)
            changes.setdefault(key, []).append(event)
            if isinstance(event, SupportAnswered):
                status = Support.SUPPORTED if event.supported else Support.NOT_SUPPORTED
                answer = answers.setdefault((*key, event.provider), _Answer())
                answer.status = status.value
                answer.at = max(answer.at or event.at, event.at)
            elif isinstance(event, MeterBroadcast):
                for provider in event.providers:
                    answers.setdefault((*key, provider), _Answer())
        await _write_meters(connection, changes)
        await _write_answers(connection, answers)


def _key(stream: str) -> _Key:
    """(utility type, number) of a meter's stream."""
    _, utility_type, number = stream.split("/", 2)
    return utility_type, number


async def _write_meters(connection: Connection, changes: dict[_Key, list[Event]]) -> None:
    if not changes:
        return
    types, numbers = [key[0] for key in changes], [key[1] for key in changes]
    cursor = await connection.execute(
        """
        SELECT utility_type, number, utility, utility_name, rebroadcast, preference,
               first_seen_at, last_broadcast_at
        FROM meter JOIN unnest(%s::text[], %s::text[]) AS k (t, n)
          ON utility_type = t AND number = n
        """,
        (types, numbers),
    )
    rows = {(row[0], row[1]): _Row(*row[2:]) for row in await cursor.fetchall()}
    for key, events in changes.items():
        row = rows.setdefault(key, _Row())
        for event in events:
            row.apply(event)
    await connection.cursor().executemany(
        """
        INSERT INTO meter (utility_type, number, utility, utility_name, rebroadcast, preference,
                           first_seen_at, last_broadcast_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (utility_type, number) DO UPDATE SET
            utility = excluded.utility, utility_name = excluded.utility_name,
            rebroadcast = excluded.rebroadcast, preference = excluded.preference,
            first_seen_at = excluded.first_seen_at,
            last_broadcast_at = excluded.last_broadcast_at
        """,
        [(*key, *msgspec.structs.astuple(rows[key])) for key in changes],
    )


async def _write_answers(
    connection: Connection, answers: dict[tuple[str, str, str], _Answer]
) -> None:
    if not answers:
        return
    # A lookup's answer and the meter's own stream arrive in no fixed order, so the later time
    # wins and a missing status leaves the known one.
    await connection.cursor().executemany(
        """
        INSERT INTO support AS s (utility_type, number, provider, status, last_response_at)
        VALUES (%s, %s, %s, coalesce(%s::text, 'UNCONFIRMED'), %s)
        ON CONFLICT (utility_type, number, provider) DO UPDATE SET
            status = coalesce(%s::text, s.status),
            last_response_at = greatest(s.last_response_at, excluded.last_response_at)
        """,
        [(*key, a.status, a.at, a.status) for key, a in answers.items()],
    )


async def meters_due(
    connection: Connection, broadcast_before: datetime, limit: int
) -> Sequence[Meter]:
    """Meters that somebody serves and that were last broadcast before then, oldest first."""
    schema = schema_of(ContractTable.name)
    cursor = await connection.execute(
        f"""
        SELECT utility_type, number FROM {schema}.meter AS m
        WHERE last_broadcast_at < %s AND EXISTS (
            SELECT FROM {schema}.support AS s
            WHERE s.utility_type = m.utility_type AND s.number = m.number
              AND s.status = 'SUPPORTED')
        ORDER BY last_broadcast_at LIMIT %s
        """.encode(),  # noqa: S608 (the schema's name is a constant)
        (broadcast_before, limit),
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    return [Meter(number=number, utility_type=UtilityType(kind)) for kind, number in rows]
