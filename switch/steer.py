"""Steer: what people change. Weights, availability, preferences, rebroadcast flags.

Each event says who changed it, so one append holds the change and its place in the audit log.
"""

from collections.abc import Callable, Sequence

from domain.event import Event
from domain.meter import Meter, MeterPreferenceSet, MeterSeen, RebroadcastRequested
from domain.operator import Actor
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
from domain.steered import source
from domain.utility import (
    PreferencesSet,
    Utility,
    UtilityRegistered,
    utility_id,
    utility_stream,
)
from switch.context import Context

SETTINGS = Actor("settings")
"""Who makes the changes that the settings file asks for."""


class ChangedMeanwhileError(Exception):
    """Somebody else changed it since the asker looked; nothing was written."""


class Steering:
    """Changes by `by`; setting what is set already writes nothing."""

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
                events.append(
                    WeightSet(at=at, provider=provider, weight=weight, **source(SETTINGS))
                )
            return events

        await self._provider(provider, decide)

    async def set_weight(self, provider: str, weight: int, by: Actor) -> None:
        """Raises ValueError for a negative weight or an unknown provider."""
        if weight < 0:
            raise ValueError("a weight is 0 or more")

        def decide(state: Provider) -> list[Event]:
            at = self._context.clock()
            if state.weight == weight:
                return []
            return [WeightSet(at=at, provider=provider, weight=weight, **source(by))]

        await self._known(provider, decide)

    async def enable(self, provider: str, by: Actor) -> None:
        """Lets it be used again. Raises ValueError for an unknown provider."""

        def decide(state: Provider) -> list[Event]:
            at = self._context.clock()
            return (
                [] if state.enabled else [ProviderEnabled(at=at, provider=provider, **source(by))]
            )

        await self._known(provider, decide)

    async def disable(self, provider: str, by: Actor) -> None:
        """Takes all traffic from it; `by.comment` says why. Raises ValueError for an unknown
        provider."""

        def decide(state: Provider) -> list[Event]:
            at = self._context.clock()
            if not state.enabled:
                return []
            return [ProviderDisabled(at=at, provider=provider, **source(by))]

        await self._known(provider, decide)

    async def _known(self, provider: str, decide: Callable[[Provider], list[Event]]) -> None:
        """As `_provider`, of one that the ledger knows. Raises ValueError for another."""

        def decide_of_known(state: Provider) -> list[Event]:
            if state.version == 0:
                raise ValueError(f"no such provider: {provider}")
            return decide(state)

        await self._provider(provider, decide_of_known)

    async def _provider(self, provider: str, decide: Callable[[Provider], list[Event]]) -> None:
        state = await self._context.streams.provider(provider)
        state = await self._context.streams.record(provider_stream(provider), state, decide)
        if provider in self._context.table.providers:
            self._context.table.apply(state)

    async def set_preferences(
        self,
        name: str,
        ranked: Sequence[str],
        excluded: Sequence[str],
        by: Actor,
        seen_version: int | None = None,
    ) -> None:
        """Ranks and excludes providers for a utility, which is registered if it is new.
        `seen_version`: the version of the utility's stream that the change was decided on.

        Raises ValueError when a provider is unknown, named twice, or both ranked and excluded, or
        the name has no letter or digit; ChangedMeanwhileError when the preferences are no longer
        those of `seen_version`."""
        self.check_providers([*ranked, *excluded])
        key = utility_id(name)
        if not key:
            raise ValueError("a utility's name has a letter or digit")

        def decide(state: Utility) -> list[Event]:
            if seen_version is not None and state.version != seen_version:
                raise ChangedMeanwhileError(f"{state.name or name} was changed meanwhile")
            at = self._context.clock()
            events: list[Event] = []
            if state.version == 0:
                events.append(UtilityRegistered(at=at, utility=key, name=name, **source(by)))
            if (state.ranked, state.excluded) != (tuple(ranked), tuple(excluded)):
                events.append(
                    PreferencesSet(
                        at=at,
                        utility=key,
                        ranked=tuple(ranked),
                        excluded=tuple(excluded),
                        **source(by),
                    )
                )
            return events

        state = await self._context.streams.utility(key)
        await self._context.streams.record(utility_stream(key), state, decide)

    def check_providers(self, providers: Sequence[str]) -> None:
        """Raises ValueError when one is unknown or named twice."""
        unknown = set(providers) - set(self._context.adapters)
        if unknown:
            raise ValueError(f"no such provider: {', '.join(sorted(unknown))}")
        if len(set(providers)) != len(providers):
            raise ValueError("a provider is named once")

    async def knows_utility(self, name: str) -> bool:
        """Whether the ledger has this utility already."""
        return (await self.utility(name)).version > 0

    async def utility(self, name: str) -> Utility:
        """The utility of this name as it stands; version 0 when the ledger has none."""
        return await self._context.streams.utility(utility_id(name))

    async def request_rebroadcast(self, utility_type: UtilityType, number: str, by: Actor) -> None:
        """Flags the meter; nothing is sent until its next transaction."""

        def decide(state: Meter) -> list[Event]:
            at = self._context.clock()
            return [] if state.rebroadcast else [RebroadcastRequested(at=at, **source(by))]

        await self._meter(utility_type, number, decide)

    async def set_meter_preference(
        self, utility_type: UtilityType, number: str, providers: Sequence[str], by: Actor
    ) -> None:
        """Raises ValueError when a provider is unknown or named twice."""
        self.check_providers(providers)

        def decide(state: Meter) -> list[Event]:
            if state.preference == tuple(providers):
                return []
            at = self._context.clock()
            return [MeterPreferenceSet(at=at, providers=tuple(providers), **source(by))]

        await self._meter(utility_type, number, decide)

    async def _meter(
        self, utility_type: UtilityType, number: str, decide: Callable[[Meter], list[Event]]
    ) -> None:
        meter = await self._context.streams.meter(utility_type, number)
        seen = MeterSeen(at=self._context.clock(), number=number, utility_type=utility_type)
        await self._context.streams.record_meter(meter, decide, seen)
