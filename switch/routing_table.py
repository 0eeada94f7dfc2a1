"""The routing table: providers and utilities as they stand now, in this process.

A projection in memory: loaded once, then kept current by tailing the ledger, so that a changed
weight or a disabled provider takes effect in every process within moments.
"""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from domain.event import Event
from domain.meter import Meter
from domain.provider import PROVIDER_EVENTS, Provider
from domain.routing import Route, Standing, route
from domain.utility import UTILITY_EVENTS, Utility
from ledger import LedgerError, Recorded
from switch.ports import Draw, EventLog
from switch.streams import Streams

_log = structlog.get_logger(__name__)


class RoutingTable:
    """Who could sell, with what weight, and in what order for a given meter."""

    def __init__(self, log: EventLog, streams: Streams, draw: Draw, linger_seconds: float) -> None:
        self._log = log
        self._streams = streams
        self._draw = draw
        self._linger_seconds = linger_seconds
        self.providers: dict[str, Provider] = {}
        self._utilities: dict[str, Utility] = {}
        # The last version of each utility that the follower met, loaded or not.
        self._met: dict[str, int] = {}
        self._position = 0
        self._follower: asyncio.Task[None] | None = None

    async def open(self, providers: Iterable[str]) -> None:
        """Loads the providers and starts following the ledger."""
        self._position = await self._log.last_position()
        for provider in providers:
            self.providers[provider] = await self._streams.provider(provider)
        self._follower = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)

    async def utility(self, utility: str) -> Utility:
        """The utility's preferences; read once, then followed."""
        known = self._utilities.get(utility)
        while known is None:
            read = await self._streams.utility(utility)
            # A newer event may have passed by while this state was read: then it is read again.
            if read.version >= self._met.get(utility, 0):
                known = max(read, self._utilities.get(utility, read), key=lambda u: u.version)
                self._utilities[utility] = known
        return known

    async def route(self, meter: Meter) -> Route:
        """The routing policy's decision for `meter`, with one random draw."""
        ranked: Sequence[str] = ()
        excluded: Sequence[str] = ()
        if meter.utility is not None:
            utility = await self.utility(meter.utility)
            ranked, excluded = utility.ranked, utility.excluded
        standings = [
            Standing(p.provider, p.weight or 0, p.enabled, p.healthy)
            for p in self.providers.values()
        ]
        return route(
            standings,
            {p.provider: meter.support(p.provider) for p in standings},
            draw=self._draw(),
            meter_preference=meter.preference,
            ranked=ranked,
            excluded=excluded,
        )

    def enabled(self) -> tuple[str, ...]:
        """Providers that may be asked anything at all."""
        return tuple(p.provider for p in self.providers.values() if p.enabled)

    def apply(self, provider: Provider) -> None:
        """Takes over a state that this process has just recorded, ahead of the follower."""
        if provider.version > self.providers[provider.provider].version:
            self.providers[provider.provider] = provider

    async def _follow(self) -> None:
        """Follows for ever: a table that stood still would route by yesterday's settings."""
        while True:
            try:
                await self._follow_while_there()
            except LedgerError as error:
                _log.warning("routing table not followed", error=str(error))
                await asyncio.sleep(self._linger_seconds)

    async def _follow_while_there(self) -> None:
        topics: tuple[type[Event], ...] = (*PROVIDER_EVENTS, *UTILITY_EVENTS)
        tail = self._log.tail(self._position, topics=topics, linger_seconds=self._linger_seconds)
        async for batch in tail:
            for recorded in batch.recorded:
                await self._take(recorded)
            self._position = batch.last_position

    async def _take(self, recorded: Recorded) -> None:
        event = recorded.event
        assert isinstance(event, Event)
        if isinstance(event, UTILITY_EVENTS):
            await self._take_utility(event.utility, event, recorded.version)
        elif isinstance(event, PROVIDER_EVENTS) and event.provider in self.providers:
            state = self.providers[event.provider]
            if recorded.version == state.version + 1:
                self.providers[event.provider] = state.after(event, recorded.version)
            elif recorded.version > state.version:
                self.providers[event.provider] = await self._streams.provider(event.provider)

    async def _take_utility(self, utility: str, event: Event, version: int) -> None:
        self._met[utility] = max(version, self._met.get(utility, 0))
        state = self._utilities.get(utility)
        if state is None:
            return
        if version == state.version + 1:
            self._utilities[utility] = state.after(event, version)
        elif version > state.version:
            self._utilities[utility] = await self._streams.utility(utility)
