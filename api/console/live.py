"""Live: tells open pages that a read model has moved on.

One look a process at the read models' positions, however many pages are open, and none while no
page is: the read models commit in batches, so a look every quarter of a second misses nothing that
a person could see.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from time import monotonic

from projections.reading import Reading

logger = logging.getLogger("api.console")

Refresh = Callable[[], Awaitable[None]]


class Subscription:
    """One page's wish to be told."""

    def __init__(self, models: Collection[str], refresh: Refresh, every_seconds: float) -> None:
        self.models = frozenset(models)
        self.refresh = refresh
        self.every_seconds = every_seconds
        self.stale = False
        self.last = 0.0
        self.task: asyncio.Task[None] | None = None


class Live:
    """Watches positions while somebody is subscribed."""

    def __init__(self, reading: Reading, seconds: float) -> None:
        self._reading = reading
        self._seconds = seconds
        self._subscriptions: set[Subscription] = set()
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, subscription: Subscription) -> Callable[[], None]:
        """Calls `refresh` after its models moved, one call at a time. Returns what ends it."""
        self._subscriptions.add(subscription)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch(), name="console live")

        def unsubscribe() -> None:
            self._subscriptions.discard(subscription)

        return unsubscribe

    async def close(self) -> None:
        """Ends the watch."""
        self._subscriptions.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        known = dict[str, int]()
        while self._subscriptions:
            try:
                positions = await self._reading.positions()
            except Exception as error:
                # The pages show what they have; the next look tries again.
                logger.warning("read models can't be looked at: %s", error)
            else:
                moved = {name for name, at in positions.items() if known.get(name) != at}
                if known:
                    self._mark(moved)
                known = positions
            self._start_due()
            await asyncio.sleep(self._seconds)

    def _mark(self, moved: set[str]) -> None:
        for subscription in self._subscriptions:
            subscription.stale = subscription.stale or bool(moved & subscription.models)

    def _start_due(self) -> None:
        now = monotonic()
        for subscription in self._subscriptions:
            busy = subscription.task is not None and not subscription.task.done()
            if (
                subscription.stale
                and not busy
                and now - subscription.last >= (subscription.every_seconds)
            ):
                subscription.stale, subscription.last = False, now
                subscription.task = asyncio.create_task(_kept(subscription.refresh))


async def _kept(refresh: Refresh) -> None:
    try:
        await refresh()
    except Exception:
        # One page's trouble is not the others'.
        logger.exception("a page could not be refreshed")
