"""The rules of matching, told again with dicts and loops, to hold the real ones against."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from domain.record import COLUMNS, ColumnType
from finance.process.matching import Matching, Tolerance

Record = Mapping[str, Any]
"""Values by column, and the `ref`."""


class Told(NamedTuple):
    """Pairs: (ours, theirs) -> (key, fields that differ). Groups: refs of both sides, with the
    key. Alone: refs."""

    pairs: dict[tuple[int, int], tuple[int, frozenset[str]]]
    groups: set[tuple[int, frozenset[int]]]
    alone: set[int]


def told(
    ours: Sequence[Record],
    theirs: Sequence[Record],
    matching: Matching,
    pinned: Mapping[int, int] | None = None,
    forbidden: frozenset[tuple[int, int]] = frozenset(),
) -> Told:
    """What is whose counterpart. `pinned`: ours -> theirs."""
    mine = {record["ref"]: record for record in ours}
    other = {record["ref"]: record for record in theirs}
    found = Told({}, set(), set())
    for left, right in (pinned or {}).items():
        if left in mine and right in other:
            found.pairs[left, right] = (-1, _apart(mine[left], other[right], matching))
        mine.pop(left, None)
        other.pop(right, None)
    for number, key in enumerate(matching.keys):
        having: dict[tuple[Any, ...], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for side, records in enumerate((mine, other)):
            for ref, record in records.items():
                values = tuple(_plain(record.get(field)) for field in key)
                if None not in values:
                    having[values][side].append(ref)
        for lefts, rights in having.values():
            if len(lefts) > 1 or len(rights) > 1:
                found.groups.add((number, frozenset(lefts + rights)))
            elif lefts and rights and (lefts[0], rights[0]) not in forbidden:
                pair = lefts[0], rights[0]
                found.pairs[pair] = (number, _apart(mine[pair[0]], other[pair[1]], matching))
            else:
                continue
            for ref in lefts:
                del mine[ref]
            for ref in rights:
                del other[ref]
    found.alone.update(mine, other)
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        letters = "".join(c for c in value.upper() if c.isalnum())
        return letters or None
    return value


def _apart(left: Record, right: Record, matching: Matching) -> frozenset[str]:
    return frozenset(
        field
        for field in matching.compared
        if not _agree(
            field,
            left.get(field),
            right.get(field),
            matching.tolerances.get(field, Tolerance()),
        )
    )


def _agree(field: str, left: Any, right: Any, tolerance: Tolerance) -> bool:  # noqa: ANN401
    left, right = _plain(left), _plain(right)
    if left is None or right is None or left == right:
        return True
    kind = COLUMNS.get(field, ColumnType.DATE)
    if kind in (ColumnType.DATE, ColumnType.TIME):
        return max(left, right) - min(left, right) <= timedelta(days=tolerance.days)
    if kind is ColumnType.CENTS:
        limits: list[Decimal] = []
        if tolerance.cents:
            limits.append(Decimal(tolerance.cents))
        if tolerance.percent:
            limits.append(tolerance.percent * abs(left) / 100)
        return bool(limits) and abs(left - right) <= min(limits)
    return False
