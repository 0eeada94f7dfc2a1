"""What people decide about records: rows of `decision`, and what an approved one does."""

from collections.abc import Sequence

from domain.reconciliation import (
    DecisionApproved,
    DecisionKind,
    DecisionRejected,
    DecisionRequested,
    Winner,
)
from projections.projection import Connection
from projections.standing_rows import Rows

BY_HAND = -1
"""The key number of a pair that people made."""

_REQUESTED = (
    "INSERT INTO decision (process, decision_id, decision, ours, theirs, winner, amount_cents,"
    " currency, requested_by, requested_at, reason, position)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_DECIDED = (
    "UPDATE decision SET status = %s, decided_by = %s, decided_at = %s, comment = %s"
    " WHERE process = %s AND decision_id = %s AND status = 'PENDING'"
    " RETURNING decision, ours, theirs, winner"
)


async def requested(connection: Connection, event: DecisionRequested, position: int) -> None:
    """Somebody wants it."""
    await connection.execute(
        _REQUESTED,
        (
            event.process,
            event.decision_id,
            event.decision.value,
            list(event.ours),
            list(event.theirs),
            event.winner.value if event.winner else "",
            event.amount_cents,
            event.currency,
            event.by,
            event.at,
            event.comment,
            position,
        ),
    )


async def decided(connection: Connection, event: DecisionApproved | DecisionRejected) -> None:
    """Somebody else said yes, and it is done, or no."""
    approved = isinstance(event, DecisionApproved)
    status = "APPROVED" if approved else "REJECTED"
    cursor = await connection.execute(
        _DECIDED,
        (status, event.by, event.at, event.comment, event.process, event.decision_id),
    )
    row = await cursor.fetchone()
    if row is None or not approved:
        return
    kind, ours, theirs, winner = DecisionKind(row[0]), row[1], row[2], row[3]
    rows = Rows(connection, event.process, 0, event.at)
    await _Done(rows, event.decision_id, ours, theirs, winner).do(kind)


class _Done:
    """An approved decision's effect on the records that take part and are in no settlement."""

    def __init__(
        self,
        rows: Rows,
        decision_id: str,
        ours: Sequence[int],
        theirs: Sequence[int],
        winner: str,
    ) -> None:
        self._rows = rows
        self._id = decision_id
        self._ours = ours
        self._theirs = theirs
        self._winner = winner

    async def do(self, kind: DecisionKind) -> None:
        match kind:
            case DecisionKind.MATCH:
                ours, theirs = await self._pairs()
                await self._rows.pair(
                    ours,
                    theirs,
                    "NEW",
                    key=BY_HAND,
                    why=self._id,
                    paired_by=self._id,
                    by_hand=False,
                )
            case DecisionKind.UNMATCH:
                await self._rows.part(*await self._pairs())
            case DecisionKind.REVIVE:
                refs = await self._rows.expired([*self._ours, *self._theirs])
                await self._rows.alone(refs, "NEW")
            case DecisionKind.RESOLVE if self._winner:
                await self._resolve()
            case _:
                pass

    async def _resolve(self) -> None:
        if self._ours and self._theirs:
            status = "CLOSED" if self._winner == Winner.NEITHER else "RESOLVED"
            await self._resolve_pairs(status)
            return
        wanted = self._ours or self._theirs
        free = await self._rows.free(wanted)
        own = Winner.OURS if self._ours else Winner.THEIRS
        # In favour of the side that does not have the sale, it never was.
        status = "RESOLVED" if self._winner == own else "CLOSED"
        refs = [ref for ref in wanted if ref in free]
        await self._rows.alone(refs, status, winner=self._winner, why=self._id, by_hand=True)

    async def _resolve_pairs(self, status: str) -> None:
        ours, theirs = await self._pairs()
        together = set(await self._rows.together(ours, theirs))
        same = [pair for pair in zip(ours, theirs, strict=True) if pair in together]
        other = [pair for pair in zip(ours, theirs, strict=True) if pair not in together]
        await self._rows.end(*_sides(same), status, winner=self._winner, why=self._id, by_hand=True)
        await self._rows.pair(
            *_sides(other),
            status,
            key=BY_HAND,
            winner=self._winner,
            why=self._id,
            by_hand=True,
        )

    async def _pairs(self) -> tuple[list[int], list[int]]:
        """The decision's pairs whose records are both still there and in no settlement."""
        free = await self._rows.free([*self._ours, *self._theirs])
        pairs = zip(self._ours, self._theirs, strict=True)
        return _sides([pair for pair in pairs if pair[0] in free and pair[1] in free])


def _sides(pairs: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [ours for ours, _ in pairs], [theirs for _, theirs in pairs]
