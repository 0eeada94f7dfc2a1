"""What stands below the list: how far was looked, and where it goes on."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from api.console.templates import Templates
from api.console.text import Formats
from api.console.transactions.address import selection
from projections.transaction_search import Cursor, Page

ZONE = ZoneInfo("Africa/Johannesburg")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
AT = datetime(2026, 10, 12, 12, 3, tzinfo=UTC)
PLACE = Cursor(AT, 17)


def links(query: dict[str, str], page: Page) -> tuple[str, dict[str, str]]:
    """The text, and the addresses by the links' text."""
    html = Templates(Formats(ZONE.key)).render(
        "transactions_pages.html", wanted=selection(query, ZONE, NOW), page=page
    )
    found = re.findall(r'href="([^"]*)">([^<]*)<', html)
    return re.sub("<[^>]*>", "", html), {text: href for href, text in found}


def test_the_newest_page_leads_to_older_ones() -> None:
    _, found = links({"meter": "1"}, Page([], older=PLACE))
    assert list(found) == ["Older"]
    assert found["Older"].startswith("/transactions?meter=1&amp;before=2026-10-12T12%3A03")


@pytest.mark.parametrize(
    ("query", "page", "said", "further"),
    [
        ({}, Page([], older=PLACE, searched_to=AT), "Searched back to 2026-10-12 14:03", "before"),
        (
            {"after": "2026-10-01T00:00:00+00:00~1"},
            Page([], older=PLACE, newer=PLACE, searched_to=AT),
            "Searched up to 2026-10-12 14:03",
            "after",
        ),
    ],
)
def test_a_page_that_is_not_full_says_how_far_was_looked(
    query: dict[str, str], page: Page, said: str, further: str
) -> None:
    text, found = links(query, page)
    assert said in text
    assert f"{further}=2026-10-12" in found["Search further"]


def test_a_page_in_between_leads_both_ways_and_back_to_the_newest() -> None:
    _, found = links({"before": "2026-10-12T12:03:00+00:00~17"}, Page([], PLACE, PLACE))
    assert list(found) == ["Newest", "Newer", "Older"]
    assert found["Newest"] == "/transactions"


def test_the_end_of_the_list_leads_nowhere() -> None:
    text, found = links({}, Page([]))
    assert (text.strip(), found) == ("", {})
