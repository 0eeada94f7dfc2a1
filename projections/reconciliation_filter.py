"""What a list of recon lines is narrowed down to, and how SQL says it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any


class Show(StrEnum):
    """Lines by what is to be done about them."""

    ALL = ""
    OPEN = "OPEN"
    """Unmatched, partly matched, duplicates: a person or a late file has to decide."""
    UNMATCHED = "UNMATCHED"
    PARTIAL = "PARTIAL"
    MATCHED = "MATCHED"
    DUPLICATE = "DUPLICATE"
    RESOLVED = "RESOLVED"
    """By a rule or by people, at one side's figures."""
    EXPIRED = "EXPIRED"
    CLOSED = "CLOSED"
    """By people, never to be settled."""


class SettlementState(StrEnum):
    """How far a line is on its way to be paid."""

    NOT_READY = "NOT_READY"
    READY = "READY"
    PENDING_APPROVAL = "PENDING_APPROVAL"
    """In a settlement that nobody has released yet."""
    SETTLED = "SETTLED"
    EXPIRED = "EXPIRED"
    CLOSED = "CLOSED"


OPEN = ("NEW", "UNMATCHED", "PARTIAL", "DUPLICATE")
# NEW is what no run has looked at since it came or was let go of; in pairs, since people made them.
_SHOWN: dict[Show, str] = {
    Show.OPEN: "h.status IN ('NEW', 'UNMATCHED', 'PARTIAL', 'DUPLICATE')",
    Show.UNMATCHED: "h.status IN ('NEW', 'UNMATCHED') AND h.partner = 0",
    Show.PARTIAL: "(h.status = 'PARTIAL' OR (h.status = 'NEW' AND h.partner <> 0))",
    Show.MATCHED: "h.status = 'MATCHED'",
    Show.DUPLICATE: "h.status = 'DUPLICATE'",
    Show.RESOLVED: "h.status = 'RESOLVED'",
    Show.EXPIRED: "h.status = 'EXPIRED'",
    Show.CLOSED: "h.status = 'CLOSED'",
}
_NOT_MATCHED = "h.status <> 'MATCHED'"
SETTLEMENT_STATE = """
    CASE WHEN s.status = 'RELEASED' THEN 'SETTLED'
        WHEN s.status IS NOT NULL THEN 'PENDING_APPROVAL'
        WHEN h.status IN ('EXPIRED', 'CLOSED') THEN h.status
        WHEN h.status IN ('MATCHED', 'RESOLVED') THEN 'READY' ELSE 'NOT_READY' END
"""


@dataclass(frozen=True)
class LineFilter:
    """All given ones must hold. Dates are business dates, both ends included; `cents` of either
    side, both ends included. `side`: OURS or THEIRS, for records that stand alone. `field`: one in
    which the two differ. `reference`: a transaction id or a provider's reference. `why`: a rule's
    name or a decision's id. `file`: its number within the process."""

    process: str
    show: Show = Show.ALL
    settlement_state: SettlementState | None = None
    side: str | None = None
    field: str | None = None
    since: date | None = None
    until: date | None = None
    cents_min: int | None = None
    cents_max: int | None = None
    meter: str | None = None
    reference: str | None = None
    receiver: str | None = None
    utility_type: str | None = None
    provider: str | None = None
    client: str | None = None
    why: str | None = None
    file: int | None = None
    settlement: str | None = None

    def parameters(self) -> dict[str, Any]:
        """The values that the conditions name."""
        file = self.file
        return {
            "process": self.process,
            "settlement_state": self.settlement_state and self.settlement_state.value,
            "side": self.side,
            "field": self.field,
            "since": self.since,
            "until": self.until,
            "cents_min": self.cents_min,
            "cents_max": self.cents_max,
            "meter": self.meter,
            "reference": self.reference,
            "receiver": self.receiver,
            "utility_type": self.utility_type,
            "provider": self.provider,
            "client": self.client,
            "why": self.why,
            "settlement": self.settlement,
            "file_first": None if file is None else file << 32,
            "file_end": None if file is None else (file + 1) << 32,
        }

    def conditions(self) -> list[str]:
        """What SQL has to hold the heads `h`, their partners `o` and settlements `s` to."""
        return ["h.process = %(process)s", "h.head", *self._state(), *self._values()]

    def _state(self) -> Iterator[str]:
        if self.show is not Show.ALL:
            yield _SHOWN[self.show]
            if self.show is not Show.MATCHED:
                yield _NOT_MATCHED  # what the index of the few is for
        if self.settlement_state is not None:
            yield f"({SETTLEMENT_STATE}) = %(settlement_state)s"
        if self.side is not None:
            yield "h.side = %(side)s AND h.partner = 0"
        if self.field is not None:
            yield "h.fields @> ARRAY[%(field)s]::text[]"

    def _values(self) -> Iterator[str]:
        for name, condition in _CONDITIONS.items():
            if getattr(self, name) is not None:
                yield condition


_CONDITIONS = {
    "since": "h.business_date >= %(since)s",
    "until": "h.business_date <= %(until)s",
    "cents_min": "greatest(h.amount_cents, o.amount_cents) >= %(cents_min)s",
    "cents_max": "least(h.amount_cents, o.amount_cents) <= %(cents_max)s",
    "meter": "(h.meter = %(meter)s OR o.meter = %(meter)s)",
    "reference": (
        "h.ref IN (SELECT unnest(ARRAY[f.ref, f.partner]) FROM {schema}.record AS f"
        " WHERE f.process = %(process)s AND (f.provider_reference = %(reference)s"
        " OR f.transaction_id = %(reference)s))"
    ),
    "receiver": "coalesce(h.receiver, o.receiver) = %(receiver)s",
    "utility_type": "coalesce(h.utility_type, o.utility_type) = %(utility_type)s",
    "provider": "coalesce(h.provider, o.provider) = %(provider)s",
    "client": "coalesce(h.client, o.client) = %(client)s",
    "why": "(h.why = %(why)s OR h.paired_by = %(why)s)",
    "settlement": "h.settlement = %(settlement)s",
    "file": (
        "(h.ref >= %(file_first)s AND h.ref < %(file_end)s"
        " OR h.partner >= %(file_first)s AND h.partner < %(file_end)s)"
    ),
}
