"""What finance works with: the ledger, the archive, the processes, and what is handed in."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from psycopg import AsyncConnection

from finance.process.process import ReconciliationProcess
from finance.settings import FinanceSettings
from ledger import Archive, Ledger
from ledger.decide import Folded, decide, fold
from projections.projection import Projection
from projections.runner import ProjectionRunner, RunnerSettings

Connection = AsyncConnection[tuple[Any, ...]]
Connect = Callable[[], AbstractAsyncContextManager[Connection]]
"""An autocommit connection, for as long as it is held."""

S = TypeVar("S", bound=Folded)


class UnknownProcessError(ValueError):
    """The settings have no such process."""

    def __init__(self, process: str, known: Sequence[str]) -> None:
        super().__init__(f"no process {process!r}; there are: {', '.join(known) or 'none'}")


@dataclass(frozen=True)
class Context:
    """`clock` is now in UTC, `new_id` an id that nobody has used."""

    ledger: Ledger
    database_url: str
    archive: Archive
    connect: Connect
    processes: Mapping[str, ReconciliationProcess]
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    settings: FinanceSettings

    def process(self, process: str) -> ReconciliationProcess:
        """The process of this id. Raises UnknownProcessError."""
        found = self.processes.get(process)
        if found is None:
            raise UnknownProcessError(process, list(self.processes))
        return found

    async def state(self, stream: str, nothing: S) -> S:
        """What the stream's events fold into; `nothing` when there are none."""
        return fold(nothing, await self.ledger.read(stream))

    async def caught_up(
        self, *models: Projection, runner_settings: RunnerSettings | None = None
    ) -> int:
        """Brings read models up to the ledger's present end, beside whoever else feeds them;
        returns that position."""
        runner = ProjectionRunner(
            self.ledger, self.database_url, models, runner_settings or RunnerSettings()
        )
        return await runner.catch_up()

    async def decide(
        self, stream: str, state: S, deciding: Callable[[S], Sequence[msgspec.Struct]]
    ) -> S:
        """As ledger.decide.decide, with the settings' limits."""
        return await decide(
            self.ledger,
            stream,
            state,
            deciding,
            conflicts_max=self.settings.conflicts_max,
            busy_seconds=self.settings.busy_seconds,
        )
