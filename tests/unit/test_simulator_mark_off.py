"""A simulated provider's end-of-day file."""

import csv
import io
import random
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from domain.extract import BODY_FIELDS, HEADER_FIELDS
from providers.simulator.extract_file import Disagreement, MarkOff
from providers.simulator.fleet_file import DEFAULT_FLEET, load_fleet
from providers.simulator.mark_off import MarkOffOrder, mark_off
from providers.simulator.sales import SalesLedger
from providers.simulator.vending import Vending

DAY = date(2026, 5, 6)
NIGHT = datetime(2026, 5, 6, 22, 0, 0, tzinfo=UTC)
EVENING_BEFORE = datetime(2026, 5, 5, 21, 59, tzinfo=UTC)
FIRST_MINUTE = datetime(2026, 5, 5, 22, 0, tzinfo=UTC)


class Shop:
    """Simulated providers that have sold something."""

    def __init__(self) -> None:
        self.now = FIRST_MINUTE
        self.sales = SalesLedger()
        fleet = load_fleet(DEFAULT_FLEET)
        self.vending = Vending(fleet, self.sales, lambda: self.now, random.Random(1))
        for number in range(12):
            self.vending.sell("ipay", f"R{number}", "TST001", 10_000)

    def file(self, **disagreements: int) -> MarkOff:
        order = MarkOffOrder(DAY, {Disagreement(k): n for k, n in disagreements.items()}, seed=3)
        return mark_off("ipay", order, self.sales, NIGHT)


def rows(made: MarkOff) -> tuple[dict[str, str], list[dict[str, str]]]:
    header, *body = csv.reader(io.StringIO(made.content, newline=""))
    return (
        dict(zip(HEADER_FIELDS, header, strict=True)),
        [dict(zip(BODY_FIELDS, line, strict=True)) for line in body],
    )


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_the_file_has_the_products_name_and_line_ends(shop: Shop) -> None:
    made = shop.file()
    assert made.file_name == "IPAY_PPU_EXTRACT_PPU_MARKOFF_20260506_1778104800.csv"
    assert made.content.isascii()
    assert made.content.endswith("\r\n")
    assert "\n" not in made.content.replace("\r\n", "")


def test_a_line_a_sale_and_a_header_that_counts_them(shop: Shop) -> None:
    header, body = rows(shop.file())
    assert (header["record_count"], header["total_amount_minor"]) == ("12", "120000")
    assert header["period_start"] == "2026-05-06T00:00:00+02:00"
    assert len(body) == 12
    first, issued = body[0], next(iter(shop.sales))
    assert first["provider_reference"] == issued.receipt
    assert (first["amount_minor"], first["tax_minor"]) == ("10000", "1304")
    assert first["receiver_id"] == "test-server"
    assert first["transaction_time"] == "2026-05-06T00:00:00+02:00"


def test_no_token_stands_in_the_file(shop: Shop) -> None:
    content = shop.file().content
    assert not any(token in content for sale in shop.sales for token in sale.tokens)


def test_a_day_begins_and_ends_at_midnight_in_south_africa(shop: Shop) -> None:
    shop.now = EVENING_BEFORE
    shop.vending.sell("ipay", "yesterday", "TST001", 10_000)
    shop.now = NIGHT
    shop.vending.sell("ipay", "tomorrow", "TST001", 10_000)
    assert len(rows(shop.file())[1]) == 12


def test_other_providers_sales_and_key_changes_are_not_in_it(shop: Shop) -> None:
    shop.vending.sell("contour", "R1", "TST001", 10_000)
    shop.vending.change_key("ipay", "K1", "TST001")
    assert len(rows(shop.file())[1]) == 12


def test_a_reversed_sale_says_so(shop: Shop) -> None:
    shop.vending.reverse("ipay", "R0", supported=True)
    assert Counter(row["transaction_state"] for row in rows(shop.file())[1]) == {
        "APPROVED": 11,
        "REVERSED": 1,
    }


@pytest.mark.parametrize(
    ("kind", "lines", "total"),
    [
        ("missing", 11, 110_000),
        ("extra", 13, 125_000),
        ("one_cent", 12, 120_001),
        ("ten_rand", 12, 121_000),
        ("other_meter", 12, 120_000),
        ("duplicate", 13, 130_000),
    ],
)
def test_each_disagreement_is_one_and_the_header_agrees_with_the_body(
    shop: Shop, kind: str, lines: int, total: int
) -> None:
    made = shop.file(**{kind: 1})
    header, body = rows(made)
    assert [change.disagreement for change in made.injected] == [kind]
    assert len(body) == lines == int(header["record_count"])
    assert sum(int(row["amount_minor"]) for row in body) == total
    assert header["total_amount_minor"] == str(total)


def test_malformed_lines_cannot_be_read_and_the_others_can(shop: Shop) -> None:
    made = shop.file(malformed=5)
    _, *body = csv.reader(io.StringIO(made.content, newline=""))
    bad = [line for line in body if len(line) != len(BODY_FIELDS) or not line[19].isdigit()]
    assert len(bad) == 5
    assert len(body) == 12


def test_no_sale_is_hit_twice(shop: Shop) -> None:
    made = shop.file(missing=3, one_cent=3, ten_rand=2, duplicate=2, malformed=2)
    references = [change.provider_reference for change in made.injected]
    assert len(set(references)) == len(references) == 12


def test_the_same_seed_makes_the_same_file(shop: Shop) -> None:
    assert shop.file(missing=2, extra=1) == shop.file(missing=2, extra=1)


@pytest.mark.parametrize("count", [-1, 13, 10_001])
def test_more_disagreements_than_sales_are_refused(shop: Shop, count: int) -> None:
    with pytest.raises(ValueError, match=r"disagreements|sales are to be changed"):
        shop.file(missing=count)
