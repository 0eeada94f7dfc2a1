"""From a purchase's HTTP answer to its card on an open Transactions page: the delay that a person
at the console sees, measured in a real browser on the same machine, whose clock both sides read."""

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import requests

from bench.load import BenchError
from bench.result import Row, percentile
from bench.running import OPERATOR, ROOT, SENDER, system
from domain.sale import UtilityType
from providers.simulator.faults import FaultMode
from providers.simulator.fleet_file import DEFAULT_FLEET, load_fleet

QUIET = "purchases one by one"
BUSY = "the same under load"
AMOUNT_CENTS = 9_876
FILTERED = "/transactions?amount=98.76"
"""Under load the newest fifty are gone in less than a second, so the page shows the measured ones
alone, by an amount that nobody else pays."""
LOAD_CENTS = 10_000
METER = next(
    meter.number
    for meter in load_fleet(DEFAULT_FLEET).meters
    if meter.behaviour is FaultMode.NONE
    and meter.utility_type is UtilityType.ELECTRICITY
    and not (meter.number.startswith("TST") or meter.credit_blocked or meter.debts)
    and meter.min_cents < AMOUNT_CENTS < meter.max_cents
)
SHOWN_SECONDS_MAX = 20.0
# Writes down, for each card, when it was first there as sold. The observer runs as soon as the page
# has changed, before it is painted.
_WATCH = """
window.seen = {};
const look = () => {
  for (const card of document.querySelectorAll('a.card[href^="/transactions/"]')) {
    const id = card.getAttribute('href').split('/')[2];
    if (!(id in window.seen) && card.innerText.includes('Approved')) window.seen[id] = Date.now();
  }
};
new MutationObserver(look).observe(document.body, {childList: true, subtree: true,
                                                   characterData: true});
look();
"""


def run(purchases: int, per_second: float, load: int, say: Callable[[str], None]) -> list[Row]:
    """`purchases` at `per_second`, quiet and beside `load` connections that buy all the time.
    Raises BenchError."""
    with system() as port, _browser() as driver:
        base = f"http://127.0.0.1:{port}"
        _sign_in(driver, base)
        _open_page(driver, base, "/transactions")
        rows = _rows(QUIET, _delays(driver, base, purchases, per_second), None)
        say("measured: one by one")
        quiet = rows[0].value
        _open_page(driver, base, FILTERED)
        with _load(base, load) as bought:
            rows += _rows(BUSY, _delays(driver, base, purchases, per_second), quiet)
        seconds = purchases / per_second
        rows.append(Row(BUSY, "purchases beside", len(bought) / seconds, "/s"))
        say("measured: under load")
    return rows


def _rows(case: str, delays: list[float], quiet: float | None) -> list[Row]:
    median = percentile(delays, 0.5)
    return [
        Row(case, "median", median, "ms", median / quiet if quiet else None),
        Row(case, "p99", percentile(delays, 0.99), "ms"),
    ]


@contextmanager
def _browser() -> Generator[Any]:
    """A headless Chromium. Raises BenchError without one."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        raise BenchError("needs Chromium and ChromeDriver")
    with tempfile.TemporaryDirectory(prefix="ppu-bench-browser-") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--window-size=1280,720",
            f"--user-data-dir={profile}",
        ):
            options.add_argument(argument)  # pyright: ignore[reportUnknownMemberType]
        driver = webdriver.Chrome(options=options, service=Service(chromedriver))
        try:
            yield driver
        finally:
            driver.quit()


def _sign_in(driver: Any, base: str) -> None:  # noqa: ANN401 (the driver is partly typed)
    driver.get(f"{base}/sign-in?next=/transactions")
    for name in ("name", "password"):
        driver.find_element("name", name).send_keys(OPERATOR)
    driver.find_element("css selector", "button[type=submit]").click()
    _until(lambda: "Transactions" in driver.title, "the page of transactions")


def _open_page(driver: Any, base: str, path: str) -> None:  # noqa: ANN401
    driver.get(base + path)
    # The first purchase also makes the list that later cards come into.
    _buy(requests.Session(), base, AMOUNT_CENTS)
    _until(lambda: driver.find_elements("css selector", "a.card"), "the first card")
    driver.execute_script(_WATCH)


def _delays(driver: Any, base: str, purchases: int, per_second: float) -> list[float]:  # noqa: ANN401
    """Milliseconds from each answer to its card, in order of size."""
    answered: dict[str, float] = {}
    session = requests.Session()
    begun = time.monotonic()
    for number in range(purchases):
        time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
        purchase_id = _buy(session, base, AMOUNT_CENTS)
        answered[purchase_id] = time.time() * 1_000

    def seen() -> Mapping[str, float]:
        found: str = driver.execute_script("return JSON.stringify(window.seen)")
        return json.loads(found)

    _until(lambda: answered.keys() <= seen().keys(), "every card")
    shown = seen()
    return sorted(max(0.0, shown[one] - at) for one, at in answered.items())


@contextmanager
def _load(base: str, connections: int) -> Generator[list[str]]:
    """Buys on so many connections until the block ends; the ids bought."""
    ended = threading.Event()
    bought: list[str] = []

    def keep_buying() -> None:
        session = requests.Session()
        while not ended.is_set():
            bought.append(_buy(session, base, LOAD_CENTS))

    threads = [threading.Thread(target=keep_buying, daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield bought
    finally:
        ended.set()
        for thread in threads:
            thread.join(SHOWN_SECONDS_MAX)


def _buy(session: requests.Session, base: str, cents: int) -> str:
    """A purchase; its id. Raises BenchError."""
    session.auth = ("test", "test")
    purchase_id = str(uuid4())
    body = {
        "id": purchase_id,
        "meter": {"meterId": METER},
        "purchaseAmount": {"amount": cents, "currency": "710"},
    }
    answer = session.post(f"{base}{ROOT}/tokenPurchases/{purchase_id}", json=SENDER | body)
    if answer.status_code == 400 and "ROUTING_ERROR" in answer.text:
        lookup = {"id": str(uuid4()), "meter": {"meterId": METER}}
        session.post(f"{base}{ROOT}/meterLookups/{lookup['id']}", json=SENDER | lookup)
        return _buy(session, base, cents)
    if answer.status_code != 201:
        raise BenchError(f"purchase: {answer.status_code} {answer.text[:200]}")
    return purchase_id


def _until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SHOWN_SECONDS_MAX
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"never came: {what}")
        time.sleep(0.05)
