"""Subscriptions: who is told of whose purchases."""

from collections.abc import Sequence

import msgspec

from domain.event import Event
from domain.notification import NotificationQueued
from domain.purchase import Purchase, PurchaseApproved, PurchaseRequested


class Subscription(msgspec.Struct, frozen=True):
    """`subscriber` is told of the approved purchases of these users (who signed in) and of these
    clients (whom the message names)."""

    subscriber: str
    users: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()

    def covers(self, request: PurchaseRequested) -> bool:
        """Whether this purchase is one of them."""
        return request.user in self.users or request.client in self.clients


def with_notifications(
    subscriptions: Sequence[Subscription], purchase: Purchase, events: list[Event]
) -> list[Event]:
    """`events` of the purchase and, if they approve it, what is owed to subscribers: written in one
    append, so that neither is there without the other."""
    approved = next((event for event in events if isinstance(event, PurchaseApproved)), None)
    if approved is None or purchase.request is None:
        return events
    request = purchase.request
    owed = tuple(one.subscriber for one in subscriptions if one.covers(request))
    return [*events, NotificationQueued(at=approved.at, subscribers=owed)] if owed else events
