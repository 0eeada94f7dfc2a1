"""The audit log's entries in words, and where they link to."""

from typing import Any, cast
from urllib.parse import quote, urlencode

import msgspec

from api.console.text import money
from projections.audit import AuditEntry

ACTIONS = {
    "SIGNED_IN": "Signed in",
    "SIGN_IN_REFUSED": "Sign-in refused: wrong password",
    "SIGNED_OUT": "Signed out",
    "TOKENS_VIEWED": "Looked at tokens in full",
    "EXPORTED": "Exported a list",
    "ATTENTION_REQUESTED": "Had the provider asked now",
    "ACCESS_REFUSED": "Was refused: not allowed",
    "WEIGHT_SET": "Set the weight",
    "PROVIDER_ENABLED": "Enabled the provider",
    "PROVIDER_DISABLED": "Disabled the provider",
    "HEALTH_CHANGED": "Health changed",
    "UTILITY_REGISTERED": "Registered the utility",
    "PREFERENCES_SET": "Set the routing preferences",
    "REBROADCAST_REQUESTED": "Marked the meter for rebroadcast",
    "METER_PREFERENCE_SET": "Set the meter's preference",
    "FILE_UPLOADED": "Uploaded a file",
    "FILE_APPROVED": "Approved the upload",
    "FILE_REJECTED": "Rejected the upload",
    "ROLLBACK_REQUESTED": "Asked for a rollback",
    "ROLLBACK_APPROVED": "Approved the rollback",
    "ROLLBACK_REJECTED": "Rejected the rollback",
    "DECISION_REQUESTED": "Asked for a decision",
    "DECISION_APPROVED": "Approved the decision",
    "DECISION_REJECTED": "Rejected the decision",
    "SETTLEMENT_REQUESTED": "Asked for a settlement",
    "SETTLEMENT_PREPARED": "Prepared the settlement",
    "SETTLEMENT_RELEASED": "Released the settlement",
    "SETTLEMENT_DISCARDED": "Discarded the settlement",
    "REPORT_MADE": "Made a report",
}
OBJECTS = {
    "provider": "Provider",
    "utility": "Utility",
    "meter": "Meter",
    "message": "Message",
    "operator": "Operator",
    "list": "List",
    "access": "Page or command",
    "file": "File",
    "decision": "Decision",
    "settlement": "Settlement",
    "process": "Process",
    "report": "Report",
}
_YES_NO = {
    "enabled": ("enabled", "disabled"),
    "healthy": ("healthy", "unhealthy"),
    "rebroadcast": ("marked for rebroadcast", "not marked"),
}
_NOTHING = "none"


class Change(msgspec.Struct, frozen=True):
    """One value: what it is of, before and after; `before` None where there was none."""

    what: str
    before: str | None
    after: str


def changes(entry: AuditEntry) -> list[Change]:
    """What was changed, value by value; what stayed as it was is left out."""
    after, before = entry.after or {}, entry.before
    found: list[Change] = []
    for name, value in after.items():
        was = before.get(name) if before is not None else None
        if before is not None and was == value:
            continue
        found.append(Change(name, None if before is None else _text(name, was), _text(name, value)))
    return found


def _text(name: str, value: Any) -> str:  # noqa: ANN401 (JSON)
    if isinstance(value, bool):
        yes, no = _YES_NO.get(name, ("yes", "no"))
        return yes if value else no
    if name == "amount_cents" and isinstance(value, int):
        return money(value)
    if value is None or value in ([], ""):
        return _NOTHING
    if isinstance(value, list):
        return ", ".join(map(str, cast("list[Any]", value)))
    return str(value)


def object_text(entry: AuditEntry) -> str:
    """The object as people know it."""
    if entry.object_type == "meter":
        return f"{entry.object_id} ({entry.object_name.lower()})"
    name = entry.object_name
    return f"{name} ({entry.object_id})" if name and name != entry.object_id else entry.object_id


def object_address(entry: AuditEntry) -> str | None:
    """The object's page; None where it has none."""
    one = quote(entry.object_id, safe="")
    match entry.object_type:
        case "provider":
            return "/providers"
        case "meter":
            return f"/meters/{one}"
        case "utility":
            return f"/routing?{urlencode({'search': entry.object_name or entry.object_id})}"
        case "message":
            return f"/transactions/{one}"
        case "operator":
            return f"/audit?{urlencode({'who': entry.object_id})}"
        case "file":
            return f"/finance/files/{one}"
        case "settlement":
            return f"/finance/settlements/{one}"
        case "process":
            return f"/finance/{one}/settlements"
        case "decision":
            return f"/finance/{quote(entry.object_name, safe='')}/decisions#{one}"
        case "report":
            return f"/finance/outbox?{urlencode({'process': entry.object_name})}"
        case "list":
            selection = str((entry.after or {}).get("selection", ""))
            inside = selection.startswith("/") and not selection.startswith(("//", "/\\"))
            return selection if inside else None
        case _:
            return None
