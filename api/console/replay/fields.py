"""A state as a table for people: its fields by name, and what a step changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import cast

import msgspec

from api.console.text import Formats, money
from api.console.transaction.words import amount
from domain.money import Money
from domain.routing import Route

_LEFT_OUT = frozenset({"version", "message", "legs"})
"""Shown with the event, not as a state."""
BETWEEN = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "


@dataclass(frozen=True)
class Row:
    """A field's value before and after a step, '' for none."""

    name: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after


def rows(before: object, after: object, formats: Formats) -> list[Row]:
    """The fields of both states, those of the later one first and in its order."""
    old, new = fields(before, formats), fields(after, formats)
    gone = [name for name in old if name not in new]
    return [Row(name, old.get(name, ""), new.get(name, "")) for name in (*new, *gone)]


def fields(state: object, formats: Formats) -> dict[str, str]:
    """Every field that has a value, by its path in words."""
    return dict(_fields(state, "", formats))


def _fields(value: object, path: str, formats: Formats) -> Iterator[tuple[str, str]]:
    match value:
        case None:
            return
        case Money():
            yield path, amount(value)
        case Route():
            yield path, _route(value)
        case msgspec.Struct():
            for name in value.__struct_fields__:
                member = getattr(value, name)
                if name in _LEFT_OUT or (name == "request" and isinstance(member, str)):
                    continue
                yield from _fields(_cents(name, member), _below(path, _words(name)), formats)
        case dict():
            for key, member in cast("Mapping[object, object]", value).items():
                yield from _fields(member, _below(path, str(key)), formats)
        case tuple() | list():
            yield from _several(list(cast("tuple[object, ...]", value)), path, formats)
        case set() | frozenset():
            yield from _several(sorted(map(str, cast("set[object]", value))), path, formats)
        case _:
            if text := _plain(value, formats):
                yield path, text


def _several(
    items: list[object] | list[str], path: str, formats: Formats
) -> Iterator[tuple[str, str]]:
    if any(isinstance(item, msgspec.Struct) for item in items):
        for number, item in enumerate(items, start=1):
            yield from _fields(item, _below(path, str(number)), formats)
    elif items:
        yield path, ", ".join(_plain(item, formats) for item in items)


def _plain(value: object, formats: Formats) -> str:
    match value:
        case Enum():
            return str(value.value)
        case bool():
            return "yes" if value else "no"
        case datetime():
            return formats.exact(value)
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)


def _cents(name: str, value: object) -> object:
    """Amounts in cents as amounts; tokens, which are masked, as the console masks them."""
    if name.endswith("cents") and isinstance(value, int):
        return money(value)
    if name == "digits" and isinstance(value, str):
        return value.replace("*", "•")
    return value


def _words(name: str) -> str:
    return name.replace("_cents", "").replace("_", " ")


def _below(path: str, name: str) -> str:
    return f"{path}{BETWEEN}{name}" if path else name.capitalize()


def _route(route: Route) -> str:
    """The order, and who was left out and why."""
    used = [
        f"{one.order} {one.provider} ({one.because.value})" for one in route.candidates if one.order
    ]
    left_out = [
        f"{one.provider} ({one.because.value})" for one in route.candidates if not one.order
    ]
    order = ", ".join(used) or "nobody"
    return f"{order}; left out: {', '.join(left_out)}" if left_out else order
