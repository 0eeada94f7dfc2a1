"""In doubt and queue: what waits is seen with its reason, and asked for at once."""

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from selenium.webdriver.common.keys import Keys

from tests.channel import confirmation_message, reversal_message
from tests.console import Browser, Live, live

pytestmark = pytest.mark.xdist_group("console")

METER = "37094427335"
"""Served by Syntell alone, which takes confirmations and can't reverse."""
PROVIDER = "syntell"
LATER = 600.0


@pytest.fixture(scope="module")
def patient(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A switch that would ask again only long after the test."""
    name = f"patient_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
        )
    url = urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    waits = {
        f"{what}_{which}_seconds": LATER
        for what in ("recovery", "advice")
        for which in ("first", "last")
    }
    with live(tmp_path_factory.mktemp("patient"), url, settings=waits) as running:
        yield running


@pytest.fixture
def page(browser: Browser, patient: Live) -> Browser:
    """The shared browser at that switch."""
    return Browser(browser.driver, patient.url)


@pytest.fixture
def faulty(patient: Live) -> Iterator[Live]:
    """Whatever a test does to the provider is over afterwards."""
    yield patient
    patient.fault(PROVIDER, "none")


def silent(patient: Live, *operations: str) -> None:
    """The provider does what it is asked, and half of its answer goes out."""
    patient.fault(PROVIDER, "drop_mid_answer", operations=operations)


def row_says(page: Browser, message_id: str, *texts: str) -> None:
    """Waits for a row of that message that says all of `texts`."""

    def said() -> bool:
        rows = page.texts(f'tr[data-message="{message_id}"]')
        return any(all(text in row for text in texts) for row in rows)

    page.wait(lambda: said() or None, f"a row of {message_id} with {texts}")


def gone(page: Browser, message_id: str) -> None:
    page.wait(lambda: not page.all(f'tr[data-message="{message_id}"]') or None, "the row is gone")


def ask(page: Browser, message_id: str) -> None:
    page.click(f'button[data-ask="{message_id}"]')


def test_a_purchase_in_doubt_is_seen_and_recovered_when_it_is_asked_for(
    faulty: Live, page: Browser
) -> None:
    page.sign_in("operator", "/queue")
    page.sees("Nothing is in doubt")
    silent(faulty, "VEND", "RECOVER")
    purchase_id, answer = faulty.buy(METER)
    assert answer.status == 504
    row_says(page, purchase_id, "Purchase", "In doubt", "Syntell", METER, "R100.00", "Last said")
    assert page.text_of("table.depths a") == "1"

    ask(page, purchase_id)
    page.sees("No final answer from syntell", "Still open: it is asked again when it is due.")
    row_says(page, purchase_id, "In doubt")

    faulty.fault(PROVIDER, "none")
    ask(page, purchase_id)
    page.sees("Sold by syntell: the tokens are with the transaction.", "Nothing is in doubt")
    gone(page, purchase_id)
    (link, *_) = page.attributes(".results a", "href")
    assert link == f"/transactions/{purchase_id}"
    sales = [sale for sale in faulty.run(faulty.world.standing()) if sale.meter == METER]
    assert len(sales) == 1


def test_an_advice_that_waits_is_delivered_by_the_keyboard(faulty: Live, page: Browser) -> None:
    purchase_id, _ = faulty.buy(METER)
    silent(faulty, "CONFIRM")
    advice = confirmation_message(requestId=purchase_id)
    assert faulty.run(faulty.world.client.confirm(advice)).status == 202
    page.sign_in("operator", "/queue?show=waiting")
    row_says(page, purchase_id, "Confirmation", "Waiting", "A final answer of Syntell", "next in")

    faulty.fault(PROVIDER, "none")
    page.keys(f'button[data-ask="{purchase_id}"]', Keys.ENTER)
    page.sees("The provider took the confirmation.", "No advice waits")


def test_a_reversal_that_the_provider_cannot_do_ends_with_advice_in_words(
    patient: Live, page: Browser
) -> None:
    page.sign_in("viewer", "/queue?show=ended")
    page.sees("Ended without effect")
    purchase_id, _ = patient.buy(METER)
    advice = reversal_message(requestId=purchase_id)
    assert patient.run(patient.world.client.reverse(advice)).status == 202
    row_says(page, purchase_id, "Reversal", "Not supported", "can't be reversed at Syntell")
    row_says(page, purchase_id, "reconciliation will pick it up")
    assert page.all("button[data-ask]") == []
    page.open("/queue?show=ended&provider=ipay")
    page.sees("Nothing here matches")


def test_the_focus_stays_where_it_was_when_the_list_is_written_anew(
    faulty: Live, page: Browser
) -> None:
    silent(faulty, "VEND", "RECOVER")
    first, _ = faulty.buy(METER)
    page.sign_in("operator", "/queue")
    page.keys(f'tr[data-message="{first}"] a.id', Keys.TAB)
    focused = page.driver.switch_to.active_element.get_attribute("id")
    second, _ = faulty.buy(METER)
    row_says(page, second, "In doubt")
    page.wait(
        lambda: page.driver.switch_to.active_element.get_attribute("id") == focused or None,
        "the focus where it was",
    )
    faulty.fault(PROVIDER, "none")
    for purchase_id in (first, second):
        ask(page, purchase_id)
        gone(page, purchase_id)


def test_an_address_that_makes_no_sense_says_so(page: Browser) -> None:
    page.sign_in("viewer", "/queue")
    page.open("/queue?show=nonsense&kind=PEACE&later=yesterday&provider=nobody")
    page.sees(
        "There is no list 'nonsense'.",
        "There is no kind 'PEACE' here.",
        "The address names no page of this list",
        "Nothing here matches",
    )
