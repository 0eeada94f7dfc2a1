"""A folder on a server, as finance sees it: files are listed, read, put and moved, and none is ever
written over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Protocol

NAMES_MAX = 100_000
"""Names that one listing looks at; what lies behind them waits until those are moved away."""
NAME_CHARACTERS_MAX = 255
CHUNK_BYTES = 1024 * 1024
CONNECT_SECONDS = 30.0


class TransferError(Exception):
    """A server was not reached, refused us, or did not do what was asked. Nothing was lost; the
    message says where and why."""


class NoFolderError(TransferError):
    """The folder that was to be listed is not there."""


class AlreadyThereError(TransferError):
    """A file of that name is there; it was left as it is."""


class ChangedError(TransferError):
    """The file is no longer the one that was listed, or is gone."""


@dataclass(frozen=True)
class Entry:
    """A file of a listing. `modified` is UTC. `mark` is another one as soon as the file's content
    may be."""

    name: str
    size_bytes: int
    modified: datetime
    mark: str


class Store(Protocol):
    """A folder on a server, open. All of it raises TransferError."""

    @property
    def host(self) -> str:
        """Whose server it is, for the record."""
        ...

    async def listed(self, pattern: str) -> list[Entry]:
        """The files directly in the folder whose names fit the shell pattern, by name. Raises
        NoFolderError where a server knows folders."""
        ...

    def read(self, entry: Entry) -> AsyncIterator[bytes]:
        """Its content in chunks. Raises ChangedError when it isn't as listed."""
        ...

    def read_named(self, name: str) -> AsyncIterator[bytes]:
        """The content of the folder's file of this name, whatever it is."""
        ...

    async def write(self, name: str, content: AsyncIterator[bytes]) -> None:
        """Puts a file that appears whole or not at all. Raises AlreadyThereError."""
        ...

    async def move(self, entry: Entry, folder: str, name: str) -> None:
        """Moves a file into a folder below, under `name`. Raises AlreadyThereError, and
        ChangedError when it isn't as listed."""
        ...


def is_plain_name(name: str) -> bool:
    """Whether a server's name for a file is one name and not a way to somewhere else. Hidden files
    are none: that is how uploads under way are often called."""
    return (
        0 < len(name) <= NAME_CHARACTERS_MAX
        and not name.startswith(".")
        and not any(character in "/\\" or not character.isprintable() for character in name)
    )


def fits(name: str, pattern: str) -> bool:
    """Whether a file is meant by a place's pattern; case counts."""
    return is_plain_name(name) and fnmatchcase(name, pattern)
