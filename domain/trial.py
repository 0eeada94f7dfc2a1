"""A trial purchase: what an amount would buy, asked without any financial effect."""

from domain.event import Event
from domain.failure import Failure
from domain.money import Money
from domain.sale import MeterDetail, Sale


class TrialRequested(Event, frozen=True, kw_only=True):
    """A channel asks what `amount` would buy. `message` is the channel's JSON, masked."""

    trial_id: str
    meter: MeterDetail
    amount: Money
    client: str
    user: str = ""
    payment: str = "CASH"
    message: str = ""
    institution: str = ""
    merchant: str = ""
    terminal: str = ""
    channel: str = ""


class TrialDone(Event, frozen=True, kw_only=True):
    """The provider quoted. Nothing was sold: the tokens have units and amounts, and no digits."""

    provider: str
    quote: Sale


class TrialFailed(Event, frozen=True, kw_only=True):
    """The channel was told `failure`."""

    failure: Failure
    provider: str | None = None
    not_sent: bool = False


TRIAL_EVENTS = (TrialRequested, TrialDone, TrialFailed)
