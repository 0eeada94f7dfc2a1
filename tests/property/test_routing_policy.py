"""What holds of the routing policy for any providers, preferences and draws."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from domain.routing import DRAW_MAX, Because, Route, Standing, Support, Verdict, route

NAMES = [f"p{number}" for number in range(8)]
DRAWS = st.integers(0, DRAW_MAX - 1)
SOME = st.lists(st.sampled_from([*NAMES, "gone"]), unique=True, max_size=5)


@st.composite
def standings(draw: st.DrawFn) -> tuple[Standing, ...]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    one = st.builds(
        Standing,
        st.just(""),
        weight=st.integers(0, 100),
        enabled=st.booleans(),
        healthy=st.booleans(),
    )
    made = [draw(one) for _ in names]
    return tuple(
        Standing(name, s.weight, s.enabled, s.healthy) for name, s in zip(names, made, strict=True)
    )


@given(
    standings(),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Support)),
    DRAWS,
    SOME,
    SOME,
    SOME,
)
def test_every_provider_stands_once_with_a_true_reason(
    known: tuple[Standing, ...],
    support: dict[str, Support],
    draw: int,
    preference: list[str],
    ranked: list[str],
    excluded: list[str],
) -> None:
    def decide() -> Route:
        return route(
            known,
            support,
            draw=draw,
            meter_preference=preference,
            ranked=ranked,
            excluded=excluded,
        )

    decided = decide()
    assert decide() == decided, "the same draw gives the same route"

    by_name = {s.provider: s for s in known}
    assert sorted(c.provider for c in decided.candidates) == sorted(by_name)
    for candidate in decided.candidates:
        name = candidate.provider
        one = by_name[name]
        says = support.get(name, Support.UNCONFIRMED)
        usable = says is Support.SUPPORTED and name not in excluded and one.enabled and one.healthy
        true = {
            Because.METER_PREFERENCE: usable and name in preference,
            Because.UTILITY_RANKING: usable and name in ranked and name not in preference,
            Because.WEIGHT: usable and one.weight > 0,
            Because.NOT_SUPPORTED: says is Support.NOT_SUPPORTED,
            Because.UNCONFIRMED: says is Support.UNCONFIRMED,
            Because.EXCLUDED_BY_UTILITY: name in excluded,
            Because.DISABLED: not one.enabled,
            Because.UNHEALTHY: not one.healthy,
            Because.WEIGHT_ZERO: usable and one.weight == 0,
        }
        assert true[candidate.because], candidate
        preferred = name in preference or name in ranked
        assert (candidate.verdict is not Verdict.EXCLUDED) == (
            usable and (preferred or one.weight > 0)
        )
    used = [c for c in decided.candidates if c.verdict is not Verdict.EXCLUDED]
    precedence = [Because.METER_PREFERENCE, Because.UTILITY_RANKING, Because.WEIGHT]
    places = [precedence.index(c.because) for c in used]
    assert places == sorted(places)
    assert list(decided.candidates[: len(used)]) == used, "usable ones first"


WEIGHTS = {"a": 5, "b": 3, "c": 2}


def _shares(place: int, seed: int) -> Counter[str]:
    chance = random.Random(seed)
    known = [Standing(name, weight, True, True) for name, weight in WEIGHTS.items()]
    support = dict.fromkeys(WEIGHTS, Support.SUPPORTED)
    return Counter(
        route(known, support, draw=chance.randrange(DRAW_MAX)).order[place] for _ in range(10_000)
    )


def test_ten_thousand_draws_share_by_weight_within_two_percent() -> None:
    shares = _shares(place=0, seed=20260301)
    for name, weight in WEIGHTS.items():
        assert abs(shares[name] / 10_000 - weight / 10) < 0.02, shares


def test_the_second_place_is_shared_by_weight_too() -> None:
    """Without replacement: b is second after a (5/10 · 3/5) or after c (2/10 · 3/8)."""
    shares = _shares(place=1, seed=20260302)
    expected = {"a": 3 / 10 * 5 / 7 + 2 / 10 * 5 / 8, "b": 0.3 + 0.075, "c": 0.2 + 0.3 * 2 / 7}
    for name, share in expected.items():
        assert abs(shares[name] / 10_000 - share) < 0.02, (shares, expected)


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=6), DRAWS)
def test_a_draw_falls_to_the_provider_in_whose_share_it_lies(weights: list[int], draw: int) -> None:
    known = [Standing(str(index), weight, True, True) for index, weight in enumerate(weights)]
    decided = route(known, dict.fromkeys(map(str, range(6)), Support.SUPPORTED), draw=draw)
    point = draw / DRAW_MAX * sum(weights)
    chosen = int(decided.chosen or -1)
    below = sum(weights[:chosen])
    assert below <= point + 1e-6
    assert point < below + weights[chosen] + 1e-6
    assert sorted(decided.order) == [str(index) for index in range(len(weights))]
