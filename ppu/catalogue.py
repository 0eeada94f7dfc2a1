"""The event catalogue: docs/events.md, made from the event classes themselves.

`python -m ppu.catalogue FILE` writes it. What a field means is said in catalogue_words.py; a field
or a module that is missing there is an error.
"""

import ast
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

import domain
from domain.event import Event
from domain.operator import OperatorEvent
from domain.steered import Steered
from ppu.catalogue_words import CHAPTERS, MEANINGS, PARTICULAR

_PLAIN: dict[object, str] = {
    str: "text",
    int: "whole number",
    bool: "true or false",
    datetime: "time",
    Decimal: "decimal",
    NoneType: "nothing",
}

_BASES = (Event, Steered, OperatorEvent)
"""What events are made of, but never are themselves."""

_HEAD = """\
# The events

Everything that the switch knows is one of these events. They are never changed and never deleted.
This page is made from the code: `make catalogue` writes it, and a test compares the two.

How an event is stored: one row of the table `stored_events`, in the layout of the eventsourcing
library. `originator_id` is the stream, `originator_version` counts from 1 inside it,
`notification_id` is the position in the whole ledger, `topic` is the class (`module:Class`), and
`state` is a JSON object of the fields. A time is RFC 3339 text in UTC, a decimal is text, money is
whole cents. A field that has its default value is left out of the state. A class of version 2 or
more has its number in the state as `class_version`; older states are brought up to date when they
are read.
"""


class CatalogueError(Exception):
    """The code has something that this module doesn't know how to describe."""


def event_catalogue() -> str:
    """The catalogue as Markdown. Raises CatalogueError for a field or module without a meaning."""
    modules = list(_modules())
    events = {module: _events_of(module) for module in modules}
    parts = [_HEAD, _index(events)]
    known = {name.rpartition(".")[2] for name in (module.__name__ for module in modules)}
    unknown = {m.__name__ for m, found in events.items() if found and _short(m) not in CHAPTERS}
    if unknown:
        raise CatalogueError(
            f"ppu/catalogue_words.py has no chapter for {', '.join(sorted(unknown))}"
        )
    types: dict[str, type] = {}
    for name in CHAPTERS:
        if name not in known:
            raise CatalogueError(f"ppu/catalogue_words.py has a chapter for {name}, which is gone")
        module = next(m for m in modules if _short(m) == name)
        parts += _chapter(name, events[module], types)
    parts += _types(types)
    return "\n".join(parts)


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(domain.__path__, "domain."):
        yield importlib.import_module(found.name)


def _short(module: ModuleType) -> str:
    return module.__name__.partition(".")[2]


def _events_of(module: ModuleType) -> list[type[Event]]:
    """The event classes that the module defines, in the order of its text."""
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Event)
        and value not in _BASES
        and value.__module__ == module.__name__
    ]
    return sorted(found, key=lambda cls: inspect.getsourcelines(cls)[1])


def _index(events: dict[ModuleType, list[type[Event]]]) -> str:
    by_chapter = {_short(module): found for module, found in events.items()}
    rows = ["| stream | events |", "|---|---|"]
    for name, (title, stream, _) in CHAPTERS.items():
        links = ", ".join(f"[{e.__name__}](#{e.__name__.lower()})" for e in by_chapter[name])
        rows.append(f"| {title}: `{stream}` | {links} |")
    return "\n".join([*rows, ""])


def _chapter(name: str, events: list[type[Event]], types: dict[str, type]) -> Iterator[str]:
    title, stream, about = CHAPTERS[name]
    yield f"## {title}\n\nStream `{stream}`. {about}\n"
    for event in events:
        yield f"### {event.__name__}\n"
        words = _docstring(event)
        if words:
            yield f"{words}\n"
        version = int(getattr(event, "class_version", 1))
        yield f"Topic `{event.__module__}:{event.__qualname__}`, class version {version}.\n"
        yield "| field | type | default | meaning |\n|---|---|---|---|"
        hints = get_type_hints(event)
        for field in msgspec.structs.fields(event):
            hint = hints[field.name]
            _collect(hint, types)
            default = _default(field)
            meaning = _meaning(event, field.name)
            yield f"| `{field.name}` | {_type(hint)} | {default} | {meaning} |"
        yield ""


