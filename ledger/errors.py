"""What can go wrong in the ledger.

LedgerError
├── VersionConflict     the stream has moved since the caller read it; nothing was written
├── LedgerBusy          the bounded queue of appends is full; nothing was written
├── LedgerClosed        the ledger was closed before the append began; nothing was written
├── LedgerUnavailable   the database stayed away for longer than the setting; nothing was written
│   └── OutcomeUnknown  ... and it could not even be asked whether the append was written
├── UnsupportedServer   the database is not a PostgreSQL that the ledger's rules hold on
├── EventRejected       an append cannot be stored as it is (empty, too large, bad stream name)
└── UnknownTopic        a stored event names a class that is not an event of this program
"""


class LedgerError(Exception):
    """The base of every error that the ledger raises on its own account."""


class VersionConflict(LedgerError):  # noqa: N818 - the seam's name
    """The stream is not at `after_version`: another writer was first, or it never was there."""

    def __init__(self, stream: str, after_version: int) -> None:
        super().__init__(f"stream {stream!r} is not at version {after_version}")
        self.stream = stream
        self.after_version = after_version

    def __reduce__(self) -> tuple[type["VersionConflict"], tuple[str, int]]:
        return type(self), (self.stream, self.after_version)


class LedgerBusy(LedgerError):  # noqa: N818 - the seam's name
    """As many appends are waiting as the settings allow. Nothing of this one was written."""


class LedgerClosed(LedgerError):  # noqa: N818 - reads like the others
    """The ledger is closed. Nothing was written."""


class LedgerUnavailable(LedgerError):  # noqa: N818 - the seam's name
    """The database stayed away for longer than the settings allow. Nothing was written."""


class OutcomeUnknown(LedgerUnavailable):
    """The connection broke during the commit and the database could not be asked afterwards.

    The append may or may not be in the ledger. Read the stream to find out.
    """


class UnsupportedServer(LedgerError):  # noqa: N818 - reads like the others
    """The server is too old, or is not PostgreSQL: locks or positions would not hold there."""


class EventRejected(LedgerError):  # noqa: N818 - reads like the others
    """The append is refused before it is queued. Nothing was written."""


class UnknownTopic(LedgerError):  # noqa: N818 - reads like the others
    """A stored topic does not lead to an event class. Registered under another name, perhaps."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"topic {topic!r} is not an event of this program: {reason}")
        self.topic = topic
        self.reason = reason

    def __reduce__(self) -> tuple[type["UnknownTopic"], tuple[str, str]]:
        return type(self), (self.topic, self.reason)
