"""The address of a list of transactions: its filters and its place, read and written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from urllib.parse import urlencode

from api.console.transactions.words import OPERATIONS, SERVICES, STATUSES
from projections.keyset import cursor_of, mark
from projections.transaction_filter import Filters
from projections.transaction_search import Cursor
from projections.transaction_terms import wanted

PATH = "/transactions"
PERIODS = {
    "": "Today · meter, reference: all",
    "today": "Today",
    "yesterday": "Yesterday",
    "week": "Last 7 days",
    "all": "All time",
}
TEXT_CHARACTERS_MAX = 100
YEARS = range(2000, 2101)
_DAY = timedelta(days=1)
_RANDS = re.compile(r"R?\s*(\d[\d\s\u202f]{0,14})(?:[.,](\d{1,2}))?")
_PLACES = ("before", "after")
_TEXTS = ("provider", "utility", "client", "channel")
_WORDS = {"service": SERVICES, "operation": OPERATIONS, "status": STATUSES}
NAMES = ("period", "from", "to", "amount", "meter", "reference", *_WORDS, *_TEXTS)
"""The parameters that filter."""

_UNFILTERED = Filters()


class _ProblemError(ValueError):
    """What is wrong with one parameter, for its writer."""


@dataclass(frozen=True)
class Selection:
    """What an address asks for. `typed` are the filters as written, `problems` what is wrong with
    them, by parameter: with any of those nothing is to be searched."""

    filters: Filters = _UNFILTERED
    typed: Mapping[str, str] = field(default_factory=dict[str, str])
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    before: Cursor | None = None
    after: Cursor | None = None

    @property
    def first(self) -> bool:
        """Whether it is the list's newest page."""
        return self.before is None and self.after is None

    def address(self, path: str = PATH, **changes: str) -> str:
        """The address of these filters, on the newest page; `changes` replace parameters."""
        query = urlencode({k: v for k, v in {**self.typed, **changes}.items() if v})
        return f"{path}?{query}" if query else path

    def place(self, *, before: Cursor | None = None, after: Cursor | None = None) -> str:
        """The address of the page there."""
        if before is not None:
            return self.address(before=mark((before.requested_at, before.position)))
        assert after is not None
        return self.address(after=mark((after.requested_at, after.position)))


def selection(query: Mapping[str, str], zone: tzinfo, now: datetime) -> Selection:
    """Reads an address's parameters; times without an offset are `zone`'s, days those of `now`
    there."""
    typed = {name: query[name].strip() for name in NAMES if query.get(name, "").strip()}
    problems = {name: f"There is no filter “{name[:40]}”." for name in query if not _known(name)}
    values: dict[str, object] = {}
    for name, text in typed.items():
        try:
            values |= _read(name, text, zone)
        except _ProblemError as problem:
            problems[name] = str(problem)
    if not problems:
        values = _period(typed, zone, now) | values
        problems |= _crossed(values)
    places: dict[str, Cursor | None] = {}
    for name in _PLACES:
        try:
            places[name] = _cursor(query[name]) if name in query else None
        except ValueError:
            problems[name] = "The address names no place in the list: begin with the newest page."
    filters = _UNFILTERED if problems else Filters(**values)  # pyright: ignore[reportArgumentType]
    places = {} if problems else places
    return Selection(filters, typed, problems, places.get("before"), places.get("after"))


def _known(name: str) -> bool:
    return name in NAMES or name in _PLACES


def _cursor(text: str) -> Cursor:
    requested_at, position = cursor_of(text, (datetime, int)).values
    assert isinstance(requested_at, datetime)
    assert isinstance(position, int)
    if requested_at.year not in YEARS or not 0 <= position < 2**63:
        raise ValueError("no position")
    return Cursor(requested_at, position)


def _read(name: str, text: str, zone: tzinfo) -> dict[str, object]:
    """The filters that one parameter stands for. Raises _ProblemError."""
    if len(text) > TEXT_CHARACTERS_MAX or "\0" in text:
        raise _ProblemError(f"This is no {name}: it is too long, or has characters that none has.")
    if name in _WORDS:
        return {name: _word(name, text)}
    match name:
        case "period":
            if text not in PERIODS:
                raise _ProblemError(f"A period is one of {', '.join(filter(None, PERIODS))}.")
            return {}
        case "from":
            return {"since": _moment(text, zone, whole_day=False)}
        case "to":
            return {"until": _moment(text, zone, whole_day=True)}
        case "amount":
            least, most = _amounts(text)
            return {"cents_min": least, "cents_max": most}
        case "meter":
            return {"meter": "".join(text.split())}
        case "reference":
            if not wanted(text):
                raise _ProblemError("A reference has a letter, or a digit other than 0.")
            return {"reference": text}
        case _:
            return {name: text}


def _word(name: str, text: str) -> str:
    value = text.upper().replace("-", "_").replace(" ", "_")
    if value not in _WORDS[name]:
        known = ", ".join(written(word) for word in _WORDS[name])
        raise _ProblemError(f"There is no {name} “{text[:40]}”: it is one of {known}.")
    return value


def written(word: str) -> str:
    """A kind or status as addresses have it."""
    return word.lower().replace("_", "-")


def _moment(text: str, zone: tzinfo, *, whole_day: bool) -> datetime:
    """In UTC. A day alone is its beginning, or its end with `whole_day`."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=zone)
        if len(text) <= len("2026-11-24") and whole_day:
            at = datetime.combine(at.date() + _DAY, time.min, at.tzinfo)
        moment = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _ProblemError("A time is written 2026-11-24 or 2026-11-24T14:03.") from None
    if moment.year not in YEARS:
        raise _ProblemError(f"A time is between {YEARS.start} and {YEARS.stop - 1}.")
    return moment


def _amounts(text: str) -> tuple[int | None, int | None]:
    """Least and most, in cents: 100 or 99.50 is both, 50-200 a range, 50- and -200 its halves."""
    least, dash, most = text.partition("-")
    low, high = _cents(least), _cents(most if dash else least)
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        raise _ProblemError("An amount is written 100, 99.50, 50-200, 50- or -200.")
    return low, high


def _cents(text: str) -> int | None:
    if not text.strip():
        return None
    match = _RANDS.fullmatch(text.strip())
    if match is None:
        raise _ProblemError("An amount is written 100, 99.50, 50-200, 50- or -200.")
    return int("".join(match[1].split())) * 100 + int((match[2] or "").ljust(2, "0"))


def _period(typed: Mapping[str, str], zone: tzinfo, now: datetime) -> dict[str, object]:
    """The range that the period stands for; from and to, where given, come before it."""
    if "from" in typed or "to" in typed:
        return {}
    period = typed.get("period") or ("all" if {"meter", "reference"} & set(typed) else "today")
    today = now.astimezone(zone).date()
    match period:
        case "today":
            return {"since": _midnight(today, zone)}
        case "yesterday":
            return {"since": _midnight(today - _DAY, zone), "until": _midnight(today, zone)}
        case "week":
            return {"since": _midnight(today - 6 * _DAY, zone)}
        case _:
            return {}


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _crossed(values: Mapping[str, object]) -> dict[str, str]:
    since, until = values.get("since"), values.get("until")
    if isinstance(since, datetime) and isinstance(until, datetime) and since >= until:
        return {"to": "The end of the range is not after its beginning."}
    return {}
