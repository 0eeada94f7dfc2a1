"""A frame's charges are exactly those of its sales one by one."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sale import UtilityType
from finance.process.fee import Fee, Tier, check_fees
from finance.settle.charges import NO_RULE, charges, rules_for
from finance.settle.fees import NO_CHARGE, charge, rule_for

START = date(2026, 1, 1)
DAYS = st.integers(0, 40).map(lambda days: START + timedelta(days=days))
PERCENT = st.one_of(
    st.decimals(0, 100, places=2),
    st.decimals(0, 10, places=6),
    st.sampled_from(
        [Decimal(0), Decimal(100), Decimal("0.5"), Decimal("33.333333333333333333333333")]
    ),
)
CENTS = st.one_of(st.integers(0, 300), st.integers(0, 10**12))
RECEIVERS = st.sampled_from([None, "Tshwane", "eThekwini"])
TYPES = st.sampled_from([None, *UtilityType])


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    bounds = sorted(draw(st.sets(st.integers(1, 200_000), max_size=3)))
    return tuple(
        Tier(up_to_cents=bound, percent=draw(PERCENT), flat_cents=draw(st.integers(0, 500)))
        for bound in [*bounds, None]
    )


@st.composite
def fees(draw: st.DrawFn) -> Fee:
    tiered = draw(st.booleans())
    least = draw(st.integers(0, 200))
    since = draw(DAYS)
    return Fee(
        name=draw(st.uuids()).hex,
        since=since,
        until=draw(st.none() | st.integers(1, 30).map(lambda days: since + timedelta(days=days))),
        utility_type=draw(TYPES),
        receiver=draw(RECEIVERS),
        percent=Decimal(0) if tiered else draw(PERCENT),
        flat_cents=0 if tiered else draw(CENTS),
        tiers=draw(tiers()) if tiered else (),
        min_cents=least,
        cap_cents=draw(st.none() | st.integers(least, 10_000)),
        vat_percent=draw(PERCENT),
        vat_inclusive=draw(st.booleans()),
    )


SALES = st.lists(
    st.tuples(
        DAYS,
        TYPES.map(lambda kind: kind and kind.value),
        st.sampled_from([None, "", "TSHWANE", "Tshwane ", "ethekwini", "elsewhere"]),
        st.one_of(st.integers(0, 300_000), st.integers(0, 2**62)),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(fees(), max_size=5), SALES)
def test_a_frame_is_charged_as_its_sales_are(
    rules: list[Fee], sales: list[tuple[date, str | None, str | None, int]]
) -> None:
    check_fees(rules)
    kinds = list(dict.fromkeys(sale[:3] for sale in sales))
    kind = np.array([kinds.index(sale[:3]) for sale in sales], dtype=np.int64)
    principal = np.array([sale[3] for sale in sales], dtype=np.int64)
    found = charges(rules, rules_for(rules, kinds, kind), principal)
    for at, (day, utility_type, receiver, cents) in enumerate(sales):
        number = rule_for(rules, day, utility_type, receiver)
        expected = NO_CHARGE if number is None else charge(rules[number], cents)
        assert found.rule[at] == (NO_RULE if number is None else number)
        assert (found.commission[at], found.vat[at]) == expected


@settings(max_examples=200, deadline=None)
@given(fees(), st.integers(0, 10**9))
def test_a_charge_is_never_negative_and_keeps_to_its_bounds(rule: Fee, cents: int) -> None:
    taken = charge(rule, cents)
    assert taken.commission_cents >= 0
    assert taken.vat_cents >= 0
    whole = taken.commission_cents + (taken.vat_cents if rule.vat_inclusive else 0)
    assert rule.min_cents <= whole
    assert rule.cap_cents is None or whole <= rule.cap_cents
