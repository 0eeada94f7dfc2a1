"""Matching, rule by rule."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from finance.process.matching import Matching, Tolerance
from finance.recon.match import Matched, Pinned, match
from finance.recon.status import field_names
from tests.brute_matching import Told
from tests.recon_office import DAY, frame, numbered, sale

Records = list[dict[str, Any]]
OURS, THEIRS = 1 << 32, 2 << 32


def a(line: int) -> int:
    """The ref of our record in that line."""
    return OURS + 2 * line


def z(line: int) -> int:
    """The ref of their record in that line."""
    return THEIRS + 2 * line


def outcome(matched: Matched) -> Told:
    """The result in the form of the brute-force matcher."""
    pairs = matched.pairs
    groups: dict[tuple[int, int], set[int]] = {}
    for side in matched.duplicates:
        for ref, key, group in zip(*(part.tolist() for part in side), strict=True):
            groups.setdefault((key, group), set()).add(ref)
    return Told(
        {
            (left, right): (key, frozenset(field_names(fields)))
            for left, right, key, fields in zip(*(part.tolist() for part in pairs[:4]), strict=True)
        },
        {(key, frozenset(refs)) for (key, _), refs in groups.items()},
        {ref for side in matched.alone for ref in side.refs.tolist()},
    )


def matched(
    ours: Sequence[dict[str, Any]],
    theirs: Sequence[dict[str, Any]],
    matching: Matching | None = None,
    pinned: Pinned | None = None,
) -> Told:
    mine, other = frame(numbered(ours, 1)), frame(numbered(theirs, 2))
    return outcome(match(mine, other, matching or Matching(), pinned or Pinned()))


def agreed(key: int = 0) -> tuple[int, frozenset[str]]:
    return key, frozenset()


def test_the_same_sale_on_both_sides_is_a_pair() -> None:
    assert matched([sale(1), sale(2)], [sale(2), sale(1)]) == Told(
        {(a(1), z(2)): agreed(), (a(2), z(1)): agreed()}, set(), set()
    )


def test_letters_case_and_punctuation_count_for_nothing() -> None:
    theirs = sale(1, transaction_id="0B77E6C18A3F4D219D2B000000000001", meter_id="0410 0000 001")
    assert matched([sale(1)], [theirs]).pairs == {(a(1), z(1)): agreed()}


def test_letters_beyond_ascii_are_letters() -> None:
    ours, theirs = sale(1, transaction_id="ärger-1"), sale(2, transaction_id="ÄRGER 1")
    other = sale(3, transaction_id="arger1")
    found = matched([ours], [theirs, other])
    assert set(found.pairs) == {(a(1), z(1))}


def test_many_kinds_of_sign_are_taken_out_as_well() -> None:
    ours = [
        sale(n, transaction_id=f"{sign}{n}") for n, sign in enumerate("!#$%&*+,-./:;<=>?@[]", 1)
    ]
    theirs = [sale(n, transaction_id=str(n)) for n in range(1, len(ours) + 1)]
    assert len(matched(ours, theirs).pairs) == len(ours)


@pytest.mark.parametrize("absent", [None, "", "--"])
def test_what_is_absent_is_no_key_and_no_difference(absent: str | None) -> None:
    gone = {"transaction_id": absent, "provider_reference": absent, "rrn": absent}
    assert matched([sale(1, **gone), sale(2, **gone)], [sale(1, **gone)]).alone == {
        a(1),
        a(2),
        z(1),
    }
    unnamed = sale(1, receiver_id=absent, tax_minor=None)
    assert matched([sale(1)], [unnamed]).pairs == {(a(1), z(1)): agreed()}


def test_keys_are_tried_in_order() -> None:
    theirs = [sale(1, transaction_id=None), sale(2, transaction_id=None, provider_reference=None)]
    found = matched([sale(1), sale(2)], theirs)
    keys = [
        ("provider_reference", "message_type"),
        ("rrn", "meter_id", "amount_minor", "business_date", "message_type"),
    ]
    numbers = [Matching().keys.index(key) for key in keys]
    assert found.pairs == {(a(1), z(1)): agreed(numbers[0]), (a(2), z(2)): agreed(numbers[1])}


def test_a_weaker_key_takes_nothing_that_a_better_one_gives_to_another() -> None:
    # Line 1 of theirs looks like our sale by meter, amount and day; line 2 has its id.
    theirs = [sale(1, transaction_id=None, provider_reference=None), sale(1)]
    found = matched([sale(1)], theirs)
    assert (found.pairs, found.alone) == ({(a(1), z(2)): agreed()}, {z(1)})


def test_a_purchase_is_not_its_reversal() -> None:
    both = [sale(1), sale(1, message_type="REVERSAL")]
    assert matched(both, both[::-1]).pairs == {(a(1), z(2)): agreed(), (a(2), z(1)): agreed()}


def test_a_sale_that_one_side_has_twice_goes_to_review_with_its_counterpart() -> None:
    found = matched([sale(1), sale(2)], [sale(1), sale(1), sale(2)])
    assert found.groups == {(0, frozenset({a(1), z(1), z(2)}))}
    assert found.pairs == {(a(2), z(3)): agreed()}


def test_what_one_side_has_twice_and_the_other_never_goes_to_review() -> None:
    assert matched([sale(1), sale(1)], [sale(2)]).groups == {(0, frozenset({a(1), a(2)}))}


def test_no_later_key_takes_what_is_in_review() -> None:
    # By reference our second sale would find their line; by id it can't be told from the first.
    ours = [sale(1), sale(1, provider_reference="OTHER")]
    found = matched(ours, [sale(9, provider_reference="OTHER", rrn=None)])
    assert (found.groups, found.alone) == ({(0, frozenset({a(1), a(2)}))}, {z(1)})


def test_a_million_records_of_one_key_are_one_group() -> None:
    count = 1_000_000
    ours = frame(numbered([sale(1)], 1)).iloc[np.zeros(count, np.int64)].reset_index(drop=True)
    ours["ref"] = OURS + 2 * np.arange(1, count + 1)
    found = match(ours, frame(numbered([sale(1)], 2)), Matching())
    assert [len(side.refs) for side in found.duplicates] == [count, 1]
    assert {*np.unique(found.duplicates[0].group), *found.duplicates[1].group} == {a(1)}


def test_nobody_on_one_side() -> None:
    assert matched([], [sale(1)]).alone == {z(1)}
    assert matched([sale(1)], []).alone == {a(1)}
    assert matched([], []) == Told({}, set(), set())


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"amount_minor": 1_001}, {"amount_minor"}),
        ({"meter_id": "04100009999"}, {"meter_id"}),
        ({"currency": "840", "tax_minor": 0}, {"currency", "tax_minor"}),
        ({"transaction_state": "REVERSED"}, {"transaction_state"}),
        ({"utility_type": "WATER"}, {"utility_type"}),
        ({"receiver_id": "other"}, {"receiver_id"}),
        ({"business_date": DAY + timedelta(days=1)}, set[str]()),
        ({"business_date": DAY - timedelta(days=2)}, {"business_date"}),
        ({"stan": "000001"}, set[str]()),
    ],
)
def test_a_pair_differs_in_the_fields_that_are_compared(
    changes: dict[str, Any], differs: set[str]
) -> None:
    assert matched([sale(1)], [sale(1, **changes)]).pairs == {(a(1), z(1)): (0, frozenset(differs))}


@pytest.mark.parametrize(
    ("tolerance", "theirs", "agrees"),
    [
        (Tolerance(cents=5), 10_005, True),
        (Tolerance(cents=5), 9_994, False),
        (Tolerance(percent=Decimal("0.5")), 10_050, True),
        (Tolerance(percent=Decimal("0.5")), 10_051, False),
        (Tolerance(cents=10, percent=Decimal("0.5")), 10_011, False),
        (Tolerance(cents=100, percent=Decimal("0.5")), 9_949, False),
        (Tolerance(percent=Decimal("0.009")), 10_001, False),
        (Tolerance(), 10_000, True),
        (Tolerance(days=3), 10_001, False),
    ],
)
def test_an_amount_agrees_within_its_tolerance(
    tolerance: Tolerance, theirs: int, agrees: bool
) -> None:
    matching = Matching(tolerances={"amount_minor": tolerance})
    found = matched([sale(10)], [sale(10, amount_minor=theirs)], matching)
    assert (found.pairs[a(1), z(1)][1] == set()) is agrees


def test_amounts_near_the_end_of_64_bits_are_exact() -> None:
    most = 2**63 - 1
    matching = Matching(tolerances={"amount_minor": Tolerance(percent=Decimal(1))})
    found = matched([sale(1, amount_minor=most)], [sale(1, amount_minor=-most)], matching)
    assert found.pairs == {(a(1), z(1)): (0, frozenset({"amount_minor"}))}


def test_units_are_compared_as_decimals() -> None:
    matching = Matching(compared=("units",))
    ours, theirs = sale(1, units="73.80"), [sale(1, units="73.8"), sale(1, units="73.81")]
    assert matched([ours], theirs[:1], matching).pairs == {(a(1), z(1)): agreed()}
    assert matched([ours], theirs[1:], matching).pairs == {(a(1), z(1)): (0, frozenset({"units"}))}


def test_what_people_paired_stays_paired_and_is_compared() -> None:
    pinned = Pinned(np.array([a(1)]), np.array([z(2)]))
    found = matched([sale(1), sale(2)], [sale(1), sale(2)], pinned=pinned)
    assert found.pairs == {
        (a(1), z(2)): (
            -1,
            frozenset({"amount_minor", "meter_id", "tax_minor"}),
        )
    }
    assert found.alone == {a(2), z(1)}


def test_what_people_paired_with_a_record_that_is_not_here_waits_for_it() -> None:
    pinned = Pinned(np.array([a(1)]), np.array([z(7)]))
    found = matched([sale(1)], [sale(1)], pinned=pinned)
    assert (found.pairs, found.alone) == ({}, {z(1)})


def test_what_people_took_apart_goes_on_to_the_next_key_and_never_comes_together() -> None:
    found = matched(
        [sale(1)],
        [sale(1), sale(1, transaction_id=None)],
        pinned=Pinned(forbidden=frozenset({(a(1), z(1))})),
    )
    # By reference there are two of theirs now.
    assert {refs for _, refs in found.groups} == {frozenset({a(1), z(1), z(2)})}
    alone = matched([sale(1)], [sale(1)], pinned=Pinned(forbidden=frozenset({(a(1), z(1))})))
    assert (alone.pairs, alone.alone) == ({}, {a(1), z(1)})


def test_what_is_taken_out_takes_no_part() -> None:
    pinned = Pinned(taken_out=np.array([z(2)]))
    found = matched([sale(1)], [sale(1), sale(1)], pinned=pinned)
    assert (found.pairs, found.groups, found.alone) == ({(a(1), z(1)): agreed()}, set(), set())
