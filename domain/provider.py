"""A provider: its capabilities, weight, availability, and the references it was given."""

from typing import ClassVar, Self

import msgspec

from domain.event import Event
from domain.steered import Steered


class Capabilities(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a provider offers beyond lookup and vend, which are mandatory."""

    confirm: bool = False
    reverse: bool = False
    trial: bool = False
    reprint: bool = False
    fault_report: bool = False
    key_change: bool = False


class ProviderConfigured(Event, frozen=True, kw_only=True):
    """The provider is known under `provider`; `protocol` names its codec."""

    provider: str
    name: str
    protocol: str
    capabilities: Capabilities


class WeightSet(Steered, frozen=True, kw_only=True):
    """Its share of load-balanced traffic, relative to the other providers' weights."""

    provider: str
    weight: int


class ProviderEnabled(Steered, frozen=True, kw_only=True):
    """It may be used again."""

    provider: str


class ProviderDisabled(Steered, frozen=True, kw_only=True):
    """Zero traffic, rank 1 included, until enabled. `comment` says why."""

    class_version: ClassVar[int] = 2
    provider: str

    @staticmethod
    def upcast_v1_v2(state: dict[str, object]) -> None:
        """Version 1 called the comment `reason`."""
        state["comment"] = state.pop("reason", "")


class HealthChanged(Event, frozen=True, kw_only=True):
    """Unhealthy after repeated technical failures, healthy again after good probes."""

    provider: str
    healthy: bool
    reason: str
    by: str


class ReferencesReserved(Event, frozen=True, kw_only=True):
    """`count` references from `first` on belong to one process; no other ever uses them."""

    provider: str
    first: int
    count: int
    by: str


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a provider's events fold into."""

    provider: str
    version: int = 0
    name: str = ""
    protocol: str = ""
    capabilities: Capabilities = Capabilities()
    weight: int | None = None
    enabled: bool = True
    healthy: bool = True
    next_reference: int = 1

    @property
    def available(self) -> bool:
        return self.enabled and self.healthy

    def after(self, event: Event, version: int) -> Self:
        """The state after `event`; events of other kinds change nothing but the version."""
        change: dict[str, object] = {"version": version}
        match event:
            case ProviderConfigured():
                change |= {
                    "name": event.name,
                    "protocol": event.protocol,
                    "capabilities": event.capabilities,
                }
            case WeightSet():
                change["weight"] = event.weight
            case ProviderEnabled():
                change["enabled"] = True
            case ProviderDisabled():
                change["enabled"] = False
            case HealthChanged():
                change["healthy"] = event.healthy
            case ReferencesReserved():
                change["next_reference"] = event.first + event.count
            case _:
                pass
        return msgspec.structs.replace(self, **change)


PROVIDER_EVENTS = (
    ProviderConfigured,
    WeightSet,
    ProviderEnabled,
    ProviderDisabled,
    HealthChanged,
    ReferencesReserved,
)


def provider_stream(provider: str) -> str:
    """The stream of a provider's events."""
    return f"provider/{provider}"
