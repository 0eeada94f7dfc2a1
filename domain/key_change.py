"""A key change: tokens that take a meter to new key parameters, and their confirmation."""

from domain.event import Event
from domain.failure import Failure
from domain.sale import MeterDetail, Sale


class KeyChangeRequested(Event, frozen=True, kw_only=True):
    """A channel wants key-change tokens, to the parameters of `meter.key_change` or to those that
    the provider has on record. It belongs to `user`."""

    key_change_id: str
    meter: MeterDetail
    client: str
    user: str = ""
    message: str = ""
    institution: str = ""
    merchant: str = ""
    terminal: str = ""
    channel: str = ""


class KeyChangeDone(Event, frozen=True, kw_only=True):
    """The provider issued the tokens; `reference` is the one that the question carried."""

    provider: str
    reference: str
    sale: Sale


class KeyChangeFailed(Event, frozen=True, kw_only=True):
    """No tokens were issued, for certain; the channel was told `failure`."""

    failure: Failure
    provider: str | None = None
    not_sent: bool = False


class KeyChangeConfirmationReceived(Event, frozen=True, kw_only=True):
    """First event of the confirmation's own message stream: claims its id for one key change."""

    advice_id: str
    key_change_id: str
    user: str = ""
    message: str = ""


KEY_CHANGE_EVENTS = (
    KeyChangeRequested,
    KeyChangeDone,
    KeyChangeFailed,
    KeyChangeConfirmationReceived,
)
