"""The routing policy: which provider sells, who is next, and why not the others.

A pure function of what is known: the meter's support answers, preferences, weights, availability
and one random number. Order of precedence: meter preference, then the utility's ranking, then
load-balancer weights; always only among providers that support the meter, are not excluded by the
utility and are available.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

DRAW_MAX = 2**32
"""A draw is a whole number from 0 to DRAW_MAX - 1."""

# Knuth's multiplicative constant: turns one draw into the next when several weighted picks are
# needed, so that one recorded number explains the whole order.
_NEXT_DRAW_FACTOR = 2654435761


class Support(StrEnum):
    """Whether a provider serves a meter, as far as is known."""

    SUPPORTED = "SUPPORTED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    UNCONFIRMED = "UNCONFIRMED"


class Verdict(StrEnum):
    CHOSEN = "CHOSEN"
    NEXT = "NEXT"
    EXCLUDED = "EXCLUDED"


class Because(StrEnum):
    """Why a candidate stands where it stands."""

    METER_PREFERENCE = "METER_PREFERENCE"
    UTILITY_RANKING = "UTILITY_RANKING"
    WEIGHT = "WEIGHT"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    UNCONFIRMED = "UNCONFIRMED"
    EXCLUDED_BY_UTILITY = "EXCLUDED_BY_UTILITY"
    DISABLED = "DISABLED"
    UNHEALTHY = "UNHEALTHY"
    WEIGHT_ZERO = "WEIGHT_ZERO"


class Standing(msgspec.Struct, frozen=True):
    """A provider as the load balancer sees it."""

    provider: str
    weight: int
    enabled: bool
    healthy: bool


class Candidate(msgspec.Struct, frozen=True, omit_defaults=True):
    """One provider's place in a routing decision: `order` counts from 1 among the usable."""

    provider: str
    verdict: Verdict
    because: Because
    order: int | None = None
    rank: int | None = None
    weight: int | None = None


class Route(msgspec.Struct, frozen=True):
    """A routing decision with an explanation for every candidate, usable ones first in order."""

    candidates: tuple[Candidate, ...]
    draw: int

    @property
    def order(self) -> tuple[str, ...]:
        """The providers to use: the chosen one, then the next ones."""
        return tuple(c.provider for c in self.candidates if c.verdict is not Verdict.EXCLUDED)

    @property
    def chosen(self) -> str | None:
        return next(iter(self.order), None)

    def excluded(self, *reasons: Because) -> tuple[str, ...]:
        """The providers excluded for one of `reasons`."""
        return tuple(
            c.provider
            for c in self.candidates
            if c.verdict is Verdict.EXCLUDED and c.because in reasons
        )


def route(
    standings: Sequence[Standing],
    support: Mapping[str, Support],
    *,
    draw: int,
    meter_preference: Sequence[str] = (),
    ranked: Sequence[str] = (),
    excluded: Sequence[str] = (),
) -> Route:
    """Decides the order of providers for one meter.

    `draw` is uniform in 0 … DRAW_MAX - 1 and picks among unranked providers by weight. Every
    standing appears once in the result."""
    assert 0 <= draw < DRAW_MAX
    usable: dict[str, Standing] = {}
    out: list[Candidate] = []
    for standing in standings:
        because = _why_not(standing, support, excluded)
        if because is None:
            usable[standing.provider] = standing
        else:
            out.append(_excluded(standing, because))
    placed = [
        *_by_preference(usable, meter_preference, Because.METER_PREFERENCE),
        *_by_preference(usable, ranked, Because.UTILITY_RANKING),
    ]
    weighted, weightless = _by_weight(list(usable.values()), draw)
    ordered = [
        Candidate(
            provider=candidate.provider,
            verdict=Verdict.CHOSEN if index == 0 else Verdict.NEXT,
            because=candidate.because,
            order=index + 1,
            rank=candidate.rank,
            weight=candidate.weight,
        )
        for index, candidate in enumerate([*placed, *weighted])
    ]
    out += [_excluded(standing, Because.WEIGHT_ZERO) for standing in weightless]
    return Route(candidates=(*ordered, *out), draw=draw)


def _why_not(
    standing: Standing, support: Mapping[str, Support], excluded: Sequence[str]
) -> Because | None:
    known = support.get(standing.provider, Support.UNCONFIRMED)
    if known is Support.NOT_SUPPORTED:
        return Because.NOT_SUPPORTED
    if standing.provider in excluded:
        return Because.EXCLUDED_BY_UTILITY
    if known is Support.UNCONFIRMED:
        return Because.UNCONFIRMED
    if not standing.enabled:
        return Because.DISABLED
    if not standing.healthy:
        return Because.UNHEALTHY
    return None


def _by_preference(
    usable: dict[str, Standing], preferred: Sequence[str], because: Because
) -> list[Candidate]:
    """Takes the preferred providers out of `usable`, in order."""
    placed: list[Candidate] = []
    for rank, provider in enumerate(preferred, start=1):
        standing = usable.pop(provider, None)
        if standing is not None:
            placed.append(_placed(standing, because, rank))
    return placed


def _by_weight(standings: list[Standing], draw: int) -> tuple[list[Candidate], list[Standing]]:
    """A weighted order of the rest without replacement, and those whose weight is zero."""
    # In an order of its own, so that the draw alone decides, and not how the providers came.
    pool = sorted((s for s in standings if s.weight > 0), key=lambda s: s.provider)
    placed: list[Candidate] = []
    while pool:
        at = draw * sum(standing.weight for standing in pool) // DRAW_MAX
        for index, standing in enumerate(pool):
            at -= standing.weight
            if at < 0:
                placed.append(_placed(standing, Because.WEIGHT, None))
                del pool[index]
                break
        draw = (draw * _NEXT_DRAW_FACTOR + 1) % DRAW_MAX
    return placed, [standing for standing in standings if standing.weight <= 0]


def _placed(standing: Standing, because: Because, rank: int | None) -> Candidate:
    return Candidate(
        provider=standing.provider,
        verdict=Verdict.NEXT,
        because=because,
        rank=rank,
        weight=standing.weight,
    )


def _excluded(standing: Standing, because: Because) -> Candidate:
    return Candidate(
        provider=standing.provider,
        verdict=Verdict.EXCLUDED,
        because=because,
        weight=standing.weight,
    )
