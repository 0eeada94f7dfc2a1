"""What happens to pairs and records alone, on the table `record`: the same as the board of
finance/recon/board.py does in memory.

Whatever takes a record from its pair leaves the other one NEW, so that the next run says how it
stands. What a record's settlement is, only a settlement's own events change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projections.projection import Connection

Refs = Sequence[int]

_CLEARED = (
    "status = 'NEW', partner = 0, duplicate_group = 0, key = 0, fields = '{}', winner = '',"
    " why = '', paired_by = '', by_hand = false"
)
_MARK = "run = %(run)s, changed_at = %(at)s"
_LET_GO = f"""
    UPDATE record AS left_over SET {_CLEARED}, {_MARK}
    FROM unnest(%(refs)s::bigint[], %(partners)s::bigint[]) AS wanted (ref, partner),
        record AS mover
    WHERE mover.process = %(process)s AND mover.ref = wanted.ref AND mover.partner <> 0
        AND mover.partner <> wanted.partner
        AND left_over.process = %(process)s AND left_over.ref = mover.partner
        AND left_over.partner = mover.ref AND left_over.ref <> ALL (%(refs)s::bigint[])
"""  # noqa: S608 (our own words)
_PAIR = f"""
    UPDATE record SET status = %(status)s, key = %(key)s, fields = %(fields)s,
        winner = %(winner)s, why = %(why)s, duplicate_group = 0, {_MARK},
        paired_by = CASE WHEN %(paired_by)s <> '' THEN %(paired_by)s
            WHEN record.partner = wanted.partner THEN paired_by ELSE '' END,
        by_hand = coalesce(%(by_hand)s::boolean, record.partner = wanted.partner AND by_hand),
        partner = wanted.partner
    FROM unnest(%(refs)s::bigint[], %(partners)s::bigint[]) AS wanted (ref, partner)
    WHERE process = %(process)s AND record.ref = wanted.ref
"""  # noqa: S608
_ALONE = f"""
    UPDATE record SET {_CLEARED}, {_MARK} FROM unnest(%(refs)s::bigint[]) AS wanted (ref)
    WHERE process = %(process)s AND record.ref = wanted.ref
"""  # noqa: S608
_STAND = f"""
    UPDATE record SET status = %(status)s, partner = 0, duplicate_group = wanted.grp,
        key = %(key)s, fields = '{{}}', winner = %(winner)s, why = %(why)s, paired_by = '',
        by_hand = %(by_hand)s, {_MARK}
    FROM unnest(%(refs)s::bigint[], %(groups)s::bigint[]) AS wanted (ref, grp)
    WHERE process = %(process)s AND record.ref = wanted.ref
"""  # noqa: S608
_END = f"""
    UPDATE record SET status = %(status)s, winner = %(winner)s, why = %(why)s,
        by_hand = by_hand OR %(by_hand)s, {_MARK}
    FROM unnest(%(refs)s::bigint[], %(partners)s::bigint[]) AS wanted (ref, partner)
    WHERE process = %(process)s AND record.ref = wanted.ref AND record.partner = wanted.partner
"""  # noqa: S608
_TOGETHER = """
    SELECT wanted.ours, wanted.theirs
    FROM unnest(%(ours)s::bigint[], %(theirs)s::bigint[]) AS wanted (ours, theirs)
        JOIN record ON record.process = %(process)s AND record.ref = wanted.ours
    WHERE record.partner = wanted.theirs
"""
_FREE = """
    SELECT ref FROM record
    WHERE process = %(process)s AND ref = ANY (%(refs)s) AND settlement = ''
