"""Live: tells open pages that a read model has moved on.

One look a process at the read models' positions, however many pages are open, and none while no
page is: the read models commit in batches, so a look every quarter of a second misses nothing that
a person could see.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from time import monotonic

from projections.reading import Reading

logger = logging.getLogger("api.console")

Refresh = Callable[[], Awaitable[None]]


class Subscription:
    """One page's wish to be told: of `models`, at most every `every_seconds`. `seen`: where the
    read models were before the page was built, so that nothing between the two is missed. A page
    whose browser is not `connected` is told when it is."""

    def __init__(
        self,
        models: Collection[str],
        refresh: Refresh,
        every_seconds: float,
        seen: Mapping[str, int],
        connected: Callable[[], bool] = lambda: True,
    ) -> None:
        self._models = tuple(models)
        self._refresh = refresh
        self._every_seconds = every_seconds
        self._seen = seen
        self._connected = connected
        self._last = 0.0
        self._task: asyncio.Task[None] | None = None

    def tell(self, positions: Mapping[str, int], now: float) -> None:
        """Starts a refresh when there is news, the last one is over, and long enough ago."""
        news = any(positions.get(name) != self._seen.get(name) for name in self._models)
        busy = self._task is not None and not self._task.done()
        if news and not busy and self._connected() and now - self._last >= self._every_seconds:
            self._seen, self._last = positions, now
            self._task = asyncio.create_task(_kept(self._refresh))


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
        while self._subscriptions:
            try:
                positions = await self._reading.positions()
            except Exception as error:
                # The pages show what they have; the next look tries again.
                logger.warning("read models can't be looked at: %s", error)
            else:
                now = monotonic()
                for subscription in self._subscriptions:
                    subscription.tell(positions, now)
            await asyncio.sleep(self._seconds)


async def _kept(refresh: Refresh) -> None:
    try:
        await refresh()
    except Exception:
        # One page's trouble is not the others'.
        logger.exception("a page could not be refreshed")
