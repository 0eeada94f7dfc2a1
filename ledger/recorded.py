"""An event as the ledger holds it: what happened, in which stream, at which place."""

import msgspec


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """One event and its two places: in its stream (`version`) and in the ledger (`position`).

    `position` is 1-based and without gaps, in the order of commits. `version` is 1-based within
    `stream`. The two `originator` names make it a domain event in the library's eyes.
    """

    position: int
    stream: str
    version: int
    event: msgspec.Struct

    @property
    def originator_id(self) -> str:
        """The stream, as the eventsourcing library calls it."""
        return self.stream

    @property
    def originator_version(self) -> int:
        """The version, as the eventsourcing library calls it."""
        return self.version


class Batch(msgspec.Struct, frozen=True):
    """What a tail hands over at once, in the order of positions.

    `last_position` is how far the tail has looked, all topics counted: the cursor to keep. With
    topics asked for, `recorded` may be empty.
    """

    last_position: int
    recorded: list[Recorded]
