"""Takes the pictures of docs/console.md: `python -m tests.screenshots docs/images/console`.

A switch with all ten simulated providers, an hour's worth of trouble in a minute, and every page in
a real browser. What is in the pictures is made here each time, so they show what the console is."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console as Terminal

from api.console.frame import THEME_COOKIE
from domain.sale import UtilityType
from ledger.embedded import EmbeddedServer
from providers.simulator.faults import FaultMode
from providers.simulator.fleet_file import load_fleet
from tests.console import SIZE, Browser, Live, chromium, live

WHOLE = {"home", "transaction", "meter"}
TABLET = (768, 1024)
METERS = 24
PURCHASES = 3
SICK = "contour"


def main(folder: Path) -> None:
    """Writes one PNG a page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    terminal = Terminal(stderr=True)
    with tempfile.TemporaryDirectory(prefix="ppu-screenshots-") as scratch:
        work = Path(scratch)
        server = EmbeddedServer(work / "postgres", fast=True)
        try:
            url = server.start()
            (work / "world").mkdir()
            with live(work / "world", url) as running:
                terminal.print("buying …")
                story = _story(running)
                with chromium(running.url, work / "desk") as browser:
                    _take(browser, folder, story, terminal.print)
                with chromium(running.url, work / "tablet", TABLET) as browser:
                    browser.sign_in("operator", "/transactions")
                    _shoot(browser, folder, "tablet", "/transactions")
        finally:
            server.stop()
            server.remove()


def _story(running: Live) -> dict[str, str]:
    """Something of everything; the ids that pages need."""
    ordinary = [
        meter
        for meter in load_fleet().meters
        if meter.behaviour is FaultMode.NONE
        and meter.utility_type is UtilityType.ELECTRICITY
        and not meter.credit_blocked
        and not meter.number.startswith("TST")
    ]
    numbers = [meter.number for meter in ordinary]
    served_by_the_sick = next(meter.number for meter in ordinary if SICK in meter.providers)
    for number in [*numbers[:METERS], *(f"TST{n:03d}" for n in range(1, 10))]:
        for _ in range(PURCHASES):
            running.buy(number)
    operator = running.session("operator")
    running.run(running.world.steer_to(served_by_the_sick, SICK))
    running.fault(SICK, "silent_after_sale")
    recovered, _ = running.buy(served_by_the_sick)
    running.fault(SICK, "none")
    running.run(running.world.settled([recovered]))
    running.fault(SICK, "silent_before_sale", operations=("VEND", "RECOVER"))
    for _ in range(3):
        running.buy(served_by_the_sick)
    for path, body in (
        ("providers/disable", {"provider": "randa", "comment": "maintenance until noon"}),
        ("meters/rebroadcast", {"number": numbers[3], "comment": "customer moved"}),
        ("messages/tokens", {"message_id": recovered, "comment": "customer lost the slip"}),
    ):
        assert operator.post(f"{running.url}/console/{path}", json=body).status_code == 200
    manager = running.session("routing-manager")
    assert (
        manager.post(
            f"{running.url}/console/providers/weight",
            json={"provider": "kazang", "weight": 25, "comment": "new contract"},
        ).status_code
        == 200
    )
    return {"recovered": recovered, "meter": served_by_the_sick}


def _take(
    browser: Browser, folder: Path, story: dict[str, str], say: Callable[[str], None]
) -> None:
    browser.driver.delete_all_cookies()
    _shoot(browser, folder, "sign-in", "/sign-in")
    browser.sign_in("administrator", "/")
    pages = {
        "home": "/",
        "transactions": "/transactions",
        "transaction": f"/transactions/{story['recovered']}",
        "meters": "/meters",
        "meter": f"/meters/{story['meter']}",
        "routing": "/routing",
        "providers": "/providers",
        "provider": f"/providers/{SICK}",
        "queue": "/queue",
        "replay": f"/replay?id={story['recovered']}",
        "audit": "/audit",
    }
    for name, path in pages.items():
        _shoot(browser, folder, name, path, whole=name in WHOLE)
        browser.resize(SIZE)
        say(name)
    theme = {"name": THEME_COOKIE, "value": "dark"}
    browser.driver.add_cookie(theme)  # pyright: ignore[reportUnknownMemberType]
    _shoot(browser, folder, "dark", "/providers")


def _shoot(browser: Browser, folder: Path, name: str, path: str, *, whole: bool = False) -> None:
    """The window, or the whole page, once it stands still."""
    browser.open(path)
    browser.wait(lambda: browser.all("h1"), f"a heading at {path}")
    # A blinking caret is never still.
    browser.driver.execute_script("document.activeElement.blur()")  # pyright: ignore[reportUnknownMemberType]
    if whole:
        browser.still()
        browser.grow()
    browser.still()
    browser.screenshot(folder / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
