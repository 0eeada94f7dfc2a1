"""What the simulated providers print: tokens that the meter takes that they are for."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from domain.sale import OVER_THE_AIR, KeyChange, Sale, Token, TokenType, UtilityType
from providers.simulator.fleet import (
    Fleet,
    FleetFreeUnits,
    FleetKeyChange,
    FleetMeter,
    FleetStep,
    FleetTariff,
    FleetUtility,
)
from providers.simulator.fleet_file import fleet_problems, load_fleet
from providers.simulator.sales import SalesLedger
from providers.simulator.sts.cipher import cipher_of
from providers.simulator.sts.drn import pan_of
from providers.simulator.sts.meter import Meter, Refusal
from providers.simulator.sts.meter_key import BASE_DATE, meter_key
from providers.simulator.sts.tid import TID_MAX, identifier
from providers.simulator.sts.token import Credit, decode
from providers.simulator.tokens import sts_key
from providers.simulator.vending import Refusal as NotSold
from providers.simulator.vending import RefusedError, Vending
from providers.simulator.virtual_meter import UnknownMeterError, new_meter

NOW = datetime(2025, 7, 1, 9, 30, tzinfo=UTC)
NUMBER, OTHER = "04257670465", "14596723016"


def fleet(*meters: FleetMeter, group: str = "999999", rate: str = "200") -> Fleet:
    utility = FleetUtility(
        id="town",
        name="Testville",
        address="1 Main Road",
        vat_number="4000000000",
        client_id="6004708000991",
        supply_group_code=group,
    )
    steps = (FleetStep(rate=Decimal(rate)),)
    tariff = FleetTariff(id="flat", name="Flat", steps=steps)
    return Fleet(providers=(), utilities=(utility,), tariffs=(tariff,), meters=meters)


def meter(
    number: str = NUMBER,
    *,
    algorithm: str = "07",
    key_revision: str = "2",
    utility_type: UtilityType = UtilityType.ELECTRICITY,
    key_change: FleetKeyChange | None = None,
    free_units: FleetFreeUnits | None = None,
    refund_units: Decimal | None = None,
    power_limit_watts: int | None = None,
    over_the_air: bool = False,
) -> FleetMeter:
    return FleetMeter(
        number=number,
        utility="town",
        providers=("ipay",),
        tariff="flat",
        max_cents=10**12,
        algorithm=algorithm,
        key_revision=key_revision,
        utility_type=utility_type,
        key_change=key_change,
        free_units=free_units,
        refund_units=refund_units,
        power_limit_watts=power_limit_watts,
        over_the_air=over_the_air,
    )


class Shop:
    """A fleet of one meter, its vendor, and the meter itself."""

    def __init__(self, made: Fleet, folder: Path | None = None) -> None:
        self.fleet = made
        self.number = made.meters[0].number
        self.at = NOW
        self.ledger = SalesLedger(folder)
        self.vending = Vending(made, self.ledger, lambda: self.at, random.Random(1))
        self.meter = Meter(new_meter(made, self.number))

    def sell(self, cents: int = 10_000) -> Sale:
        reference = str(len(self.ledger) + 1)
        return self.vending.sell("ipay", reference, self.number, cents).sale

    def enter(self, token: Token) -> Refusal | None:
        return self.meter.enter(token.digits, self.at).refusal


def identifiers(shop: Shop, sales: list[Sale]) -> list[int]:
    algorithm = shop.fleet.meters[0].algorithm
    key = meter_key(shop.number, algorithm, sts_key(KeyChange("999999", "2", "07")))
    read = [decode(token.digits, cipher_of(key)) for sale in sales for token in sale.tokens]
    return [token.tid for token in read if isinstance(token, Credit)]


@pytest.mark.parametrize("number", [NUMBER, "0100000000008", "TST001", "1234567", "01000000000"])
@pytest.mark.parametrize("algorithm", ["07", "11"])
def test_a_token_opens_its_meter_and_no_other(number: str, algorithm: str) -> None:
    shop = Shop(fleet(meter(number, algorithm=algorithm), meter(OTHER, algorithm=algorithm)))
    (token,) = shop.sell().tokens
    other = Meter(new_meter(shop.fleet, OTHER))
    assert other.enter(token.digits, NOW).refusal is Refusal.KEY
    assert shop.enter(token) is None
    assert shop.meter.credit == token.units == Decimal("43.4")
    assert shop.enter(token) is Refusal.USED


@pytest.mark.parametrize("utility_type", UtilityType)
def test_electricity_water_and_gas(utility_type: UtilityType) -> None:
    shop = Shop(fleet(meter(utility_type=utility_type)))
    (token,) = shop.sell().tokens
    assert shop.enter(token) is None
    for other in set(UtilityType) - {utility_type}:
        wrong = Meter(new_meter(fleet(meter(utility_type=other)), NUMBER))
        assert wrong.enter(token.digits, NOW).refusal is Refusal.RESOURCE


def test_all_tokens_of_a_sale() -> None:
    free = FleetFreeUnits(units=Decimal(50), every="purchase")
    change = FleetKeyChange(supply_group_code="999998", key_revision="3", tariff_index="08")
    shop = Shop(
        fleet(
            meter(
                free_units=free,
                refund_units=Decimal("7.5"),
                power_limit_watts=4_600,
                key_change=change,
            )
        )
    )
    sale = shop.sell()
    assert [token.token_type for token in sale.tokens] == [
        TokenType.KC,
        TokenType.KC,
        TokenType.STD,
        TokenType.REFUND,
        TokenType.BSST,
        TokenType.PWRLMT,
    ]
    # The credit is for the new key: before the key change the meter does not know it.
    assert {shop.enter(token) for token in sale.tokens[2:]} == {Refusal.KEY}
    assert {shop.enter(token) for token in sale.tokens} == {None}
    assert shop.meter.credit == Decimal("43.4") + Decimal("7.5") + 50
    assert shop.meter.state.power_limit_watts == 4_600
    assert sale.tokens[-1].description == "Power limit 4600 W"
    assert sale.meter.key_revision == "2"
    # The next sale is under the new key, and says so.
    again = shop.sell()
    assert (again.meter.supply_group_code, again.meter.key_revision) == ("999998", "3")
    assert {shop.enter(token) for token in again.tokens} == {None}


@pytest.mark.parametrize(("algorithm", "count"), [("07", 2), ("11", 4)])
def test_a_key_change_that_is_asked_for(algorithm: str, count: int) -> None:
    shop = Shop(fleet(meter(algorithm=algorithm)))
    changes = [
        shop.vending.change_key("ipay", "k1", NUMBER, KeyChange("999998", None, "08")),
        shop.vending.change_key("ipay", "k2", NUMBER),
    ]
    assert [len(change.tokens) for change in changes] == [count, count]
    assert [change.sale.meter.key_change for change in changes] == [
        KeyChange("999998", "2", "08"),
        KeyChange("999998", "3", "08"),
    ]
    sold = shop.sell().tokens[0]
    assert shop.enter(sold) is Refusal.KEY
    for change in changes:
        assert {shop.enter(token) for token in change.sale.tokens} == {None}
    assert shop.enter(sold) is None
    assert shop.meter.state.key_revision == 3


def test_a_meter_that_changes_its_key_at_every_sale() -> None:
    """Through all nine key revisions and round."""
    change = FleetKeyChange(
        supply_group_code="999999", key_revision="2", tariff_index="07", repeats=True
    )
    shop = Shop(fleet(meter(key_revision="1", key_change=change)))
    sales = [shop.sell() for _ in range(12)]
    changes = [sale.meter.key_change for sale in sales]
    assert [change.key_revision for change in changes if change] == list("234567891234")
    assert {shop.enter(token) for sale in sales for token in sale.tokens} == {None}


def test_a_reversed_key_change_did_not_happen() -> None:
    change = FleetKeyChange(supply_group_code="999998", key_revision="3", tariff_index="08")
    shop = Shop(fleet(meter(key_change=change)))
    first = shop.sell()
    shop.vending.reverse("ipay", "1", supported=True)
    second = shop.sell()
    assert [token.digits for token in first.tokens[:2]] == [
        token.digits for token in second.tokens[:2]
    ]
    assert first.tokens[2].digits != second.tokens[2].digits
    assert {shop.enter(token) for token in second.tokens} == {None}


def test_sales_of_the_same_minute_get_the_next_free_ones() -> None:
    shop = Shop(fleet(meter(refund_units=Decimal(1))))
    sales = [shop.sell() for _ in range(5)]
    minute = identifier(NOW, BASE_DATE)
    assert identifiers(shop, sales) == list(range(minute, minute + 10))
    shop.at += timedelta(minutes=3)
    sales.append(shop.sell())
    shop.at += timedelta(hours=1)
    sales.append(shop.sell())
    assert identifiers(shop, sales)[10:] == [minute + 10, minute + 11, minute + 63, minute + 64]
    assert {shop.enter(token) for sale in sales for token in sale.tokens} == {None}


def test_identifiers_go_on_after_a_restart_and_a_reversal(tmp_path: Path) -> None:
    made = fleet(meter())
    first = Shop(made, tmp_path)
    sales = [first.sell(), first.sell()]
    first.vending.reverse("ipay", "2", supported=True)
    first.ledger.close()
    second = Shop(made, tmp_path)
    sales.append(second.sell())
    second.ledger.close()
    minute = identifier(NOW, BASE_DATE)
    assert identifiers(second, sales) == [minute, minute + 1, minute + 2]


def test_a_trial_uses_no_identifier_up() -> None:
    shop = Shop(fleet(meter()))
    assert [token.digits for token in shop.vending.trial("ipay", NUMBER, 10_000).tokens] == [""]
    assert identifiers(shop, [shop.sell()]) == [identifier(NOW, BASE_DATE)]


def test_a_smart_meter_gets_zeros() -> None:
    change = FleetKeyChange(supply_group_code="999998", key_revision="3", tariff_index="08")
    shop = Shop(fleet(meter(over_the_air=True, key_change=change, power_limit_watts=100)))
    sales = [shop.sell(), shop.sell()]
    assert {token.digits for sale in sales for token in sale.tokens} == {OVER_THE_AIR}
    assert [len(sale.tokens) for sale in sales] == [4, 2]


def test_large_amounts_are_rounded_up_in_the_token_only() -> None:
    """From 1,638.4 units on a token counts in whole ones, from 18,022.4 on in tens."""
    shop = Shop(fleet(meter(), rate="100"))
    sales = [shop.sell(cents) for cents in (200_010, 3_000_000)]
    assert [sale.tokens[0].units for sale in sales] == [Decimal("1739.2"), Decimal("26086.9")]
    for sale in sales:
        assert shop.enter(sale.tokens[0]) is None
    assert shop.meter.credit == Decimal("1739.4") + Decimal("26092.4")


@pytest.mark.parametrize(
    ("made", "cents", "at", "refusal"),
    [
        (fleet(meter(), rate="0.01"), 10_000_000, NOW, NotSold.TOO_HIGH),
        (fleet(meter(), group="12"), 10_000, NOW, NotSold.UNSUPPORTED),
        (fleet(meter()), 10_000, NOW.replace(year=2050), NotSold.SYSTEM),
    ],
)
def test_what_no_token_can_say_is_not_sold(
    made: Fleet, cents: int, at: datetime, refusal: NotSold
) -> None:
    ledger = SalesLedger()
    vending = Vending(made, ledger, lambda: at, random.Random(1))
    with pytest.raises(RefusedError) as error:
        vending.sell("ipay", "1", NUMBER, cents)
    assert error.value.refusal is refusal
    assert len(ledger) == 0


@pytest.mark.parametrize(
    "wanted", [KeyChange("12"), KeyChange(key_revision="0"), KeyChange(tariff_index="x")]
)
def test_a_key_that_can_not_be_is_not_changed_to(wanted: KeyChange) -> None:
    shop = Shop(fleet(meter()))
    with pytest.raises(RefusedError) as error:
        shop.vending.change_key("ipay", "1", NUMBER, wanted)
    assert error.value.refusal is NotSold.UNSUPPORTED
    assert len(shop.ledger) == 0


def test_a_meter_without_identifiers_left_sells_nothing() -> None:
    shop = Shop(fleet(meter()))
    issued = shop.vending.sell("ipay", "1", NUMBER, 10_000)
    shop.ledger.clear()
    shop.ledger.issue(msgspec.structs.replace(issued, identifier=TID_MAX))
    with pytest.raises(RefusedError) as error:
        shop.sell()
    assert error.value.refusal is NotSold.SYSTEM


def test_a_meter_that_the_fleet_does_not_have() -> None:
    with pytest.raises(UnknownMeterError, match="the fleet has no meter 7"):
        new_meter(fleet(meter()), "7")


def test_no_two_shipped_meters_share_an_account_number() -> None:
    numbers = [entry.number for entry in load_fleet().meters]
    assert len({pan_of(number) for number in numbers}) == len(numbers)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (fleet(meter(), group="12"), "supply group code '12' is not 6 digits"),
        (fleet(meter(key_revision="0")), "key revision 0 is not 1 to 9"),
        (fleet(meter(refund_units=Decimal("0.25"))), "refund_units 0.25: a token carries tenths"),
        (fleet(meter(refund_units=Decimal("NaN"))), "refund_units NaN: a token carries tenths"),
        (fleet(meter(power_limit_watts=0)), "power_limit_watts 0 is not between 1 and"),
        (
            fleet(
                meter(
                    key_change=FleetKeyChange(
                        supply_group_code="999999", key_revision="2", tariff_index="7"
                    )
                )
            ),
            "tariff index '7' is not 2 digits",
        ),
    ],
)
def test_a_fleet_that_no_token_can_serve_is_told(made: Fleet, said: str) -> None:
    assert any(said in problem for problem in fleet_problems(made))
