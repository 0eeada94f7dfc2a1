"""What the meters' pages ask: meters by a part of their number, lists of them, one with everything
that is known of it. docs/decisions/050 says how numbers are found by a part."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.routing import Support
from domain.sale import UtilityType
from projections.contract_table import ContractTable
from projections.keyset import Cursor, Page, cursor_of, read_page
from projections.projection import schema_of
from projections.provider_health import ProviderHealth
from projections.reading import Reading
from projections.transactions import Transactions

NUMBER_CHARACTERS_MAX = 20
GRAM = 4
"""From so many characters on, a part is looked for anywhere in the number; fewer begin it."""
CANDIDATES_MAX = 5_000
"""Numbers with a part anywhere in them that are looked at, when there are more than that."""
UTILITIES_MAX = 1_000
PROVIDERS_MAX = 100
KEYS = (str, str, str)
"""What a mark of a list's page consists of."""

_SCHEMA = schema_of(ContractTable.name)
_SEPARATORS = re.compile(r"[\s.\-]+")
_PART = re.compile(rf"[A-Z0-9]{{1,{NUMBER_CHARACTERS_MAX}}}")
_BEYOND = "~"
"""Sorts after every letter and digit."""


class MeterRow(msgspec.Struct, frozen=True):
    """A meter of the contract table. `preference` by provider id; times UTC."""

    utility_type: str
    number: str
    utility: str | None
    utility_name: str | None
    rebroadcast: bool
    preference: list[str]
    first_seen_at: datetime | None
    last_broadcast_at: datetime | None
    supporters: int

    @property
    def blocked(self) -> bool:
        """All providers were asked and none supports it: its purchases fail."""
        return self.supporters == 0 and self.last_broadcast_at is not None


class ProviderSupport(msgspec.Struct, frozen=True):
    """What one provider says of one meter. `name` is empty for one that isn't configured."""

    provider: str
    name: str
    status: Support
    last_response_at: datetime | None
    enabled: bool
    healthy: bool

    def awaited(self, last_broadcast_at: datetime | None) -> bool:
        """Whether it has not answered since the last broadcast, or never."""
        if self.last_response_at is None or last_broadcast_at is None:
            return self.last_response_at is None
        return self.last_response_at < last_broadcast_at


class MeterTransaction(msgspec.Struct, frozen=True):
    """One transaction of a meter; amounts in cents, times UTC."""

    message_id: str
    kind: str
    status: str
    requested_at: datetime
    amount_cents: int | None
    currency: str | None
    provider: str | None
    error_type: str | None


class MeterFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which meters: '' and False don't restrict; `utility` by its id."""

    utility: str = ""
    flagged: bool = False
    blocked: bool = False


class UtilityCount(msgspec.Struct, frozen=True):
    """A utility that has meters, and how many."""

    utility: str
    name: str
    meters: int


_COLUMNS = ", ".join(MeterRow.__struct_fields__)
_SELECT = f"SELECT {_COLUMNS} FROM {_SCHEMA}.meter"  # noqa: S608 (names of our own)
_BEGINNING = f"""
    {_SELECT} WHERE upper(number) >= %(part)s AND upper(number) < %(part)s || '{_BEYOND}'
    ORDER BY upper(number), utility_type, number LIMIT %(limit)s
"""
# Without an order inside, so that looking at the candidates ends when there are enough.
_ANYWHERE = f"""
    SELECT {_COLUMNS} FROM (
        {_SELECT} WHERE {_SCHEMA}.grams(number) @> {_SCHEMA}.grams(%(part)s)
            AND strpos(upper(number), %(part)s) > 1 LIMIT {CANDIDATES_MAX}
    ) AS m ORDER BY upper(number), utility_type, number LIMIT %(limit)s
"""  # noqa: S608 (names of our own)


def part_of(text: str) -> str:
    """A part of a number as people type it, in the form that is looked for: capitals, without the
    spaces, hyphens and dots that it was grouped with. Raises ValueError."""
    part = _SEPARATORS.sub("", text).upper()
    if not _PART.fullmatch(part):
        raise ValueError(
            f"A meter's number has letters and digits only, {NUMBER_CHARACTERS_MAX} at most."
        )
    return part


