"""The drill of docs/console.md, from the first time-out to the audit log, as one person does it."""

import pytest
from selenium.webdriver.common.keys import Keys

from domain.sale import UtilityType
from providers.simulator.faults import FaultMode
from providers.simulator.fleet_file import load_fleet
from tests.console import Browser, Live

pytestmark = pytest.mark.xdist_group("console")

SICK = "switchone"
METER, SPARE = next(
    (meter.number, next(p for p in meter.providers if p != SICK))
    for meter in load_fleet().meters
    if SICK in meter.providers
    and len(meter.providers) > 1
    and meter.behaviour is FaultMode.NONE
    and meter.utility_type is UtilityType.ELECTRICITY
    and not meter.credit_blocked
)
FAILURES = 3


def test_a_sick_provider_is_found_spared_and_brought_back(console: Live, browser: Browser) -> None:
    console.run(console.world.steer_to(METER, SICK, SPARE))
    _, answer = console.buy(METER)
    assert answer.body["settlementEntity"]["id"] == SICK
    try:
        _drill(console, browser)
    finally:
        console.fault(SICK, "none")
        console.session("operator").post(
            f"{console.url}/console/providers/enable", json={"provider": SICK}
        )
    # What fell silent before it sold, sold nothing: no sale stands that nobody knows of.
    console.run(console.world.nothing_open())


def _drill(console: Live, browser: Browser) -> None:
    console.fault(SICK, "silent_before_sale", operations=("VEND", "RECOVER"))
    in_doubt = [console.buy(METER)[0] for _ in range(FAILURES)]
    browser.sign_in("operator", "/")
    browser.click(f'.attention a[href="/providers/{SICK}"]')
    browser.sees("no answer in time")
    browser.click(f'a[href="/transactions/{in_doubt[0]}"]')
    browser.sees("Message flow", "no answer", "Why this provider")
    browser.open("/queue")
    browser.sees(*in_doubt, "Nobody else may sell this purchase meanwhile")

    browser.open(f"/providers/{SICK}")
    _press_and_confirm(browser, "Disable")
    browser.sees("Disabled", "in effect")
    _, moved = console.buy(METER)
    assert moved.body["settlementEntity"]["id"] == SPARE

    console.fault(SICK, "none")
    _press_and_confirm(browser, "Enable")
    browser.sees("Enabled", "in effect")
    browser.wait(lambda: _seller(console) == SICK or None, f"sales at {SICK} again")
    for purchase_id in in_doubt:
        console.run(console.world.settled([purchase_id]))
    _audit(browser)


def _press_and_confirm(browser: Browser, what: str) -> None:
    """Two clicks: the button, and the dialog's, which has the focus."""
    browser.press(what)

    def focused() -> bool:
        element = browser.driver.switch_to.active_element
        return element.text.strip().lower() == what.lower() and bool(browser.all(".q-dialog"))

    browser.wait(lambda: focused() or None, f"{what} with the focus in a dialog")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)


def _seller(console: Live) -> str:
    _, answer = console.buy(METER)
    return answer.body["settlementEntity"]["id"]


def _audit(browser: Browser) -> None:
    browser.sign_in("auditor", f"/audit?type=provider&id={SICK}")
    browser.sees("Enabled the provider")
    rows = [row.replace("\n", " ") for row in browser.texts("table tbody tr")]
    changes = [row for row in rows if "the provider" in row][:2]
    assert "Enabled the provider" in changes[0]
    assert "disabled → enabled" in changes[0]
    assert "Disabled the provider" in changes[1]
    assert "enabled → disabled" in changes[1]
    for row in changes:
        assert "operator" in row
        assert "127.0.0.1 /providers" in row
