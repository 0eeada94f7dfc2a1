"""Sources: the indexes that a list of transactions can be read along, newest first or oldest first.

Which one is best depends on the values asked for, and on what happened lately: a provider that was
disabled a month ago is rare today, whatever the database's statistics say. So the search picks a
source itself, and the statements leave the planner no other index. That is why each order by a
source is met by its own index only: the one by time is over (-position), and sorting is off.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from projections.projection import schema_of
from projections.transaction_filter import Filters

TABLE = f"{schema_of('transactions')}.transaction"

PLANNING = (
    "SELECT set_config(name, '0', true) FROM unnest(ARRAY['enable_sort', 'enable_incremental_sort',"
    " 'enable_seqscan', 'max_parallel_workers_per_gather']) AS name"
)
"""For the rest of a transaction."""


@dataclass(frozen=True)
class Source:
    """An index: `condition` says which rows are in the part of it that is read; its order is that
    of lists. `tie` decides between equal times: the position, or what runs against it."""

    condition: str
    tie: str = "position"

    def order(self, *, newer: bool, tie: str = "") -> str:
        """The list's order, or its reverse; `tie`: by what name the rows have it."""
        against = self.tie != "position"
        return (
            f"requested_at {'ASC' if newer else 'DESC'},"
            f" {tie or self.tie} {'ASC' if newer != against else 'DESC'}"
        )

    def scan(self, columns: str, bounds: str, *, newer: bool, rest: str = "") -> str:
        """SQL that reads it within `bounds`; `rest` goes on, with LIMIT and so on."""
        return (
            f"SELECT {columns} FROM {TABLE} WHERE {self.condition} AND {bounds}"  # noqa: S608
            f" ORDER BY {self.order(newer=newer)} {rest}"
        )


BY_TIME = Source("true", "(-position)")
BY_METER = Source("meter = %(meter)s")
BY_REFERENCE_AS_METER = Source("meter = %(reference)s")
OPEN_AT_SINCE = (
    "tstzrange(requested_at, finished_at, '[]') @> %(since)s::timestamptz"
    " AND finished_at - requested_at > interval '5 seconds'"
)

_INDEXED_STATUS = ("PENDING", "UNKNOWN", "DECLINED", "FAILED")


def sources(filters: Filters) -> Iterator[Source]:
    """The sources that `filters` allow beside the one by time, those with the fewest rows, as a
    rule, first."""
    if filters.meter is not None:
        yield BY_METER
    if filters.operation not in (None, "PURCHASE", "LOOKUP"):
        yield Source("kind = %(operation)s AND kind NOT IN ('PURCHASE', 'LOOKUP')")
    if filters.status in _INDEXED_STATUS:
        yield Source(f"status = %(status)s AND status IN {_INDEXED_STATUS}")
    if filters.cents is not None:
        yield Source("amount_cents = %(cents_min)s AND amount_cents IS NOT NULL")
    if filters.utility is not None:
        yield Source("utility = %(utility)s AND utility IS NOT NULL")
    if filters.service not in (None, "ELECTRICITY"):
        yield Source("utility_type = %(service)s AND utility_type <> 'ELECTRICITY'")
    if filters.client is not None:
        yield Source("client = %(client)s")
    if filters.provider is not None:
        yield Source("provider = %(provider)s AND provider IS NOT NULL")
