"""How many lists may go out as files at once: each reads thousands of rows beside the sales."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

R = TypeVar("R")


class TooManyExportsError(Exception):
    """As many exports as the settings allow are under way."""


class ExportLimit:
    """Counts the exports of one process."""

    def __init__(self, at_once_max: int) -> None:
        self._at_once_max = at_once_max
        self._running = 0

    async def counted(self, rows: AsyncGenerator[R]) -> AsyncGenerator[R]:
        """The same rows, counted as one export until the last is read or nobody reads on. Raises
        TooManyExportsError before the first."""
        if self._running >= self._at_once_max:
            raise TooManyExportsError
        self._running += 1
        try:
            async with aclosing(rows):
                async for row in rows:
                    yield row
        finally:
            self._running -= 1
