"""A utility's past purchases, and where they would have gone with other preferences."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.event import Event
from domain.message import message_stream
from domain.provider import Provider, provider_stream
from domain.purchase import PurchaseRouted
from domain.routing import Route, Support
from domain.routing_preview import Hidden, Moves, decided_again, excluded_then
from projections.contract_table import ContractTable
from projections.history import History
from projections.projection import schema_of
from projections.reading import Reading
from projections.transactions import Transactions

PURCHASES_MAX = 5_000
"""The latest so many of the time asked for are looked at."""
COUNTED_MAX = 100_000
"""So many are counted; what is beyond is only told to be more."""
STREAMS_AT_ONCE = 50
"""Few, because lookups and purchases read their streams through the same door."""

_CONTRACT = schema_of(ContractTable.name)
_PURCHASES = (
    f"FROM {schema_of(Transactions.name)}.transaction"
    " WHERE utility = %(utility)s AND kind = 'PURCHASE'"
    " AND requested_at >= %(begins)s AND requested_at < %(ends)s"
)

_Meter = tuple[str, str]
"""Utility type and number."""


class Preview(msgspec.Struct, frozen=True):
    """What came out: `counted` purchases were made, the latest of them are in `moves`."""

    counted: int
    moves: Moves

    @property
    def complete(self) -> bool:
        return self.moves.purchases >= self.counted


class RoutingTraffic:
    """Previews, one at a time in a process: each keeps it busy for a while."""

    def __init__(
        self, reading: Reading, history: History, purchases_max: int = PURCHASES_MAX
    ) -> None:
        self._reading = reading
        self._history = history
        self._purchases_max = purchases_max
        self._turn = asyncio.Semaphore(1)

    async def preview(
        self,
        utility: str,
        begins: datetime,
        ends: datetime,
        ranked: Sequence[str],
        excluded: Sequence[str],
    ) -> Preview:
        """What other preferences of `utility` would have moved among its purchases from `begins`
        up to before `ends` (UTC). Raises the database's and the ledger's errors."""
        wanted = {"utility": utility, "begins": begins, "ends": ends}
        async with self._turn:
            counted = await self._reading.rows(
                f"SELECT count(*) FROM (SELECT {_PURCHASES} LIMIT %(most)s) AS found",  # noqa: S608
                {**wanted, "most": COUNTED_MAX},
            )
            rows = await self._reading.rows(
                f"SELECT message_id, utility_type, meter {_PURCHASES}"
                " ORDER BY requested_at DESC, position DESC LIMIT %(most)s",
                {**wanted, "most": self._purchases_max},
            )
            hidden = _Unrecorded(self._reading, self._history, frozenset(excluded))
            moves = Moves()
            for at in range(0, len(rows), STREAMS_AT_ONCE):
                for routed, unrecorded in await self._routed(
                    rows[at : at + STREAMS_AT_ONCE], hidden
                ):
                    again = decided_again(routed, unrecorded, ranked, excluded)
                    moves.add(routed.chosen, again.chosen)
        return Preview(counted[0][0], moves)

    async def _routed(
        self, rows: Sequence[tuple[str, str, str]], hidden: "_Unrecorded"
    ) -> list[tuple[Route, dict[str, Hidden]]]:
        """The decisions about these purchases, and what they don't tell."""
        recorded = await asyncio.gather(
            *(self._history.of(message_stream(message_id)) for message_id, _, _ in rows)
        )
        routed = [
            (event, (utility_type, number))
            for entries, (_, utility_type, number) in zip(recorded, rows, strict=True)
            for event in (entry.event for entry in entries)
            if isinstance(event, PurchaseRouted)
        ]
        await hidden.learn(routed)
        return [(event.route, hidden.of(event, meter)) for event, meter in routed]


class _Unrecorded:
    """What decisions don't tell of the providers that were excluded: as the contract table has it
    now, and the providers' availability as it was then. Those that stay excluded don't matter."""

    def __init__(self, reading: Reading, history: History, still_excluded: frozenset[str]) -> None:
        self._reading = reading
        self._history = history
        self._still = still_excluded
        self._support: dict[tuple[_Meter, str], Support] = {}
        self._preference: dict[_Meter, list[str]] = {}
        self._states: dict[str, tuple[list[datetime], list[Provider]]] = {}

    async def learn(self, routed: Sequence[tuple[PurchaseRouted, _Meter]]) -> None:
        """Reads what `of` needs to know of these decisions."""
        meters = {meter for event, meter in routed if self._freed(event)} - set(self._preference)
        for provider in {name for event, _ in routed for name in self._freed(event)}:
            if provider not in self._states:
                self._states[provider] = await self._past(provider)
        if not meters:
            return
        keys = ([kind for kind, _ in meters], [number for _, number in meters])
        asked = "unnest(%s::text[], %s::text[]) AS k (t, n) ON utility_type = t AND number = n"
        self._preference |= {meter: [] for meter in meters}
        for kind, number, preference in await self._reading.rows(
            f"SELECT utility_type, number, preference FROM {_CONTRACT}.meter JOIN {asked}",  # noqa: S608
            keys,
        ):
            self._preference[kind, number] = preference
        for kind, number, provider, status in await self._reading.rows(
            f"SELECT utility_type, number, provider, status FROM {_CONTRACT}.support JOIN {asked}",  # noqa: S608
            keys,
        ):
            self._support[(kind, number), provider] = Support(status)

    def of(self, event: PurchaseRouted, meter: _Meter) -> dict[str, Hidden]:
        """By provider."""
        return {name: self._hidden(name, meter, event.at) for name in self._freed(event)}

    def _freed(self, event: PurchaseRouted) -> list[str]:
        return [name for name in excluded_then(event.route) if name not in self._still]

    def _hidden(self, provider: str, meter: _Meter, at: datetime) -> Hidden:
        times, states = self._states[provider]
        state = states[bisect_right(times, at)]
        preference = self._preference[meter]
        return Hidden(
            support=self._support.get((meter, provider), Support.UNCONFIRMED),
            enabled=state.enabled,
            healthy=state.healthy,
            preferred=preference.index(provider) + 1 if provider in preference else None,
        )

    async def _past(self, provider: str) -> tuple[list[datetime], list[Provider]]:
        """The moments at which the provider changed, and how it was before the first and after
        each."""
        times: list[datetime] = []
        states = [Provider(provider=provider)]
        for entry in await self._history.of(provider_stream(provider)):
            assert isinstance(entry.event, Event)
            # Clocks of several processes may differ a little; the stream's order is the true one.
            times.append(max(entry.event.at, times[-1] if times else entry.event.at))
            states.append(states[-1].after(entry.event, entry.version))
        return times, states
