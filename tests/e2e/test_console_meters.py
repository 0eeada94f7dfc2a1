"""Meters at the console: find one by a part of its number, have it asked about again, prefer."""

from uuid import uuid4

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.console import Browser, Live

pytestmark = pytest.mark.xdist_group("console")


def type_part(browser: Browser, part: str) -> None:
    """Types it, and waits for the meters that it may mean."""
    browser.keys(".meter-finder input", part)
    browser.one("[role=option]")


def at_hand(browser: Browser, label: str) -> WebElement:
    """The button with this label, once the keyboard is at it."""

    def there() -> WebElement | None:
        active = browser.driver.switch_to.active_element
        return active if active.get_attribute("aria-label") == label else None

    return browser.wait(there, f"the keyboard at {label}")


def history(browser: Browser) -> str:
    return browser.text_of("[aria-labelledby=meter-history] table")


def test_a_meter_is_found_by_a_part_marked_and_asked_about_at_its_next_lookup(
    console: Live, browser: Browser
) -> None:
    assert console.look_up("TST004").status == 201
    browser.sign_in("operator", "/meters")
    type_part(browser, "t004")
    browser.keys(".meter-finder input", Keys.ARROW_DOWN)
    browser.one("[role=option][aria-selected=true]")
    browser.keys(".meter-finder input", Keys.ENTER)
    browser.sees("TST004", "Test Server", "Supported", "Not Supported", "Latest transactions")
    assert browser.driver.current_url.endswith("/meters/TST004?type=ELECTRICITY")

    browser.press("Mark for rebroadcast")
    browser.sees("Nothing is sent now")
    browser.keys(".meter-dialog input", "ticket 4711")
    browser.press("Mark")
    browser.sees("Marked: at its next transaction", "Marked for rebroadcast.", "ticket 4711")
    assert history(browser).count("Broadcast to") == 1, "nothing was sent"

    assert console.look_up("TST004").status == 201
    browser.sees("not marked", "it was marked for rebroadcast", "the mark is gone")
    assert history(browser).count("Broadcast to") == 2
    browser.button("Mark for rebroadcast")


def test_a_preference_is_put_in_order_by_keys_alone_and_stands_in_the_history(
    console: Live, browser: Browser
) -> None:
    console.look_up("TST005")
    browser.sign_in("routing-manager", "/meters/TST005")
    browser.sees("Latest transactions")
    browser.button("Meter preference").send_keys(Keys.ENTER)
    browser.keys('[aria-label="Prefer iPay"]', Keys.ENTER)
    at_hand(browser, "iPay out")
    browser.keys('[aria-label="Prefer Contour"]', Keys.ENTER)
    at_hand(browser, "Contour up").send_keys(Keys.SPACE)
    browser.sees("1. Contour", "2. iPay")
    at_hand(browser, "Contour down")
    browser.button("Save").send_keys(Keys.ENTER)
    browser.sees("Preference: 1 Contour, 2 iPay; before: none.", "(routing-manager)")
    browser.sees("Meter preference 1", "Meter preference 2")

    _, answer = console.buy("TST005", 5_000)
    assert answer.body["settlementEntity"]["id"] == "contour"
    browser.sees("Approved")


def test_a_meter_that_nobody_supports_says_what_to_do_and_is_listed_as_blocked(
    console: Live, browser: Browser
) -> None:
    number = f"99{uuid4().int % 10**9:09d}"
    assert console.look_up(number).status == 400
    browser.sign_in("viewer", f"/meters/{number}")
    browser.sees("Blocked: no provider supports this meter", "an operator can")
    labels = browser.texts("button")
    assert not {"Mark for rebroadcast", "Meter preference"} & set(labels)
    browser.open("/meters?blocked=1")
    browser.sees(number)


def test_an_address_with_nonsense_in_it_says_so(browser: Browser) -> None:
    browser.sign_in("viewer", "/meters?part=%25")
    browser.sees("letters and digits only")
    browser.open("/meters?after=nonsense")
    browser.sees("not the mark of a page", "All meters")
    browser.open("/meters/nobody'<b>s?type=STEAM")
    browser.sees("Nothing is known of a meter nobody'<b>s")
