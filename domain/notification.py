"""Notifications: subscribers are told of purchases that were approved, until they have heard it."""

from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec

from domain.event import Event


class NotificationQueued(Event, frozen=True, kw_only=True):
    """In the purchase's own stream, written together with its approval: `subscribers` are owed a
    notification of it."""

    subscribers: tuple[str, ...]


class NotificationBegun(Event, frozen=True, kw_only=True):
    """Durable before anything is sent. `attempt` counts from 1; until `deadline` (UTC) nobody else
    makes one."""

    subscriber: str
    purchase_id: str
    attempt: int
    deadline: datetime


class NotificationAttempted(Event, frozen=True, kw_only=True):
    """The subscriber did not take it; the next attempt is due at `next_attempt_at` (UTC)."""

    subscriber: str
    purchase_id: str
    attempt: int
    next_attempt_at: datetime
    status: int | None = None
    detail: str = ""


class NotificationDelivered(Event, frozen=True, kw_only=True):
    """Final: the subscriber has it."""

    subscriber: str
    purchase_id: str
    attempt: int
    status: int


class NotGivenBecause(StrEnum):
    """Why a notification ended undelivered."""

    REFUSED = "REFUSED"
    """The subscriber does not want it: 4xx or 501."""
    TOO_OLD = "TOO_OLD"
    """No final answer for as long as the settings allow."""
    NOTHING_TO_TELL = "NOTHING_TO_TELL"
    """The request that the purchase began with can't be read any more."""


class NotificationGivenUp(Event, frozen=True, kw_only=True):
    """Final, and the subscriber does not have it."""

    subscriber: str
    purchase_id: str
    attempt: int
    because: NotGivenBecause
    status: int | None = None
    detail: str = ""


class NotificationStatus(StrEnum):
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    GIVEN_UP = "GIVEN_UP"


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """The state that the events of one notification fold into. `version` 0: never attempted."""

    version: int = 0
    status: NotificationStatus = NotificationStatus.PENDING
    attempts: int = 0
    begun: NotificationBegun | None = None
    """The attempt that has no end recorded; its deadline is a lease."""
    next_attempt_at: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether an attempt may be made now."""
        if self.status is not NotificationStatus.PENDING:
            return False
        if self.begun is not None:
            return self.begun.deadline <= now
        return self.next_attempt_at is None or self.next_attempt_at <= now

    def after(self, event: Event, version: int) -> Self:
        """The state after `event`."""
        change: dict[str, object] = {"version": version}
        match event:
            case NotificationBegun():
                change |= {"begun": event, "attempts": event.attempt}
            case NotificationAttempted():
                change |= {"begun": None, "next_attempt_at": event.next_attempt_at}
            case NotificationDelivered():
                change |= {"begun": None, "status": NotificationStatus.DELIVERED}
            case NotificationGivenUp():
                change |= {"begun": None, "status": NotificationStatus.GIVEN_UP}
            case _:
                pass
        return msgspec.structs.replace(self, **change)


class Answer(msgspec.Struct, frozen=True):
    """What came of one attempt: the HTTP `status` of the subscriber's answer, or None where there
    was none, and then `detail` says why."""

    status: int | None
    detail: str = ""

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether asking again is of no use. 501 is how a subscriber says that it does not care; of
        the other answers from 500 on, and of redirections, it may think better."""
        return self.status is not None and (400 <= self.status < 500 or self.status == 501)


def after_attempt(
    notification: Notification,
    begun: NotificationBegun,
    answer: Answer,
    at: datetime,
    next_attempt_at: datetime | None,
) -> list[Event]:
    """What follows from an attempt; `next_attempt_at` None: it was the last. An end that somebody
    else has recorded stands, but that the subscriber took it is always worth knowing."""
    if notification.status is NotificationStatus.DELIVERED:
        return []
    who, purchase_id, attempt = begun.subscriber, begun.purchase_id, begun.attempt
    status = answer.status
    if answer.taken:
        assert status is not None
        delivered = NotificationDelivered(
            at=at, subscriber=who, purchase_id=purchase_id, attempt=attempt, status=status
        )
        return [delivered]
    if notification.status is NotificationStatus.GIVEN_UP or notification.begun != begun:
        return []
    if not answer.refused and next_attempt_at is not None:
        attempted = NotificationAttempted(
            at=at,
            subscriber=who,
            purchase_id=purchase_id,
            attempt=attempt,
            next_attempt_at=next_attempt_at,
            status=status,
            detail=answer.detail,
        )
        return [attempted]
    given_up = NotificationGivenUp(
        at=at,
        subscriber=who,
        purchase_id=purchase_id,
        attempt=attempt,
        because=NotGivenBecause.REFUSED if answer.refused else NotGivenBecause.TOO_OLD,
        status=status,
        detail=answer.detail,
    )
    return [given_up]


NOTIFICATION_EVENTS = (
    NotificationBegun,
    NotificationAttempted,
    NotificationDelivered,
    NotificationGivenUp,
)


def notification_stream(subscriber: str, purchase_id: str) -> str:
    """The stream of the notification of one purchase to one subscriber."""
    return f"notification/{subscriber}/{purchase_id}"
