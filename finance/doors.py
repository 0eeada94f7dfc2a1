"""What finance offers to people: its processes, and the desks that carry out what they ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.operator import Actor
from domain.reconciliation import DecisionKind, Winner
from finance.inbox.inbox import Inbox
from finance.process.process import ReconciliationProcess
from finance.report.download import Reports


class DecisionDesk(Protocol):
    """finance/recon/decisions.py"""

    async def request(
        self,
        process_id: str,
        kind: DecisionKind,
        ours: Sequence[int],
        theirs: Sequence[int],
        winner: Winner | None,
        amount_cents: int,
        actor: Actor,
    ) -> str: ...

    async def approve(self, process_id: str, decision_id: str, actor: Actor) -> object: ...
    async def reject(self, process_id: str, decision_id: str, actor: Actor) -> object: ...


class SettlementDesk(Protocol):
    """finance/settle/releasing.py"""

    async def request(self, process_id: str, cycle: str, actor: Actor) -> object: ...
    async def release(self, settlement_id: str, actor: Actor) -> object: ...
    async def discard(self, settlement_id: str, actor: Actor) -> object: ...


@dataclass(frozen=True)
class FinanceDoors:
    """`processes` by id."""

    processes: Mapping[str, ReconciliationProcess]
    inbox: Inbox
    decisions: DecisionDesk
    releasing: SettlementDesk
    reports: Reports
