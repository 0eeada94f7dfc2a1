"""The transactions list: finding one sale among all, seeing new ones come in, taking it along."""

import csv
import io
import zipfile
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from tests.channel import purchase_message
from tests.console import Browser, Live

pytestmark = pytest.mark.xdist_group("console")

CARDS = "ol.cards > li"


def sell(console: Live, meter: str, cents: int = 10_000, **more: object) -> str:
    """Buys; the purchase's id."""
    console.look_up(meter)
    amount = {"amount": cents, "currency": "710"}
    message = purchase_message(meter={"meterId": meter}, purchaseAmount=amount, **more)
    assert console.run(console.world.client.buy(message)).status == 201
    return message["id"]


def shown(browser: Browser) -> list[str]:
    """The message ids of the cards, from top to bottom."""
    links = browser.attributes(f"{CARDS} a.card", "href")
    return [link.rpartition("/")[2] for link in links]


def test_a_sale_is_found_by_its_meter_and_by_any_reference(console: Live, browser: Browser) -> None:
    basket = f"Basket-{uuid4()}"
    sold = sell(console, "TST007", 20_000, basketRef=basket, rrn="632908004711")
    browser.sign_in("viewer", "/transactions")
    browser.keys('input[name="meter"]', "TST007")
    browser.press("Search")
    browser.wait(lambda: sold in shown(browser) or None, "the sale's card")
    assert parse_qs(urlsplit(browser.driver.current_url).query) == {"meter": ["TST007"]}
    assert all("TST007" in card for card in browser.texts(CARDS))
    browser.press("Clear all")
    browser.keys('input[name="reference"]', basket.upper().replace("-", " "))
    browser.press("Search")
    browser.wait(lambda: shown(browser) == [sold] or None, "that sale alone")
    browser.sees("Approved", "Purchase · Electricity", "R200.00", "answered in")
    browser.click(f"{CARDS} a.card")
    browser.wait(lambda: f"/transactions/{sold}" in browser.driver.current_url, "its own page")


def test_a_new_sale_appears_by_itself_and_nothing_is_taken_away(
    console: Live, browser: Browser
) -> None:
    basket = f"live{uuid4().hex}"
    first = sell(console, "TST001", basketRef=basket)
    browser.sign_in("viewer", f"/transactions?reference={basket}")
    browser.wait(lambda: shown(browser) == [first] or None, "the first sale")
    browser.driver.execute_script(  # pyright: ignore[reportUnknownMemberType]
        "document.querySelector('ol.cards a.card').focus(); window.notReloaded = true;"
        "document.querySelector('input[name=meter]').value = 'half typed';"
    )
    second = sell(console, "TST001", basketRef=basket)
    browser.wait(lambda: shown(browser) == [second, first] or None, "the second sale on top")
    kept = browser.driver.execute_script(  # pyright: ignore[reportUnknownMemberType]
        "return [window.notReloaded, document.activeElement.getAttribute('href'),"
        " document.querySelector('input[name=meter]').value]"
    )
    assert kept == [True, f"/transactions/{first}", "half typed"]


def test_an_export_is_the_filtered_list(console: Live, browser: Browser) -> None:
    basket = f"export{uuid4().hex}"
    for meter in ("TST001", "TST003", "TST001"):
        sell(console, meter, basketRef=basket)
    browser.sign_in("operator", f"/transactions?reference={basket}&meter=TST001")
    browser.wait(lambda: len(shown(browser)) == 2 or None, "the two sales")
    csv_link = str(browser.button("CSV").get_attribute("href"))
    xlsx_link = str(browser.button("XLSX").get_attribute("href"))
    session = console.session("operator")
    answer = session.get(csv_link)
    assert answer.status_code == 200
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["Message id"] for row in rows] == shown(browser)
    assert {(row["Meter"], row["Amount"], row["Status"]) for row in rows} == {
        ("TST001", "100.00", "Approved")
    }
    with zipfile.ZipFile(io.BytesIO(session.get(xlsx_link).content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    places = [sheet.find(message_id) for message_id in shown(browser)]
    assert places == sorted(places)
    assert min(places) > 0
    viewer = console.session("viewer")
    assert [viewer.get(link).status_code for link in (csv_link, xlsx_link)] == [403, 403]
    browser.sign_in("viewer", f"/transactions?reference={basket}")
    browser.wait(lambda: len(shown(browser)) == 3 or None, "the three sales")
    assert browser.all(".files") == []


def test_pages_are_turned_there_and_back(console: Live, browser: Browser) -> None:
    basket = f"pages{uuid4().hex}"
    sold = [sell(console, "TST001", basketRef=basket) for _ in range(2)]
    browser.sign_in("viewer", "/transactions")
    browser.open("/transactions?period=all&before=2100-01-01T00:00:00%2B00:00~1")
    browser.wait(lambda: set(sold) <= set(shown(browser)) or None, "both sales")
    newest = shown(browser)
    browser.press("Newer")
    browser.sees("No transactions here.")
    browser.press("Older")
    browser.wait(lambda: shown(browser) == newest or None, "the page it began with")


def test_a_filter_that_makes_no_sense_is_told_where_it_is_set(browser: Browser) -> None:
    browser.sign_in("viewer", "/transactions")
    browser.click("summary")
    browser.keys('input[name="amount"]', "ten")
    browser.press("Search")
    browser.sees("An amount is written 100, 99.50, 50-200, 50- or -200.", "Nothing was searched.")
    assert browser.one('input[name="amount"]').get_attribute("aria-invalid") == "true"
    assert browser.all(CARDS) == []
