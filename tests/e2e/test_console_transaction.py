"""One transaction at the console: what happened to this customer's token?"""

import re
from uuid import uuid4

import pytest
from selenium.webdriver.common.keys import Keys

from domain.message import message_stream
from domain.operator import TokensViewed, operator_stream
from domain.purchase import PurchaseStatus
from tests.console import Browser, Live
from tests.provider_traits import PROVIDERS
from tests.world import sold_tokens

pytestmark = pytest.mark.xdist_group("console")


def meter_of(console: Live, provider: str) -> str:
    """A well-behaved meter that the provider serves, and that prefers it."""
    number = next(
        meter.number
        for meter in console.world.fleet.meters
        if provider in meter.providers and meter.behaviour == "none" and meter.max_cents >= 10_000
    )
    console.look_up(number)
    console.run(console.world.steer_to(number, provider))
    return number


def digits(console: Live, purchase_id: str) -> list[str]:
    return list(sold_tokens(console.run(console.world.purchase(purchase_id))))


def looks(console: Live, operator: str, message_id: str) -> list[TokensViewed]:
    recorded = console.run(console.world.ledger.read(operator_stream(operator)))
    return [
        entry.event
        for entry in recorded
        if isinstance(entry.event, TokensViewed) and entry.event.message_id == message_id
    ]


def test_silence_is_seen_as_missing_and_then_the_recovery(console: Live, browser: Browser) -> None:
    meter = meter_of(console, "ontec")
    # Its recovery stays silent, too, so that there is time to look at the doubt.
    console.fault("ontec", "silent_after_sale", operations=("VEND", "RECOVER", "REVERSE"))
    purchase_id, answer = console.buy(meter)
    assert answer.status == 504
    browser.sign_in("viewer", f"/transactions/{purchase_id}")
    browser.sees("Outcome unknown", "It is not known yet whether Ontec sold", "no answer")
    assert browser.all("svg.flow .missing .cross")
    assert not browser.all("svg.flow .refused")
    assert "Till slip" not in browser.text

    console.fault("ontec", "none")
    browser.sees("Sold, recovered", "after the first answer was lost; recovered", "Till slip")
    assert browser.all("svg.flow .missing .cross"), "the lost answer stays lost"
    assert browser.all("svg.flow .answered")


def test_an_error_is_drawn_as_an_answer(console: Live, browser: Browser) -> None:
    meter = meter_of(console, "ipay")
    purchase_id, answer = console.buy(meter, 7)
    assert answer.status == 400
    browser.sign_in("viewer", f"/transactions/{purchase_id}")
    browser.sees("Declined", "Refused by iPay, nothing was sold", "Provider's code", "elec0")
    assert browser.all("svg.flow .refused .tip")
    assert not browser.all("svg.flow .cross")


def test_tokens_are_shown_only_after_the_look_is_in_the_ledger(
    console: Live, browser: Browser
) -> None:
    purchase_id, _ = console.buy(meter_of(console, "contour"))
    (token,) = digits(console, purchase_id)
    grouped = " ".join(re.findall("....", token))
    browser.sign_in("operator", f"/transactions/{purchase_id}")
    browser.sees(f"•••• •••• •••• •••• {token[-4:]}", f"**** **** **** **** {token[-4:]}")
    assert token[:8] not in re.sub(r"\s", "", browser.driver.page_source)
    assert looks(console, "operator", purchase_id) == []

    browser.press("Show tokens")
    comment = f"ticket {uuid4().hex[:8]}"
    browser.keys(".look-card textarea", comment)
    browser.press("Show")
    browser.sees(grouped, "the look has been kept")
    (look,) = looks(console, "operator", purchase_id)
    assert (look.by, look.comment) == ("operator", comment)

    browser.open(f"/transactions/{purchase_id}")
    browser.sees(f"•••• •••• •••• •••• {token[-4:]}")
    assert grouped not in browser.text, "each opened page needs its own look"


def test_a_viewer_has_no_button_for_tokens(console: Live, browser: Browser) -> None:
    purchase_id, _ = console.buy(meter_of(console, "contour"))
    browser.sign_in("viewer", f"/transactions/{purchase_id}")
    browser.sees("Tokens", "Till slip")
    assert "Show tokens" not in browser.text


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_page_gives_a_token_away(console: Live, provider: str) -> None:
    """As the server sends it, whatever the provider put where."""
    purchase_id, answer = console.buy(meter_of(console, provider))
    assert answer.status == 201, answer.body
    purchase = console.run(console.world.purchase(purchase_id))
    assert purchase.status is PurchaseStatus.APPROVED
    steps = len(console.run(console.world.ledger.read(message_stream(purchase_id))))
    session = console.session("administrator")
    paths = [f"/transactions/{purchase_id}", f"/replay?id={purchase_id}"]
    paths += [f"/replay?id={purchase_id}&step={step}" for step in range(1, steps)]
    for path in paths:
        answered = session.get(console.url + path, timeout=30)
        assert answered.status_code == 200
        assert purchase_id in answered.text
        # However its digits may be grouped, in HTML, JSON or the page's own script.
        text = re.sub(r"\\u00a0|\\n|&nbsp;|[\s\-]", "", answered.text)
        for token in digits(console, purchase_id):
            assert token not in text
            assert token[:12] not in text


def test_an_id_that_was_never_used(browser: Browser) -> None:
    browser.sign_in("viewer", f"/transactions/{uuid4()}")
    browser.sees("Nothing is known under this id", "Search the transactions")


def test_messages_are_read_by_keyboard(console: Live, browser: Browser) -> None:
    purchase_id, _ = console.buy(meter_of(console, "contour"))
    browser.sign_in("viewer", f"/transactions/{purchase_id}")
    summary = browser.one("#exchange-1 summary")
    summary.send_keys(Keys.ENTER)
    browser.sees("Request", "creditVendReq")
