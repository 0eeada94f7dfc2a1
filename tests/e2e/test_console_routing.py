"""Routing preferences: somebody ranks another provider first, sees beforehand what that moves, and
the next purchase follows; and somebody uploads a file of preferences."""

from pathlib import Path

import pytest
from selenium.webdriver.remote.webelement import WebElement

from domain.utility import utility_id
from tests.console import Browser, Live

pytestmark = pytest.mark.xdist_group("console")

METER = "07581433807"
UTILITY = "Nelson Mandela Bay"
"""SwitchOne and Sandulela serve the meter; only this module uses its utility."""
TOWN = "Upload-on-Sea"
"""In no fleet."""
SOLD_BEFORE = 3

DROP = """
const [item, onto, lower] = arguments, data = new DataTransfer();
const box = onto.getBoundingClientRect();
const at = {bubbles: true, cancelable: true, dataTransfer: data,
            clientY: lower ? box.bottom - 2 : box.top + 2};
item.dispatchEvent(new DragEvent("dragstart", at));
onto.dispatchEvent(new DragEvent("dragover", at));
onto.dispatchEvent(new DragEvent("drop", at));
"""
"""As a browser tells of a drag: headless, it makes none of the mouse's."""


def prefer(console: Live, name: str, ranked: list[str], excluded: list[str] | None = None) -> None:
    """As a script sets preferences."""
    answer = console.session("routing-manager").post(
        f"{console.url}/console/routing/preferences",
        json={"utility": name, "ranked": ranked, "excluded": excluded or []},
    )
    assert answer.status_code == 200, answer.text


def seller(console: Live) -> str:
    _, answer = console.buy(METER)
    assert answer.status == 201, answer.body
    return answer.body["settlementEntity"]["id"]


def shown(browser: Browser, zone: str) -> list[str]:
    """The providers in one zone of the dialog, in order."""
    return browser.attributes(f'[data-zone="{zone}"] li[data-provider]', "data-provider")


def edit(browser: Browser, name: str) -> None:
    """Opens the dialog for the listed utility."""
    browser.click(f"#edit-{utility_id(name)}")
    browser.sees(f"Preferences of {name}")


def drop(browser: Browser, item: str, onto: WebElement, *, lower: bool = False) -> None:
    dragged = browser.one(f'li[data-provider="{item}"]')
    browser.driver.execute_script(DROP, dragged, onto, lower)  # pyright: ignore[reportUnknownMemberType]


def test_rank_2_goes_above_rank_1_after_a_preview_and_the_next_purchase_follows(
    console: Live, browser: Browser
) -> None:
    prefer(console, UTILITY, ["sandulela", "switchone"])
    browser.wait(lambda: seller(console) == "sandulela" or None, "purchases go to Sandulela")
    for _ in range(SOLD_BEFORE):
        assert seller(console) == "sandulela"

    browser.sign_in("routing-manager", "/routing?search=MANDELA")
    browser.click(f"#expand-{utility_id(UTILITY)}")
    browser.sees(UTILITY, "Ranked 1", "Ranked 2", "by routing-manager")
    assert browser.one(f"#expand-{utility_id(UTILITY)}").get_attribute("aria-expanded") == "true"
    browser.wait(lambda: "open=nelson" in browser.driver.current_url or None, "it in the address")
    history = browser.one('a[href^="/replay?utility="]').get_attribute("href")
    assert history == f"{console.url}/replay?utility={utility_id(UTILITY)}"

    edit(browser, UTILITY)
    assert shown(browser, "ranked") == ["sandulela", "switchone"]
    browser.click('[aria-label="SwitchOne up"]')
    wanted = ["switchone", "sandulela"]
    browser.wait(lambda: shown(browser, "ranked") == wanted or None, "the new order")
    browser.wait(
        lambda: (
            browser.driver.switch_to.active_element.get_attribute("aria-label") == "SwitchOne down"
            or None
        ),
        "the focus still at SwitchOne",
    )
    browser.press("Preview: today so far")
    moved = "from Sandulela to SwitchOne"
    browser.wait(lambda: moved in browser.text or None, "what would have moved")
    (line,) = [line for line in browser.text.splitlines() if moved in line]
    assert int("".join(filter(str.isdigit, line))) >= SOLD_BEFORE
    browser.press("Preview: yesterday")
    browser.sees("there was no purchase of this utility")

    browser.press("Save")
    browser.sees(f"The preferences of {UTILITY} are kept.")
    browser.wait(lambda: seller(console) == "switchone" or None, "purchases go to SwitchOne")
    browser.open("/routing?search=mandela")
    browser.sees("1 SwitchOne", "2 Sandulela")
    assert browser.texts(".tag .label") == ["SwitchOne", "Sandulela"]


