"""A record: one line of one party's file of sales, brought into one form for comparing.

A frame of records has the columns of the extract (domain/extract.py), a `ref` and the
`business_date`. A purchase that a file has as REVERSED stands for two records: the purchase, and
its reversal, whose `original_id` is the purchase's `transaction_id`.
"""

from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

LINES_MAX = 2**31 - 1
FILES_MAX = 2**20
"""Together they keep a ref within 53 bits, so that any JSON reader gets it whole."""


class Side(StrEnum):
    """Whose record it is."""

    OURS = "OURS"
    """The switch's."""
    THEIRS = "THEIRS"
    """The other party's: a provider or a channel."""


class RecordKind(StrEnum):
    """The column `message_type`."""

    PURCHASE = "PURCHASE"
    REVERSAL = "REVERSAL"
    ADJUSTMENT = "ADJUSTMENT"


class RecordState(StrEnum):
    """The column `transaction_state`. The record of a reversal that took effect is APPROVED, as a
    purchase's is, also where the file has REVERSED."""

    APPROVED = "APPROVED"
    REVERSED = "REVERSED"
    DECLINED = "DECLINED"


class ColumnType(StrEnum):
    """How a column's text is read."""

    TEXT = "TEXT"
    CENTS = "CENTS"
    """Whole cents; 64 bits."""
    TIME = "TIME"
    """A moment, kept in UTC in microseconds."""
    DATE = "DATE"
    UNITS = "UNITS"
    """A decimal, kept as the text it was."""


COLUMNS: dict[str, ColumnType] = {
    "transaction_id": ColumnType.TEXT,
    "original_id": ColumnType.TEXT,
    "message_type": ColumnType.TEXT,
    "transaction_state": ColumnType.TEXT,
    "transaction_time": ColumnType.TIME,
    "settlement_date": ColumnType.DATE,
    "originator_institution_id": ColumnType.TEXT,
    "merchant_id": ColumnType.TEXT,
    "terminal_id": ColumnType.TEXT,
    "channel_id": ColumnType.TEXT,
    "client_id": ColumnType.TEXT,
    "settlement_entity_id": ColumnType.TEXT,
    "receiver_id": ColumnType.TEXT,
    "provider_reference": ColumnType.TEXT,
    "rrn": ColumnType.TEXT,
    "stan": ColumnType.TEXT,
    "utility_type": ColumnType.TEXT,
    "meter_id": ColumnType.TEXT,
    "amount_minor": ColumnType.CENTS,
    "currency": ColumnType.TEXT,
    "token_amount_minor": ColumnType.CENTS,
    "tax_minor": ColumnType.CENTS,
    "debt_minor": ColumnType.CENTS,
    "service_charge_minor": ColumnType.CENTS,
    "units": ColumnType.UNITS,
    "receipt_number": ColumnType.TEXT,
    "vat_invoice_number": ColumnType.TEXT,
    "tender_type": ColumnType.TEXT,
    "fee_minor": ColumnType.CENTS,
    "basket_ref": ColumnType.TEXT,
}
"""The extract's columns but for `record_type`. `amount_minor` is never negative: a reversal's
`message_type` says which way the money goes."""

NEEDED = ("message_type", "transaction_state", "transaction_time", "amount_minor", "currency")
"""A line without one of these is an exception."""

KEPT_STATES = frozenset({RecordState.APPROVED, RecordState.REVERSED})
"""Only what moves money is compared; lines in another state are left out, and counted."""


def record_ref(file: int, line: int, *, reversal: bool = False) -> int:
    """What a record is called within its process: `file` as the process numbers its files from 1,
    `line` from 1, `reversal` for the second record of a line. Raises ValueError out of range."""
    if not (0 < file <= FILES_MAX and 0 < line <= LINES_MAX):
        raise ValueError(f"no record at file {file}, line {line}")
    return (file << 32) + (line << 1) + reversal


def file_of(ref: int) -> int:
    """The file of a record."""
    return ref >> 32


def line_of(ref: int) -> int:
    """The line of a record, from 1."""
    return (ref & 0xFFFF_FFFF) >> 1


def is_reversal_half(ref: int) -> bool:
    """Whether it is the second record of its line."""
    return bool(ref & 1)


def business_date(at: datetime, zone: ZoneInfo) -> date:
    """The day that a transaction belongs to: that of its origination, where the parties are."""
    return at.astimezone(zone).date()
