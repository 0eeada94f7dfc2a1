"""Home and load balancer: somebody sees a provider time out, and moves its traffic elsewhere."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from selenium.webdriver.common.keys import Keys

from domain.provider import ProviderEnabled
from tests.console import Browser, Live

pytestmark = pytest.mark.xdist_group("console")

METER = "07613594824"
"""Ontec and Contour serve it; only this module uses it."""
WEIGHTED = "randa"
FAILURES = 3


@pytest.fixture
def ontec_first(console: Live) -> Iterator[None]:
    """The meter's purchases go to Ontec while it may be used; all is well again afterwards."""
    console.run(console.world.steer_to(METER, "ontec", "contour"))
    yield
    console.fault("ontec", "none")
    enabled = ProviderEnabled(at=datetime.now(UTC), provider="ontec", by="test")
    console.run(console.world.steer(enabled))


def seller(console: Live) -> str:
    """Who sells when somebody buys now."""
    _, answer = console.buy(METER)
    assert answer.status == 201, answer.body
    return answer.body["settlementEntity"]["id"]


def confirm(browser: Browser, text: str) -> None:
    """The dialog's button has the focus: Enter is enough."""

    def focused() -> bool:
        element = browser.driver.switch_to.active_element
        return element.text.strip().lower() == text.lower() and bool(browser.all(".q-dialog"))

    browser.wait(lambda: focused() or None, f"{text} with the focus in a dialog")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    browser.wait(lambda: not browser.all(".q-dialog__inner") or None, "the dialog closed")


@pytest.mark.usefixtures("ontec_first")
def test_a_provider_that_times_out_is_seen_disabled_and_enabled_again(
    console: Live, browser: Browser
) -> None:
    assert seller(console) == "ontec"
    browser.sign_in("operator", "/")
    browser.sees("Needs attention", "Purchases by outcome", "Today")

    console.fault("ontec", "silent_before_sale", operations=("VEND",))
    for _ in range(FAILURES):
        console.buy(METER)
    listed = '.attention a[href="/providers/ontec"]'
    browser.one(listed)
    browser.sees("vends without an answer in the last 5 minutes")
    browser.click(listed)

    browser.sees("Vends by outcome")
    browser.one('[aria-label^="Vends by outcome"] svg')
    browser.press("Disable")
    confirm(browser, "Disable")
    browser.sees("Ontec is disabled", "Disabled", "by operator, in effect")
    assert seller(console) == "contour"

    console.fault("ontec", "none")
    browser.press("Enable")
    confirm(browser, "Enable")
    browser.sees("Ontec is enabled")
    browser.wait(lambda: seller(console) == "ontec" or None, "sales at Ontec again")
    browser.wait(
        lambda: "\nEnabled operator (operator)" in without_times(browser.text) or None,
        "both changes in the history, with who made them",
    )
    assert "Disabled operator (operator)" in without_times(browser.text)


def without_times(text: str) -> str:
    """The page's text without dates and times of day."""
    return "\n".join(
        " ".join(word for word in line.split() if not word[:2].isdigit())
        for line in text.splitlines()
    )


@pytest.mark.usefixtures("ontec_first")
def test_what_went_wrong_is_found_in_the_list_of_exchanges(console: Live, browser: Browser) -> None:
    console.fault("ontec", "silent_before_sale", operations=("VEND",))
    purchase_id, answer = console.buy(METER)
    assert answer.status != 201
    browser.sign_in("viewer", "/providers/ontec?outcome=UNKNOWN")
    row = browser.text_of(f'table tr:has(a[href="/transactions/{purchase_id}"])')
    assert "Unknown" in row
    assert "no answer" in row
    assert "Approved" not in browser.texts("table .status")
    transactions = browser.one('a[href="/transactions?provider=ontec"]')
    assert transactions.text == "Its transactions"


def test_a_viewer_sees_all_providers_and_has_no_buttons(console: Live, browser: Browser) -> None:
    browser.sign_in("viewer", "/providers")
    browser.one('[data-provider="ipay"]')
    cards = browser.texts("[data-provider]")
    assert len(cards) == len(console.world.fleet.providers)
    assert all("Success rate (answered)" in card for card in cards)
    assert browser.all("[data-provider] button") == []


def test_a_weight_is_edited_and_the_shares_follow(console: Live, browser: Browser) -> None:
    card = f'[data-provider="{WEIGHTED}"]'

    def weight() -> str:
        return browser.text_of(f"{card} dl").split("\n")[1]

    browser.sign_in("routing-manager", "/providers")
    before = browser.wait(weight, "a weight")
    try:
        edit = f"{card} .actions button:last-child"
        browser.click(edit)
        browser.sees("Live routing changes")
        number = browser.one(".q-dialog input[type=number]")
        number.send_keys(Keys.CONTROL, "a")
        number.send_keys("1.5")
        browser.press("Update")
        browser.sees("A weight is a whole number")
        number.send_keys(Keys.CONTROL, "a")
        number.send_keys("1000000")
        browser.press("Update")
        browser.wait(lambda: weight() == "1000000" or None, "the new weight on the card")
        share = browser.text_of(f"{card} dl").split("\n")[3]
        assert share == "99.9 %"
        browser.sees("by routing-manager, in effect")
    finally:
        answer = console.session("routing-manager").post(
            f"{console.url}/console/providers/weight",
            json={"provider": WEIGHTED, "weight": int(before)},
        )
        assert answer.status_code == 200, answer.text
    browser.wait(lambda: weight() == before or None, "the old weight, set by somebody else")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/providers/nobody", "There is no provider “nobody”"),
        ("/providers/%3Cscript%3E", "There is no provider “<script>”"),
        ("/?window=year", "There is no window “year”: it is one of 1h, 24h, 7d."),
        ("/providers?window=%27--", "There is no window “'--”"),
        ("/providers/ipay?after=x&change=x&outcome=MAYBE", "There is no outcome “MAYBE”"),
        ("/providers/ipay?after=x", "The address names no place in this list"),
        ("/providers/ipay?change=99999999999999999999999", "Exchanges"),
    ],
)
@pytest.mark.usefixtures("console")
def test_an_address_that_makes_no_sense_is_answered_in_words(
    browser: Browser, address: str, said: str
) -> None:
    browser.sign_in("viewer", "/console/static/console.css")
    browser.open(address)
    browser.sees(said)
    assert "can't be shown" not in browser.text
