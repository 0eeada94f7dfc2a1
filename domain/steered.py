"""The base of what people change: who, in which role, from where, on which page, and why."""

from typing import TypedDict

from domain.event import Event
from domain.operator import Actor


class Steered(Event, frozen=True, kw_only=True):
    """A change by `by`: an operator's name, or a part of the switch. The other fields are known
    where it was made at the console."""

    by: str
    role: str = ""
    address: str = ""
    page: str = ""
    comment: str = ""


class Source(TypedDict):
    """The fields of Steered, as its constructors take them."""

    by: str
    role: str
    address: str
    page: str
    comment: str


def source(actor: Actor) -> Source:
    """What an event says of who made it."""
    return Source(
        by=actor.name,
        role=actor.role,
        address=actor.address,
        page=actor.page,
        comment=actor.comment,
    )
