"""Past decisions made again: with the same preferences the same, with others as the policy says."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.routing import Because, Route, Standing, Support, route
from domain.routing_preview import Hidden, Moves, decided_again, excluded_then
from tests.property.test_routing_policy import DRAWS, NAMES, SOME, standings

SUPPORT = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Support))
DISJOINT = st.tuples(SOME, SOME).map(lambda two: (two[0], [p for p in two[1] if p not in two[0]]))


def hidden_of(
    past: Route, known: tuple[Standing, ...], support: dict[str, Support], preference: list[str]
) -> dict[str, Hidden]:
    """What the contract table and the providers' streams would tell of the excluded."""
    by_name = {one.provider: one for one in known}
    return {
        name: Hidden(
            support.get(name, Support.UNCONFIRMED),
            by_name[name].enabled,
            by_name[name].healthy,
            preference.index(name) + 1 if name in preference else None,
        )
        for name in excluded_then(past)
    }


def ranked_then(past: Route) -> list[str]:
    """The ranking as far as a decision tells it: those that could be used for it."""
    used = [c for c in past.candidates if c.because is Because.UTILITY_RANKING]
    return [c.provider for c in sorted(used, key=lambda c: c.rank or 0)]


@given(standings(), SUPPORT, DRAWS, SOME, DISJOINT)
def test_with_unchanged_preferences_the_recorded_choice_comes_out_and_nothing_moves(
    known: tuple[Standing, ...],
    support: dict[str, Support],
    draw: int,
    preference: list[str],
    preferences: tuple[list[str], list[str]],
) -> None:
    ranked, excluded = preferences
    past = route(
        known, support, draw=draw, meter_preference=preference, ranked=ranked, excluded=excluded
    )
    moves = Moves()
    # Neither what is hidden of the excluded matters, nor those ranked that could not be used.
    for hidden in ({}, hidden_of(past, known, support, preference)):
        for ranking, exclusion in (
            (ranked, excluded),
            (ranked_then(past), excluded_then(past)),
        ):
            again = decided_again(past, hidden, ranking, exclusion)
            assert again.order == past.order
            assert {c.provider: (c.verdict, c.because) for c in again.candidates} == {
                c.provider: (c.verdict, c.because) for c in past.candidates
            }
            moves.add(past.chosen, again.chosen)
    assert (moves.purchases, moves.moved_purchases) == (4, 0)


@given(standings(), SUPPORT, DRAWS, SOME, DISJOINT, DISJOINT)
def test_with_other_preferences_it_comes_out_as_the_policy_would_have_decided(
    known: tuple[Standing, ...],
    support: dict[str, Support],
    draw: int,
    preference: list[str],
    then: tuple[list[str], list[str]],
    now: tuple[list[str], list[str]],
) -> None:
    def decide(preferences: tuple[list[str], list[str]]) -> Route:
        return route(
            known,
            support,
            draw=draw,
            meter_preference=preference,
            ranked=preferences[0],
            excluded=preferences[1],
        )

    past, wanted = decide(then), decide(now)
    hidden = hidden_of(past, known, support, preference)
    assert decided_again(past, hidden, *now).order == wanted.order


@given(st.randoms(use_true_random=False), standings(), SUPPORT, DRAWS)
def test_the_draw_alone_decides_and_not_the_order_of_the_providers(
    chance: Random, known: tuple[Standing, ...], support: dict[str, Support], draw: int
) -> None:
    shuffled = list(known)
    chance.shuffle(shuffled)
    assert route(shuffled, support, draw=draw).order == route(known, support, draw=draw).order


def test_moves_are_counted_by_where_from_and_where_to() -> None:
    moves = Moves()
    for then, now in (("a", "b"), ("a", "b"), ("a", "a"), ("b", None), (None, "a"), (None, None)):
        moves.add(then, now)
    assert moves.moved == {("a", "b"): 2, ("b", None): 1, (None, "a"): 1}
    assert (moves.purchases, moves.moved_purchases) == (6, 4)
