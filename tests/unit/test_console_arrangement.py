"""Preferences while they are edited: by drag, by steps, by number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.routing.arrangement import Arrangement, Zone

PROVIDERS = ("a", "b", "c", "d", "e")


def arrangement() -> Arrangement:
    return Arrangement(PROVIDERS, ["c", "a"], ["e"])


def test_who_is_neither_ranked_nor_excluded_is_unranked() -> None:
    assert arrangement().zones == {
        Zone.RANKED: ["c", "a"],
        Zone.UNRANKED: ["b", "d"],
        Zone.EXCLUDED: ["e"],
    }


def test_a_drop_goes_before_what_it_was_dropped_on_or_to_the_end() -> None:
    one = arrangement()
    one.put("a", Zone.RANKED, "c")
    assert one.ranked == ("a", "c")
    one.put("e", Zone.RANKED, "c")
    assert (one.ranked, one.excluded) == (("a", "e", "c"), ())
    one.put("a", Zone.RANKED)
    assert one.ranked == ("e", "c", "a")
    one.put("a", Zone.EXCLUDED, "a provider that is not there any more")
    assert (one.ranked, one.excluded) == (("e", "c"), ("a",))


def test_dropped_on_itself_it_stays() -> None:
    one = arrangement()
    one.put("c", Zone.RANKED, "c")
    assert one.ranked == ("c", "a")


@pytest.mark.parametrize(
    ("place", "ranked"),
    [(1, "dca"), (2, "cda"), (3, "cad"), (99, "cad"), (-5, "dca")],
)
def test_a_number_ranks_from_anywhere(place: int, ranked: str) -> None:
    one = arrangement()
    one.rank("d", place)
    assert "".join(one.ranked) == ranked
    assert one.zones[Zone.UNRANKED] == ["b"]


def test_steps_end_at_both_ends() -> None:
    one = arrangement()
    one.step("a", -1)
    assert one.ranked == ("a", "c")
    one.step("a", -1)
    assert one.ranked == ("a", "c")
    one.step("a", 1)
    one.step("a", 1)
    assert one.ranked == ("c", "a")


def test_an_unknown_provider_is_refused_and_changes_nothing() -> None:
    one = arrangement()
    with pytest.raises(ValueError, match="no such provider: z"):
        one.put("z", Zone.RANKED)
    with pytest.raises(ValueError, match="no such provider: z"):
        one.rank("z", 1)
    assert one.zones == arrangement().zones


@given(
    st.lists(
        st.tuples(
            st.sampled_from(PROVIDERS), st.sampled_from(Zone), st.sampled_from([*PROVIDERS, None])
        )
    )
)
def test_whatever_is_moved_every_provider_stands_once(
    moves: list[tuple[str, Zone, str | None]],
) -> None:
    one = arrangement()
    for provider, zone, before in moves:
        one.put(provider, zone, before)
        assert one.zone_of(provider) is zone or before == provider
    assert sorted(name for members in one.zones.values() for name in members) == list(PROVIDERS)
