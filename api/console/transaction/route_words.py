"""The routing decision: every candidate, its verdict, and the reason in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.console.transaction.words import Words
from domain.event import Event
from domain.lookup import LookupRouted
from domain.purchase import PurchaseRouted
from domain.routing import DRAW_MAX, Because, Candidate, Route, Verdict
from domain.service import ServiceRouted

_REASONS = {
    Because.NOT_SUPPORTED: "does not serve this meter",
    Because.UNCONFIRMED: "has not said yet whether it serves this meter",
    Because.EXCLUDED_BY_UTILITY: "is excluded by the utility's preferences",
    Because.DISABLED: "was disabled",
    Because.UNHEALTHY: "was unhealthy",
    Because.WEIGHT_ZERO: "has weight 0, and neither the meter nor the utility prefers it",
}
_VERDICTS = {
    Verdict.CHOSEN: "first",
    Verdict.NEXT: "next",
    Verdict.EXCLUDED: "left out",
}


@dataclass(frozen=True)
class Choice:
    """A candidate as the page shows it."""

    order: int | None
    provider: str
    verdict: str
    reason: str
    code: str
    weight: int | None


@dataclass(frozen=True)
class Routing:
    """`draw` says how chance came in; empty where it did not."""

    utility: str
    choices: tuple[Choice, ...]
    draw: str
    offering: str = ""


def routing_of(events: Sequence[Event], words: Words) -> Routing | None:
    """The decision among `events`, if there is one."""
    for event in events:
        match event:
            case PurchaseRouted() | ServiceRouted():
                utility = event.utility_name or event.utility or "no utility"
                offering = ""
                if isinstance(event, ServiceRouted):
                    offering = f"Offered by {words.providers(event.offering)}."
                return _routing(event.route, utility, words, offering)
            case LookupRouted():
                return _routing(event.route, "", words)
            case _:
                pass
    return None


def _routing(route: Route, utility: str, words: Words, offering: str = "") -> Routing:
    choices = tuple(
        Choice(
            order=candidate.order,
            provider=words.provider(candidate.provider),
            verdict=_VERDICTS[candidate.verdict],
            reason=_reason(candidate, utility),
            code=candidate.because.value,
            weight=candidate.weight,
        )
        for candidate in route.candidates
    )
    return Routing(utility, choices, _draw(route), offering)


def _reason(candidate: Candidate, utility: str) -> str:
    match candidate.because:
        case Because.METER_PREFERENCE:
            return f"rank {candidate.rank} of the meter's own preference"
        case Because.UTILITY_RANKING:
            return f"rank {candidate.rank} of {utility or 'the utility'}"
        case Because.WEIGHT:
            return f"drawn by weight ({candidate.weight})"
        case _:
            return _REASONS[candidate.because]


def _draw(route: Route) -> str:
    drawn = [one for one in route.candidates if one.because is Because.WEIGHT]
    if not drawn:
        return "Chance had no part in it."
    total = sum(one.weight or 0 for one in drawn)
    share = route.draw / DRAW_MAX
    return (
        f"The draw was {route.draw} of {DRAW_MAX} ({share:.4f}), among weights that add up to "
        f"{total}. The same draw and weights give the same order again."
    )
