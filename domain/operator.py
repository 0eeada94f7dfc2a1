"""An operator: a person at the console, and the looks and acts that are kept about them.

What an operator changes is an event of what was changed; only what changes nothing else is an event
of the operator.
"""

from typing import Self

import msgspec

from domain.event import Event


class Actor(msgspec.Struct, frozen=True):
    """Who does something: a person by sign-in name, or a part of the switch ("settings").

    `role` as signed in with, `address` the network address that they came from, `page` where they
    did it, `comment` what they said of it."""

    name: str
    role: str = ""
    address: str = ""
    page: str = ""
    comment: str = ""


class OperatorEvent(Event, frozen=True, kw_only=True):
    """Something that `by` did and that changed nothing but what is known of them."""

    by: str
    role: str = ""
    address: str = ""


class SignedIn(OperatorEvent, frozen=True, kw_only=True):
    """The name and password were right."""


class SignInRefused(OperatorEvent, frozen=True, kw_only=True):
    """Somebody gave this operator's name with a wrong password."""


class SignedOut(OperatorEvent, frozen=True, kw_only=True):
    """The session was ended by its owner; one that runs out leaves nothing."""


class TokensViewed(OperatorEvent, frozen=True, kw_only=True):
    """The tokens of a message were shown in full. Durable before they are."""

    message_id: str
    comment: str = ""


class Exported(OperatorEvent, frozen=True, kw_only=True):
    """A list went out as a file. `selection` is the list's address with its filters."""

    what: str
    form: str
    selection: str = ""


class AttentionRequested(OperatorEvent, frozen=True, kw_only=True):
    """The provider is to be asked about this message at once, not when it is due."""

    message_id: str
    comment: str = ""


class AccessRefused(OperatorEvent, frozen=True, kw_only=True):
    """The role didn't allow it; nothing was done."""

    what: str


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """The state that an operator's events fold into: how many there are."""

    version: int = 0

    def after(self, event: Event, version: int) -> Self:  # noqa: ARG002 (as all states do)
        """The state after `event`."""
        return msgspec.structs.replace(self, version=version)


OPERATOR_EVENTS = (
    SignedIn,
    SignInRefused,
    SignedOut,
    TokensViewed,
    Exported,
    AttentionRequested,
    AccessRefused,
)


def operator_stream(name: str) -> str:
    """The stream of an operator's events."""
    return f"operator/{name}"
