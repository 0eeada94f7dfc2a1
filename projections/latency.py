"""How long answers took, as a histogram: sums of histograms give percentiles over any window."""

from bisect import bisect_left
from collections.abc import Sequence

RATIO = 1.25
"""From one bound to the next, where they are far enough apart for whole milliseconds."""
_LONGEST_MS = 120_000


def _bounds() -> tuple[int, ...]:
    bounds = [0]
    while bounds[-1] < _LONGEST_MS:
        bounds.append(max(bounds[-1] + 1, int(bounds[-1] * RATIO)))
    return tuple(bounds)


BOUNDS_MS = _bounds()
"""The longest time (milliseconds) that each bucket takes; one more bucket takes all longer ones.
The stored arrays have this order: to change it, rebuild the read model."""
BUCKETS = len(BOUNDS_MS) + 1


def bucket(took_ms: int) -> int:
    """The bucket for a time in milliseconds; a clock that was put back counts as none."""
    return bisect_left(BOUNDS_MS, max(took_ms, 0))


def added(histograms: Sequence[Sequence[int]]) -> list[int]:
    """Their sum, bucket by bucket; empty if there are none."""
    return [sum(counts) for counts in zip(*histograms, strict=True)]


def percentile(histogram: Sequence[int], percent: int) -> float | None:
    """The time in milliseconds that `percent` of the answers did not exceed, wrong by no more than
    an eighth: the middle of the bucket that the answer of that rank is in. Beyond the last bound it
    is that bound. None without answers."""
    total = sum(histogram)
    rank = -(-total * percent // 100)
    for index, count in enumerate(histogram):
        rank -= count
        if count and rank <= 0:
            return _middle(index)
    return None


def _middle(index: int) -> float:
    if index >= len(BOUNDS_MS):
        return float(BOUNDS_MS[-1])
    if index == 0:
        return 0.0
    # Times are whole milliseconds, so the shortest that falls into the bucket is one more than the
    # bound below; the geometric middle is equally wrong, as a ratio, at both ends.
    return ((BOUNDS_MS[index - 1] + 1) * BOUNDS_MS[index]) ** 0.5
