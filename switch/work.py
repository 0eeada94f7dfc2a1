"""Background work of one process: what goes on after a channel has been answered."""

import asyncio
from collections.abc import Coroutine, Iterable

import structlog

_log = structlog.get_logger(__name__)


class Background:
    """Keeps tasks alive, reports the ones that fail, and waits for them at shutdown."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._loops: set[asyncio.Task[None]] = set()

    def adopt(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Keeps running tasks until they end."""
        for task in tasks:
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def loop(self, coroutine: Coroutine[None, None, None], name: str) -> None:
        """Runs a loop that ends only when the process does."""
        task = asyncio.create_task(coroutine, name=name)
        self._loops.add(task)
        task.add_done_callback(self._loop_ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background work failed", task=task.get_name(), exc_info=error)

    def _loop_ended(self, task: asyncio.Task[None]) -> None:
        self._loops.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a loop ended that must not", task=task.get_name(), exc_info=error)

    async def close(self, seconds: float) -> None:
        """Stops the loops, then waits at most `seconds` for the rest and cancels what is left."""
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
