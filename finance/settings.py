"""Every limit of finance, by name. Seconds, counts and bytes as the last word says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FinanceSettings:
    """How much finance takes on at once, and how often it looks."""

    upload_bytes_max: int = 1_000_000_000
    """A file from the command line or a server."""
    part_bytes: int = 8 * 1024 * 1024
    """Files are read, archived and loaded in parts of this size, so that memory stays bounded."""
    line_bytes_max: int = 65_536
    exceptions_max: int = 10_000
    """A file with more unreadable lines is refused whole: it is not what it was taken for."""
    exception_text_characters: int = 500
    workbook_bytes_max: int = 50_000_000
    workbook_unpacked_bytes_max: int = 1_000_000_000
    workbook_rows_max: int = 1_048_576

    sales_batch: int = 50_000
    """Sales that are taken from the ledger's read model into one frame."""

    decision_records_max: int = 10_000
    """Records that one decision names at most; more are several decisions."""

    append_events: int = 20
    """Events of many records that go into one append."""
    conflicts_max: int = 10
    busy_seconds: float = 0.05
    caught_up_seconds: float = 30.0
    """How long a decision waits for its read model to have seen the latest events."""

    scan_seconds: float = 1.0
    """How often the worker looks for what is due."""
    pickup_files_max: int = 1_000
    """Files taken from one place at a look."""
    pickups_at_once: int = 4
    """Places that files are taken from at the same time."""
    transfer_seconds: float = 900.0
    """One file from or to a server, whole."""
    mail_seconds: float = 60.0
    """One answer of a mail server."""
    mail_bytes_max: int = 10_000_000
    """Of the files in one mail, before they are encoded; forms that don't fit are left out."""
    deliveries_max: int = 100
    """Deliveries tried at a look."""
    deliveries_at_once: int = 4
    send_attempts_max: int = 80
    """With the pauses below, about three days: a mail server may be away for a weekend."""
    send_first_seconds: float = 30.0
    send_last_seconds: float = 3_600.0
    report_rows_max: int = 1_000_000
    """Lines of one report; an XLSX sheet holds 1,048,576."""
    report_page_rows_max: int = 300
    """Lines of a table on paper; the other forms have all."""
    report_seconds: float = 900.0
    """How long the figures of a report may take to be read."""
