"""A utility (municipality): its names, and which providers its meters prefer or never use."""

import re
from typing import Self

import msgspec

from domain.event import Event
from domain.steered import Steered

UTILITY_ID_CHARACTERS_MAX = 100
"""An id is part of a stream's name, which has to fit into an index."""
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


class UtilityRegistered(Steered, frozen=True, kw_only=True):
    """First seen in a provider's answer, or set up by a person."""

    utility: str
    name: str


class PreferencesSet(Steered, frozen=True, kw_only=True):
    """`ranked` are used first and in this order, `excluded` never; all others share by weight."""

    utility: str
    ranked: tuple[str, ...]
    excluded: tuple[str, ...]


class Utility(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a utility's events fold into."""

    utility: str
    version: int = 0
    name: str = ""
    ranked: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def after(self, event: Event, version: int) -> Self:
        """The state after `event`."""
        change: dict[str, object] = {"version": version}
        match event:
            case UtilityRegistered():
                change["name"] = event.name
            case PreferencesSet():
                change |= {"ranked": event.ranked, "excluded": event.excluded}
            case _:
                pass
        return msgspec.structs.replace(self, **change)


UTILITY_EVENTS = (UtilityRegistered, PreferencesSet)


def utility_id(name: str) -> str:
    """The id of a utility by its printed name: lower case, words joined by hyphens, cut to
    UTILITY_ID_CHARACTERS_MAX.

    Providers print the same municipality's name in different case and punctuation."""
    return _NOT_ALPHANUMERIC.sub("-", name.lower()).strip("-")[:UTILITY_ID_CHARACTERS_MAX]


def utility_stream(utility: str) -> str:
    """The stream of a utility's events."""
    return f"utility/{utility}"
