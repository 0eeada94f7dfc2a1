"""What can be changed in finance: files, decisions about records, settlements.

What one person asks for another one approves: the desks of finance refuse the same person, whatever
the role.
"""

from typing import Any, ClassVar

from pydantic import Field

from api.console.command import Command, Doors
from api.console.role import Permission
from api.console.settings import ConsoleSettings
from domain.operator import Actor
from domain.reconciliation import DecisionKind, Winner

DECISION_BYTES_MAX = 1_000_000
"""The body of a request for a decision: it names up to ten thousand records on each side."""
REASON_CHARACTERS_MIN = 3
CENTS_MAX = 10**15
REF_MAX = 2**53 - 1


class FileCommand(Command):
    """About the file `file_id` of a process's inbox."""

    page: ClassVar[str] = "/finance/files"

    file_id: str = Field(min_length=1, max_length=100)


class ApproveFile(FileCommand):
    """It may be loaded."""

    path: ClassVar[str] = "finance/files/approve"
    permission: ClassVar[Permission] = Permission.FINANCE_APPROVE

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.of_finance.inbox.approve(self.file_id, actor)
        return {"file_id": self.file_id, "approved": True}


class RejectFile(FileCommand):
    """It is not to be loaded."""

    path: ClassVar[str] = "finance/files/reject"
    permission: ClassVar[Permission] = Permission.FINANCE_APPROVE

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.of_finance.inbox.reject(self.file_id, actor)
        return {"file_id": self.file_id, "approved": False}


class RequestRollback(FileCommand):
    """Have it withdrawn with its records, once another person approves."""

    path: ClassVar[str] = "finance/files/rollback"
    permission: ClassVar[Permission] = Permission.FINANCE_OPERATE
    comment: str = Field(min_length=REASON_CHARACTERS_MIN, max_length=500)

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.of_finance.inbox.request_rollback(self.file_id, actor)
        return {"file_id": self.file_id, "rollback": "requested"}


class ApproveRollback(FileCommand):
    """It is withdrawn."""

    path: ClassVar[str] = "finance/files/rollback/approve"
    permission: ClassVar[Permission] = Permission.FINANCE_APPROVE

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.of_finance.inbox.approve_rollback(self.file_id, actor)
        return {"file_id": self.file_id, "rollback": "approved"}


class RejectRollback(FileCommand):
    """It stays."""

    path: ClassVar[str] = "finance/files/rollback/reject"
    permission: ClassVar[Permission] = Permission.FINANCE_APPROVE

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.of_finance.inbox.reject_rollback(self.file_id, actor)
        return {"file_id": self.file_id, "rollback": "rejected"}


Ref = Field(ge=1, le=REF_MAX)


class RequestDecision(Command):
    """Have records matched, unmatched, resolved, revived, or an adjustment made, once another
    person approves. Refs name the process's records; the comment is the reason. `amount_cents` is
    signed: positive is owed to the party."""

    path: ClassVar[str] = "finance/decisions/request"
    permission: ClassVar[Permission] = Permission.FINANCE_OPERATE
    page: ClassVar[str] = "/finance"

    process: str = Field(min_length=1, max_length=40)
    decision: DecisionKind
    ours: tuple[int, ...] = Field(default=(), max_length=10_000)
    theirs: tuple[int, ...] = Field(default=(), max_length=10_000)
    winner: Winner | None = None
    amount_cents: int = Field(default=0, ge=-CENTS_MAX, le=CENTS_MAX)
    comment: str = Field(min_length=REASON_CHARACTERS_MIN, max_length=500)

    @classmethod
    def body_bytes_max(cls, settings: ConsoleSettings) -> int:
        return max(DECISION_BYTES_MAX, settings.body_bytes_max)

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        decision_id = await doors.of_finance.decisions.request(
            self.process,
            self.decision,
            self.ours,
            self.theirs,
            self.winner,
            self.amount_cents,
            actor,
        )
        return {"process": self.process, "decision_id": decision_id}


class DecisionCommand(Command):
    """About a decision that was asked for."""

    permission: ClassVar[Permission] = Permission.FINANCE_APPROVE
    page: ClassVar[str] = "/finance/approvals"

    process: str = Field(min_length=1, max_length=40)
    decision_id: str = Field(min_length=1, max_length=100)


class ApproveDecision(DecisionCommand):
    """It is done."""

    path: ClassVar[str] = "finance/decisions/approve"

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.of_finance.decisions.approve(self.process, self.decision_id, actor)
        return {"decision_id": self.decision_id, "approved": True}


class RejectDecision(DecisionCommand):
    """It is not done."""

    path: ClassVar[str] = "finance/decisions/reject"

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.of_finance.decisions.reject(self.process, self.decision_id, actor)
        return {"decision_id": self.decision_id, "approved": False}


class RequestSettlement(Command):
    """Have a cycle's settlement prepared; another person releases it."""

    path: ClassVar[str] = "finance/settlements/request"
    permission: ClassVar[Permission] = Permission.FINANCE_OPERATE
    page: ClassVar[str] = "/finance"

    process: str = Field(min_length=1, max_length=40)
    cycle: str = Field(min_length=1, max_length=20)

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.of_finance.releasing.request(self.process, self.cycle, actor)
        return {"process": self.process, "cycle": self.cycle, "requested": True}


class SettlementCommand(Command):
    """About a settlement that is ready."""

    permission: ClassVar[Permission] = Permission.FINANCE_APPROVE
    page: ClassVar[str] = "/finance/settlements"

    settlement_id: str = Field(min_length=1, max_length=100)


class ReleaseSettlement(SettlementCommand):
    """Final: it is to be paid, and posted."""

    path: ClassVar[str] = "finance/settlements/release"

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.of_finance.releasing.release(self.settlement_id, actor)
        return {"settlement_id": self.settlement_id, "released": True}


class DiscardSettlement(SettlementCommand):
    """It counts for nothing; its records are free for another."""

    path: ClassVar[str] = "finance/settlements/discard"

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.of_finance.releasing.discard(self.settlement_id, actor)
        return {"settlement_id": self.settlement_id, "discarded": True}