async def meters_with(reading: Reading, part: str, limit: int) -> list[MeterRow]:
    """At most `limit` meters whose number has `part` (see part_of): those that begin with it first,
    so the number itself before all, then, from GRAM characters on, those that have it later."""
    wanted = {"part": part, "limit": limit}
    async with reading.connection() as connection, connection.transaction():
        cursor = await connection.execute(_BEGINNING.encode(), wanted)
        rows = await cursor.fetchall()
        if len(rows) < limit and len(part) >= GRAM:
            # How many numbers have a group is a guess until the table has been analysed, and a
            # wrong one would have all meters read in turn.
            await connection.execute(b"SET LOCAL enable_seqscan = off")
            cursor = await connection.execute(
                _ANYWHERE.encode(), wanted | {"limit": limit - len(rows)}
            )
            rows += await cursor.fetchall()
    return [MeterRow(*row) for row in rows]


async def meters(
    reading: Reading, wanted: MeterFilter, *, cursor: Cursor | None = None, limit: int
) -> Page[MeterRow]:
    """A page of the list, by number."""
    conditions: list[str] = []
    if wanted.utility:
        conditions.append("utility = %(utility)s")
    if wanted.flagged:
        conditions.append("rebroadcast")
    if wanted.blocked:
        conditions.append("supporters = 0 AND last_broadcast_at IS NOT NULL")
    return await read_page(
        reading,
        select=_SELECT,
        conditions=conditions,
        keys=("upper(number)", "utility_type", "number"),
        descending=False,
        parameters={"utility": wanted.utility},
        cursor=cursor,
        limit=limit,
        make=lambda row: MeterRow(*row),
        key_of=lambda row: (row.number.upper(), row.utility_type, row.number),
    )


def meters_cursor(text: str, *, back: bool) -> Cursor:
    """The cursor of a mark in the address. Raises ValueError."""
    return cursor_of(text, KEYS, back=back)


async def utilities(reading: Reading) -> list[UtilityCount]:
    """The utilities that have meters, by name."""
    rows = await reading.rows(
        f"SELECT utility, utility_name, meters FROM {_SCHEMA}.utility_meters"  # noqa: S608
        f" ORDER BY lower(utility_name), utility LIMIT {UTILITIES_MAX}"
    )
    return [UtilityCount(*row) for row in rows]


async def meters_called(reading: Reading, number: str) -> list[MeterRow]:
    """The meters with exactly this number: one for each utility type that it was used with."""
    types = [kind.value for kind in UtilityType]
    rows = await reading.rows(
        f"{_SELECT} WHERE utility_type = ANY(%s) AND number = %s ORDER BY utility_type",
        (types, number),
    )
    return [MeterRow(*row) for row in rows]


_SUPPORT = f"""
    SELECT s.provider, coalesce(p.name, ''), s.status, s.last_response_at,
           coalesce(p.enabled, false), coalesce(p.healthy, false)
    FROM {_SCHEMA}.support AS s
    LEFT JOIN {schema_of(ProviderHealth.name)}.provider AS p ON p.provider = s.provider
    WHERE s.utility_type = %s AND s.number = %s
    ORDER BY lower(coalesce(nullif(p.name, ''), s.provider)), s.provider LIMIT {PROVIDERS_MAX}
"""  # noqa: S608 (names of our own)


async def support(reading: Reading, utility_type: str, number: str) -> list[ProviderSupport]:
    """What the providers that were ever asked say of the meter, by name."""
    rows: Sequence[Sequence[Any]] = await reading.rows(_SUPPORT, (utility_type, number))
    return [
        ProviderSupport(provider, name, Support(status), at, enabled, healthy)
        for provider, name, status, at, enabled, healthy in rows
    ]


_TRANSACTIONS = f"""
    SELECT {", ".join(MeterTransaction.__struct_fields__)}
    FROM {schema_of(Transactions.name)}.transaction
    WHERE meter = %s AND utility_type = %s ORDER BY requested_at DESC LIMIT %s
"""  # noqa: S608 (names of our own)


async def transactions(
    reading: Reading, utility_type: str, number: str, limit: int
) -> list[MeterTransaction]:
    """The meter's last transactions, newest first."""
    rows = await reading.rows(_TRANSACTIONS, (number, utility_type, limit))
    return [MeterTransaction(*row) for row in rows]
