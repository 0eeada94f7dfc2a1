"""Provider health as a read model: how each provider stands, what was changed about it, and its
traffic and the purchases by time."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.event import Event
from domain.exchange import ProviderAnswered
from domain.provider import (
    HealthChanged,
    ProviderConfigured,
    ProviderDisabled,
    ProviderEnabled,
    WeightSet,
)
from ledger import Recorded
from projections.projection import Connection, sql_beside
from projections.purchase_volume import VOLUME_EVENTS, VolumeEvent, count_purchases
from projections.traffic import count_traffic

_CHANGES = (ProviderConfigured, WeightSet, ProviderEnabled, ProviderDisabled, HealthChanged)
_Change = ProviderConfigured | WeightSet | ProviderEnabled | ProviderDisabled | HealthChanged


class _Row(msgspec.Struct):
    """A row of `provider`, its columns in order after the key."""

    name: str = ""
    protocol: str = ""
    capabilities: list[str] = []
    weight: int | None = None
    enabled: bool = True
    healthy: bool = True
    health_at: datetime | None = None
    health_reason: str | None = None
    changed: str | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None
    changed_comment: str | None = None
    version: int = 0

    def apply(self, event: _Change, version: int) -> None:
        self.version = version
        match event:
            case ProviderConfigured():
                self.name, self.protocol = event.name, event.protocol
                offered = msgspec.structs.asdict(event.capabilities)
                self.capabilities = [name for name, is_offered in offered.items() if is_offered]
            case WeightSet():
                self.weight = event.weight
                self._changed("WEIGHT", event)
            case ProviderEnabled():
                self.enabled = True
                self._changed("ENABLED", event)
            case ProviderDisabled():
                self.enabled = False
                self._changed("DISABLED", event)
            case HealthChanged():
                self.healthy = event.healthy
                self.health_at, self.health_reason = event.at, event.reason

    def _changed(self, what: str, event: WeightSet | ProviderEnabled | ProviderDisabled) -> None:
        self.changed, self.changed_at = what, event.at
        self.changed_by, self.changed_comment = event.by, event.comment


class _ChangeRow(msgspec.Struct):
    """A row of `change`, its columns in order."""

    provider: str
    version: int
    at: datetime
    kind: str
    by: str
    role: str = ""
    comment: str = ""
    before: int | None = None
    after: int | None = None


def _change(event: _Change, version: int, weight: int | None) -> _ChangeRow:
    """What the event changed; `weight`: the one before it."""
    row = _ChangeRow(event.provider, version, event.at, "CONFIGURED", "settings")
    match event:
        case ProviderConfigured():
            pass
        case HealthChanged():
            row.kind = "HEALTHY" if event.healthy else "UNHEALTHY"
            row.by, row.comment = event.by, event.reason
        case WeightSet() | ProviderEnabled() | ProviderDisabled():
            row.by, row.role, row.comment = event.by, event.role, event.comment
            row.kind = "ENABLED" if isinstance(event, ProviderEnabled) else "DISABLED"
            if isinstance(event, WeightSet):
                row.kind, row.before, row.after = "WEIGHT", weight, event.weight
    return row


class ProviderHealth:
    """Feeds `provider`, `change`, `traffic` and `purchases`."""

    name = "provider_health"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (*_CHANGES, ProviderAnswered, *VOLUME_EVENTS)

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        changes: list[tuple[_Change, int]] = []
        answers: list[ProviderAnswered] = []
        purchases: list[tuple[str, VolumeEvent]] = []
        for entry in recorded:
            event = entry.event
            if isinstance(event, ProviderAnswered):
                answers.append(event)
            elif isinstance(event, _CHANGES):
                changes.append((event, entry.version))
            else:
                assert isinstance(event, VOLUME_EVENTS)
                purchases.append((entry.stream.partition("/")[2], event))
        await _change_providers(connection, changes)
        await count_traffic(connection, answers)
        await count_purchases(connection, purchases)


async def _change_providers(connection: Connection, changes: list[tuple[_Change, int]]) -> None:
    if not changes:
        return
    wanted = list({event.provider for event, _ in changes})
    cursor = await connection.execute(
        """
        SELECT provider, name, protocol, capabilities, weight, enabled, healthy, health_at,
               health_reason, changed, changed_at, changed_by, changed_comment, version
        FROM provider WHERE provider = ANY(%s)
        """,
        (wanted,),
    )
    rows = {row[0]: _Row(*row[1:]) for row in await cursor.fetchall()}
    history: list[_ChangeRow] = []
    for event, version in changes:
        row = rows.setdefault(event.provider, _Row())
        history.append(_change(event, version, row.weight))
        row.apply(event, version)
    await connection.cursor().executemany(
        """
        INSERT INTO provider (provider, name, protocol, capabilities, weight, enabled, healthy,
                              health_at, health_reason, changed, changed_at, changed_by,
                              changed_comment, version)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (provider) DO UPDATE SET
            name = excluded.name, protocol = excluded.protocol,
            capabilities = excluded.capabilities, weight = excluded.weight,
            enabled = excluded.enabled, healthy = excluded.healthy,
            health_at = excluded.health_at, health_reason = excluded.health_reason,
            changed = excluded.changed, changed_at = excluded.changed_at,
            changed_by = excluded.changed_by, changed_comment = excluded.changed_comment,
            version = excluded.version
        """,
        [(name, *msgspec.structs.astuple(row)) for name, row in rows.items()],
    )
    await connection.cursor().executemany(
        """
        INSERT INTO change (provider, version, at, kind, by, role, comment, before, after)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [msgspec.structs.astuple(row) for row in history],
    )
