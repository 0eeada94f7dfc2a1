"""Fleet files: the shipped one is right, and a wrong one is told what is wrong and where."""

from collections import Counter
from pathlib import Path

import pytest

from domain.sale import UtilityType
from providers.simulator.fleet_file import DEFAULT_FLEET, FleetError, load_fleet

SMALL = """
[[providers]]
id = "ipay"
name = "iPay"
protocol = "ipaymsg"

[[utilities]]
id = "town"
name = "Town"
address = "1 Main Road"
vat_number = "4000000000"
client_id = "6004708000991"
supply_group_code = "999999"

[[tariffs]]
id = "flat"
name = "Flat"
steps = [{ rate = "200.00" }]

[[meters]]
number = "01000000000"
utility = "town"
providers = ["ipay"]
tariff = "flat"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "fleet.toml"
    path.write_text(text)
    return path


def test_a_small_fleet(tmp_path: Path) -> None:
    fleet = load_fleet(written(tmp_path, SMALL))
    assert [meter.number for meter in fleet.meters] == ["01000000000"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "ipay"', "id = 7", "Expected `str`, got `int` - at `$.providers[0].id`"),
        ('name = "iPay"', 'naem = "iPay"', "unknown field `naem` - at `$.providers[0]`"),
        ('protocol = "ipaymsg"', 'protocol = "smtp"', "$.providers[0].protocol"),
        ('protocol = "ipaymsg"', 'protocol = "ipaymsg"\nport = 70000', "port 70000"),
        ('providers = ["ipay"]', 'providers = ["x"]', "provider 'x' is not among the providers"),
        ('utility = "town"', 'utility = "city"', "meters[0] (01000000000): utility 'city'"),
        ('tariff = "flat"', 'tariff = "steep"', "tariff 'steep' is not among the tariffs"),
        ('tariff = "flat"', 'tariff = "flat"\nbehaviour = "sulk"', "$.meters[0].behaviour"),
        ('tariff = "flat"', 'tariff = "flat"\nbehaviour = "refuse"', "is for a provider"),
        ('tariff = "flat"', 'tariff = "flat"\nmin_cents = 9\nmax_cents = 8', "leave no amount"),
        (
            'tariff = "flat"',
            'tariff = "flat"\ndebts = [{ description = "D", balance_cents = 1 }]',
            "debt 'D' needs either percent or cents",
        ),
        ('[{ rate = "200.00" }]', "[]", "tariffs[0] (flat): it has no steps"),
        (
            '[{ rate = "200.00" }]',
            '[{ rate = "1", up_to = "5" }, { rate = "2", up_to = "9" }]',
            "the last step must not have up_to",
        ),
        (
            '[{ rate = "200.00" }]',
            '[{ rate = "1", up_to = "9" }, { rate = "2", up_to = "5" }, { rate = "3" }]',
            "up_to must rise",
        ),
        ('[{ rate = "200.00" }]', '[{ rate = "0" }]', "every rate must be above 0"),
        (
            'protocol = "ipaymsg"',
            'protocol = "ipaymsg"\nfault = { mode = "http_500_after_sale" }',
            "needs HTTP",
        ),
        ('protocol = "ipaymsg"', 'protocol = "ipaymsg"\nprobe_meter = "0"', "probe_meter '0'"),
        ("[[providers]]", "[providers", "line"),
    ],
)
def test_what_is_wrong_and_where(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SMALL
    path = written(tmp_path, SMALL.replace(old, new))
    with pytest.raises(FleetError) as error:
        load_fleet(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


def test_a_meter_that_is_there_twice(tmp_path: Path) -> None:
    meter = SMALL[SMALL.index("[[meters]]") :]
    with pytest.raises(FleetError, match="number 01000000000 is there twice"):
        load_fleet(written(tmp_path, SMALL + meter))


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = SMALL.replace('utility = "town"', 'utility = "x"').replace('"flat"\n', '"y"\n', 1)
    with pytest.raises(FleetError) as error:
        load_fleet(written(tmp_path, text))
    assert len(str(error.value).splitlines()) == 2


def luhn_valid(number: str) -> bool:
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def test_the_shipped_fleet() -> None:
    fleet = load_fleet(DEFAULT_FLEET)
    assert {provider.id for provider in fleet.providers} >= {
        "ipay",
        "contour",
        "syntell",
        "sandulela",
        "switchone",
    }
    numbers = {meter.number for meter in fleet.meters}
    assert {f"TST{index:03d}" for index in range(1, 12)} <= numbers
    invented = ("TST", "0000")  # scenario meters, and compliance meters without a check digit
    real = [meter for meter in fleet.meters if not meter.number.startswith(invented)]
    assert len(real) >= 60
    assert all(luhn_valid(meter.number) and len(meter.number) == 11 for meter in real)
    kinds = Counter(meter.utility_type for meter in real)
    assert all(kinds[utility_type] for utility_type in UtilityType)
    in_johannesburg = {meter.utility for meter in real if "Soweto" in meter.address}
    assert in_johannesburg == {"eskom"}
    served = Counter(len(meter.providers) for meter in real)
    assert served[1]
    assert served[2]
    assert served[5]
