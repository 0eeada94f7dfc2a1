"""The audit log as a read model: who did what, when, from where, and what it was before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from domain.event import Event
from domain.meter import MeterPreferenceSet, RebroadcastCleared, RebroadcastRequested
from domain.operator import (
    OPERATOR_EVENTS,
    AccessRefused,
    AttentionRequested,
    Exported,
    OperatorEvent,
    SignedIn,
    SignedOut,
    SignInRefused,
    TokensViewed,
)
from domain.provider import (
    HealthChanged,
    ProviderConfigured,
    ProviderDisabled,
    ProviderEnabled,
    WeightSet,
)
from domain.steered import Steered
from domain.utility import PreferencesSet, UtilityRegistered
from ledger import Recorded
from projections.audit_finance import (
    FINANCE_ACTIONS,
    FINANCE_OBJECTS,
    FINANCE_TOPICS,
    FinanceAct,
    finance_act,
)
from projections.projection import Connection, sql_beside

SWITCH = "switch"
"""Who did what the switch did by itself."""
PARTS = frozenset({"settings", "lookup", SWITCH, "sftp", "s3", "worker"})
"""Who is no person; a person of such a name has a role."""

HEALTH_CHANGED = "HEALTH_CHANGED"
"""The one action that is never a person's."""
ACTIONS = (
    "SIGNED_IN",
    "SIGN_IN_REFUSED",
    "SIGNED_OUT",
    "TOKENS_VIEWED",
    "EXPORTED",
    "ATTENTION_REQUESTED",
    "ACCESS_REFUSED",
    "WEIGHT_SET",
    "PROVIDER_ENABLED",
    "PROVIDER_DISABLED",
    HEALTH_CHANGED,
    "UTILITY_REGISTERED",
    "PREFERENCES_SET",
    "REBROADCAST_REQUESTED",
    "METER_PREFERENCE_SET",
    *FINANCE_ACTIONS,
)
OBJECT_TYPES = (
    *("provider", "utility", "meter", "message", "operator", "list", "access"),
    *FINANCE_OBJECTS,
)

_Json = dict[str, Any]
_NO_PREFERENCES: _Json = {"ranked": [], "excluded": []}


class AuditEntry(msgspec.Struct, kw_only=True):
    """A row of `entry`, its columns in order. Times UTC."""

    position: int
    at: datetime
    who: str
    person: bool
    role: str = ""
    action: str
    object_type: str
    object_id: str
    object_name: str = ""
    before: _Json | None = None
    after: _Json | None = None
    address: str = ""
    page: str = ""
    comment: str = ""


