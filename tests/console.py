"""The console as people have it: a real switch with simulated providers, and a real browser."""
# ruff: noqa: ANN401 (elements and messages are what they are)

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from api.console.role import Role
from tests.channel import CHEAP, Reply, lookup_message, purchase_message
from tests.world import World, world

T = TypeVar("T")

CHROMIUM = shutil.which("chromium")
CHROMEDRIVER = shutil.which("chromedriver")
SHOWN_SECONDS_MAX = 20.0
STARTED_SECONDS_MAX = 90.0
STILL_SECONDS = 0.4
SIZE = (1280, 720)

USERS: dict[str, dict[str, str]] = {
    role.value: {"password": CHEAP.hash(role.value), "role": role.value} for role in Role
}
"""One a role, the password is the name."""

SECRET = "a secret that the tests know"
CONSOLE: dict[str, Any] = {"users": USERS, "secure_cookie": False, "secret": SECRET}


class Live:
    """A world whose event loop runs in a thread of its own, so that a test and its browser may
    block."""

    def __init__(self, loop: asyncio.AbstractEventLoop, running: World) -> None:
        self._loop = loop
        self.world = running

    @property
    def url(self) -> str:
        """Of the switch that was started last."""
        return self.world.client.url

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine of the world's."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STARTED_SECONDS_MAX)

    def look_up(self, meter: str) -> Reply:
        return self.run(self.world.client.look_up(lookup_message(meter={"meterId": meter})))

    def buy(self, meter: str, cents: int = 10_000) -> tuple[str, Reply]:
        """Looks the meter up and buys: the purchase's id, and the answer."""
        self.look_up(meter)
        message = purchase_message(
            meter={"meterId": meter}, purchaseAmount={"amount": cents, "currency": "710"}
        )
        return message["id"], self.run(self.world.client.buy(message))

    def fault(self, provider: str, mode: str, **more: Any) -> None:
        """Sets a simulated provider's fault; mode "none" clears it."""
        self.run(self.world.fault(provider, mode, **more))

    def session(self, user: str) -> requests.Session:
        """A signed-in user without a browser."""
        session = requests.Session()
        answer = session.post(
            f"{self.url}/console/sign-in",
            data={"name": user, "password": user, "next": "/console/static/console.css"},
        )
        assert answer.status_code == 200, answer.text
        return session


@contextmanager
def live(folder: Path, database_url: str, **options: Any) -> Generator[Live]:
    """Starts a world with a console in a thread; `options` as `world` takes them."""
    loop = asyncio.new_event_loop()
    done = asyncio.Event()
    ready: Future[World] = Future()

    async def keep() -> None:
        try:
            async with world(folder, database_url, console=CONSOLE, **options) as running:
                ready.set_result(running)
                await done.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = threading.Thread(target=lambda: loop.run_until_complete(keep()), daemon=True)
    thread.start()
    try:
        yield Live(loop, ready.result(STARTED_SECONDS_MAX))
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(STARTED_SECONDS_MAX)


