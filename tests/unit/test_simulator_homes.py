"""Homes: meters that are made from their numbers."""

from collections import Counter

import msgspec
import pytest

from domain.sale import UtilityType
from providers.simulator.fleet import Fleet, FleetHomes
from providers.simulator.fleet_file import DEFAULT_FLEET, fleet_problems, load_fleet
from providers.simulator.homes import MeterBook, home, is_among, numbers_of
from providers.simulator.sts.drn import is_drn

HOMES = FleetHomes(
    utility="eskom",
    count=300,
    manufacturer="42",
    first_serial=500,
    providers=(("ipay",), ("contour", "ipay")),
    tariff="homelight-20a",
    suburbs=("Soweto", "Sandton"),
    in_debt_percent=20,
)


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(DEFAULT_FLEET)


def problems(fleet: Fleet, *homes: FleetHomes) -> list[str]:
    return list(fleet_problems(msgspec.structs.replace(fleet, homes=homes)))


def test_every_number_is_a_meter_number_and_there_is_no_other() -> None:
    numbers = list(numbers_of(HOMES))
    assert len(set(numbers)) == 300
    assert all(is_drn(number) and is_among(HOMES, number) for number in numbers)
    first = numbers[0]
    wrong_digit = first[:-1] + str((int(first[-1]) + 1) % 10)
    for number in (wrong_digit, "", "42", f"43{first[2:]}", f"{first}0", "4200000500x"):
        assert not is_among(HOMES, number)


def test_a_home_is_the_same_every_time() -> None:
    number = next(iter(numbers_of(HOMES)))
    assert home(HOMES, number) == home(HOMES, number)


def test_homes_differ_as_the_file_says() -> None:
    made = [home(HOMES, number) for number in numbers_of(HOMES)]
    assert {meter.providers for meter in made} == set(HOMES.providers)
    assert {meter.address.split(", ")[1] for meter in made} == set(HOMES.suburbs)
    in_debt = sum(1 for meter in made if meter.debts)
    assert 30 < in_debt < 90
    assert len({(meter.first_name, meter.last_name) for meter in made}) > 200


def test_the_shipped_fleet_is_a_country(fleet: Fleet) -> None:
    book = MeterBook(fleet)
    meters = list(book)
    assert len(meters) == len(book) >= 50_000
    assert len({meter.number for meter in meters}) == len(meters)
    assert len({meter.utility for meter in meters} - {"test"}) >= 20
    assert set(Counter(meter.utility_type for meter in meters)) == set(UtilityType)
    served_by = {provider for meter in meters for provider in meter.providers}
    assert served_by == {provider.id for provider in fleet.providers}


def test_parts_of_a_city_are_served_by_another_utility(fleet: Fleet) -> None:
    book = MeterBook(fleet)
    soweto = {meter.utility for meter in book if "Soweto" in meter.address}
    elsewhere = {meter.utility for meter in book if "Melville" in meter.address}
    assert soweto == {"eskom"}
    assert elsewhere == {"city-power", "egoli-gas"}


def test_the_book_finds_named_meters_and_homes_and_nothing_else(fleet: Fleet) -> None:
    book = MeterBook(fleet)
    for meter in (*fleet.meters[:3], home(fleet.homes[0], next(iter(numbers_of(fleet.homes[0]))))):
        assert book.get(meter.number) == meter
    assert book.get("no such meter") is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"providers": (("nobody",),)}, "provider 'nobody' is not among"),
        ({"providers": ()}, "at least one set"),
        ({"providers": ((),)}, "at least one set"),
        ({"suburbs": ()}, "at least one"),
        ({"utility": "nowhere"}, "utility 'nowhere'"),
        ({"tariff": "free"}, "tariff 'free'"),
        ({"manufacturer": "4"}, "manufacturer '4' is not 2 digits"),
        ({"count": 0}, "serials"),
        ({"first_serial": 99_999_999}, "serials"),
        ({"in_debt_percent": 101}, "in_debt_percent 101"),
        ({"free_units_percent": 5}, "needs free_units"),
        ({"key_change_percent": 5}, "needs key_change"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    fleet: Fleet, change: dict[str, object], problem: str
) -> None:
    wrong = msgspec.structs.replace(HOMES, **change)
    found = problems(fleet, wrong)
    assert any(line.startswith("homes[0] (") and problem in line for line in found), found


def test_numbers_that_overlap_are_refused(fleet: Fleet) -> None:
    other = msgspec.structs.replace(HOMES, first_serial=799)
    assert problems(fleet, HOMES, other) == [
        "homes[1] (eskom): numbers overlap those of homes of eskom"
    ]
    apart = msgspec.structs.replace(HOMES, first_serial=800)
    assert problems(fleet, HOMES, apart) == []
