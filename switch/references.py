"""Provider references: numbers that no other process has used or ever will.

Each process reserves a block at a time in the provider's own stream; optimistic versions make two
blocks disjoint. What a crash leaves unused stays unused.
"""

import asyncio

from domain.provider import Provider, ReferencesReserved, provider_stream
from switch.ports import Clock
from switch.streams import Streams


class References:
    """The numbers of one process."""

    def __init__(self, streams: Streams, clock: Clock, block: int, owner: str) -> None:
        self._streams = streams
        self._clock = clock
        self._block = block
        self._owner = owner
        self._ready: dict[str, range] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def take(self, provider: str) -> int:
        """The next number for `provider`."""
        number = self._next(provider)
        if number is not None:
            return number
        async with self._locks.setdefault(provider, asyncio.Lock()):
            number = self._next(provider)
            if number is None:
                self._ready[provider] = await self._reserve(provider)
                number = self._next(provider)
        assert number is not None
        return number

    def _next(self, provider: str) -> int | None:
        ready = self._ready.get(provider)
        if not ready:
            return None
        self._ready[provider] = ready[1:]
        return ready[0]

    async def _reserve(self, provider: str) -> range:
        def decide(state: Provider) -> list[ReferencesReserved]:
            return [
                ReferencesReserved(
                    at=self._clock(),
                    provider=provider,
                    first=state.next_reference,
                    count=self._block,
                    by=self._owner,
                )
            ]

        before = await self._streams.provider(provider)
        after = await self._streams.record(provider_stream(provider), before, decide)
        return range(after.next_reference - self._block, after.next_reference)