def test_providers_are_moved_by_drag_and_by_number_and_a_change_meanwhile_is_not_overwritten(
    console: Live, browser: Browser
) -> None:
    name = "Dragfontein"
    prefer(console, name, ["ipay", "contour", "kazang"], ["syntell"])
    browser.sign_in("routing-manager", "/routing?search=dragf")
    browser.sees(name)
    edit(browser, name)

    drop(browser, "kazang", browser.one('li[data-provider="ipay"]'))
    wanted = ["kazang", "ipay", "contour"]
    browser.wait(lambda: shown(browser, "ranked") == wanted or None, "Kazang first")
    drop(browser, "kazang", browser.one('li[data-provider="ipay"]'), lower=True)
    wanted = ["ipay", "kazang", "contour"]
    browser.wait(lambda: shown(browser, "ranked") == wanted or None, "Kazang after iPay")
    drop(browser, "syntell", browser.one('[data-zone="unranked"] h3'))
    browser.wait(lambda: not shown(browser, "excluded") or None, "nobody excluded")
    assert "syntell" in shown(browser, "unranked")

    number = browser.one('[aria-label="Rank of Contour"]')
    number.clear()
    number.send_keys("1\t")
    wanted = ["contour", "ipay", "kazang"]
    browser.wait(lambda: shown(browser, "ranked") == wanted or None, "Contour first")

    prefer(console, name, ["ontec"])
    browser.press("Save")
    browser.sees(f"{name} was changed meanwhile")
    browser.press("Close")
    browser.press("Cancel")
    browser.wait(lambda: "Ontec" in browser.text_of("table.routing") or None, "the other's change")


def test_a_file_is_reported_line_by_line_before_its_good_lines_are_applied(
    console: Live, browser: Browser, tmp_path: Path
) -> None:
    prefer(console, TOWN, ["ipay"])
    file = tmp_path / "preferences.csv"
    file.write_text(
        "\N{BOM}utility,ranked,excluded\n"
        f"{TOWN},contour; ipay,kazang\n"
        "Badplaas,ipay;nobody,\n"
        "Newtown-on-Sea,ontec,\n",
        encoding="utf-8",
    )
    browser.sign_in("routing-manager", "/routing?search=on-sea")
    browser.sees(TOWN)
    browser.press("Upload a file")
    browser.sees("Upload a preferences file")
    browser.all('input[type="file"]')[0].send_keys(str(file))
    browser.sees(
        "3 lines; would change: 1, error: 2", "no such provider: nobody", "no such utility"
    )
    browser.click(".q-checkbox")
    browser.sees("3 lines; would change: 2, error: 1", "Would change (new utility)")
    browser.press("Apply")
    browser.sees("3 lines; changed: 2, error: 1", "no such provider: nobody")
    browser.press("Close")
    browser.sees("Newtown-on-Sea", "2 iPay")

    session = console.session("routing-manager")
    lines = session.get(f"{console.url}/routing/export.csv").content.decode("utf-8-sig")
    assert f"{TOWN},contour;ipay,kazang\r\n" in lines
    assert "Newtown-on-Sea,ontec,\r\n" in lines
    answer = session.post(f"{console.url}/console/routing/file", json={"text": lines})
    assert {line["outcome"] for line in answer.json()["lines"]} == {"UNCHANGED"}
    assert "Badplaas" not in lines


def test_what_is_no_such_file_is_said_and_nothing_can_be_applied(
    console: Live, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "latin.csv"
    file.write_bytes("utility,ranked,excluded\nMônica,ipay,\n".encode("latin-1"))
    browser.sign_in("administrator", "/routing")
    browser.press("Upload a file")
    browser.sees("Upload a preferences file")
    browser.all('input[type="file"]')[0].send_keys(str(file))
    browser.sees("The file is not UTF-8")
    assert not browser.button("Apply").is_enabled()

    session = console.session("administrator")
    address = f"{console.url}/console/routing/file"
    wrong = session.post(address, json={"text": "name\n"})
    assert (wrong.status_code, "first line" in wrong.json()["error"]) == (422, True)
    # More than other commands may have, and not without a limit.
    large = "utility,ranked,excluded\n" + "Eskom,,\n" * 20_000
    assert session.post(address, json={"text": large}).json()["error"].startswith("The file has")
    assert session.post(address, json={"text": "x" * 5_000_001}).status_code == 413


def test_a_viewer_sees_the_preferences_and_nothing_to_change_them_with(
    console: Live, browser: Browser
) -> None:
    prefer(console, "Kykfontein", ["ipay"])
    browser.sign_in("viewer", "/routing?search=kykf")
    browser.sees("Kykfontein", "1 iPay")
    assert browser.all('[data-do="edit"]') == []
    assert "Upload" not in browser.text
    assert "Download" not in browser.text
    assert console.session("viewer").get(f"{console.url}/routing/export.csv").status_code == 403


def test_an_address_that_names_nothing_says_so(browser: Browser) -> None:
    browser.sign_in("viewer", "/routing?search=no+such+town")
    browser.sees("No utility has “no such town” in its name.")
    browser.open("/routing?after=nonsense")
    browser.sees("The page in the address is none.")
    browser.open("/routing?search=" + "x" * 300)
    browser.sees("A search has at most 200 characters.")
