"""Replay at the console: as it stood then, and how it came about."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from api.console.text import NONE
from tests.console import Browser, Live

pytestmark = pytest.mark.xdist_group("console")


def keys(browser: Browser, *pressed: str) -> None:
    browser.driver.find_element(By.TAG_NAME, "body").send_keys(*pressed)


def test_a_purchase_is_stepped_through_by_buttons_keys_and_address(
    console: Live, browser: Browser
) -> None:
    purchase_id, answer = console.buy("TST003")
    assert answer.status == 201
    browser.sign_in("viewer", "/replay")
    browser.open(f"/replay?id={purchase_id}&step=1")
    browser.sees("step 1 of 5", "PurchaseRequested", "What this step changed")
    browser.press("Next")
    browser.sees("step 2 of 5", "PurchaseRouted", "after the previous")
    keys(browser, Keys.ARROW_RIGHT)
    browser.sees("step 3 of 5", "ProviderAsked")
    browser.press("Last")
    browser.sees("step 5 of 5", "PurchaseApproved")
    changes = browser.text_of("table.changes")
    assert "Status SENT APPROVED" in changes
    assert "••••" in changes
    assert browser.driver.current_url.endswith(f"/replay?id={purchase_id}&step=5")
    browser.press("Previous")
    keys(browser, Keys.ARROW_LEFT)
    browser.sees("step 3 of 5")
    browser.driver.refresh()
    browser.sees("step 3 of 5", "ProviderAsked")
    browser.keys("input[type=range]", Keys.HOME)
    browser.sees("step 0 of 5", "nothing had happened yet")


def test_a_meter_as_of_a_moment_before_its_preference(console: Live, browser: Browser) -> None:
    console.look_up("TST008")
    before = datetime.now(UTC)
    console.run(console.world.steer_to("TST008", "contour"))
    then = quote(before.isoformat())
    browser.sign_in("viewer", "/replay")
    browser.open(f"/replay?meter=TST008&at={then}")
    browser.sees("As it stood at", "the next step came at")
    assert "Preference" not in browser.text_of("table.state-table")
    browser.press("Next")
    browser.sees("Preference set: Contour, by op")
    assert f"Preference {NONE} contour" in browser.text_of("table.changes")

    browser.open(f"/replay?meters=TST008&at={then}")
    browser.sees("As known at", "Test Server", "Supported", "none")
    assert "1 Contour" not in browser.text
    browser.open("/replay?part=st008")
    browser.sees("TST008", "1 Contour")


def test_what_can_not_be_replayed_is_said(browser: Browser) -> None:
    browser.sign_in("viewer", "/replay")
    browser.open("/replay?meter=TST008&at=tomorrow")
    browser.sees("tomorrow is no date and time")
    browser.open("/replay?id=never-used")
    browser.sees("Nothing is known of this transaction")
    browser.open("/replay")
    browser.sees("Choose a transaction, meter, provider or utility")
