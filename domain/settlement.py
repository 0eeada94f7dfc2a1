"""Settlement: what a process owes its party for one cycle, sale by sale, in cents.

Its events are in the process's stream (domain/reconciliation.py). Prepared by a run, released by a
person who did not prepare it; a released one never changes, and corrections are in a later one.
"""

from enum import StrEnum

import msgspec

from domain.event import Event
from domain.steered import Steered


class SettlementStatus(StrEnum):
    PREPARING = "PREPARING"
    """Its lines are being written; what is cut off here is discarded and made anew."""
    READY = "READY"
    """Awaits release."""
    RELEASED = "RELEASED"


class Counterparty(StrEnum):
    """Whom a settlement is with."""

    PROVIDER = "PROVIDER"
    """We pay it."""
    CHANNEL = "CHANNEL"
    """It pays us."""


class Totals(msgspec.Struct, frozen=True):
    """Of all lines and adjustments, signed cents: `net_cents` is principal + adjustments -
    commission - commission VAT, and what is paid."""

    sales: int = 0
    """How many lines."""
    principal_cents: int = 0
    commission_cents: int = 0
    commission_vat_cents: int = 0
    adjustment_cents: int = 0
    net_cents: int = 0


class SettlementRequested(Steered, frozen=True, kw_only=True):
    """`by` wants the cycle settled; the worker prepares it in that name."""

    process: str
    cycle: str


class SettlementRefused(Event, frozen=True, kw_only=True):
    """What was requested can't be prepared."""

    process: str
    cycle: str
    reason: str


class SettlementPrepared(Steered, frozen=True, kw_only=True):
    """The cycle's settlement with `party` is being made, of records with business dates up to
    `until`. Dates are YYYY-MM-DD. `settings_sha256`: the settings whose fees count."""

    process: str
    settlement_id: str
    cycle: str
    until: str
    settings_sha256: str
    counterparty: Counterparty
    party: str
    currency: str = "710"


class SettlementLines(Event, frozen=True, kw_only=True):
    """Sales of the settlement, in parallel: the record (ours, or theirs where only they have it),
    principal (negative for a reversal), commission and the VAT on it, in cents; `fees`: the names
    of the fee rules used, `fee` which of them. Net is principal - commission - VAT."""

    process: str
    settlement_id: str
    lines: tuple[int, ...]
    principal: tuple[int, ...]
    commission: tuple[int, ...]
    commission_vat: tuple[int, ...]
    fees: tuple[str, ...]
    fee: tuple[int, ...]


class SettlementAdjusted(Event, frozen=True, kw_only=True):
    """Approved adjustments that this settlement takes in, by decision id; `amounts` are cents more
    (or less) of net. A decision's positive amount is owed to the party: to a provider, whom we pay,
    it is more; of a channel, which pays us, it is less."""

    process: str
    settlement_id: str
    decisions: tuple[str, ...]
    amounts: tuple[int, ...]


class SettlementReady(Event, frozen=True, kw_only=True):
    """All lines are written; it can be released. `remarks`: what its releaser should know."""

    process: str
    settlement_id: str
    totals: Totals
    remarks: tuple[str, ...] = ()


class SettlementReleased(Steered, frozen=True, kw_only=True):
    """Final: it is to be paid, and posted."""

    process: str
    settlement_id: str


class SettlementDiscarded(Steered, frozen=True, kw_only=True):
    """It counts for nothing; its records are free for another."""

    process: str
    settlement_id: str


SETTLEMENT_EVENTS = (
    SettlementRequested,
    SettlementRefused,
    SettlementPrepared,
    SettlementLines,
    SettlementAdjusted,
    SettlementReady,
    SettlementReleased,
    SettlementDiscarded,
)


def settlement_id(process: str, cycle: str, attempt: int) -> str:
    """What a settlement is called: `attempt` counts from 1 within the cycle."""
    return f"{process}:{cycle}:{attempt}"


def cycle_of(settlement: str) -> str:
    """The cycle in a settlement's id."""
    return settlement.split(":")[1]
