"""What the audit log says of acts of finance: files, decisions, settlements, reports.

What was before is told where one object's own events say it (a file's). Decisions and settlements
share their process's stream, and each is asked for and decided once, so there is nothing before.
"""

from typing import Any

import msgspec

from domain.event import Event
from domain.inbox import (
    FileApproved,
    FileRejected,
    FileUploaded,
    RollbackApproved,
    RollbackRejected,
    RollbackRequested,
)
from domain.outbox import ReportMade
from domain.reconciliation import DecisionApproved, DecisionRejected, DecisionRequested
from domain.settlement import (
    SettlementDiscarded,
    SettlementPrepared,
    SettlementReleased,
    SettlementRequested,
)
from domain.steered import Steered

FINANCE_TOPICS: tuple[type[Event], ...] = (
    FileUploaded,
    FileApproved,
    FileRejected,
    RollbackRequested,
    RollbackApproved,
    RollbackRejected,
    DecisionRequested,
    DecisionApproved,
    DecisionRejected,
    SettlementRequested,
    SettlementPrepared,
    SettlementReleased,
    SettlementDiscarded,
    ReportMade,
)
FINANCE_ACTIONS = (
    "FILE_UPLOADED",
    "FILE_APPROVED",
    "FILE_REJECTED",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_APPROVED",
    "ROLLBACK_REJECTED",
    "DECISION_REQUESTED",
    "DECISION_APPROVED",
    "DECISION_REJECTED",
    "SETTLEMENT_REQUESTED",
    "SETTLEMENT_PREPARED",
    "SETTLEMENT_RELEASED",
    "SETTLEMENT_DISCARDED",
    "REPORT_MADE",
)
FINANCE_OBJECTS = ("file", "decision", "settlement", "process", "report")

_Json = dict[str, Any]
_FILE_ACTS: dict[type[Steered], tuple[str, str, str]] = {
    FileUploaded: ("FILE_UPLOADED", "upload", "waits"),
    FileApproved: ("FILE_APPROVED", "upload", "approved"),
    FileRejected: ("FILE_REJECTED", "upload", "rejected"),
    RollbackRequested: ("ROLLBACK_REQUESTED", "rollback", "waits"),
    RollbackApproved: ("ROLLBACK_APPROVED", "rollback", "approved"),
    RollbackRejected: ("ROLLBACK_REJECTED", "rollback", "rejected"),
}


class FinanceAct(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, to what. `aspect`: the file's aspect that `after` sets, if it is one's."""

    action: str
    object_type: str
    object_id: str
    object_name: str = ""
    after: _Json
    aspect: str | None = None


def finance_act(stream: str, event: Steered) -> FinanceAct | None:
    """The act that a Steered event of finance tells of; None for any other."""
    if type(event) in _FILE_ACTS:
        return _of_file(stream, event)
    match event:
        case DecisionRequested():
            return _decided("DECISION_REQUESTED", event, _asked(event))
        case DecisionApproved():
            return _decided("DECISION_APPROVED", event, {"decision": "approved"})
        case DecisionRejected():
            return _decided("DECISION_REJECTED", event, {"decision": "rejected"})
        case SettlementRequested():
            return FinanceAct(
                action="SETTLEMENT_REQUESTED",
                object_type="process",
                object_id=event.process,
                after={"cycle": event.cycle},
            )
        case SettlementPrepared():
            after = {"cycle": event.cycle, "until": event.until}
            return _settled("SETTLEMENT_PREPARED", event, after)
        case SettlementReleased():
            return _settled("SETTLEMENT_RELEASED", event, {"settlement": "released"})
        case SettlementDiscarded():
            return _settled("SETTLEMENT_DISCARDED", event, {"settlement": "discarded"})
        case ReportMade():
            return FinanceAct(
                action="REPORT_MADE",
                object_type="report",
                object_id=event.report_id,
                object_name=event.process,
                after={
                    "report": event.report.value,
                    "subject": event.subject,
                    "forms": [file.form for file in event.files],
                },
            )
        case _:
            return None


def _of_file(stream: str, event: Steered) -> FinanceAct:
    action, aspect, value = _FILE_ACTS[type(event)]
    after: _Json = {aspect: value}
    name = ""
    if isinstance(event, FileUploaded):
        name = event.file_name
        after |= {"bytes": event.size_bytes, "source": event.source.value}
    return FinanceAct(
        action=action,
        object_type="file",
        object_id=stream.partition("/")[2],
        object_name=name,
        after=after,
        aspect=aspect,
    )


def _asked(event: DecisionRequested) -> _Json:
    """The decision in a few values: which records, the process's own pages say."""
    after: _Json = {
        "decision": event.decision.value,
        "records": max(len(event.ours), len(event.theirs)),
    }
    if event.winner is not None:
        after["winner"] = event.winner.value
    if event.amount_cents:
        after["amount_cents"] = event.amount_cents
    return after


def _decided(
    action: str, event: DecisionRequested | DecisionApproved | DecisionRejected, after: _Json
) -> FinanceAct:
    return FinanceAct(
        action=action,
        object_type="decision",
        object_id=event.decision_id,
        object_name=event.process,
        after=after,
    )


def _settled(
    action: str,
    event: SettlementPrepared | SettlementReleased | SettlementDiscarded,
    after: _Json,
) -> FinanceAct:
    return FinanceAct(
        action=action,
        object_type="settlement",
        object_id=event.settlement_id,
        object_name=event.process,
        after=after,
    )
