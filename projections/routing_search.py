"""What the page of routing preferences asks: utilities by name, with the providers in the order in
which they are used."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from projections.contract_table import ContractTable
from projections.keyset import Cursor, Page, cursor_of, read_page
from projections.projection import schema_of
from projections.provider_standing import ProviderStanding, providers
from projections.reading import Reading
from projections.routing_preferences import RoutingPreferences

SEARCH_CHARACTERS_MAX = 200
EXPORTED_UTILITIES_MAX = 10_000
KEYS = (str, str)
"""What a mark of the list's page consists of: name and id."""

_UTILITY = f"{schema_of(RoutingPreferences.name)}.utility"
_CONTRACT = schema_of(ContractTable.name)


class Place(StrEnum):
    """Where a provider stands in the routing of a utility."""

    RANKED = "RANKED"
    UNRANKED = "UNRANKED"
    """It supports at least one of the meters and shares by weight what no ranked one takes."""
    UNCONFIRMED = "UNCONFIRMED"
    """No meter is known that it supports."""
    EXCLUDED = "EXCLUDED"


class PlacedProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider in a utility's routing order. The counts are of the utility's meters;
    `unconfirmed` are those of which it owes an answer. `configured`: a provider of now, not one
    that preferences only still name."""

    provider: str
    name: str
    place: Place
    rank: int | None = None
    weight: int = 0
    enabled: bool = True
    healthy: bool = True
    configured: bool = True
    supported: int = 0
    not_supported: int = 0
    unconfirmed: int = 0

    @property
    def trouble(self) -> str:
        """Why it gets nothing now; empty if nothing is in its way."""
        reasons = {
            "not configured": not self.configured,
            "disabled": not self.enabled,
            "unhealthy": not self.healthy,
        }
        return ", ".join(reason for reason, is_so in reasons.items() if is_so)


class UtilityRow(msgspec.Struct, frozen=True, kw_only=True):
    """A utility with its preferences. `version` is its stream's; `changed_at` (UTC) is of its last
    event."""

    utility: str
    name: str
    sort_name: str
    ranked: list[str]
    excluded: list[str]
    version: int
    changed_at: datetime
    changed_by: str
    comment: str
    meters: int = 0
    providers: list[PlacedProvider] = []


_COLUMNS = "utility, name, sort_name, ranked, excluded, version, changed_at, changed_by, comment"
_NAMES = _COLUMNS.split(", ")
# By id, too: that is how other pages and addresses name it.
_SEARCHED = "(strpos(sort_name, %(search)s) > 0 OR strpos(utility, %(search)s) > 0)"


def utilities_cursor(text: str, *, back: bool = False) -> Cursor:
    """Where a page of the list begins. Raises ValueError."""
    return cursor_of(text, KEYS, back=back)


async def utilities(
    reading: Reading, search: str, *, cursor: Cursor | None, limit: int
) -> Page[UtilityRow]:
    """Utilities by name; those with `search` anywhere in it, in any case, or in the id. Raises
    ValueError for a search that is too long or no text."""
    if len(search) > SEARCH_CHARACTERS_MAX or "\0" in search:
        raise ValueError(f"A search has at most {SEARCH_CHARACTERS_MAX} characters.")
    wanted = search.strip().casefold()
    page = await read_page(
        reading,
        select=f"SELECT {_COLUMNS} FROM {_UTILITY}",  # noqa: S608 (names are constants)
        conditions=[_SEARCHED] if wanted else [],
        keys=("sort_name", "utility"),
        descending=False,
        parameters={"search": wanted} if wanted else {},
        cursor=cursor,
        limit=limit,
        make=_row,
        key_of=lambda row: (row.sort_name, row.utility),
    )
    rows = await _with_providers(reading, page.rows)
    return Page(rows, page.earlier, page.later)


async def utility_row(reading: Reading, utility: str) -> UtilityRow | None:
    """The one with this id."""
    found = await reading.rows(
        f"SELECT {_COLUMNS} FROM {_UTILITY} WHERE utility = %s",  # noqa: S608 (as above)
        (utility,),
    )
    rows = await _with_providers(reading, [_row(values) for values in found])
    return rows[0] if rows else None


async def all_preferences(reading: Reading) -> list[UtilityRow]:
    """Every utility by name, without counts and providers. Raises ValueError when there are more
    than EXPORTED_UTILITIES_MAX: a part of them must not pass for all."""
    found = await reading.rows(
        f"SELECT {_COLUMNS} FROM {_UTILITY} ORDER BY sort_name, utility LIMIT %s",  # noqa: S608
        (EXPORTED_UTILITIES_MAX + 1,),
    )
    if len(found) > EXPORTED_UTILITIES_MAX:
        raise ValueError(f"there are more than {EXPORTED_UTILITIES_MAX:,} utilities")
    return [_row(values) for values in found]


def _row(values: Sequence[Any]) -> UtilityRow:
    return UtilityRow(**dict(zip(_NAMES, values, strict=True)))


_Counts = tuple[int, int, int]
"""Meters that a provider supports, doesn't support, and owes an answer about."""


