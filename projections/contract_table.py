"""The contract table as a read model: meter, municipality, and support per provider; and how many
meters each municipality has, in all and by what providers say of them.

A batch of events is taken in by meter: the rows of the meters that it changes are loaded, the
events folded into them, and the rows written. What a meter counted for before and what it counts
for afterwards is added up over the batch (see `utility_counts`) and written as one statement a
table, in the same transaction; so the counts are always those of the rows, however the events fall
into batches. The commonest event by far, a provider's answer to the lookup of a known meter, moves
only the time of its last response and loads nothing.
"""

from collections.abc import Collection, Sequence
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
from projections.utility_counts import Standing, UtilityCounts

_Key = tuple[str, str]
"""(utility type, number)"""


class _Row(msgspec.Struct):
    """A row of `meter`, in the order of its columns after the key, without `supporters`."""

    utility: str | None = None
    utility_name: str | None = None
    rebroadcast: bool = False
    preference: list[str] = []
    first_seen_at: datetime | None = None
    last_broadcast_at: datetime | None = None


class _Answer(msgspec.Struct):
    """A row of `support`, in the order of its columns after the key."""

    status: str = Support.UNCONFIRMED.value
    last_response_at: datetime | None = None

    def heard(self, at: datetime) -> None:
        # A lookup's answer and the meter's own stream arrive in no fixed order: the later time wins
        # and a lookup's answer leaves the status.
        self.last_response_at = max(self.last_response_at or at, at)


class _Held(msgspec.Struct):
    """A meter with its answers, as the tables have it or as they will."""

    row: _Row = msgspec.field(default_factory=_Row)
    answers: dict[str, _Answer] = {}
    changed: set[str] = set()
    """Providers whose answer is not as it was loaded."""

    def answer(self, provider: str) -> _Answer:
        """The provider's, to be changed."""
        self.changed.add(provider)
        return self.answers.setdefault(provider, _Answer())

    def apply(self, event: Event) -> None:
        row = self.row
        match event:
            case LookupAnswered():
                self.answer(event.provider).heard(event.at)
            case MeterSeen():
                row.first_seen_at = event.at
            case MeterBroadcast():
                row.last_broadcast_at = event.at
                for provider in event.providers:
                    self.answer(provider)
            case SupportAnswered():
                status = Support.SUPPORTED if event.supported else Support.NOT_SUPPORTED
                answer = self.answer(event.provider)
                answer.status = status.value
                answer.heard(event.at)
            case MunicipalityAssigned():
                row.utility, row.utility_name = event.utility, event.name
            case RebroadcastRequested() | RebroadcastCleared():
                row.rebroadcast = isinstance(event, RebroadcastRequested)
            case MeterPreferenceSet():
                row.preference = list(event.providers)
            case _:
                pass

    @property
    def standing(self) -> Standing:
        return Standing(self.row.utility, {p: a.status for p, a in self.answers.items()})

    @property
    def supporters(self) -> int:
        return sum(answer.status == Support.SUPPORTED.value for answer in self.answers.values())


class ContractTable:
    """Feeds `meter`, `support`, `utility_meters` and `utility_support`."""

    name = "contract_table"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (*METER_EVENTS, LookupAnswered)

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        changes: dict[_Key, list[Event]] = {}
        heard: dict[_Key, list[LookupAnswered]] = {}
        counts = UtilityCounts()
        for entry in recorded:
            event = entry.event
            if isinstance(event, LookupAnswered):
                heard.setdefault((event.utility_type.value, event.number), []).append(event)
                continue
            assert isinstance(event, Event)
            changes.setdefault(_key(entry.stream), []).append(event)
            if isinstance(event, MunicipalityAssigned):
                counts.called(event.utility, event.name)
        quick = {key: heard[key] for key in heard.keys() - changes.keys()}
        new = await _heard(connection, quick)
        own = set(changes)
        for key in heard.keys() & own | new:
            changes.setdefault(key, []).extend(heard[key])
        held = await _load(connection, changes)
        for key, meter in held.items():
            before = meter.standing
            for event in changes[key]:
                meter.apply(event)
            counts.moved(before, meter.standing)
        await _write_meters(connection, {key: held[key] for key in changes if key in own})
        await _write_answers(connection, held)
        await counts.write(connection)


