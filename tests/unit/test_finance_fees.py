"""Fees: which rule holds for a sale, what it takes, and how that is rounded."""

from datetime import date
from decimal import Decimal

import pytest

from domain.sale import UtilityType
from finance.process.fee import Fee, Tier, check_fees
from finance.settle.fees import Charge, charge, rule_for

SINCE = date(2026, 1, 1)
DAY = date(2026, 3, 17)


def fee(name: str = "f", since: date = SINCE, **settings: object) -> Fee:
    return Fee(name=name, since=since, **settings)  # pyright: ignore[reportArgumentType]


def pct(text: str) -> Decimal:
    return Decimal(text)


TIERS = (
    Tier(up_to_cents=10_000, percent=pct("3"), flat_cents=10),
    Tier(up_to_cents=50_000, percent=pct("2")),
    Tier(percent=pct("1"), flat_cents=5),
)


@pytest.mark.parametrize(
    ("rule", "principal", "commission", "vat"),
    [
        # Half up, once on the commission and once on its VAT of 15 %.
        (fee(percent=pct("2.5")), 10_000, 250, 38),  # 37.5
        (fee(percent=pct("2.5")), 9_999, 250, 38),  # 249.975
        (fee(percent=pct("2.5")), 10_020, 251, 38),  # 250.5, 37.65
        (fee(percent=pct("2.5")), 10_019, 250, 38),  # 250.475
        (fee(percent=pct("0.5")), 100, 1, 0),  # 0.5, 0.15
        (fee(percent=pct("0.5")), 99, 0, 0),  # 0.495
        (fee(percent=pct("1.005")), 10_000, 101, 15),  # 100.5, 15.15: no float has 1.005
        (fee(flat_cents=10), 5_000, 10, 2),  # 1.5
        (fee(percent=pct("1"), flat_cents=10), 5_000, 60, 9),
        (fee(percent=pct("1"), flat_cents=10), 0, 10, 2),
        # Nothing is charged on nothing.
        (fee(percent=pct("3")), 0, 0, 0),
        (fee(), 10_000, 0, 0),
        # Minimum and cap, also where they bite only after rounding would.
        (fee(percent=pct("1"), min_cents=50), 4_900, 50, 8),  # 7.5
        (fee(percent=pct("1"), min_cents=50), 5_050, 51, 8),  # 50.5, 7.65
        (fee(percent=pct("1"), cap_cents=50), 5_050, 50, 8),
        (fee(percent=pct("1"), cap_cents=50), 4_949, 49, 7),  # 49.49, 7.35
        (fee(percent=pct("1"), cap_cents=0), 5_000, 0, 0),
        # Tiers: each on its own part.
        (fee(tiers=TIERS), 0, 0, 0),
        (fee(tiers=TIERS), 1, 10, 2),  # 10.03
        (fee(tiers=TIERS), 10_000, 310, 47),  # 46.5
        (fee(tiers=TIERS), 10_001, 310, 47),  # 310.02
        (fee(tiers=TIERS), 10_025, 311, 47),  # 310.5, 46.65
        (fee(tiers=TIERS), 50_000, 1_110, 167),  # 310 + 800; 166.5
        (fee(tiers=TIERS), 50_001, 1_115, 167),  # + 5.01, 167.25
        (fee(tiers=TIERS), 150_000, 2_115, 317),  # + 1,000; 317.25
        (fee(tiers=TIERS, cap_cents=1_000), 150_000, 1_000, 150),
        # VAT inside the commission: 115 is 100 and 15.
        (fee(flat_cents=115, vat_inclusive=True), 5_000, 100, 15),
        (fee(flat_cents=100, vat_inclusive=True), 5_000, 87, 13),  # 13.04
        (fee(flat_cents=23, vat_inclusive=True, vat_percent=pct("100")), 5_000, 11, 12),
        (fee(flat_cents=3, vat_inclusive=True, vat_percent=pct("100")), 5_000, 1, 2),  # 1.5
        (fee(flat_cents=100, vat_percent=pct("0")), 5_000, 100, 0),
        (fee(flat_cents=100, vat_percent=pct("15.5")), 5_000, 100, 16),  # 15.5
    ],
)
def test_what_a_rule_takes(rule: Fee, principal: int, commission: int, vat: int) -> None:
    assert charge(rule, principal) == Charge(commission, vat)


