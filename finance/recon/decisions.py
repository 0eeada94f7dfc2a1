"""The desk at which people decide about records: one asks, another one approves.

What is asked for has to fit how the records stand, when it is asked and again when it is approved.
Both times the append holds only if nothing was recorded since the records were looked at.
"""

from collections.abc import Sequence

from domain.operator import Actor
from domain.reconciliation import (
    DecisionApproved,
    DecisionKind,
    DecisionRejected,
    DecisionRequested,
    Winner,
)
from domain.steered import source
from finance.approval import require_another
from finance.context import Connection, Context
from finance.recon.deciding import DecisionRefusedError, Wish, check_records, check_wish
from finance.up_to_date import decided
from projections.reconciliation_desk import Asked, asked, pending_about, standings_of, version_read

MODEL = "reconciliation"


class Decisions:
    """Each act is by `actor`, and durable when it returns. All raise DecisionRefusedError or
    SameOperatorError (both ValueErrors) when it can't be done, UnknownProcessError, BehindError
    when nobody feeds the read model, and what the ledger and the database raise."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def request(
        self,
        process_id: str,
        kind: DecisionKind,
        ours: Sequence[int],
        theirs: Sequence[int],
        winner: Winner | None,
        amount_cents: int,
        actor: Actor,
    ) -> str:
        """Asks for a decision, and returns its id. `actor.comment` is the reason, and has to be
        there. `amount_cents` is for ADJUST alone: signed, positive is owed to the party."""
        context = self._context
        process = context.process(process_id)
        wish = Wish(kind, tuple(ours), tuple(theirs), winner, amount_cents)
        check_wish(wish, actor.comment, context.settings)
        decision_id = context.new_id()

        async def deciding(connection: Connection) -> tuple[str, int, DecisionRequested]:
            version = await self._looked(connection, process_id, wish)
            pending = await pending_about(connection, process_id, wish.refs)
            if pending:
                raise DecisionRefusedError(
                    f"record {min(pending)} is in a decision that waits for approval already"
                )
            event = DecisionRequested(
                at=context.clock(),
                **source(actor),
                process=process_id,
                decision_id=decision_id,
                decision=kind,
                ours=wish.ours,
                theirs=wish.theirs,
                winner=winner,
                amount_cents=amount_cents,
                currency=process.currency,
            )
            return process_id, version, event

        await decided(context, MODEL, deciding)
        return decision_id

    async def approve(self, process_id: str, decision_id: str, actor: Actor) -> DecisionApproved:
        """Does what another person asked for; the next run takes it from there."""
        self._context.process(process_id)

        async def deciding(connection: Connection) -> tuple[str, int, DecisionApproved]:
            found = await _pending(connection, process_id, decision_id)
            require_another(found.requested_by, actor)
            winner = Winner(found.winner) if found.winner else None
            wish = Wish(
                DecisionKind(found.decision), found.ours, found.theirs, winner, found.amount_cents
            )
            version = await self._looked(connection, process_id, wish)
            event = DecisionApproved(
                at=self._context.clock(),
                **source(actor),
                process=process_id,
                decision_id=decision_id,
            )
            return process_id, version, event

        return await decided(self._context, MODEL, deciding)

    async def reject(self, process_id: str, decision_id: str, actor: Actor) -> DecisionRejected:
        """Turns down what another person asked for; whoever asked may take it back themselves."""
        self._context.process(process_id)

        async def deciding(connection: Connection) -> tuple[str, int, DecisionRejected]:
            await _pending(connection, process_id, decision_id)
            event = DecisionRejected(
                at=self._context.clock(),
                **source(actor),
                process=process_id,
                decision_id=decision_id,
            )
            return process_id, await version_read(connection, process_id), event

        return await decided(self._context, MODEL, deciding)

    async def _looked(self, connection: Connection, process_id: str, wish: Wish) -> int:
        """The version at which the wish fits how its records stand. Raises DecisionRefusedError."""
        records = await standings_of(connection, process_id, wish.refs)
        check_records(wish, records)
        return await version_read(connection, process_id)


async def _pending(connection: Connection, process_id: str, decision_id: str) -> Asked:
    found = await asked(connection, process_id, decision_id)
    if found is None:
        raise DecisionRefusedError(f"{process_id} has no decision {decision_id!r}")
    if found.status != "PENDING":
        raise DecisionRefusedError(f"decision {decision_id} is {found.status.lower()} already")
    return found
