"""A meter: who serves it, which municipality it belongs to, and how to route it."""

from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec

from domain.event import Event
from domain.routing import Support
from domain.sale import UtilityType
from domain.steered import Steered


class MeterSeen(Event, frozen=True, kw_only=True):
    """A channel named this meter for the first time."""

    number: str
    utility_type: UtilityType


class BroadcastReason(StrEnum):
    """Why all providers are asked."""

    UNKNOWN = "UNKNOWN"
    """Never seen, or nobody served it when last asked and that is long ago."""
    FLAGGED = "FLAGGED"
    SCHEDULED = "SCHEDULED"


class MeterBroadcast(Event, frozen=True, kw_only=True):
    """The meter number went out to `providers`; from now on each owes an answer."""

    lookup_id: str
    providers: tuple[str, ...]
    reason: BroadcastReason


class SupportAnswered(Event, frozen=True, kw_only=True):
    """A provider said whether it serves the meter."""

    provider: str
    supported: bool
    lookup_id: str


class MunicipalityAssigned(Event, frozen=True, kw_only=True):
    """The meter belongs to this utility, as a provider named it."""

    utility: str
    name: str


class RebroadcastRequested(Steered, frozen=True, kw_only=True):
    """A person wants the meter broadcast at its next transaction."""


class RebroadcastCleared(Event, frozen=True, kw_only=True):
    """The broadcast that was asked for has been made."""

    lookup_id: str


class MeterPreferenceSet(Steered, frozen=True, kw_only=True):
    """These providers first, in this order, before the utility's ranking; empty takes it back."""

    providers: tuple[str, ...]


class Answered(msgspec.Struct, frozen=True):
    """A provider's last word on a meter."""

    supported: bool
    at: datetime


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a meter's events fold into: its row in the contract table."""

    number: str
    utility_type: UtilityType
    version: int = 0
    answers: dict[str, Answered] = {}
    last_broadcast_at: datetime | None = None
    asked: tuple[str, ...] = ()
    utility: str | None = None
    utility_name: str | None = None
    rebroadcast: bool = False
    preference: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return self.last_broadcast_at is not None

    @property
    def supporters(self) -> tuple[str, ...]:
        return tuple(p for p, answer in self.answers.items() if answer.supported)

    def support(self, provider: str) -> Support:
        answer = self.answers.get(provider)
        if answer is None:
            return Support.UNCONFIRMED
        return Support.SUPPORTED if answer.supported else Support.NOT_SUPPORTED

    def silent(self, providers: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `providers` that still owe an answer to the last broadcast."""
        since = self.last_broadcast_at
        return tuple(
            provider
            for provider in providers
            if (answer := self.answers.get(provider)) is None
            or (since is not None and provider in self.asked and answer.at < since)
        )

    def after(self, event: Event, version: int) -> Self:
        """The state after `event`."""
        change: dict[str, object] = {"version": version}
        match event:
            case MeterBroadcast():
                change |= {"last_broadcast_at": event.at, "asked": event.providers}
            case SupportAnswered():
                answer = Answered(supported=event.supported, at=event.at)
                change["answers"] = {**self.answers, event.provider: answer}
            case MunicipalityAssigned():
                change |= {"utility": event.utility, "utility_name": event.name}
            case RebroadcastRequested():
                change["rebroadcast"] = True
            case RebroadcastCleared():
                change["rebroadcast"] = False
            case MeterPreferenceSet():
                change["preference"] = event.providers
            case _:
                pass
        return msgspec.structs.replace(self, **change)


METER_EVENTS = (
    MeterSeen,
    MeterBroadcast,
    SupportAnswered,
    MunicipalityAssigned,
    RebroadcastRequested,
    RebroadcastCleared,
    MeterPreferenceSet,
)


def meter_stream(utility_type: UtilityType, number: str) -> str:
    """The stream of a meter's events."""
    return f"meter/{utility_type.value}/{number}"
