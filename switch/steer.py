"""Steer: what people change. Weights, availability, preferences, rebroadcast flags."""

from collections.abc import Callable, Sequence

from domain.event import Event
from domain.meter import Meter, MeterPreferenceSet, MeterSeen, RebroadcastRequested
from domain.provider import (
    Capabilities,
    Provider,
    ProviderConfigured,
    ProviderDisabled,
    ProviderEnabled,
    WeightSet,
    provider_stream,
)
from domain.sale import UtilityType
from domain.utility import (
    PreferencesSet,
    Utility,
    UtilityRegistered,
    utility_id,
    utility_stream,
)
from switch.context import Context


class Steering:
    """Changes by a named person (`by`); setting what is set already writes nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def configure(
        self, provider: str, name: str, protocol: str, capabilities: Capabilities, weight: int
    ) -> None:
        """Makes a provider of the settings known. Its weight is taken from there once; later the
        ledger's weight rules."""

        def decide(state: Provider) -> list[Event]:
            at = self._context.clock()
            events: list[Event] = []
            if (state.name, state.protocol, state.capabilities) != (name, protocol, capabilities):
                events.append(
                    ProviderConfigured(
                        at=at,
                        provider=provider,
                        name=name,
                        protocol=protocol,
                        capabilities=capabilities,
                    )
                )
            if state.weight is None:
                events.append(WeightSet(at=at, provider=provider, weight=weight, by="settings"))
            return events

        await self._provider(provider, decide)

    async def set_weight(self, provider: str, weight: int, by: str) -> None:
        """Raises ValueError for a negative weight."""
        if weight < 0:
            raise ValueError("a weight is 0 or more")

        def decide(state: Provider) -> list[Event]:
            at = self._context.clock()
            if state.weight == weight:
                return []
            return [WeightSet(at=at, provider=provider, weight=weight, by=by)]

        await self._provider(provider, decide)

    async def enable(self, provider: str, by: str) -> None:
        def decide(state: Provider) -> list[Event]:
            at = self._context.clock()
            return [] if state.enabled else [ProviderEnabled(at=at, provider=provider, by=by)]

        await self._provider(provider, decide)

    async def disable(self, provider: str, by: str, reason: str = "") -> None:
        def decide(state: Provider) -> list[Event]:
            at = self._context.clock()
            if not state.enabled:
                return []
            return [ProviderDisabled(at=at, provider=provider, by=by, reason=reason)]

        await self._provider(provider, decide)

    async def _provider(self, provider: str, decide: Callable[[Provider], list[Event]]) -> None:
        state = await self._context.streams.provider(provider)
        state = await self._context.streams.record(provider_stream(provider), state, decide)
        if provider in self._context.table.providers:
            self._context.table.apply(state)

    async def set_preferences(
        self, name: str, ranked: Sequence[str], excluded: Sequence[str], by: str
    ) -> None:
        """Ranks and excludes providers for a utility, which is registered if it is new.

        Raises ValueError when a provider is unknown, named twice, or both ranked and excluded."""
        self._check_named([*ranked, *excluded])
        key = utility_id(name)

        def decide(state: Utility) -> list[Event]:
            at = self._context.clock()
            events: list[Event] = []
            if state.version == 0:
                events.append(UtilityRegistered(at=at, utility=key, name=name, by=by))
            if (state.ranked, state.excluded) != (tuple(ranked), tuple(excluded)):
                events.append(
                    PreferencesSet(
                        at=at,
                        utility=key,
                        ranked=tuple(ranked),
                        excluded=tuple(excluded),
                        by=by,
                    )
                )
            return events

        state = await self._context.streams.utility(key)
        await self._context.streams.record(utility_stream(key), state, decide)

    def _check_named(self, providers: Sequence[str]) -> None:
        unknown = set(providers) - set(self._context.adapters)
        if unknown:
            raise ValueError(f"no such provider: {', '.join(sorted(unknown))}")
        if len(set(providers)) != len(providers):
            raise ValueError("a provider is named once")

    async def knows_utility(self, name: str) -> bool:
        """Whether the ledger has this utility already."""
        return (await self._context.streams.utility(utility_id(name))).version > 0

    async def request_rebroadcast(self, utility_type: UtilityType, number: str, by: str) -> None:
        """Flags the meter; nothing is sent until its next transaction."""

        def decide(state: Meter) -> list[Event]:
            at = self._context.clock()
            return [] if state.rebroadcast else [RebroadcastRequested(at=at, by=by)]

        await self._meter(utility_type, number, decide)

    async def set_meter_preference(
        self, utility_type: UtilityType, number: str, providers: Sequence[str], by: str
    ) -> None:
        """Raises ValueError when a provider is unknown or named twice."""
        self._check_named(providers)

        def decide(state: Meter) -> list[Event]:
            if state.preference == tuple(providers):
                return []
            at = self._context.clock()
            return [MeterPreferenceSet(at=at, providers=tuple(providers), by=by)]

        await self._meter(utility_type, number, decide)

    async def _meter(
        self, utility_type: UtilityType, number: str, decide: Callable[[Meter], list[Event]]
    ) -> None:
        meter = await self._context.streams.meter(utility_type, number)
        seen = MeterSeen(at=self._context.clock(), number=number, utility_type=utility_type)
        await self._context.streams.record_meter(meter, decide, seen)
