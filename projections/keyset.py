"""Keyset paging: a page begins where another ended, so a far page costs as much as the first."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec

from projections.reading import Reading

T = TypeVar("T")

CURSOR_CHARACTERS_MAX = 1_000
_SEPARATOR = "~"


class Cursor(msgspec.Struct, frozen=True):
    """Where a page begins: beyond the row with these `values`, the first of which is a time (UTC).
    `back`: the page before it, not the one after."""

    values: tuple[datetime | str | int, ...]
    back: bool = False


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Rows in the list's order, and the marks of the pages around it; None: there is none."""

    rows: list[T]
    earlier: str | None
    """For a Cursor with `back`."""
    later: str | None


def mark(values: Sequence[datetime | str | int]) -> str:
    """A row's keys as a part of an address."""
    parts = [
        value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
        for value in values
    ]
    return _SEPARATOR.join(part.replace("%", "%25").replace(_SEPARATOR, "%7E") for part in parts)


def cursor_of(text: str, kinds: Sequence[type], *, back: bool = False) -> Cursor:
    """What `mark` wrote; `kinds` are the types of the values. Raises ValueError."""
    parts = text[:CURSOR_CHARACTERS_MAX].split(_SEPARATOR)
    if len(parts) != len(kinds):
        raise ValueError("not the mark of a page")
    values: list[datetime | str | int] = []
    for part, kind in zip(parts, kinds, strict=True):
        plain = part.replace("%7E", _SEPARATOR).replace("%25", "%")
        if kind is datetime:
            at = datetime.fromisoformat(plain)
            if at.tzinfo is None:
                raise ValueError("the mark of a page has no time zone")
            values.append(at)
        elif "\0" in plain:
            raise ValueError("not the mark of a page")
        else:
            values.append(kind(plain))
    return Cursor(tuple(values), back)


async def read_page(
    reading: Reading,
    *,
    select: str,
    conditions: Sequence[str],
    keys: Sequence[str],
    descending: bool,
    parameters: Mapping[str, Any],
    cursor: Cursor | None,
    limit: int,
    make: Callable[[Sequence[Any]], T],
    key_of: Callable[[T], Sequence[datetime | str | int]],
) -> Page[T]:
    """At most `limit` rows of `select`, restricted by `conditions`, in the order of `keys`."""
    back = cursor is not None and cursor.back
    down = descending != back
    wanted = list(conditions)
    values: dict[str, Any] = dict(parameters)
    if cursor is not None:
        values |= {f"key_{at}": value for at, value in enumerate(cursor.values)}
        names = ", ".join(f"%(key_{at})s" for at in range(len(keys)))
        wanted.append(f"({', '.join(keys)}) {'<' if down else '>'} ({names})")
    order = ", ".join(f"{key} {'DESC' if down else 'ASC'}" for key in keys)
    where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
    query = f"{select} {where} ORDER BY {order} LIMIT {limit + 1}"
    found = [make(row) for row in await reading.rows(query, values)]
    more, rows = len(found) > limit, found[:limit]
    if back:
        rows.reverse()
    first = mark(key_of(rows[0])) if rows else None
    last = mark(key_of(rows[-1])) if rows else None
    before, after = (more, True) if back else (cursor is not None, more)
    return Page(rows, first if before else None, last if after else None)
