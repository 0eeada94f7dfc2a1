"""A trace: all that the ledger has about one message, in order."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.console.transaction.masking import Entry, Recorded
from domain.advice import AdviceReceived, ConfirmationAdvised, ReversalAdvised
from domain.event import Event
from domain.key_change import KeyChangeConfirmationReceived
from domain.message import message_stream
from domain.notification import Notification, NotificationQueued, notification_stream
from domain.purchase import RetryReceived
from projections.history import History

MESSAGE_ID_CHARACTERS_MAX = 100
ADVICES_READ_MAX = 20
"""Of how many of a message's advices the channel's own message is read."""

Claim = RetryReceived | AdviceReceived | KeyChangeConfirmationReceived
"""First event of a message that is about another one."""


@dataclass(frozen=True)
class Found:
    """What was read: `message_id` is the message that the story is about, `claim` the first event
    of `asked_id` where that is a retry or an advice of it. `recorded` are unmasked."""

    asked_id: str
    message_id: str
    recorded: tuple[Recorded, ...]
    notifications: dict[str, Notification]
    claim: Claim | None = None


@dataclass(frozen=True)
class Trace:
    """The same, masked. `entries` are those of the message's own stream, `all` has its advices'
    own first events, too, in the order of the ledger."""

    asked_id: str
    message_id: str
    entries: tuple[Entry, ...]
    all: tuple[Entry, ...]
    notifications: dict[str, Notification]
    claim: Claim | None = None

    @property
    def events(self) -> list[Event]:
        """Of the message's own stream."""
        return [entry.event for entry in self.entries]

    @property
    def first(self) -> Event:
        return self.entries[0].event


def told(found: Found, entries: tuple[Entry, ...]) -> Trace:
    """The trace of what was found, given as masked entries."""
    own = message_stream(found.message_id)
    return Trace(
        asked_id=found.asked_id,
        message_id=found.message_id,
        entries=tuple(entry for entry in entries if entry.stream == own),
        all=entries,
        notifications=found.notifications,
        claim=found.claim,
    )


def is_message_id(text: str) -> bool:
    """Whether it could be one at all."""
    return 0 < len(text) <= MESSAGE_ID_CHARACTERS_MAX and text.isprintable()


async def find(history: History, message_id: str) -> Found | None:
    """What the ledger has of this message, or of the one that it is a retry or advice of; None for
    an id that was never used. Raises the ledger's errors."""
    if not is_message_id(message_id):
        return None
    recorded = await history.of(message_stream(message_id))
    if not recorded:
        return None
    first, claim, about = recorded[0].event, None, message_id
    match first:
        case RetryReceived() | AdviceReceived():
            claim, about = first, first.purchase_id
        case KeyChangeConfirmationReceived():
            claim, about = first, first.key_change_id
        case _:
            pass
    if about != message_id:
        recorded = await history.of(message_stream(about)) or recorded
        if recorded[0].stream == message_stream(message_id):
            about, claim = message_id, None
    story: list[Recorded] = [*recorded, *await _advices(history, recorded)]
    story.sort(key=lambda entry: entry.position)
    notifications = await _notifications(history, about, recorded)
    return Found(message_id, about, tuple(story), notifications, claim)


async def _advices(history: History, recorded: Sequence[Recorded]) -> list[Recorded]:
    """The advices' own first events: only these have what the channel sent."""
    found: list[Recorded] = []
    for entry in recorded:
        if len(found) == ADVICES_READ_MAX:
            break
        if isinstance(entry.event, ConfirmationAdvised | ReversalAdvised):
            found += (await history.of(message_stream(entry.event.advice_id)))[:1]
    return found


async def _notifications(
    history: History, message_id: str, recorded: Sequence[Recorded]
) -> dict[str, Notification]:
    found: dict[str, Notification] = {}
    for entry in recorded:
        if not isinstance(entry.event, NotificationQueued):
            continue
        for subscriber in entry.event.subscribers:
            state = Notification()
            for one in await history.of(notification_stream(subscriber, message_id)):
                assert isinstance(one.event, Event)
                state = state.after(one.event, one.version)
            found[subscriber] = state
    return found
