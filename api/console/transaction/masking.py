"""Events without their tokens: everything that the pages show is made from these.

A token stands in a sale, and a provider may also have put it into a text for the customer, so it is
looked for in every text of the story, in whatever groups it is written there.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar, cast

import msgspec

from domain.event import Event
from domain.sale import Token

T = TypeVar("T")

SHOWN_DIGITS = 4
_SHORTEST_IN_TEXT = 10
"""Shorter ones are no tokens, and would blot out amounts and dates."""
_FREE_TEXT = frozenset(
    {
        "comment",
        "customer_message",
        "description",
        "detail",
        "message",
        "original_ref",
        "provider_message",
        "received",
        "request",
        "sent",
    }
)
_ANY_TOKEN = re.compile(
    r"(?<![0-9])(?:[0-9]{20}|[0-9]{4}(?: [0-9]{4}){4}|[0-9]{4}(?:-[0-9]{4}){4})(?![0-9])"
)
"""As a customer or a provider writes a token that no sale of this story has."""


class Recorded(Protocol):
    """An event and its places, as the ledger hands it out."""

    @property
    def position(self) -> int: ...

    @property
    def stream(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def event(self) -> msgspec.Struct: ...


@dataclass(frozen=True)
class Entry:
    """An event whose tokens are masked, but for those that were looked at."""

    position: int
    stream: str
    version: int
    event: Event


def tokens_in(value: object) -> Iterator[str]:
    """The digits of every token in `value`; not those of quotations, and not zeros that say that
    the meter got it by itself."""
    match value:
        case Token(digits=digits) if digits.strip("0"):
            yield digits
        case msgspec.Struct():
            for name in value.__struct_fields__:
                yield from tokens_in(getattr(value, name))
        case tuple() | list():
            for item in cast("Collection[object]", value):
                yield from tokens_in(item)
        case dict():
            for item in cast("dict[object, object]", value).values():
                yield from tokens_in(item)
        case _:
            pass


def masked(recorded: Iterable[Recorded], shown: Collection[str] = ()) -> tuple[Entry, ...]:
    """The events; tokens are masked except those of `shown`, which are digits."""
    events = [(entry, entry.event) for entry in recorded]
    tokens = {digits for _, event in events for digits in tokens_in(event)}
    mask = _Mask(tokens - set(shown), set(shown))
    return tuple(
        Entry(entry.position, entry.stream, entry.version, mask.struct(cast("Event", event)))
        for entry, event in events
    )


def hidden(digits: str) -> str:
    """Asterisks and the last four digits."""
    kept = digits[-SHOWN_DIGITS:] if len(digits) > 2 * SHOWN_DIGITS else ""
    return "*" * (len(digits) - len(kept)) + kept


class _Mask:
    def __init__(self, tokens: set[str], shown: set[str]) -> None:
        self._tokens = tokens
        self._shown = shown
        long = sorted(token for token in tokens if len(token) >= _SHORTEST_IN_TEXT)
        spread = (r"[\s-]?".join(map(re.escape, token)) for token in long)
        self._known = re.compile("|".join(spread)) if long else None

    def struct(self, value: T) -> T:
        """A copy with its tokens masked."""
        assert isinstance(value, msgspec.Struct)
        changed: dict[str, object] = {}
        for name in value.__struct_fields__:
            old = getattr(value, name)
            new = self._value(old, name)
            if new is not old:
                changed[name] = new
        if isinstance(value, Token) and value.digits in self._tokens:
            changed["digits"] = hidden(value.digits)
        return msgspec.structs.replace(value, **changed) if changed else value

    def _value(self, value: object, name: str) -> object:
        match value:
            case Enum():
                return value
            case str():
                return self._text(value, name)
            case msgspec.Struct():
                return self.struct(value)
            case tuple():
                items = cast("tuple[object, ...]", value)
                return tuple(self._value(item, name) for item in items)
            case list():
                return [self._value(item, name) for item in cast("list[object]", value)]
            case dict():
                members = cast("dict[object, object]", value)
                return {key: self._value(item, name) for key, item in members.items()}
            case _:
                return value

    def _text(self, text: str, name: str) -> str:
        if self._known is not None:
            text = self._known.sub(_last_four, text)
        return _ANY_TOKEN.sub(self._unless_shown, text) if name in _FREE_TEXT else text

    def _unless_shown(self, found: re.Match[str]) -> str:
        digits = re.sub("[^0-9]", "", found.group())
        return found.group() if digits in self._shown else hidden(digits)


def _last_four(found: re.Match[str]) -> str:
    return hidden(re.sub(r"[\s-]", "", found.group()))
