"""Preferences while they are edited: which provider is ranked where, unranked, or excluded."""

from collections.abc import Iterable, Sequence
from enum import StrEnum


class Zone(StrEnum):
    """Where a provider can be put."""

    RANKED = "ranked"
    UNRANKED = "unranked"
    EXCLUDED = "excluded"


class Arrangement:
    """Every provider in one of three zones; only the order of the ranked has a meaning."""

    def __init__(
        self, providers: Iterable[str], ranked: Sequence[str], excluded: Sequence[str]
    ) -> None:
        self.zones: dict[Zone, list[str]] = {
            Zone.RANKED: list(ranked),
            Zone.UNRANKED: [p for p in providers if p not in ranked and p not in excluded],
            Zone.EXCLUDED: list(excluded),
        }

    @property
    def ranked(self) -> tuple[str, ...]:
        return tuple(self.zones[Zone.RANKED])

    @property
    def excluded(self) -> tuple[str, ...]:
        return tuple(self.zones[Zone.EXCLUDED])

    def zone_of(self, provider: str) -> Zone:
        """Raises ValueError for a provider that is in none."""
        for zone, members in self.zones.items():
            if provider in members:
                return zone
        raise ValueError(f"no such provider: {provider}")

    def put(self, provider: str, zone: Zone, before: str | None = None) -> None:
        """Moves a provider into `zone`, before another one there or to its end. Raises ValueError
        for a provider that is in no zone."""
        if provider == before:
            return
        self.zones[self.zone_of(provider)].remove(provider)
        members = self.zones[zone]
        members.insert(members.index(before) if before in members else len(members), provider)

    def rank(self, provider: str, place: int) -> None:
        """Makes a provider number `place`, from 1; beyond the end is the end. Raises ValueError."""
        self.zones[self.zone_of(provider)].remove(provider)
        self.zones[Zone.RANKED].insert(max(place, 1) - 1, provider)

    def step(self, provider: str, by: int) -> None:
        """Moves a ranked provider up (-1) or down (1); at the end it stays. Raises ValueError."""
        at = self.zones[Zone.RANKED].index(provider)
        self.rank(provider, at + 1 + by)
