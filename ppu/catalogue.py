"""The event catalogue: docs/events.md, made from the event classes themselves.

`python -m ppu.catalogue FILE` writes it. What a field means is said here once per name, because a
name means the same wherever it stands; a field or a module that is missing here is an error.
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
from domain.message import message_stream
from domain.meter import meter_stream
from domain.notification import notification_stream
from domain.provider import provider_stream
from domain.sale import UtilityType
from domain.utility import utility_stream

_MESSAGE = message_stream("{message id}")
_METER = meter_stream(UtilityType.ELECTRICITY, "{number}")

# Module of the domain → heading, stream, and what is worth knowing before the events.
_CHAPTERS: dict[str, tuple[str, str, str]] = {
    "lookup": (
        "Lookup",
        _MESSAGE,
        "Only the process that claimed the message id writes to it.",
    ),
    "purchase": (
        "Purchase",
        _MESSAGE,
        "With its exchanges and advices, below. `RetryReceived` has the retry's own stream.",
    ),
    "exchange": (
        "Exchanges with a provider",
        _MESSAGE,
        "In the stream of the lookup, purchase or service request that the exchange belongs to.",
    ),
    "advice": (
        "Advice",
        _MESSAGE,
        "`AdviceReceived` has the advice's own stream. The others are in that of what is advised.",
    ),
    "service": (
        "Service requests",
        _MESSAGE,
        "In the streams of trials, reprints, fault reports and key changes, which follow.",
    ),
    "trial": ("Trial", _MESSAGE, "With its exchanges. Nothing is sold by it."),
    "reprint": ("Reprint", _MESSAGE, "With its exchanges. Nothing is sold by it."),
    "fault_report": ("Fault report", _MESSAGE, "With its exchanges."),
    "key_change": (
        "Key change",
        _MESSAGE,
        "With its exchanges and confirmations. Each of these has a stream of its own, too.",
    ),
    "notification": (
        "Notification",
        notification_stream("{subscriber}", "{message id}"),
        "`NotificationQueued` is in the purchase's stream.",
    ),
    "meter": (
        "Meter",
        _METER.replace(UtilityType.ELECTRICITY.value, "{utility type}"),
        "The meter's row of the contract table, as it came to be.",
    ),
    "utility": (
        "Utility",
        utility_stream("{utility}"),
        "A municipality or utility. Its id is made from its printed name.",
    ),
    "provider": (
        "Provider",
        provider_stream("{provider}"),
        "A provider's settings, availability and reserved references.",
    ),
}

_MEANINGS: dict[str, str] = {
    "advice_id": "the advice's message id; on an exchange, the advice that it delivers",
    "amount": "what the customer pays: tokens, tax, debts and charges",
    "answer": "what the provider told of the meter",
    "asked_at": "when the vend was recorded as asked",
    "at": "when it happened, UTC",
    "attempt": "how many attempts of this kind went before",
    "because": "why it ended without effect",
    "by": "who did it: a person, `settings`, `lookup`, or the id of a process",
    "capabilities": "what it offers beyond lookup and vend",
    "channel": "which of its channels, as the client says",
    "client": "the channel's institution id; `schedule` for the switch's own broadcasts",
    "contact": "the customer's telephone number",
    "count": "how many",
    "customer": "who reports it, as the channel says",
    "deadline": "when the asker gives up for certain; until then nobody else asks",
    "delivery": "how it ended well",
    "description": "what is wrong, in the customer's words",
    "detail": "in words, for people",
    "exchange": "number of the exchange in this stream, from 1",
    "excluded": "providers that are never used",
    "failure": "the refusal, in the interface's terms and the provider's own",
    "fault_report_id": "message id of the fault report",
    "fault_type": "what is wrong",
    "final_cents": "the amount that is to stand; absent: all of a sale confirmed, all reversed",
    "first": "the first of the reserved numbers",
    "handle": "the provider's own reference for the sale that is about to be made",
    "healthy": "whether purchases may be routed to it",
    "institution": "the originator's institution id",
    "key_change_id": "message id of the key change",
    "kind": "confirmation or reversal",
    "late": "the channel had been answered already",
    "legs": "every message pair of the exchange, masked",
    "logged": "the provider's number for the fault, and its words",
    "lookup_id": "message id of the lookup",
    "merchant": "the originator's merchant id",
    "message": "the channel's JSON as received, sensitive members masked",
    "meter": "the meter as the channel named it",
    "name": "as printed",
    "named_by": "message id of the retry or advice that named the purchase",
    "next_attempt_at": "when the next attempt is due, UTC",
    "next_recovery_at": "when the provider is asked again, UTC, if no retry comes first",
    "not_sent": "certain that no provider ever saw it",
    "number": "the meter's number",
    "offering": "the usable providers that offer it, in the route's order",
    "operation": "what was asked",
    "original_id": "message id of the purchase whose tokens are wanted",
    "original_ref": "what the channel names the sale by; absent: the meter's last one",
    "outcome": "how the exchange ended",
    "payment": "tender type of the channel interface",
    "protocol": "name of its codec",
    "provider": "the provider's id",
    "providers": "ids of providers, in order where order counts",
    "purchase_id": "message id of the purchase",
    "quote": "what would be sold; the tokens have no digits",
    "ranked": "providers that are used first, in this order",
    "reason": "why",
    "recovered": "the provider's first answer was lost",
    "reference": "what identifies the message at the provider; for a sale, that of its vend",
    "reprint_id": "message id of the reprint",
    "request": "the first message as sent, masked",
    "retriable": "the channel's retry may sell anew",
    "retry_id": "the retry's own message id",
    "route": "every candidate with its place and the reason, and the draw",
    "sale": "tokens, debts, charges, customer, meter; tokens are not masked here",
    "settled": "what became of the sale in question",
    "status": "HTTP status of the subscriber's answer; absent: there was none",
    "subscriber": "the subscriber's id in the settings",
    "subscribers": "ids of subscribers, as in the settings",
    "supported": "whether it serves the meter",
    "terminal": "the originator's terminal id",
    "took_ms": "milliseconds from the question being recorded to the answer",
    "trial_id": "message id of the trial",
    "user": "who signed in for it; nobody else may retry, confirm or reverse it",
    "utility": "the utility's id",
    "utility_name": "the utility's printed name",
    "utility_type": "electricity, water or gas",
    "weight": "share of load-balanced traffic, relative to the others' weights",
    "window_ms": "how long the channel waits at most",
}

# Where a name means something more particular.
_PARTICULAR: dict[str, str] = {
    "AdviceAttempted.attempt": "how many attempts there have been, this one included",
    "KeyChangeDone.reference": "what the question carried",
    "NotificationAttempted.attempt": "number of the attempt, from 1",
    "NotificationBegun.attempt": "number of the attempt, from 1",
    "NotificationBegun.deadline": "when the attempt is over for certain",
    "NotificationDelivered.attempt": "number of the attempt that delivered it, from 1",
    "NotificationGivenUp.attempt": "number of the last attempt, from 1",
    "ReprintOriginalFound.reference": "that of its vend at the provider",
    "BroadcastStarted.providers": "everybody who is asked",
    "BroadcastStarted.reason": "why everybody is asked",
    "LookupAnswered.utility": "the utility that the meter belongs to",
    "MeterBroadcast.providers": "everybody who was asked and owes an answer",
    "MeterBroadcast.reason": "why everybody was asked",
    "MeterPreferenceSet.providers": "tried first, in this order; none: no preference",
    "ProviderAsked.reference": "what the message carries; empty if it could not be encoded",
    "PurchaseRuledOut.user": "who signed in for that retry or advice",
    "RecoveryAttempted.attempt": "how many recoveries of this vend there have been",
}

_PLAIN: dict[object, str] = {
    str: "text",
    int: "whole number",
    bool: "true or false",
    datetime: "time",
    Decimal: "decimal",
    NoneType: "nothing",
}

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
    unknown = {m.__name__ for m, found in events.items() if found and _short(m) not in _CHAPTERS}
    if unknown:
        raise CatalogueError(f"ppu/catalogue.py has no chapter for {', '.join(sorted(unknown))}")
    types: dict[str, type] = {}
    for name in _CHAPTERS:
        if name not in known:
            raise CatalogueError(f"ppu/catalogue.py has a chapter for {name}, which is gone")
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
        and value is not Event
        and value.__module__ == module.__name__
    ]
    return sorted(found, key=lambda cls: inspect.getsourcelines(cls)[1])


def _index(events: dict[ModuleType, list[type[Event]]]) -> str:
    by_chapter = {_short(module): found for module, found in events.items()}
    rows = ["| stream | events |", "|---|---|"]
    for name, (title, stream, _) in _CHAPTERS.items():
        links = ", ".join(f"[{e.__name__}](#{e.__name__.lower()})" for e in by_chapter[name])
        rows.append(f"| {title}: `{stream}` | {links} |")
    return "\n".join([*rows, ""])


def _chapter(name: str, events: list[type[Event]], types: dict[str, type]) -> Iterator[str]:
    title, stream, about = _CHAPTERS[name]
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
    meaning = _PARTICULAR.get(f"{event.__name__}.{field}") or _MEANINGS.get(field)
    if meaning is None:
        raise CatalogueError(f"say in ppu/catalogue.py what {event.__name__}.{field} means")
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