class Browser:
    """A headless Chromium on one console."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def sign_in(self, user: str, then: str = "/") -> None:
        """A new session for `user`, who goes on to `then`."""
        self.driver.delete_all_cookies()
        self.open(f"/sign-in?next={quote(then, safe='')}")
        self.keys('input[name="name"]', user)
        self.keys('input[name="password"]', user)
        self.click('button[type="submit"]')
        self.wait(lambda: "/sign-in" not in self.driver.current_url, "signed in")

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    def all(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> WebElement:
        """The first visible element, once there is one."""
        return self.wait(lambda: next((e for e in self.all(css) if e.is_displayed()), None), css)

    def texts(self, css: str) -> list[str]:
        """What all of them say, read at one moment, however often they are written anew; cells of
        a row are a space apart."""
        read = (
            "return Array.from(document.querySelectorAll(arguments[0]),"
            " e => e.innerText.replaceAll('\\t', ' '))"
        )
        found: list[str] = self.driver.execute_script(read, css)  # pyright: ignore[reportUnknownMemberType]
        return found

    def attributes(self, css: str, name: str) -> list[str]:
        """The attribute of all of them, read at one moment; empty where one has none."""
        read = (
            "return Array.from(document.querySelectorAll(arguments[0]),"
            " e => e.getAttribute(arguments[1]) || '')"
        )
        found: list[str] = self.driver.execute_script(read, css, name)  # pyright: ignore[reportUnknownMemberType]
        return found

    def text_of(self, css: str) -> str:
        """What the first one says, once there is one."""
        return self.wait(lambda: self.texts(css) or None, css)[0]

    def click(self, css: str) -> None:
        """Clicks the first visible element; one that is written anew meanwhile is looked for
        again."""

        def clicked() -> bool | None:
            element = next((e for e in self.all(css) if e.is_displayed()), None)
            if element is not None:
                element.click()
            return element is not None or None

        self.wait(clicked, css)

    def keys(self, css: str, *keys: str) -> None:
        """Types into the first visible element, which is looked for as `click` does."""

        def typed() -> bool | None:
            element = next((e for e in self.all(css) if e.is_displayed()), None)
            if element is not None:
                element.send_keys(*keys)
            return element is not None or None

        self.wait(typed, css)

    def button(self, text: str) -> WebElement:
        """The visible button or link with this text."""
        return self.wait(
            lambda: next(
                (
                    e
                    for e in self.all("button, a, [role=button]")
                    if e.is_displayed() and e.text.strip().lower() == text.lower()
                ),
                None,
            ),
            f"button {text}",
        )

    def press(self, text: str) -> None:
        """Clicks the button with this text, as `click` does."""

        def pressed() -> bool:
            self.button(text).click()
            return True

        self.wait(pressed, f"button {text}")

    @property
    def text(self) -> str:
        """What the page says."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def sees(self, *texts: str) -> None:
        """Waits until the page says all of `texts`."""
        for text in texts:
            self.wait(lambda wanted=text: wanted in self.text, f"{text!r} on the page")

    def wait(
        self, condition: Callable[[], T | None], what: str, seconds: float = SHOWN_SECONDS_MAX
    ) -> T:
        """Polls until the condition gives something; the message says what never came."""
        wait = WebDriverWait(
            self.driver,
            seconds,
            poll_frequency=0.05,
            # What is written anew while it is looked at is looked for again.
            ignored_exceptions=[WebDriverException],
        )
        try:
            found = wait.until(lambda _: condition())
        except TimeoutException:
            shown = self.text[:3_000]
            raise AssertionError(
                f"not within {seconds:g} s: {what}, at {self.driver.current_url}:\n{shown}"
            ) from None
        assert found is not None
        return found

    def still(self) -> None:
        """Waits until nothing on the page moves any more: charts are drawn, dialogs are open."""
        before = b""

        def same() -> bool:
            nonlocal before
            time.sleep(STILL_SECONDS)
            now = self.driver.get_screenshot_as_png()
            unmoved, before = now == before, now
            return unmoved

        self.wait(same, "a page that stands still")

    def grow(self) -> None:
        """Makes the window as high as the page."""
        height: int = self.driver.execute_script("return document.body.scrollHeight")  # pyright: ignore[reportUnknownMemberType]
        self.resize((SIZE[0], height))

    def resize(self, size: tuple[int, int]) -> None:
        """The page's own size, whatever the window's frame takes."""
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)  # pyright: ignore[reportUnknownMemberType]

    def screenshot(self, path: Path) -> None:
        self.driver.save_screenshot(str(path))  # pyright: ignore[reportUnknownMemberType]

    def errors(self) -> list[str]:
        """What the browser's own log complains of."""
        log: list[dict[str, Any]] = self.driver.get_log("browser")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return [entry["message"] for entry in log if entry["level"] == "SEVERE"]


@contextmanager
def chromium(url: str, profile: Path, size: tuple[int, int] = SIZE) -> Generator[Browser]:
    """A browser with an empty profile, closed at the end."""
    assert CHROMIUM is not None
    assert CHROMEDRIVER is not None
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--lang=en-ZA",
        f"--user-data-dir={profile}",
        f"--window-size={size[0]},{size[1]}",
    ):
        options.add_argument(argument)  # pyright: ignore[reportUnknownMemberType]
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    try:
        browser = Browser(driver, url)
        browser.resize(size)
        yield browser
    finally:
        driver.quit()
