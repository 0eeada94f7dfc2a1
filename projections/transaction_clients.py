"""Who has sent transactions: for a choice."""

from projections.projection import schema_of
from projections.reading import Reading

CLIENTS_MAX = 200

_TABLE = f"{schema_of('transactions')}.transaction"
# From one value of the index to the next, however many rows there are of each.
_CLIENTS = f"""
    WITH RECURSIVE known (client) AS (
        (SELECT client FROM {_TABLE} ORDER BY client LIMIT 1)
        UNION ALL
        SELECT (SELECT client FROM {_TABLE} WHERE client > known.client ORDER BY client LIMIT 1)
        FROM known WHERE known.client IS NOT NULL
    )
    SELECT client FROM known WHERE client <> '' LIMIT %s
"""  # noqa: S608 (the schema's name is a constant)


async def clients(reading: Reading) -> list[str]:
    """The first of them by name."""
    return [row[0] for row in await reading.rows(_CLIENTS, (CLIENTS_MAX,))]
