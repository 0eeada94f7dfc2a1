"""What an approver does about settlements, files and decisions, each with a dialog that says what
will happen."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from api.console.commands.finance import (
    ApproveDecision,
    ApproveFile,
    ApproveRollback,
    DecisionCommand,
    DiscardSettlement,
    FileCommand,
    RejectDecision,
    RejectFile,
    RejectRollback,
    ReleaseSettlement,
    RequestRollback,
    SettlementCommand,
)
from api.console.finance.shell import Ask
from api.console.page import View


class _Act(NamedTuple):
    title: str
    said: str
    button: str
    done: str
    reason: bool = False


_SETTLEMENTS: dict[str, tuple[type[SettlementCommand], _Act]] = {
    "release": (
        ReleaseSettlement,
        _Act(
            "Release the settlement",
            "It becomes final: its entries are posted, its statement goes out, and it can't be"
            " changed any more. Corrections are in a later one.",
            "Release",
            "is released.",
        ),
    ),
    "discard": (
        DiscardSettlement,
        _Act(
            "Discard the settlement",
            "It counts for nothing, and its sales are free for another one.",
            "Discard",
            "is discarded.",
            reason=True,
        ),
    ),
}
_FILES: dict[str, tuple[type[FileCommand], _Act]] = {
    "approve-file": (
        ApproveFile,
        _Act("Approve the upload", "The file will be loaded.", "Approve", "will be loaded."),
    ),
    "reject-file": (
        RejectFile,
        _Act(
            "Reject the upload",
            "The file will not be loaded. The same file may be uploaded again.",
            "Reject",
            "is rejected.",
            reason=True,
        ),
    ),
    "rollback": (
        RequestRollback,
        _Act(
            "Ask for a rollback",
            "Once another person approves, the file's records are withdrawn, and their counterparts"
            " are free to match others. It can't be done when one of them is settled.",
            "Ask for it",
            "is up for rollback: another person has to approve.",
            reason=True,
        ),
    ),
    "approve-rollback": (
        ApproveRollback,
        _Act(
            "Approve the rollback",
            "The file's records are withdrawn, unless one of them is settled.",
            "Approve",
            "will be withdrawn.",
        ),
    ),
    "reject-rollback": (
        RejectRollback,
        _Act("Reject the rollback", "The file stays.", "Reject", "stays.", reason=True),
    ),
}
_DECISIONS: dict[str, tuple[type[DecisionCommand], _Act]] = {
    "approve-decision": (
        ApproveDecision,
        _Act("Approve the decision", "It is done at once.", "Approve", "The decision is done."),
    ),
    "reject-decision": (
        RejectDecision,
        _Act(
            "Reject the decision",
            "The records stay as they are.",
            "Reject",
            "The decision is rejected.",
            reason=True,
        ),
    ),
}


def _ask(act: _Act, of: str, do: Callable[[str], Awaitable[bool]]) -> None:
    said = f"{of}: {act.said}" if of else act.said
    Ask(act.title, said, act.button, do, reason=act.reason)


class SettlementActs:
    """Release and discard; `of` is the settlement's id."""

    def __init__(self, view: View) -> None:
        self._view = view

    async def act(self, name: str, of: str) -> None:
        kind, act = _SETTLEMENTS[name]

        async def do(comment: str) -> bool:
            command = kind(settlement_id=of, comment=comment)
            return await self._view.do(command, f"{of} {act.done}")

        _ask(act, of, do)


class FileActs:
    """What is done about a file; `of` is its id."""

    def __init__(self, view: View) -> None:
        self._view = view

    async def act(self, name: str, of: str) -> None:
        kind, act = _FILES[name]

        async def do(comment: str) -> bool:
            return await self._view.do(kind(file_id=of, comment=comment), f"The file {act.done}")

        _ask(act, of, do)


class DecisionActs:
    """Approve or reject a decision; `of` is its process and id, with a slash between."""

    def __init__(self, view: View) -> None:
        self._view = view

    async def act(self, name: str, of: str) -> None:
        kind, act = _DECISIONS[name]
        process, _, decision = of.partition("/")

        async def do(comment: str) -> bool:
            command = kind(process=process, decision_id=decision, comment=comment)
            return await self._view.do(command, act.done)

        _ask(act, "", do)


class AnyAct:
    """All of them, for a page that lists everything."""

    def __init__(self, view: View) -> None:
        self._acts = (
            (_SETTLEMENTS, SettlementActs(view)),
            (_FILES, FileActs(view)),
            (_DECISIONS, DecisionActs(view)),
        )

    async def act(self, name: str, of: str) -> None:
        for known, acts in self._acts:
            if name in known:
                await acts.act(name, of)