async def _with_providers(reading: Reading, rows: Iterable[UtilityRow]) -> list[UtilityRow]:
    listed = list(rows)
    keys = [row.utility for row in listed]
    if not keys:
        return []
    meters = await reading.rows(
        f"SELECT utility, meters FROM {_CONTRACT}.utility_meters WHERE utility = ANY(%s)",  # noqa: S608
        (keys,),
    )
    answers = await reading.rows(
        f"SELECT utility, provider, supported, not_supported, unconfirmed"  # noqa: S608
        f" FROM {_CONTRACT}.utility_support WHERE utility = ANY(%s)",
        (keys,),
    )
    count_of: dict[str, int] = {row[0]: row[1] for row in meters}
    support: dict[str, dict[str, _Counts]] = {key: {} for key in keys}
    for utility, provider, *counts in answers:
        support[utility][provider] = (counts[0], counts[1], counts[2])
    known = await providers(reading)
    return [
        msgspec.structs.replace(
            row,
            meters=count_of.get(row.utility, 0),
            providers=in_routing_order(row.ranked, row.excluded, known, support[row.utility]),
        )
        for row in listed
    ]


def in_routing_order(
    ranked: Sequence[str],
    excluded: Sequence[str],
    known: Iterable[ProviderStanding],
    support: Mapping[str, _Counts],
) -> list[PlacedProvider]:
    """All providers: the ranked in their order, the unranked and then the unconfirmed by weight,
    the excluded last."""
    standings = {one.provider: one for one in known}
    named = [*ranked, *standings, *support, *excluded]
    placed = [
        _placed(provider, ranked, excluded, standings.get(provider), support.get(provider))
        for provider in dict.fromkeys(named)
    ]
    order = list(Place)
    return sorted(
        placed,
        key=lambda one: (order.index(one.place), one.rank or 0, -one.weight, one.name.casefold()),
    )


def _placed(
    provider: str,
    ranked: Sequence[str],
    excluded: Sequence[str],
    standing: ProviderStanding | None,
    counts: _Counts | None,
) -> PlacedProvider:
    supported, not_supported, unconfirmed = counts or (0, 0, 0)
    if provider in excluded:
        place = Place.EXCLUDED
    elif provider in ranked:
        place = Place.RANKED
    else:
        place = Place.UNRANKED if supported else Place.UNCONFIRMED
    return PlacedProvider(
        provider=provider,
        name=standing.label if standing is not None else provider,
        place=place,
        rank=ranked.index(provider) + 1 if place is Place.RANKED else None,
        weight=standing.weight if standing is not None else 0,
        enabled=standing is None or standing.enabled,
        healthy=standing is None or standing.healthy,
        configured=standing is not None,
        supported=supported,
        not_supported=not_supported,
        unconfirmed=unconfirmed,
    )
