"""A meter lookup: who was asked, what they said, what the channel was told."""

from domain.event import Event
from domain.failure import Failure
from domain.meter import BroadcastReason
from domain.routing import Route
from domain.sale import LookupAnswer, MeterDetail, UtilityType


class LookupRequested(Event, frozen=True, kw_only=True):
    """A channel (or the schedule) asks about a meter. `user` signed in for it; `message` is the
    channel's JSON, masked."""

    lookup_id: str
    meter: MeterDetail
    client: str
    user: str = ""
    message: str = ""
    institution: str = ""
    merchant: str = ""
    terminal: str = ""
    channel: str = ""


class LookupRouted(Event, frozen=True, kw_only=True):
    """A known meter goes by the contract table."""

    route: Route


class BroadcastStarted(Event, frozen=True, kw_only=True):
    """The meter number goes out to all of `providers` at once; the channel is answered after
    `window_ms` at the latest."""

    providers: tuple[str, ...]
    window_ms: int
    reason: BroadcastReason


class LookupAnswered(Event, frozen=True, kw_only=True):
    """The channel was told `answer`, which came from `provider`, about the meter it asked for."""

    provider: str
    number: str
    utility_type: UtilityType
    answer: LookupAnswer
    utility: str | None = None


class LookupFailed(Event, frozen=True, kw_only=True):
    """The channel was told `failure`."""

    failure: Failure


LOOKUP_EVENTS = (LookupRequested, LookupRouted, BroadcastStarted, LookupAnswered, LookupFailed)