GENERAL = fee("general", percent=pct("1"))
NEWER = fee("newer", date(2026, 3, 1), percent=pct("2"))
ENDED = fee("ended", date(2026, 3, 10), until=date(2026, 3, 17), percent=pct("9"))
WATER = fee("water", utility_type=UtilityType.WATER, percent=pct("3"))
TSHWANE = fee("tshwane", receiver="City of Tshwane", percent=pct("4"))
BOTH = fee("both", utility_type=UtilityType.WATER, receiver="City of Tshwane")
RULES = (GENERAL, NEWER, ENDED, WATER, TSHWANE, BOTH)


@pytest.mark.parametrize(
    ("day", "utility_type", "receiver", "name"),
    [
        (date(2025, 12, 31), "ELECTRICITY", None, None),
        (date(2026, 1, 1), "ELECTRICITY", None, "general"),
        (date(2026, 2, 28), "ELECTRICITY", "", "general"),
        (date(2026, 3, 1), "ELECTRICITY", "elsewhere", "newer"),
        (date(2026, 3, 10), "ELECTRICITY", None, "ended"),
        (date(2026, 3, 16), "ELECTRICITY", None, "ended"),
        (date(2026, 3, 17), "ELECTRICITY", None, "newer"),
        # What names more wins over what is newer.
        (DAY, "WATER", "elsewhere", "water"),
        (DAY, "GAS", "City of Tshwane", "tshwane"),
        (DAY, "GAS", " CITY OF TSHWANE", "tshwane"),
        (DAY, "WATER", "city of tshwane", "both"),
        (DAY, None, None, "newer"),
    ],
)
def test_which_rule_holds(
    day: date, utility_type: str | None, receiver: str | None, name: str | None
) -> None:
    found = rule_for(RULES, day, utility_type, receiver)
    assert (None if found is None else RULES[found].name) == name


def test_of_equal_rules_the_first_in_the_settings_holds() -> None:
    rules = (fee("a", percent=pct("1")), fee("b", percent=pct("2")))
    assert rule_for(rules, DAY, "WATER", None) == 0
    # One names the utility type, one the receiver: as specific as each other.
    assert rule_for((TSHWANE, WATER), DAY, "WATER", "City of Tshwane") == 0
    assert rule_for((WATER, TSHWANE), DAY, "WATER", "City of Tshwane") == 0


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ((fee("a"), fee("a")), "a name of its own"),
        ((fee(""),), "a name of its own"),
        ((fee(percent=pct("101")),), "from 0 to 100"),
        ((fee(percent=pct("-1")),), "from 0 to 100"),
        ((fee(percent=pct("NaN")),), "from 0 to 100"),
        ((fee(vat_percent=pct("-15")),), "from 0 to 100"),
        ((fee(flat_cents=-1),), "cents are from 0"),
        ((fee(min_cents=10, cap_cents=9),), "below min_cents"),
        ((fee(until=SINCE),), "not after since"),
        ((fee(percent=pct("1"), tiers=TIERS),), "belong into them"),
        ((fee(tiers=TIERS[:1]),), "last tier"),
        ((fee(tiers=(TIERS[1], TIERS[0], TIERS[2])),), "rise"),
        ((fee(tiers=(TIERS[2], TIERS[2])),), "rise"),
        ((fee(tiers=(*TIERS[:2], Tier(percent=pct("200")))),), "from 0 to 100"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(rules: tuple[Fee, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        check_fees(rules)
    assert f"fee {rules[-1].name!r}" in str(refused.value)


def test_rules_that_can_be_meant_pass() -> None:
    check_fees(RULES)
    check_fees(())
    check_fees([fee(tiers=TIERS)])
