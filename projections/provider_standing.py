"""How providers stand now, and what was changed about them: queries for pages."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from projections.open_work import OpenWork
from projections.projection import schema_of
from projections.provider_health import ProviderHealth
from projections.reading import Reading

UNDER_WAY_SECONDS = 2.0
"""An outcome that has been missing for less long is simply being worked on."""

_HEALTH = schema_of(ProviderHealth.name)
_OPEN = schema_of(OpenWork.name)


class ProviderStanding(msgspec.Struct, frozen=True):
    """A row of `provider`, as a page shows it. Times UTC."""

    provider: str
    name: str
    protocol: str
    capabilities: list[str]
    weight: int
    enabled: bool
    healthy: bool
    health_at: datetime | None
    health_reason: str | None
    changed: str | None
    changed_at: datetime | None
    changed_by: str | None
    changed_comment: str | None
    version: int

    @property
    def available(self) -> bool:
        return self.enabled and self.healthy

    @property
    def label(self) -> str:
        return self.name or self.provider


_STANDING = f"""
    SELECT provider, name, protocol, capabilities, coalesce(weight, 0), enabled, healthy, health_at,
           health_reason, changed, changed_at, changed_by, changed_comment, version
    FROM {_HEALTH}.provider
"""  # noqa: S608 (the schema's name is a constant)


async def providers(reading: Reading) -> list[ProviderStanding]:
    """All of them, by name."""
    rows = await reading.rows(f"{_STANDING} ORDER BY lower(name), provider")
    return [ProviderStanding(*row) for row in rows]


async def provider(reading: Reading, provider: str) -> ProviderStanding | None:
    """The one with this id."""
    rows = await reading.rows(f"{_STANDING} WHERE provider = %s", (provider,))
    return ProviderStanding(*rows[0]) if rows else None


def shares(providers: Iterable[ProviderStanding]) -> dict[str, float]:
    """Each provider's percentage of the traffic that is balanced by weight: of the weights of those
    that are enabled and healthy. Preferences and missing support come before weights, so what
    really goes to a provider may differ."""
    weights = {one.provider: one.weight if one.available else 0 for one in providers}
    total = sum(weights.values())
    return {name: 100 * weight / total if total else 0.0 for name, weight in weights.items()}


async def in_doubt(reading: Reading, now: datetime) -> Mapping[str, int]:
    """By provider, how many requests have had no outcome for a while."""
    rows = await reading.rows(
        f"""
        SELECT provider, count(*) FROM {_OPEN}.purchase
        WHERE outcome_due_at IS NOT NULL AND since <= %s GROUP BY provider
        """,  # noqa: S608 (the schema's name is a constant)
        (now - timedelta(seconds=UNDER_WAY_SECONDS),),
    )
    return {name: count for name, count in rows if name is not None}


class Waiting(msgspec.Struct, frozen=True):
    """What waits for a provider: `doubtful` outcomes and other `advices`, and since when (UTC) the
    oldest does."""

    doubtful: int
    advices: int
    oldest: datetime | None


async def waiting(reading: Reading, now: datetime) -> Waiting:
    """The queue's depth and age. Reads the backlog, which is small or an alarm of its own."""
    ((doubtful, advices, oldest),) = await reading.rows(
        f"""
        SELECT count(*) FILTER (WHERE outcome_due_at IS NOT NULL),
               count(*) FILTER (WHERE outcome_due_at IS NULL), min(since)
        FROM {_OPEN}.purchase WHERE since <= %s
        """,  # noqa: S608 (the schema's name is a constant)
        (now - timedelta(seconds=UNDER_WAY_SECONDS),),
    )
    return Waiting(doubtful, advices, oldest)


class ProviderChange(msgspec.Struct, frozen=True):
    """A row of `change`. `at` is UTC; `before` and `after` are weights."""

    version: int
    at: datetime
    kind: str
    by: str
    role: str
    comment: str
    before: int | None
    after: int | None


async def changes(
    reading: Reading, provider: str, limit: int, before_version: int | None = None
) -> list[ProviderChange]:
    """What was changed or found about the provider, the last first; `before_version`: only what
    came before that version."""
    parameters: dict[str, Any] = {"provider": provider, "before": before_version, "limit": limit}
    rows = await reading.rows(
        f"""
        SELECT version, at, kind, by, role, comment, before, after FROM {_HEALTH}.change
        WHERE provider = %(provider)s
          AND (%(before)s::bigint IS NULL OR version < %(before)s::bigint)
        ORDER BY version DESC LIMIT %(limit)s
        """,  # noqa: S608 (the schema's name is a constant)
        parameters,
    )
    return [ProviderChange(*row) for row in rows]
