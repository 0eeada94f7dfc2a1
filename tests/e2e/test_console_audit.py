"""The audit log: who changed what, from where, and what it was before; and its file."""

import csv
import io
import zipfile
from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests

from tests.console import Browser, Live

pytestmark = pytest.mark.xdist_group("console")

PROVIDER = "randa"


@pytest.fixture
def comment(console: Live) -> Iterator[str]:
    """The operator disables a provider, saying this; it is enabled again afterwards."""
    said = f"times out, drill {uuid4()}"
    session = console.session("operator")
    try:
        change(console, session, "disable", said)
        yield said
    finally:
        change(console, session, "enable", "drill over")


def change(console: Live, session: requests.Session, what: str, comment: str) -> None:
    answer = session.post(
        f"{console.url}/console/providers/{what}", json={"provider": PROVIDER, "comment": comment}
    )
    assert answer.status_code == 200, answer.text


def rows(browser: Browser) -> list[str]:
    return browser.texts("tr[data-position]")


def positions(browser: Browser) -> list[str]:
    return browser.attributes("tr[data-position]", "data-position")


def test_the_log_says_who_disabled_a_provider_and_what_it_was_before(
    console: Live, browser: Browser, comment: str
) -> None:
    browser.sign_in("auditor", "/audit")
    browser.sees(comment)
    (row,) = [row for row in rows(browser) if comment in row]
    for part in ("operator", "Disabled the provider", "R&A Cellular (randa)", "/providers"):
        assert part in row
    assert "enabled enabled → disabled" in " ".join(row.split())
    assert "127.0.0.1" in row

    # What is done while the page is open comes by itself.
    live = f"once more {uuid4()}"
    session = console.session("operator")
    change(console, session, "enable", live)
    browser.sees(live)
    change(console, session, "disable", "and back")


def test_the_filter_is_in_the_address_and_the_file_has_what_the_page_shows(
    console: Live, browser: Browser, comment: str
) -> None:
    browser.sign_in("auditor", "/audit")
    browser.sees(comment)
    browser.keys('select[name="who"]', "operator")
    browser.keys('select[name="action"]', "Disabled the provider")
    browser.keys('input[name="id"]', "RAND")
    browser.press("Show")
    browser.wait(lambda: "id=RAND" in browser.driver.current_url or None, "the filter's address")
    browser.sees(comment)
    assert "who=operator" in browser.driver.current_url
    assert "action=PROVIDER_DISABLED" in browser.driver.current_url
    shown = positions(browser)
    assert shown

    auditor = console.session("auditor")
    links = {link.text: str(link.get_attribute("href")) for link in browser.all(".files a")}
    answer = auditor.get(links["CSV"])
    assert answer.status_code == 200
    header, *told = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    exported = [dict(zip(header, row, strict=True)) for row in told]
    assert [row["Position"] for row in exported] == shown
    (found,) = [row for row in exported if row["Comment"] == comment]
    assert (found["Who"], found["Role"], found["From"]) == ("operator", "operator", "127.0.0.1")
    assert (found["Before"], found["After"]) == ('{"enabled": true}', '{"enabled": false}')
    with zipfile.ZipFile(io.BytesIO(auditor.get(links["XLSX"]).content)) as book:
        assert comment in "".join(
            book.read(name).decode() for name in book.namelist() if name.endswith(".xml")
        )

    browser.open("/audit?action=EXPORTED&who=auditor")
    browser.sees("Exported a list", "csv", "xlsx", "/audit?who=operator")


def test_who_may_not_see_the_log_gets_neither_page_nor_file(
    console: Live, browser: Browser
) -> None:
    for user in ("viewer", "operator", "finance-operator"):
        session = console.session(user)
        assert session.get(f"{console.url}/audit").status_code == 403
        answer = session.get(f"{console.url}/audit/export.csv")
        assert answer.status_code == 403, answer.text
    assert requests.get(f"{console.url}/audit/export.csv", timeout=10).status_code == 401
    browser.sign_in("auditor", "/audit")
    browser.open("/audit?action=ACCESS_REFUSED&who=finance-operator")
    browser.sees("Was refused: not allowed", "export of audit log")


def test_older_entries_are_a_page_away_and_the_way_leads_back(
    console: Live, browser: Browser
) -> None:
    session = console.session("operator")
    for number in range(26):
        # Each is an entry; so are those of other tests.
        for what in ("disable", "enable"):
            change(console, session, what, f"page filler {number}")
    browser.sign_in("auditor", f"/audit?id={PROVIDER}")
    browser.wait(lambda: len(positions(browser)) == 50 or None, "a full page")
    first = positions(browser)
    browser.press("Older")
    browser.wait(lambda: "later=" in browser.driver.current_url or None, "the next page")
    browser.wait(lambda: positions(browser) or None, "older entries")
    assert max(map(int, positions(browser))) < min(map(int, first))
    browser.press("Newer")
    browser.wait(lambda: positions(browser) == first or None, "the first page again")


def test_an_address_that_makes_no_sense_says_so(console: Live, browser: Browser) -> None:
    browser.sign_in("auditor", "/audit")
    browser.open("/audit?action=DANCED&since=yesterday&later=x&id=nothing-of-that-name")
    browser.sees(
        "There is no action 'DANCED'.",
        "'yesterday' is no date and time.",
        "The address names no page of the log",
        "No entry matches.",
    )
    answer = console.session("auditor").get(f"{console.url}/audit/export.csv?since=yesterday")
    assert answer.status_code == 422
    assert "no date and time" in answer.text
