"""Exchanges counted by provider, operation and time: a part of the read model provider health."""

from collections.abc import Iterable
from datetime import datetime

from domain.exchange import Operation, ProviderAnswered
from domain.failure import TURNED_AWAY
from domain.outcome import Outcome
from projections.grain import GRAINS, begin, slot
from projections.latency import BUCKETS, bucket
from projections.projection import Connection

_MINUTE = GRAINS[0]

_COUNTS = ("approved", "declined", "turned_away", "unknown", "not_sent", "late")
_OF_OUTCOME = {
    Outcome.APPROVED: 0,
    Outcome.DECLINED: 1,
    Outcome.UNKNOWN: 3,
    Outcome.NOT_SENT: 4,
}
_TURNED_AWAY, _LATE = 2, 5

_Figures = tuple[list[int], list[int]]
"""Counts in the order of _COUNTS, and a histogram."""

_Place = tuple[int, int, str, str]
"""Grain, slot, provider, operation."""

_NAMES = ", ".join(_COUNTS)
_ARRAYS = ", ".join(f"%({name})s::int[]" for name in _COUNTS)
_SUMS = ", ".join(
    f"{n} = excluded.{n} + CASE WHEN t.at = excluded.at THEN t.{n} ELSE 0 END" for n in _COUNTS
)
# A slot's row of an earlier time is done with; an answer of an earlier time than the row's comes
# days late and counts no more. So each slot has its last time, in whatever order events come.
_UPSERT = f"""
    INSERT INTO traffic AS t (grain, slot, provider, operation, at, {_NAMES}, took)
    SELECT grain, slot, provider, operation, at, {_NAMES},
           (%(took)s::text::int[])[(row - 1) * {BUCKETS} + 1 : row * {BUCKETS}]
    FROM unnest(%(grain)s::int[], %(slot)s::int[], %(provider)s::text[], %(operation)s::text[],
                %(at)s::timestamptz[], {_ARRAYS}) WITH ORDINALITY
         AS u (grain, slot, provider, operation, at, {_NAMES}, row)
    ON CONFLICT (grain, slot, provider, operation) DO UPDATE SET
        at = excluded.at, {_SUMS},
        took = CASE WHEN t.at < excluded.at THEN excluded.took ELSE ARRAY(
            SELECT a + b FROM unnest(t.took, excluded.took) WITH ORDINALITY AS s (a, b, i)
            ORDER BY i) END
    WHERE t.at <= excluded.at
""".encode()  # noqa: S608 (names that are constants here)


async def count_traffic(connection: Connection, answers: Iterable[ProviderAnswered]) -> None:
    """Adds the answers to `traffic`, in one statement."""
    minutes: dict[tuple[datetime, str, Operation], _Figures] = {}
    for event in answers:
        key = (begin(event.at, _MINUTE), event.provider, event.operation)
        found = minutes.get(key)
        if found is None:
            found = minutes[key] = ([0] * len(_COUNTS), [0] * BUCKETS)
        _count(event, *found)
    if minutes:
        await connection.execute(_UPSERT, _parameters(_placed(minutes)))


def _count(event: ProviderAnswered, counts: list[int], took: list[int]) -> None:
    counts[_OF_OUTCOME[event.outcome]] += 1
    if event.outcome is not Outcome.NOT_SENT:
        took[bucket(event.took_ms)] += 1
    if event.late:
        counts[_LATE] += 1
    failure = event.failure if event.outcome is Outcome.DECLINED else None
    if failure is not None and failure.error_type in TURNED_AWAY:
        counts[_TURNED_AWAY] += 1


def _placed(
    minutes: dict[tuple[datetime, str, Operation], _Figures],
) -> dict[_Place, tuple[datetime, _Figures]]:
    """What goes into each slot: of its last time only."""
    placed: dict[_Place, tuple[datetime, _Figures]] = {}
    for (minute, provider, operation), figures in minutes.items():
        for grain in GRAINS:
            at = begin(minute, grain)
            place = (grain, slot(minute, grain), provider, operation.value)
            there = placed.get(place)
            if there is None or there[0] < at:
                placed[place] = (at, (list(figures[0]), list(figures[1])))
            elif there[0] == at:
                for sums, more in zip(there[1], figures, strict=True):
                    sums[:] = map(sum, zip(sums, more, strict=True))
    return placed


def _parameters(placed: dict[_Place, tuple[datetime, _Figures]]) -> dict[str, object]:
    # In one order everywhere, so that two writers could not wait for each other's rows.
    rows = sorted(placed.items())
    columns: dict[str, object] = {
        "grain": [place[0] for place, _ in rows],
        "slot": [place[1] for place, _ in rows],
        "provider": [place[2] for place, _ in rows],
        "operation": [place[3] for place, _ in rows],
        "at": [at for _, (at, _) in rows],
        # As text: the driver looks at each number of a list.
        "took": f"{{{','.join(','.join(map(str, took)) for _, (_, (_, took)) in rows)}}}",
    }
    for index, name in enumerate(_COUNTS):
        columns[name] = [counts[index] for _, (_, (counts, _)) in rows]
    return columns