def _meaning(event: type[Event], field: str) -> str:
    meaning = PARTICULAR.get(f"{event.__name__}.{field}") or MEANINGS.get(field)
    if meaning is None:
        raise CatalogueError(f"say in ppu/catalogue_words.py what {event.__name__}.{field} means")
    return meaning


def _types(types: dict[str, type]) -> Iterator[str]:
    yield "## Types\n\nWhat the fields above are made of.\n"
    for name in sorted(types):
        cls = types[name]
        yield f"### {name}\n"
        words = _docstring(cls)
        if words:
            yield f"{words}\n"
        if issubclass(cls, StrEnum):
            yield from _values(cls)
        elif issubclass(cls, msgspec.Struct):
            yield from _fields(cls)
        yield ""


def _values(cls: type[StrEnum]) -> Iterator[str]:
    said = _attribute_docstrings(cls)
    if not said:
        yield ", ".join(f"`{member.value}`" for member in cls)
        return
    yield "| value | meaning |\n|---|---|"
    for member in cls:
        yield f"| `{member.value}` | {said.get(member.name, '')} |"


def _fields(cls: type[msgspec.Struct]) -> Iterator[str]:
    yield "| field | type | default |\n|---|---|---|"
    hints = get_type_hints(cls)
    for field in msgspec.structs.fields(cls):
        yield f"| `{field.name}` | {_type(hints[field.name])} | {_default(field)} |"


def _collect(hint: Any, types: dict[str, type]) -> None:  # noqa: ANN401 (any annotation)
    """Adds the enums and structs that `hint` is made of, and theirs."""
    for part in get_args(hint):
        _collect(part, types)
    if not isinstance(hint, type) or hint.__name__ in types:
        return
    if issubclass(hint, StrEnum | msgspec.Struct):
        types[hint.__name__] = hint
        for inner in get_type_hints(hint).values():
            _collect(inner, types)


def _type(hint: Any) -> str:  # noqa: ANN401 (any annotation)
    plain = _PLAIN.get(hint)
    if plain is not None:
        return plain
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        some = [_type(part) for part in parts if part is not NoneType]
        return " or ".join([*some, "nothing"] if NoneType in parts else some)
    if origin is tuple:
        return f"list of {_type(parts[0])}"
    if origin is dict:
        return f"{_type(parts[1])} by {_type(parts[0])}"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct | StrEnum):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    raise CatalogueError(f"ppu/catalogue.py can't describe the type {hint}")


def _default(field: msgspec.structs.FieldInfo) -> str:
    match field.default:
        case msgspec.NODEFAULT:
            return ""
        case None:
            return "nothing"
        case "":
            return "empty"
        case bool() as value:
            return "true" if value else "false"
        case ():
            return "none"
        case msgspec.Struct():
            return "all defaults"
        case value:
            return f"`{value}`"


def _docstring(cls: type) -> str:
    """The class's own docstring in one line a paragraph; not one that it inherits."""
    own = vars(cls).get("__doc__")
    if not own:
        return ""
    paragraphs = inspect.cleandoc(str(own)).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _attribute_docstrings(cls: type) -> dict[str, str]:
    """The strings that stand below the members in the class's source."""
    tree = ast.parse(inspect.getsource(cls)).body[0]
    assert isinstance(tree, ast.ClassDef)
    said: dict[str, str] = {}
    name = ""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=target)]):
                name = target
            case ast.Expr(value=ast.Constant(value=str() as text)) if name:
                said[name] = " ".join(text.split())
                name = ""
            case _:
                name = ""
    return said


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(event_catalogue(), encoding="utf-8")
