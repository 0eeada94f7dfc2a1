"""The append-only ledger on PostgreSQL. It does not know what an event means."""

from ledger.archive import Archive, NotArchived
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
    "Archive",
    "Batch",
    "EventMapper",
    "EventRejected",
    "Ledger",
    "LedgerBusy",
    "LedgerClosed",
    "LedgerError",
    "LedgerSettings",
    "LedgerUnavailable",
    "NotArchived",
    "OutcomeUnknown",
    "Recorded",
    "UnknownTopic",
    "UnsupportedServer",
    "VersionConflict",
]