def _key(stream: str) -> _Key:
    _, utility_type, number = stream.split("/", 2)
    return utility_type, number


async def _heard(connection: Connection, answers: dict[_Key, list[LookupAnswered]]) -> set[_Key]:
    """Moves the time of the last response; the meters of those answers that have no row yet."""
    last: dict[tuple[str, str, str], datetime] = {}
    for key, events in answers.items():
        for event in events:
            last[*key, event.provider] = max(last.get((*key, event.provider), event.at), event.at)
    if not last:
        return set()
    cursor = await connection.execute(
        """
        UPDATE support AS s SET last_response_at = greatest(s.last_response_at, k.at)
        FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[]) AS k (t, n, p, at)
        WHERE s.utility_type = k.t AND s.number = k.n AND s.provider = k.p
        RETURNING s.utility_type, s.number, s.provider
        """,
        (*_columns(last), list(last.values())),
    )
    missing = last.keys() - set(await cursor.fetchall())
    return {(utility_type, number) for utility_type, number, _ in missing}


async def _load(connection: Connection, keys: Collection[_Key]) -> dict[_Key, _Held]:
    """The meters as they stand; those that have no row yet, empty."""
    held = {key: _Held() for key in keys}
    if not held:
        return held
    cursor = await connection.execute(
        """
        SELECT utility_type, number, utility, utility_name, rebroadcast, preference,
               first_seen_at, last_broadcast_at
        FROM meter JOIN unnest(%s::text[], %s::text[]) AS k (t, n)
          ON utility_type = t AND number = n
        """,
        _columns(held),
    )
    for row in await cursor.fetchall():
        held[row[0], row[1]].row = _Row(*row[2:])
    cursor = await connection.execute(
        """
        SELECT utility_type, number, provider, status, last_response_at
        FROM support JOIN unnest(%s::text[], %s::text[]) AS k (t, n)
          ON utility_type = t AND number = n
        """,
        _columns(held),
    )
    for row in await cursor.fetchall():
        held[row[0], row[1]].answers[row[2]] = _Answer(*row[3:])
    return held


async def _write_meters(connection: Connection, held: dict[_Key, _Held]) -> None:
    if not held:
        return
    await connection.cursor().executemany(
        """
        INSERT INTO meter (utility_type, number, utility, utility_name, rebroadcast, preference,
                           first_seen_at, last_broadcast_at, supporters)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (utility_type, number) DO UPDATE SET
            utility = excluded.utility, utility_name = excluded.utility_name,
            rebroadcast = excluded.rebroadcast, preference = excluded.preference,
            first_seen_at = excluded.first_seen_at,
            last_broadcast_at = excluded.last_broadcast_at, supporters = excluded.supporters
        """,
        [
            (*key, *msgspec.structs.astuple(meter.row), meter.supporters)
            for key, meter in held.items()
        ],
    )


async def _write_answers(connection: Connection, held: dict[_Key, _Held]) -> None:
    rows = {
        (*key, provider): meter.answers[provider]
        for key, meter in held.items()
        for provider in meter.changed
    }
    if not rows:
        return
    await connection.execute(
        """
        INSERT INTO support (utility_type, number, provider, status, last_response_at)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
        ON CONFLICT (utility_type, number, provider) DO UPDATE SET
            status = excluded.status, last_response_at = excluded.last_response_at
        """,
        (
            *_columns(rows),
            [answer.status for answer in rows.values()],
            [answer.last_response_at for answer in rows.values()],
        ),
    )


def _columns(keys: Collection[tuple[str, ...]]) -> list[list[str]]:
    """Keys of at least one row as an array for each column."""
    return [list(column) for column in zip(*keys, strict=True)]


async def meters_due(
    connection: Connection, broadcast_before: datetime, limit: int
) -> Sequence[Meter]:
    """Meters that somebody serves and that were last broadcast before then, oldest first."""
    schema = schema_of(ContractTable.name)
    cursor = await connection.execute(
        f"""
        SELECT utility_type, number FROM {schema}.meter
        WHERE last_broadcast_at < %s AND supporters > 0
        ORDER BY last_broadcast_at LIMIT %s
        """.encode(),  # noqa: S608 (the schema's name is a constant)
        (broadcast_before, limit),
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    return [Meter(number=number, utility_type=UtilityType(kind)) for kind, number in rows]