"""


@dataclass(frozen=True)
class Rows:
    """The rows of one process, as an event of run `run` at `at` changes them."""

    connection: Connection
    process: str
    run: int
    at: datetime

    async def pair(
        self,
        ours: Refs,
        theirs: Refs,
        status: str,
        *,
        key: int,
        fields: Sequence[str] = (),
        winner: str = "",
        why: str = "",
        paired_by: str = "",
        by_hand: bool | None = None,
    ) -> None:
        """`ours[i]` and `theirs[i]` belong together. `by_hand`: None leaves a pair that was one
        before as it is."""
        refs, partners = [*ours, *theirs], [*theirs, *ours]
        await self._run(_LET_GO, refs=refs, partners=partners)
        await self._run(
            _PAIR,
            refs=refs,
            partners=partners,
            key=key,
            status=status,
            fields=list(fields),
            winner=winner,
            why=why,
            paired_by=paired_by,
            by_hand=by_hand,
        )

    async def alone(
        self,
        refs: Refs,
        status: str,
        *,
        key: int = 0,
        groups: Refs | None = None,
        winner: str = "",
        why: str = "",
        by_hand: bool = False,
    ) -> None:
        """The records have no counterpart. `groups`: of duplicates."""
        await self._run(_LET_GO, refs=list(refs), partners=[0] * len(refs))
        await self._run(
            _STAND,
            refs=list(refs),
            groups=list(groups or [0] * len(refs)),
            status=status,
            key=key,
            winner=winner,
            why=why,
            by_hand=by_hand,
        )

    async def part(self, ours: Refs, theirs: Refs) -> None:
        """Those of the pairs that are pairs are none any more."""
        together = await self.together(ours, theirs)
        await self._run(_ALONE, refs=[ref for pair in together for ref in pair])

    async def end(
        self,
        ours: Refs,
        theirs: Refs,
        status: str,
        *,
        winner: str,
        why: str,
        by_hand: bool = False,
    ) -> None:
        """Those of the pairs that are pairs end so."""
        await self._run(
            _END,
            refs=[*ours, *theirs],
            partners=[*theirs, *ours],
            status=status,
            winner=winner,
            why=why,
            by_hand=by_hand,
        )

    async def remove(self, file: int) -> None:
        """The records of a file were never there."""
        found = await self._run(
            "SELECT ref FROM record WHERE process = %(process)s"
            " AND ref >= %(first)s AND ref < %(end)s",
            first=file << 32,
            end=(file + 1) << 32,
        )
        refs = [row[0] for row in found]
        await self._run(_LET_GO, refs=refs, partners=[0] * len(refs))
        await self._run(
            "DELETE FROM record WHERE process = %(process)s AND ref = ANY (%(refs)s)", refs=refs
        )

    async def settle(self, refs: Refs, settlement: str) -> None:
        """The records, and their counterparts, are in the settlement."""
        await self._run(
            "UPDATE record SET settlement = %(settlement)s FROM"
            " (SELECT ref FROM unnest(%(refs)s::bigint[]) AS line (ref) UNION"
            " SELECT partner FROM record WHERE process = %(process)s AND ref = ANY (%(refs)s)"
            " AND partner <> 0) AS settled"
            " WHERE process = %(process)s AND record.ref = settled.ref",
            refs=list(refs),
            settlement=settlement,
        )

    async def unsettle(self, settlement: str) -> None:
        """What was in the settlement is free again."""
        await self._run(
            "UPDATE record SET settlement = ''"
            " WHERE process = %(process)s AND settlement = %(settlement)s",
            settlement=settlement,
        )

    async def together(self, ours: Refs, theirs: Refs) -> list[tuple[int, int]]:
        """Those of the pairs that are pairs."""
        rows = await self._run(_TOGETHER, ours=list(ours), theirs=list(theirs))
        return [(row[0], row[1]) for row in rows]

    async def free(self, refs: Refs) -> set[int]:
        """Those that take part and are in no settlement."""
        return {row[0] for row in await self._run(_FREE, refs=list(refs))}

    async def expired(self, refs: Refs) -> list[int]:
        """Those that expired and are in no settlement."""
        rows = await self._run(_FREE + " AND status = 'EXPIRED' ORDER BY ref", refs=list(refs))
        return [row[0] for row in rows]

    async def _run(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        always = {"process": self.process, "run": self.run, "at": self.at}
        cursor = await self.connection.execute(query.encode(), {**always, **values})
        return [] if cursor.description is None else await cursor.fetchall()
