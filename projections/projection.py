"""What a read model is: a name, its tables, and how a batch of events changes their rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from psycopg import AsyncConnection

from domain.event import Event
from ledger import Recorded

Connection = AsyncConnection[tuple[Any, ...]]


class Projection(Protocol):
    """A read model. Its tables live in a schema of its own; the runner puts that schema first in
    the search path, so its SQL names tables without a schema."""

    @property
    def name(self) -> str: ...

    @property
    def tables(self) -> str:
        """SQL that creates the tables."""
        ...

    @property
    def topics(self) -> tuple[type[Event], ...]:
        """The kinds of event that can change a row."""
        ...

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        """Changes the rows for `recorded`, in order, inside the caller's transaction."""
        ...


def sql_beside(module_file: str) -> str:
    """The SQL file with the module's name, beside it."""
    return Path(module_file).with_suffix(".sql").read_text()


def schema_of(name: str) -> str:
    """The schema of a read model's live tables."""
    return f"projection_{name}"
