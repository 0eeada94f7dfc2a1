"""Releasing: the desk at which people ask for settlements, release and discard them.

It decides on the read model, which need not hold a million lines in memory, and appends behind the
version that the read model has: an append holds only if nothing was recorded since. No frames here.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from domain.operator import Actor
from domain.settlement import (
    SettlementDiscarded,
    SettlementReleased,
    SettlementRequested,
    SettlementStatus,
)
from domain.steered import source
from finance.approval import require_another
from finance.calendar import latest_complete_date
from finance.context import Connection, Context
from finance.settle.cycles import SettlementRefusedError, check_order, last_day
from finance.up_to_date import Deciding, decided
from projections.settlements_search import NAME, Held, held, process_settlements

D = TypeVar("D", bound=msgspec.Struct)


class Releasing:
    """Each act is by `actor`, and final when it returns. All raise SettlementRefusedError or
    SameOperatorError (both ValueErrors) when it can't be done, BehindError when nobody feeds the
    read model, and what the ledger and the database raise; nothing was written then, unless the
    ledger says that it does not know."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def request(self, process_id: str, cycle: str, actor: Actor) -> None:
        """Has the worker prepare the cycle's settlement, in this person's name: another one
        releases it. Raises UnknownProcessError besides."""
        process = self._context.process(process_id)
        over = latest_complete_date(self._context.clock(), process.calendar)
        until = last_day(process, cycle, over)

        async def decide(connection: Connection) -> tuple[str, int, SettlementRequested]:
            found = await process_settlements(connection, process_id)
            check_order(found.settlements, cycle, until)
            if cycle in found.waiting:
                raise SettlementRefusedError(f"{cycle} of {process_id} is asked for already")
            event = SettlementRequested(
                at=self._context.clock(), **source(actor), process=process_id, cycle=cycle
            )
            return process_id, found.version, event

        await self._record(decide)

    async def release(self, settlement_id: str, actor: Actor) -> SettlementReleased:
        """Makes it final: it is to be paid, and is posted. `actor` is another person than the one
        who prepared it."""

        def release(found: Held) -> SettlementReleased:
            if found.status is not SettlementStatus.READY:
                raise SettlementRefusedError(
                    f"{settlement_id} is {found.status.value.lower()}, so it can't be released"
                )
            require_another(found.prepared_by, actor)
            return SettlementReleased(
                at=self._context.clock(),
                **source(actor),
                process=found.process,
                settlement_id=settlement_id,
            )

        return await self._of_one(settlement_id, release)

    async def discard(self, settlement_id: str, actor: Actor) -> SettlementDiscarded:
        """Puts aside one that is not released: its records and adjustments are free for another.
        Whoever prepared it may do so too."""

        def discard(found: Held) -> SettlementDiscarded:
            if found.status not in (SettlementStatus.READY, SettlementStatus.PREPARING):
                raise SettlementRefusedError(f"{settlement_id} is released and never changes")
            return SettlementDiscarded(
                at=self._context.clock(),
                **source(actor),
                process=found.process,
                settlement_id=settlement_id,
            )

        return await self._of_one(settlement_id, discard)

    async def _of_one(self, settlement_id: str, decide: Callable[[Held], D]) -> D:
        async def decide_on(connection: Connection) -> tuple[str, int, D]:
            found = await held(connection, settlement_id)
            if found is None:
                raise SettlementRefusedError(
                    f"no settlement {settlement_id!r}, or it was discarded"
                )
            return found.process, found.version, decide(found)

        return await self._record(decide_on)

    async def _record(self, decide: Deciding[D]) -> D:
        return await decided(self._context, NAME, decide)
