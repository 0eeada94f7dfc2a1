"""Every limit of the ledger, by name. Seconds, counts and bytes as the last word says."""

import re
from dataclasses import dataclass

# Names that need no quoting, and leave room for what is appended to them within 63 bytes.
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,37}")


@dataclass(frozen=True)
class LedgerSettings:
    """How much the ledger takes on and how long it waits. The defaults suit one busy server."""

    schema: str = "public"
    """The PostgreSQL schema that holds the table; with shards, one schema a shard."""
    table: str = "stored_events"
    """The library's name for it. Also the channel of NOTIFY, as in the library."""

    queue_appends_max: int = 10_000
    """Appends that may wait for a commit; one more is refused with LedgerBusy."""
    queue_bytes_max: int = 256 * 1024 * 1024
    """Bytes of events that may wait for a commit; more are refused with LedgerBusy."""

    commit_appends_max: int = 256
    commit_events_max: int = 2_048
    commit_bytes_max: int = 8 * 1024 * 1024
    commit_seconds_max: float = 15.0
    """The wait for one commit on the client's side; then the connection counts as lost."""
    statement_seconds_max: float = 10.0
    """The same on the server's side, for every statement. The wait for the lock is part of it."""

    append_events_max: int = 1_000
    event_bytes_max: int = 4 * 1024 * 1024
    stream_bytes_max: int = 1_000
    """A stream's name is part of an index row, which PostgreSQL limits to about 2,700 bytes."""

    unavailable_seconds_max: float = 10.0
    """How long an append, a read or a tail goes on trying while the database is away."""
    connect_seconds_max: float = 5.0
    reconnect_seconds_min: float = 0.05
    reconnect_seconds_max: float = 1.0
    """The pause between two attempts: doubles from the least to the most."""
    close_seconds_max: float = 20.0

    poll_seconds: float = 0.5
    """A tail looks this often even if no NOTIFY wakes it."""
    tail_positions_max: int = 20_000
    """Positions that one query of a tail passes over, however few match its topics."""

    read_pool_size: int = 4
    read_streams_max: int = 256
    """Streams that one query reads for readers that ask at the same time."""
    read_events_max: int = 10_000
    """Events of one page of `read`; a longer stream is read in several queries."""

    def __post_init__(self) -> None:
        """Raises ValueError for a name that would need quoting and for limits that clash."""
        for name in (self.schema, self.table):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r}: up to 38 lower-case letters, digits, underscores")
        if self.commit_bytes_max < self.event_bytes_max:
            raise ValueError("commit_bytes_max is less than event_bytes_max")


DEFAULT_SETTINGS = LedgerSettings()
