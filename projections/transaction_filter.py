"""What a list of transactions is narrowed down to, and how SQL says it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from projections.transaction_terms import wanted

SLOW = timedelta(seconds=5)
"""Longer than this and a transaction is in the index of what was open at a moment; as the SQL has
it. What was requested this long before a range may have ended in it unseen by that index."""


@dataclass(frozen=True)
class Filters:
    """All given ones must hold. `since` and `until` (UTC, without `until` itself) take in what was
    requested or ended between them. `operation` and `status` as the read model's `kind` and
    `status`, `service` a utility type, `client` the institution that sent it, `channel` its own
    word for where it came from. Amounts in cents, both ends included. `reference`: a message id, a
    meter's number, or any search term, in any spelling."""

    since: datetime | None = None
    until: datetime | None = None
    service: str | None = None
    operation: str | None = None
    provider: str | None = None
    utility: str | None = None
    client: str | None = None
    channel: str | None = None
    status: str | None = None
    cents_min: int | None = None
    cents_max: int | None = None
    meter: str | None = None
    reference: str | None = None

    @property
    def cents(self) -> int | None:
        """The amount, where it is to be exactly that."""
        return self.cents_min if self.cents_min == self.cents_max else None

    def parameters(self) -> dict[str, Any]:
        """The values that the conditions name."""
        return {
            "since": self.since,
            "until": self.until,
            "floor": self.since and self.since - SLOW,
            "service": self.service,
            "operation": self.operation,
            "provider": self.provider,
            "utility": self.utility,
            "client": self.client,
            "channel": self.channel,
            "status": self.status,
            "cents_min": self.cents_min,
            "cents_max": self.cents_max,
            "meter": self.meter,
            "reference": (self.reference or "").strip(),
            "terms": wanted(self.reference or ""),
            "ids": _ids(self.reference or ""),
        }

    def conditions(self) -> Iterator[str]:
        """What a row must meet, as SQL over `parameters`, the reference left out."""
        if self.until is not None:
            yield "requested_at < %(until)s"
        if self.since is not None:
            ended = "finished_at >= %(since)s"
            if self.until is not None:
                ended += " AND finished_at < %(until)s"
            yield f"(requested_at >= %(since)s OR {ended})"
        for name, column in _EQUAL.items():
            if getattr(self, name) is not None:
                yield f"{column} = %({name})s"
        if self.cents_min is not None:
            yield "amount_cents >= %(cents_min)s"
        if self.cents_max is not None:
            yield "amount_cents <= %(cents_max)s"


_EQUAL = {
    "service": "utility_type",
    "operation": "kind",
    "provider": "provider",
    "utility": "utility",
    "client": "client",
    "channel": "channel",
    "status": "status",
    "meter": "meter",
}


def _ids(text: str) -> list[str]:
    """The message ids that a person may mean by `text`."""
    typed = text.strip()
    ids = {typed, typed.lower(), typed.upper()}
    with suppress(ValueError):
        ids.add(str(UUID(typed)))
    return sorted(ids - {""})
