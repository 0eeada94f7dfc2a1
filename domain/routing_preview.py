"""Routing decisions of the past, made again with other preferences of the utility.

A recorded decision tells nearly all that it was made from: who supported the meter, who was
enabled and healthy, the weights, the meter's preference and the draw. So the same policy gives
exactly what it would have decided then. Only of a provider that the utility excluded it tells no
more than its weight; that has to come from elsewhere.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from domain.routing import Because, Candidate, Route, Standing, Support, route


class Hidden(msgspec.Struct, frozen=True):
    """What a decision doesn't tell of a provider that was excluded: `preferred` is its place in the
    meter's own preference, from 1."""

    support: Support = Support.UNCONFIRMED
    enabled: bool = True
    healthy: bool = True
    preferred: int | None = None


class Moves(msgspec.Struct):
    """How the first choices of past purchases would change. `moved` counts by (provider then,
    provider now); None stands for no route."""

    purchases: int = 0
    moved: Counter[tuple[str | None, str | None]] = msgspec.field(
        default_factory=Counter[tuple[str | None, str | None]]
    )

    def add(self, then: str | None, now: str | None) -> None:
        """Takes in one purchase."""
        self.purchases += 1
        if then != now:
            self.moved[then, now] += 1

    @property
    def moved_purchases(self) -> int:
        return self.moved.total()


def decided_again(
    past: Route,
    hidden: Mapping[str, Hidden],
    ranked: Sequence[str],
    excluded: Sequence[str],
) -> Route:
    """The decision `past` with other preferences of the utility, all else as it was. `hidden` by
    provider; one that is missing there counts as unconfirmed."""
    preferred: list[tuple[int, str]] = []
    standings: list[Standing] = []
    support: dict[str, Support] = {}
    for candidate in past.candidates:
        name = candidate.provider
        known = _known(candidate, hidden.get(name))
        standings.append(Standing(name, candidate.weight or 0, known.enabled, known.healthy))
        support[name] = known.support
        if known.preferred is not None:
            preferred.append((known.preferred, name))
    return route(
        standings,
        support,
        draw=past.draw,
        meter_preference=[name for _, name in sorted(preferred)],
        ranked=ranked,
        excluded=excluded,
    )


def excluded_then(past: Route) -> tuple[str, ...]:
    """The providers that the utility excluded: those of which `hidden` has to tell."""
    return past.excluded(Because.EXCLUDED_BY_UTILITY)


def _known(candidate: Candidate, hidden: Hidden | None) -> Hidden:
    """What `candidate` says of its provider, in the same terms."""
    match candidate.because:
        case Because.EXCLUDED_BY_UTILITY:
            return hidden or Hidden()
        case Because.NOT_SUPPORTED:
            return Hidden(support=Support.NOT_SUPPORTED)
        case Because.UNCONFIRMED:
            return Hidden(support=Support.UNCONFIRMED)
        case Because.METER_PREFERENCE:
            return Hidden(support=Support.SUPPORTED, preferred=candidate.rank)
        case because:
            return Hidden(
                support=Support.SUPPORTED,
                enabled=because is not Because.DISABLED,
                healthy=because is not Because.UNHEALTHY,
            )
