"""Figures of providers: percentiles from histograms, shares, windows, where they are kept."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.text import milliseconds, percent
from projections.grain import GRAINS, HOUR, MINUTE, QUARTER, begin, slot, times
from projections.latency import BOUNDS_MS, BUCKETS, added, bucket, percentile
from projections.provider_figures import Figures
from projections.provider_standing import ProviderStanding, shares
from projections.window import WINDOWS

NOW = datetime(2026, 3, 1, 8, 7, 42, tzinfo=UTC)
ERROR = 0.125


def histogram(times_ms: list[int]) -> list[int]:
    counts = [0] * BUCKETS
    for took in times_ms:
        counts[bucket(took)] += 1
    return counts


@given(
    st.lists(st.integers(0, BOUNDS_MS[-1]), min_size=1, max_size=300),
    st.sampled_from([1, 50, 95, 99, 100]),
)
def test_a_percentile_is_that_of_the_times_within_an_eighth(
    times_ms: list[int], percent_of: int
) -> None:
    exact = sorted(times_ms)[-(-len(times_ms) * percent_of // 100) - 1]
    found = percentile(histogram(times_ms), percent_of)
    assert found is not None
    assert abs(found - exact) <= ERROR * exact


@given(st.lists(st.lists(st.integers(0, 200_000), max_size=50), min_size=1, max_size=5))
def test_the_sum_of_histograms_is_the_histogram_of_all(parts: list[list[int]]) -> None:
    everything = [took for part in parts for took in part]
    assert added([histogram(part) for part in parts]) == histogram(everything)


def test_times_beyond_all_bounds_and_none_at_all() -> None:
    assert percentile([0] * BUCKETS, 50) is None
    assert percentile(histogram([10_000_000]), 50) == BOUNDS_MS[-1]
    assert percentile(histogram([-5]), 50) == 0, "a clock that was put back"


def test_few_slow_answers_show_in_p99_and_not_in_p95() -> None:
    counts = histogram([10] * 97 + [20_000] * 3)
    fast, slow = percentile(counts, 95), percentile(counts, 99)
    assert fast is not None
    assert slow is not None
    assert fast < 12 < 17_000 < slow


def test_a_decline_is_an_answer_and_being_turned_away_is_none() -> None:
    figures = Figures(approved=6, declined=3, turned_away=1, unknown=1, not_sent=2)
    assert (figures.total, figures.answered) == (12, 8)
    assert figures.answered_percent == pytest.approx(100 * 8 / 12)
    assert figures.approved_percent == pytest.approx(75)
    assert Figures().answered_percent is None


def standing(provider: str, weight: int, **changes: bool) -> ProviderStanding:
    return ProviderStanding(
        provider=provider,
        name=provider,
        protocol="",
        capabilities=[],
        weight=weight,
        enabled=changes.get("enabled", True),
        healthy=changes.get("healthy", True),
        health_at=None,
        health_reason=None,
        changed=None,
        changed_at=None,
        changed_by=None,
        changed_comment=None,
        version=1,
    )


def test_shares_are_of_the_weights_of_those_that_may_be_used() -> None:
    four = [
        standing("a", 30),
        standing("b", 10),
        standing("off", 50, enabled=False),
        standing("sick", 50, healthy=False),
    ]
    assert shares(four) == {"a": 75.0, "b": 25.0, "off": 0.0, "sick": 0.0}
    assert shares(four[2:]) == {"off": 0.0, "sick": 0.0}


@pytest.mark.parametrize("key", WINDOWS)
def test_a_window_has_all_its_times_and_the_present_one_is_the_last(key: str) -> None:
    one = WINDOWS[key]
    found = one.times(NOW)
    assert len(found) == one.seconds // one.grain
    assert found[0] == one.since(NOW)
    assert found[-1] <= NOW < found[-1] + timedelta(seconds=one.grain)
    assert 0 < one.minutes(NOW) <= one.seconds / 60


def test_a_slot_is_used_again_only_after_the_longest_window() -> None:
    longest = {MINUTE: 3_600, QUARTER: 86_400, HOUR: 7 * 86_400}
    for grain in GRAINS:
        within = times(NOW - timedelta(seconds=longest[grain]), NOW, grain)
        assert len({slot(at, grain) for at in within}) == len(within)
    later = NOW + timedelta(days=2)
    assert slot(later, MINUTE) == slot(NOW, MINUTE)
    assert begin(later, MINUTE) != begin(NOW, MINUTE)
    years = NOW + timedelta(days=10_000)
    assert slot(years, HOUR) != slot(NOW, HOUR)


def test_a_percentage_says_all_only_when_it_is_all() -> None:
    assert percent(99.999) == "99.9 %"
    assert percent(100.0) == "100 %"
    assert percent(None) == "–"  # noqa: RUF001 (an en dash)
    assert (milliseconds(6.2), milliseconds(1_240)) == ("6 ms", "1.24 s")
