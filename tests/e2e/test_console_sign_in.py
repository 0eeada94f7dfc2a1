"""Who comes in, and what a role may do, on the pages and at the endpoints behind them."""

import pytest
import requests

from api.console.command import Command
from api.console.commands.catalogue import COMMANDS
from tests.console import Browser, Live

pytestmark = pytest.mark.xdist_group("console")


def test_a_viewer_signs_in_and_sees_transactions(console: Live, browser: Browser) -> None:
    purchase_id, answer = console.buy("TST001")
    assert answer.status == 201
    browser.open("/transactions")
    assert "/sign-in" in browser.driver.current_url
    browser.sign_in("viewer", "/transactions")
    browser.sees("Transactions", purchase_id)


def test_a_wrong_password_is_refused(browser: Browser) -> None:
    browser.open("/sign-in")
    browser.one('input[name="name"]').send_keys("operator")
    browser.one('input[name="password"]').send_keys("wrong")
    browser.one('button[type="submit"]').click()
    browser.sees("Name or password is wrong.")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.path)
def test_a_viewer_gets_403_from_every_command(console: Live, command: type[Command]) -> None:
    path = f"{console.url}/console/{command.path}"
    answer = console.session("viewer").post(path, json={})
    assert answer.status_code == 403, answer.text
    assert requests.post(path, json={}, timeout=10).status_code == 401
