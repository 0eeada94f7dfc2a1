"""Which part of the audit log an address asks for."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from urllib.parse import urlencode

import msgspec

from projections.audit import ACTIONS, OBJECT_TYPES
from projections.audit_search import AuditFilter
from projections.keyset import Cursor, cursor_of

PATH = "/audit"
TEXT_CHARACTERS_MAX = 200
_KEYS = (datetime, int)
_FIELDS = ("who", "all", "action", "type", "id", "since", "until")


class AuditSelection(msgspec.Struct, frozen=True):
    """The filter, the page, and the filter's fields as the address has them."""

    wanted: AuditFilter
    fields: dict[str, str]
    cursor: Cursor | None = None
    problems: tuple[str, ...] = ()

    def query(self, **more: str) -> str:
        """The filter as a query, with `more`; without a page of its own."""
        return urlencode({k: v for k, v in (self.fields | more).items() if v})

    def address(self, **more: str) -> str:
        query = self.query(**more)
        return f"{PATH}?{query}" if query else PATH

    @property
    def filtered(self) -> bool:
        return any(self.fields.values())


def audit_selection(query: Mapping[str, str], zone: tzinfo) -> AuditSelection:
    """What the address asks for. What makes no sense in it is left out and told: an audit log that
    silently shows something else than was asked for would mislead."""
    problems: list[str] = []
    fields = {n: query.get(n, "").strip()[:TEXT_CHARACTERS_MAX].replace("\0", "") for n in _FIELDS}
    for name, known in (("action", ACTIONS), ("type", OBJECT_TYPES)):
        if fields[name] and fields[name] not in known:
            problems.append(f"There is no {name} {fields[name]!r}.")
            fields[name] = ""
    times: dict[str, datetime | None] = {}
    for name in ("since", "until"):
        try:
            times[name] = moment(fields[name], zone) if fields[name] else None
        except (ValueError, OverflowError):
            problems.append(f"{fields[name]!r} is no date and time.")
            fields[name], times[name] = "", None
    cursor = None
    for name, back in (("later", False), ("earlier", True)):
        if name in query:
            try:
                cursor = cursor_of(query[name], _KEYS, back=back)
            except ValueError:
                problems.append("The address names no page of the log: this is the first.")
    wanted = AuditFilter(
        who=fields["who"],
        everybody=bool(fields["all"]),
        action=fields["action"],
        object_type=fields["type"],
        text=fields["id"],
        since=times["since"],
        until=times["until"],
    )
    return AuditSelection(wanted, fields, cursor, tuple(problems))


def moment(text: str, zone: tzinfo) -> datetime:
    """A date or time of the address; in the console's zone unless it says another. Raises
    ValueError."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=zone) if at.tzinfo is None else at
