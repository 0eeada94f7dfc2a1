"""How many meters a utility has, and what providers say of them: added up from what changes.

A meter counts once in its utility's `meters`, and each of its answers once in its utility's and
provider's `supported`, `not_supported` or `unconfirmed`. So a change to a meter takes away what it
counted for and adds what it counts for now, and the sum over all changes since the beginning is the
count over all meters. Nothing is ever counted anew.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from domain.routing import Support
from projections.projection import Connection


class Standing(NamedTuple):
    """What a meter counts for: its utility, and the support status by provider."""

    utility: str | None
    statuses: Mapping[str, str]


class UtilityCounts:
    """The sum of the changes of a batch."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._meters = Counter[str]()
        self._support = Counter[tuple[str, str, str]]()

    def called(self, utility: str, name: str) -> None:
        """A meter was assigned to the utility under this name; to be told in the ledger's order."""
        self._names[utility] = name

    def moved(self, before: Standing, after: Standing) -> None:
        """One meter changed from `before` to `after`."""
        for standing, step in ((before, -1), (after, 1)):
            if standing.utility is None:
                continue
            self._meters[standing.utility] += step
            for provider, status in standing.statuses.items():
                self._support[standing.utility, provider, status] += step

    async def write(self, connection: Connection) -> None:
        """Adds the sum to the tables. Rows that come to nothing go."""
        await self._write_meters(connection)
        await self._write_support(connection)

    async def _write_meters(self, connection: Connection) -> None:
        utilities = {utility for utility, step in self._meters.items() if step} | set(self._names)
        if not utilities:
            return
        # A name without a step is that of a meter that came and went, or was renamed.
        await connection.execute(
            """
            MERGE INTO utility_meters AS u
            USING unnest(%s::text[], %s::text[], %s::bigint[]) AS k (utility, name, step)
               ON u.utility = k.utility
            WHEN MATCHED AND u.meters + k.step = 0 THEN DELETE
            WHEN MATCHED THEN UPDATE SET
                meters = u.meters + k.step, utility_name = coalesce(k.name, u.utility_name)
            WHEN NOT MATCHED AND k.step <> 0 THEN
                INSERT (utility, utility_name, meters) VALUES (k.utility, k.name, k.step)
            """,
            (
                list(utilities),
                [self._names.get(utility) for utility in utilities],
                [self._meters[utility] for utility in utilities],
            ),
        )

    async def _write_support(self, connection: Connection) -> None:
        pairs = {(utility, provider) for (utility, provider, _), n in self._support.items() if n}
        if not pairs:
            return
        await connection.execute(
            """
            MERGE INTO utility_support AS u
            USING unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
                  AS k (utility, provider, yes, no, open)
               ON u.utility = k.utility AND u.provider = k.provider
            WHEN MATCHED AND u.supported + k.yes = 0 AND u.not_supported + k.no = 0
                             AND u.unconfirmed + k.open = 0 THEN DELETE
            WHEN MATCHED THEN UPDATE SET
                supported = u.supported + k.yes, not_supported = u.not_supported + k.no,
                unconfirmed = u.unconfirmed + k.open
            WHEN NOT MATCHED THEN
                INSERT (utility, provider, supported, not_supported, unconfirmed)
                VALUES (k.utility, k.provider, k.yes, k.no, k.open)
            """,
            (
                [utility for utility, _ in pairs],
                [provider for _, provider in pairs],
                *(
                    [self._support[utility, provider, status.value] for utility, provider in pairs]
                    for status in (Support.SUPPORTED, Support.NOT_SUPPORTED, Support.UNCONFIRMED)
                ),
            ),
        )
