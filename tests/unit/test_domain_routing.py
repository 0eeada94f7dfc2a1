"""The routing policy as a decision table: one case per row."""

from dataclasses import dataclass

import pytest

from domain.routing import DRAW_MAX, Because, Candidate, Standing, Support, Verdict, route

YES, NO, SILENT = Support.SUPPORTED, Support.NOT_SUPPORTED, Support.UNCONFIRMED
HIGHEST = DRAW_MAX - 1


def standing(provider: str, weight: int = 1, *, on: bool = True, well: bool = True) -> Standing:
    return Standing(provider, weight, on, well)


@dataclass(frozen=True)
class Row:
    """`order`: who is used, with why; `out`: who is not, with why."""

    says: str
    standings: tuple[Standing, ...]
    order: tuple[tuple[str, Because], ...]
    out: dict[str, Because]
    support: dict[str, Support] | None = None
    preference: tuple[str, ...] = ()
    ranked: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    draw: int = 0


ABC = (standing("a", 5), standing("b", 3), standing("c", 2))
PREFERRED, RANKED, WEIGHED = (
    Because.METER_PREFERENCE,
    Because.UTILITY_RANKING,
    Because.WEIGHT,
)

TABLE = [
    Row(
        "the meter's preference comes before the utility's ranking, and that before the weights",
        ABC,
        (("c", PREFERRED), ("b", RANKED), ("a", WEIGHED)),
        {},
        preference=("c",),
        ranked=("b",),
    ),
    Row(
        "a provider both preferred and ranked stands once, for the preference",
        ABC,
        (("b", PREFERRED), ("c", RANKED), ("a", WEIGHED)),
        {},
        preference=("b",),
        ranked=("b", "c"),
    ),
    Row(
        "without preferences the weights decide: a low draw falls to the first",
        ABC,
        (("a", WEIGHED), ("b", WEIGHED), ("c", WEIGHED)),
        {},
        draw=0,
    ),
    Row(
        "without preferences the weights decide: the highest draw falls to the last",
        ABC,
        (("c", WEIGHED), ("a", WEIGHED), ("b", WEIGHED)),
        {},
        draw=HIGHEST,
    ),
    Row(
        "rank 1 first, rank 2 next",
        ABC,
        (("c", RANKED), ("a", RANKED), ("b", WEIGHED)),
        {},
        ranked=("c", "a"),
    ),
    Row(
        "rank 1 down: rank 2 is chosen",
        (standing("a"), standing("b"), standing("c", well=False)),
        (("a", RANKED), ("b", WEIGHED)),
        {"c": Because.UNHEALTHY},
        ranked=("c", "a"),
    ),
    Row(
        "the preferred one down: the ranking goes on",
        (standing("a"), standing("b"), standing("c", on=False)),
        (("b", RANKED), ("a", WEIGHED)),
        {"c": Because.DISABLED},
        preference=("c",),
        ranked=("b",),
    ),
    Row(
        "every ranked one down: the weights apply",
        (standing("a", on=False), standing("b", well=False), standing("c")),
        (("c", WEIGHED),),
        {"a": Because.DISABLED, "b": Because.UNHEALTHY},
        ranked=("a", "b"),
    ),
    Row(
        "who doesn't serve the meter is out, however much preferred",
        ABC,
        (("b", WEIGHED), ("c", WEIGHED)),
        {"a": Because.NOT_SUPPORTED},
        support={"a": NO, "b": YES, "c": YES},
        preference=("a",),
        ranked=("a",),
    ),
    Row(
        "who has not confirmed is out, however much preferred",
        ABC,
        (("b", WEIGHED), ("c", WEIGHED)),
        {"a": Because.UNCONFIRMED},
        support={"a": SILENT, "b": YES, "c": YES},
        preference=("a",),
    ),
    Row(
        "who was never asked counts as unconfirmed",
        ABC,
        (("a", WEIGHED),),
        {"b": Because.UNCONFIRMED, "c": Because.UNCONFIRMED},
        support={"a": YES},
    ),
    Row(
        "who is excluded is out, even if the only one up",
        (standing("a"), standing("b", on=False), standing("c", well=False)),
        (),
        {"a": Because.EXCLUDED_BY_UTILITY, "b": Because.DISABLED, "c": Because.UNHEALTHY},
        excluded=("a",),
    ),
    Row(
        "who is excluded is out, even if the meter prefers it",
        ABC,
        (("b", WEIGHED), ("c", WEIGHED)),
        {"a": Because.EXCLUDED_BY_UTILITY},
        preference=("a",),
        excluded=("a",),
    ),
    Row(
        "who is disabled is out, rank 1 included",
        (standing("a", on=False), standing("b")),
        (("b", WEIGHED),),
        {"a": Because.DISABLED},
        ranked=("a",),
    ),
    Row(
        "who is unhealthy is out, rank 1 included",
        (standing("a", well=False), standing("b")),
        (("b", WEIGHED),),
        {"a": Because.UNHEALTHY},
        ranked=("a",),
    ),
    Row(
        "weight zero gets no share",
        (standing("a", 0), standing("b", 1)),
        (("b", WEIGHED),),
        {"a": Because.WEIGHT_ZERO},
    ),
    Row(
        "weight zero gets no share, even if the only one up",
        (standing("a", 0), standing("b", 1, well=False)),
        (),
        {"b": Because.UNHEALTHY, "a": Because.WEIGHT_ZERO},
    ),
    Row(
        "weight zero is a share of the rest; who is ranked needs none",
        (standing("a", 0), standing("b", 1)),
        (("a", RANKED), ("b", WEIGHED)),
        {},
        ranked=("a",),
    ),
    Row("nobody at all: no route", (), (), {}),
    Row(
        "preferences for providers that are gone are passed over",
        (standing("a"),),
        (("a", WEIGHED),),
        {},
        preference=("gone",),
        ranked=("gone too",),
        excluded=("long gone",),
    ),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.says)
def test_who_sells_and_why_not_the_others(row: Row) -> None:
    support = row.support
    if support is None:
        support = {s.provider: YES for s in row.standings}
    decided = route(
        row.standings,
        support,
        draw=row.draw,
        meter_preference=row.preference,
        ranked=row.ranked,
        excluded=row.excluded,
    )
    used = [c for c in decided.candidates if c.verdict is not Verdict.EXCLUDED]
    out = [c for c in decided.candidates if c.verdict is Verdict.EXCLUDED]

    assert tuple((c.provider, c.because) for c in used) == row.order
    assert {c.provider: c.because for c in out} == row.out
    assert [c.verdict for c in used] == [Verdict.CHOSEN, *[Verdict.NEXT] * (len(used) - 1)][
        : len(used)
    ]
    assert [c.order for c in used] == list(range(1, len(used) + 1))
    assert decided.chosen == (row.order[0][0] if row.order else None)


def test_a_candidate_shows_its_rank_and_weight() -> None:
    decided = route(ABC, dict.fromkeys("abc", YES), draw=7, ranked=("gone", "b"))
    assert decided.candidates[0] == Candidate(
        provider="b", verdict=Verdict.CHOSEN, because=RANKED, order=1, rank=2, weight=3
    )
    assert decided.draw == 7


def test_the_excluded_can_be_asked_for_by_reason() -> None:
    standings = (standing("a", on=False), standing("b", well=False), standing("c"))
    decided = route(standings, dict.fromkeys("abc", YES), draw=0)
    assert decided.excluded(Because.DISABLED) == ("a",)
    assert decided.excluded(Because.DISABLED, Because.UNHEALTHY) == ("a", "b")
    assert decided.excluded(Because.WEIGHT) == (), "the chosen one is not excluded"
