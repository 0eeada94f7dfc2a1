"""When providers last answered lookups of some meters, as it was known at a moment."""

from collections.abc import Collection
from datetime import datetime

from projections.projection import schema_of
from projections.reading import Reading
from projections.transactions import Transactions

LOOKED_BACK = 500
"""Of so many of a meter's last transactions before the moment the lookups are seen."""

_QUERY = f"""
    SELECT m.utility_type, m.number, t.provider, max(t.finished_at)
    FROM unnest(%(types)s::text[], %(numbers)s::text[]) AS m (utility_type, number)
    CROSS JOIN LATERAL (
        SELECT provider, utility_type, kind, status, finished_at
        FROM {schema_of(Transactions.name)}.transaction AS t
        WHERE t.meter = m.number AND t.requested_at <= %(until)s
        ORDER BY t.requested_at DESC, t.position DESC LIMIT {LOOKED_BACK}
    ) AS t
    WHERE t.utility_type = m.utility_type AND t.kind = 'LOOKUP' AND t.status = 'ANSWERED'
      AND t.finished_at <= %(until)s
    GROUP BY m.utility_type, m.number, t.provider
"""  # noqa: S608 (names of our own)


async def last_responses(
    reading: Reading, meters: Collection[tuple[str, str]], until: datetime
) -> dict[tuple[str, str], dict[str, datetime]]:
    """By (utility type, number), each provider whose answer a lookup's channel was told at `until`
    (UTC) or before, and when it last was."""
    rows = await reading.rows(
        _QUERY,
        {
            "types": [kind for kind, _ in meters],
            "numbers": [number for _, number in meters],
            "until": until,
        },
    )
    found: dict[tuple[str, str], dict[str, datetime]] = {}
    for kind, number, provider, at in rows:
        found.setdefault((kind, number), {})[provider] = at
    return found
