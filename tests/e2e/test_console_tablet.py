"""On a tablet held upright nothing sticks out of a page, and the pages are behind the menu."""

import pytest

from tests.console import SIZE, Browser, Live

pytestmark = pytest.mark.xdist_group("console")

TABLET = (768, 1024)
PAGES = (
    "/",
    "/transactions",
    "/meters",
    "/meters/TST001",
    "/routing",
    "/providers",
    "/providers/ipay",
    "/queue",
    "/replay?meter=TST001",
    "/audit",
)
_WIDTH = "return document.documentElement.scrollWidth"


def test_no_page_is_wider_than_the_screen(console: Live, browser: Browser) -> None:
    purchase_id, _ = console.buy("TST001")
    browser.sign_in("administrator", "/sign-in")
    browser.resize(TABLET)
    try:
        for path in (*PAGES, f"/transactions/{purchase_id}"):
            browser.open(path)
            browser.one("h1")
            width: int = browser.driver.execute_script(_WIDTH)  # pyright: ignore[reportUnknownMemberType]
            assert width <= TABLET[0], path
        assert not [link for link in browser.all("nav a") if link.is_displayed()]
        browser.click('button[aria-label="Menu"]')
        browser.wait(
            lambda: [link for link in browser.all("nav a") if link.is_displayed()] or None,
            "the links to the pages",
        )
    finally:
        browser.resize(SIZE)
