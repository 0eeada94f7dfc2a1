"""The append-only ledger on PostgreSQL. It does not know what an event means."""

from ledger.errors import (
    EventRejected,
    LedgerBusy,
    LedgerClosed,
    LedgerError,
    LedgerUnavailable,
    OutcomeUnknown,
    UnknownTopic,
    UnsupportedServer,
    VersionConflict,
)
from ledger.ledger import Ledger
from ledger.mapper import EventMapper
from ledger.recorded import Batch, Recorded
from ledger.settings import LedgerSettings

__all__ = [
    "Batch",
    "EventMapper",
    "EventRejected",
    "Ledger",
    "LedgerBusy",
    "LedgerClosed",
    "LedgerError",
    "LedgerSettings",
    "LedgerUnavailable",
    "OutcomeUnknown",
    "Recorded",
    "UnknownTopic",
    "UnsupportedServer",
    "VersionConflict",
]