class _Object:
    """One object's present values, by aspect; None: never set."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.changed: set[str] = set()

    def set(self, aspect: str, value: object, initially: object = None) -> Any:  # noqa: ANN401
        """Sets it; returns what it was."""
        before = self.values.get(aspect, initially)
        self.values[aspect] = value
        self.changed.add(aspect)
        return before

    @property
    def name(self) -> str:
        return str(self.values.get("name", ""))


class Audit:
    """Feeds `entry` and `present`."""

    name = "audit"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (
        *OPERATOR_EVENTS,
        ProviderConfigured,
        WeightSet,
        ProviderEnabled,
        ProviderDisabled,
        HealthChanged,
        UtilityRegistered,
        PreferencesSet,
        RebroadcastRequested,
        RebroadcastCleared,
        MeterPreferenceSet,
        *FINANCE_TOPICS,
    )

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        if not recorded:
            return
        objects = await _objects(connection, {entry.stream for entry in recorded})
        found = [_entry(entry, objects[entry.stream]) for entry in recorded]
        await connection.cursor().executemany(
            _INSERT, [_values(entry) for entry in found if entry is not None]
        )
        await connection.cursor().executemany(
            "INSERT INTO present VALUES (%s, %s, %s)"
            " ON CONFLICT (stream, aspect) DO UPDATE SET value = excluded.value",
            [
                (stream, aspect, Jsonb(one.values[aspect]))
                for stream, one in objects.items()
                for aspect in one.changed
            ],
        )


def _entry(recorded: Recorded, present: _Object) -> AuditEntry | None:
    """What the log says of an event, if anything; `present` moves on."""
    event = recorded.event
    match event:
        case OperatorEvent():
            return _of_operator(recorded.position, event)
        case Steered():
            act = finance_act(recorded.stream, event)
            if act is not None:
                return _of_finance(recorded.position, event, act, present)
            return _of_change(recorded, event, present)
        case HealthChanged():
            before = present.set("healthy", event.healthy, initially=True)
            return AuditEntry(
                position=recorded.position,
                at=event.at,
                who=SWITCH,
                person=False,
                action=HEALTH_CHANGED,
                object_type="provider",
                object_id=event.provider,
                object_name=present.name,
                before={"healthy": before},
                after={"healthy": event.healthy},
                address=event.by,
                comment=event.reason,
            )
        case ProviderConfigured():
            present.set("name", event.name)
        case RebroadcastCleared():
            present.set("rebroadcast", value=False)
        case _:
            pass
    return None


def _of_operator(position: int, event: OperatorEvent) -> AuditEntry:
    entry = AuditEntry(
        position=position,
        at=event.at,
        who=event.by,
        person=True,
        role=event.role,
        action="",
        object_type="operator",
        object_id=event.by,
        address=event.address,
    )
    match event:
        case SignedIn():
            entry.action = "SIGNED_IN"
        case SignInRefused():
            entry.action = "SIGN_IN_REFUSED"
        case SignedOut():
            entry.action = "SIGNED_OUT"
        case TokensViewed() | AttentionRequested():
            viewed = isinstance(event, TokensViewed)
            entry.action = "TOKENS_VIEWED" if viewed else "ATTENTION_REQUESTED"
            entry.object_type, entry.object_id = "message", event.message_id
            entry.comment = event.comment
        case Exported():
            entry.action, entry.object_type, entry.object_id = "EXPORTED", "list", event.what
            entry.after = {"form": event.form, "selection": event.selection}
        case AccessRefused():
            entry.action, entry.object_type = "ACCESS_REFUSED", "access"
            entry.object_id = event.what
        case _:
            raise TypeError(type(event).__name__)
    return entry


def _of_change(recorded: Recorded, event: Steered, present: _Object) -> AuditEntry | None:
    kind, _, rest = recorded.stream.partition("/")
    action, before, after = _change(event, present)
    if isinstance(event, UtilityRegistered) and event.by == "lookup":
        return None
    flows, _, number = rest.partition("/")
    return AuditEntry(
        position=recorded.position,
        at=event.at,
        who=event.by,
        person=bool(event.role) or event.by not in PARTS,
        role=event.role,
        action=action,
        object_type=kind,
        object_id=number if kind == "meter" else rest,
        object_name=flows if kind == "meter" else present.name,
        before=before,
        after=after,
        address=event.address,
        page=event.page,
        comment=event.comment,
    )


def _of_finance(position: int, event: Steered, act: FinanceAct, present: _Object) -> AuditEntry:
    before = None
    if act.aspect is not None:
        value = act.after[act.aspect]
        was = present.set(act.aspect, value)
        before = None if was is None else {act.aspect: was}
    if act.object_type == "file" and act.object_name:
        present.set("name", act.object_name)
    return AuditEntry(
        position=position,
        at=event.at,
        who=event.by,
        person=bool(event.role) or event.by not in PARTS,
        role=event.role,
        action=act.action,
        object_type=act.object_type,
        object_id=act.object_id,
        object_name=act.object_name or present.name,
        before=before,
        after=act.after,
        address=event.address,
        page=event.page,
        comment=event.comment,
    )


def _change(event: Steered, present: _Object) -> tuple[str, _Json | None, _Json]:
    """The action, what was before and what is after; `present` moves on."""
    match event:
        case WeightSet():
            weight = present.set("weight", event.weight)
            before = None if weight is None else {"weight": weight}
            return "WEIGHT_SET", before, {"weight": event.weight}
        case ProviderEnabled() | ProviderDisabled():
            enabled = isinstance(event, ProviderEnabled)
            before = {"enabled": present.set("enabled", enabled, initially=True)}
            action = "PROVIDER_ENABLED" if enabled else "PROVIDER_DISABLED"
            return action, before, {"enabled": enabled}
        case UtilityRegistered():
            present.set("name", event.name)
            return "UTILITY_REGISTERED", None, {"name": event.name}
        case PreferencesSet():
            after = {"ranked": list(event.ranked), "excluded": list(event.excluded)}
            known = present.set("preferences", after, initially=_NO_PREFERENCES)
            return "PREFERENCES_SET", known, after
        case RebroadcastRequested():
            flag = present.set("rebroadcast", value=True, initially=False)
            return "REBROADCAST_REQUESTED", {"rebroadcast": flag}, {"rebroadcast": True}
        case MeterPreferenceSet():
            after = {"providers": list(event.providers)}
            known = present.set("preference", after["providers"], initially=[])
            return "METER_PREFERENCE_SET", {"providers": known}, after
        case _:
            raise TypeError(type(event).__name__)


_COLUMNS = AuditEntry.__struct_fields__
_INSERT = (
    f"INSERT INTO entry ({', '.join(_COLUMNS)})"  # noqa: S608 (the columns are our own)
    f" VALUES ({', '.join(['%s'] * len(_COLUMNS))})"
).encode()


def _values(entry: AuditEntry) -> tuple[Any, ...]:
    values = msgspec.structs.astuple(entry)
    return tuple(Jsonb(value) if isinstance(value, dict) else value for value in values)


async def _objects(connection: Connection, streams: set[str]) -> dict[str, _Object]:
    """What is known of the objects of these streams."""
    objects = {stream: _Object() for stream in streams}
    cursor = await connection.execute(
        "SELECT stream, aspect, value FROM present WHERE stream = ANY(%s)", (list(streams),)
    )
    for stream, aspect, value in await cursor.fetchall():
        objects[stream].values[aspect] = value
    return objects
