"""The address of a list of transactions: what it means, and that it can be passed on."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.transactions.address import NAMES, PERIODS, selection
from projections.transaction_filter import Filters
from projections.transaction_search import Cursor

ZONE = ZoneInfo("Africa/Johannesburg")
NOW = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
"""The 25th, half past midnight, where the console is."""
MIDNIGHT = datetime(2026, 11, 24, 22, tzinfo=UTC)
DAY = timedelta(days=1)


def filters_of(**query: str) -> Filters:
    wanted = selection(query, ZONE, NOW)
    assert wanted.problems == {}
    return wanted.filters


@pytest.mark.parametrize(
    ("query", "range_"),
    [
        ({}, (MIDNIGHT, None)),
        ({"period": "today", "meter": "1"}, (MIDNIGHT, None)),
        ({"period": "yesterday"}, (MIDNIGHT - DAY, MIDNIGHT)),
        ({"period": "week"}, (MIDNIGHT - 6 * DAY, None)),
        ({"period": "all"}, (None, None)),
        ({"meter": "1"}, (None, None)),
        ({"reference": "1"}, (None, None)),
        ({"from": "2026-11-25", "to": "2026-11-25"}, (MIDNIGHT, MIDNIGHT + DAY)),
        ({"from": "2026-11-25T00:00", "period": "week"}, (MIDNIGHT, None)),
        ({"to": "2026-11-25T00:00:00+02:00"}, (None, MIDNIGHT)),
        ({"to": "2026-11-24T22:00Z"}, (None, MIDNIGHT)),
    ],
)
def test_a_range_is_the_consoles_days(query: dict[str, str], range_: tuple[Any, Any]) -> None:
    found = filters_of(**query)
    assert (found.since, found.until) == range_


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("100", (10_000, 10_000)),
        ("R99.5", (9_950, 9_950)),
        ("R 1 234,50", (123_450, 123_450)),
        ("50-200", (5_000, 20_000)),
        ("50 -", (5_000, None)),
        ("-200", (None, 20_000)),
    ],
)
def test_an_amount_is_in_rands(text: str, cents: tuple[int | None, int | None]) -> None:
    found = filters_of(amount=text)
    assert (found.cents_min, found.cents_max) == cents


def test_words_are_taken_in_any_case() -> None:
    found = filters_of(operation="Fault-Report", service="water", status="APPROVED")
    assert (found.operation, found.service, found.status) == ("FAULT_REPORT", "WATER", "APPROVED")
    assert filters_of(meter=" 0400 000 0001 ").meter == "04000000001"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("from", "yesterday"),
        ("to", "2026-13-01"),
        ("from", "0001-01-01T00:00+14:00"),
        ("to", "9999-12-31"),
        ("amount", "ten"),
        ("amount", "1,000"),
        ("amount", "-"),
        ("amount", "200-50"),
        ("amount", "9" * 40),
        ("status", "sold"),
        ("service", "telephone"),
        ("operation", "purchase;drop"),
        ("period", "month"),
        ("reference", "000-000"),
        ("meter", "x" * 101),
        ("provider", "a\0b"),
        ("metre", "1"),
        ("before", "x"),
        ("after", "2026-11-24T08:00:00~1"),
        ("before", "2026-11-24T08:00:00+00:00~99999999999999999999"),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_is_searched(name: str, text: str) -> None:
    wanted = selection({name: text, "client": "till"}, ZONE, NOW)
    assert list(wanted.problems) == [name]
    assert wanted.problems[name]
    assert wanted.filters == Filters()


def test_a_range_that_ends_before_it_begins_is_told() -> None:
    wanted = selection({"from": "2026-11-25", "to": "2026-11-24"}, ZONE, NOW)
    assert list(wanted.problems) == ["to"]


def test_a_page_of_the_list_has_an_address() -> None:
    place = Cursor(datetime(2026, 11, 24, 8, 0, 1, 234_567, tzinfo=UTC), 4_711)
    wanted = selection({"meter": "1 2", "status": "approved"}, ZONE, NOW)
    older = selection(_query(wanted.place(before=place)), ZONE, NOW)
    newer = selection(_query(wanted.place(after=place)), ZONE, NOW)
    assert (older.filters, older.before, older.after) == (wanted.filters, place, None)
    assert (newer.filters, newer.before, newer.after) == (wanted.filters, None, place)
    assert (wanted.first, older.first) == (True, False)
    assert older.address() == wanted.address()


_VALUES: dict[str, st.SearchStrategy[str]] = {
    "period": st.sampled_from([period for period in PERIODS if period]),
    "from": st.sampled_from(["2026-11-20", "2026-11-20T08:15"]),
    "to": st.sampled_from(["2026-11-24", "2026-11-24T08:15:30"]),
    "amount": st.sampled_from(["100", "50-200", "-7.25"]),
    "operation": st.sampled_from(["purchase", "key-change"]),
    "service": st.sampled_from(["electricity", "gas"]),
    "status": st.sampled_from(["approved", "unknown"]),
}
_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100)


@given(
    st.fixed_dictionaries(
        {}, optional={name: _VALUES.get(name, _TEXT.map(lambda text: f"x{text}")) for name in NAMES}
    )
)
def test_an_address_means_the_same_to_whoever_it_is_passed_on(query: dict[str, str]) -> None:
    query = {name: text[:100] for name, text in query.items()}
    wanted = selection(query, ZONE, NOW)
    assert wanted.problems == {}
    again = selection(_query(wanted.address()), ZONE, NOW)
    assert again == wanted


def _query(address: str) -> dict[str, str]:
    parts = urlsplit(address)
    assert parts.path == "/transactions"
    return dict(parse_qsl(parts.query))
