"""A settlement's totals taken apart: by day, municipality, utility type and fee rule, and the lines
that each of those figures consists of."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from projections.keyset import Cursor, Page, read_page
from projections.projection import schema_of
from projections.reading import Reading
from projections.settlements_search import LINE_KEYS, NAME, SettlementLineRow

GROUPS_MAX = 1_000
"""Groups of one kind that are told one by one; the rest comes under REST."""
REST = "(others)"

_LINE = f"{schema_of(NAME)}.settlement_line"
_COLUMNS = ", ".join(SettlementLineRow.__struct_fields__)

__all__ = ["LINE_KEYS", "Group", "Part", "breakdown", "lines_of"]


class Part(StrEnum):
    """By what the lines are told apart: a column of theirs."""

    DAY = "business_date"
    RECEIVER = "receiver"
    UTILITY_TYPE = "utility_type"
    FEE = "fee"
    MESSAGE_TYPE = "message_type"


class Group(msgspec.Struct, frozen=True):
    """Lines that have `value` in common ("" where they don't say), and their sums in cents."""

    value: str
    lines: int
    principal_cents: int
    commission_cents: int
    commission_vat_cents: int
    net_cents: int


async def breakdown(reading: Reading, settlement_id: str) -> dict[Part, list[Group]]:
    """The settlement's lines by each Part, in one reading of them: days in order, others by their
    principal, largest first. The groups of each Part add up to the same totals."""
    parts = ", ".join(Part)
    # business_date is the one that is no text.
    values = ", ".join("business_date::text" if one is Part.DAY else one for one in Part)
    rows = await reading.rows(
        f"SELECT grouping({parts}), {values}, count(*), sum(principal_cents)::bigint,"  # noqa: S608
        " sum(commission_cents)::bigint, sum(commission_vat_cents)::bigint,"
        f" sum(net_cents)::bigint FROM {_LINE} WHERE settlement_id = %s"
        f" GROUP BY GROUPING SETS ({', '.join(f'({one})' for one in Part)})",
        (settlement_id,),
    )
    found: dict[Part, list[Group]] = {one: [] for one in Part}
    every = list(Part)
    for bits, *rest in rows:
        # The bit that is 0 says which set the row is of; the last set's is the lowest.
        at = next(n for n in range(len(every)) if not bits >> (len(every) - 1 - n) & 1)
        found[every[at]].append(Group(rest[at] or "", *rest[len(every) :]))
    for one, groups in found.items():
        if one is Part.DAY:
            groups.sort(key=lambda group: group.value)
        else:
            groups.sort(key=lambda group: (-group.principal_cents, group.value))
        found[one] = _bounded(groups)
    return found


def _bounded(groups: list[Group]) -> list[Group]:
    kept, rest = groups[:GROUPS_MAX], groups[GROUPS_MAX:]
    if not rest:
        return kept
    sums = [sum(getattr(group, name) for group in rest) for name in Group.__struct_fields__[1:]]
    return [*kept, Group(REST, *sums)]


async def lines_of(
    reading: Reading,
    settlement_id: str,
    wanted: Mapping[Part, str],
    *,
    cursor: Cursor | None = None,
    limit: int,
) -> Page[SettlementLineRow]:
    """A page of the lines that have these values, by ref; "" stands for those that don't say.
    Raises ValueError for a day that is none."""
    parameters: dict[str, Any] = {"settlement_id": settlement_id}
    conditions = ["settlement_id = %(settlement_id)s"]
    for part, value in wanted.items():
        if not value:
            conditions.append(f"coalesce({part}::text, '') = ''")
            continue
        parameters[part.value] = date.fromisoformat(value) if part is Part.DAY else value
        conditions.append(f"{part} = %({part})s")
    return await read_page(
        reading,
        select=f"SELECT {_COLUMNS} FROM {_LINE}",  # noqa: S608 (names of our own)
        conditions=conditions,
        keys=("ref",),
        descending=False,
        parameters=parameters,
        cursor=cursor,
        limit=limit,
        make=lambda row: SettlementLineRow(
            **dict(zip(SettlementLineRow.__struct_fields__, row, strict=True))
        ),
        key_of=lambda row: (row.ref,),
    )
