"""Who comes in, and what a role may do, on the pages and at the endpoints behind them."""

from datetime import UTC, datetime

import pytest
import requests
from starlette.responses import Response

from api.console.command import Command
from api.console.commands.catalogue import COMMANDS
from api.console.role import Role
from api.console.session import COOKIE, Sessions
from api.console.settings import ConsoleSettings, User
from tests.console import SECRET, Browser, Live

SHORT_SECONDS = 3

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
    browser.keys('input[name="name"]', "operator")
    browser.keys('input[name="password"]', "wrong")
    browser.click('button[type="submit"]')
    browser.sees("Name or password is wrong.")


def test_a_page_that_is_left_open_shows_nothing_once_the_session_has_ended(
    console: Live, browser: Browser
) -> None:
    browser.sign_in("viewer", "/sign-in")
    ended = Sessions(
        ConsoleSettings(
            users={"viewer": User("", Role.VIEWER)}, secret=SECRET, session_seconds=SHORT_SECONDS
        ),
        lambda: datetime.now(UTC),
    )
    response = Response()
    ended.begin(response, "viewer")
    value = response.headers["set-cookie"].partition(";")[0].partition("=")[2]
    browser.driver.delete_all_cookies()
    browser.driver.add_cookie({"name": COOKIE, "value": value})  # pyright: ignore[reportUnknownMemberType]
    browser.open("/transactions")
    browser.sees("Transactions")

    def signed_out() -> bool:
        console.buy("TST001")
        return "/sign-in" in browser.driver.current_url

    browser.wait(lambda: signed_out() or None, "the sign-in page")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.path)
def test_a_viewer_gets_403_from_every_command(console: Live, command: type[Command]) -> None:
    path = f"{console.url}/console/{command.path}"
    answer = console.session("viewer").post(path, json={})
    assert answer.status_code == 403, answer.text
    assert requests.post(path, json={}, timeout=10).status_code == 401
