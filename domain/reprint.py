"""A reprint: an earlier sale shown once more. It sells nothing."""

from domain.event import Event
from domain.failure import Failure
from domain.sale import MeterDetail, Sale


class ReprintRequested(Event, frozen=True, kw_only=True):
    """A channel wants earlier tokens again: those that `original_ref` names (a purchase's id, a
    provider's reference or a receipt number), else the meter's last ones."""

    reprint_id: str
    meter: MeterDetail
    client: str
    original_ref: str | None = None
    user: str = ""
    message: str = ""
    institution: str = ""
    merchant: str = ""
    terminal: str = ""
    channel: str = ""


class ReprintOriginalFound(Event, frozen=True, kw_only=True):
    """What is wanted are the tokens of purchase `original_id`, which `provider` sold: so this one
    is asked, and no other."""

    original_id: str
    provider: str
    reference: str
    utility: str | None = None
    utility_name: str | None = None


class ReprintDone(Event, frozen=True, kw_only=True):
    """The provider showed `sale` again."""

    provider: str
    sale: Sale


class ReprintFailed(Event, frozen=True, kw_only=True):
    """The channel was told `failure`."""

    failure: Failure
    provider: str | None = None
    not_sent: bool = False


REPRINT_EVENTS = (ReprintRequested, ReprintOriginalFound, ReprintDone, ReprintFailed)
