"""The file of routing preferences: what is read, what is refused and why, and the round trip."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.routing.preferences_file import (
    LINES_MAX,
    UnreadableFileError,
    file_of,
    lines_of,
    text_of,
)
from domain.utility import utility_id
from projections.routing_search import UtilityRow
from switch.upload_preferences import Line

HEADER = "utility,ranked,excluded\n"


def row(name: str, ranked: list[str], excluded: list[str]) -> UtilityRow:
    return UtilityRow(
        utility=utility_id(name),
        name=name,
        sort_name=name.casefold(),
        ranked=ranked,
        excluded=excluded,
        version=2,
        changed_at=datetime(2026, 3, 1, tzinfo=UTC),
        changed_by="op",
        comment="",
    )


def test_each_line_names_a_utility_and_its_providers_in_order() -> None:
    text = f'{HEADER}City Power, ipay ; contour,kazang\n\n"Breede, Valley",,\n'
    assert lines_of(text) == [
        Line(2, "City Power", ("ipay", "contour"), ("kazang",)),
        Line(4, "Breede, Valley"),
    ]


def test_a_line_is_numbered_as_an_editor_does_even_after_a_quoted_line_break() -> None:
    lines = lines_of(f'{HEADER}"City\nPower",ipay,\nEskom,ipay,\n')
    assert [(line.number, line.utility) for line in lines] == [(2, "City\nPower"), (4, "Eskom")]
    assert lines[0].problem == "the name has characters that can't be printed"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Eskom,ipay", "2 cells instead of 3"),
        ("Eskom,ipay,,more", "4 cells instead of 3"),
        (f"{'E' * 201},ipay,", "the name has more than 200 characters"),
        (f"Eskom,{'p;' * 101},", "more than 100 providers"),
        (f"Eskom,{'p' * 10_001},", "a cell has more than 10,000 characters"),
    ],
)
def test_what_is_wrong_in_a_line_is_said_of_that_line_alone(line: str, problem: str) -> None:
    bad, good = lines_of(f"{HEADER}{line}\nCity Power,ipay,\n")
    assert (bad.number, bad.problem) == (2, problem)
    assert good == Line(3, "City Power", ("ipay",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first line must be"),
        ("name,ranked,excluded\nEskom,,\n", "first line must be"),
        ("utility;ranked;excluded\nEskom;;\n", "separated by commas"),
        (HEADER, "no line after the header"),
        (f'{HEADER}"Eskom,ipay,\n', "Line 2 is not CSV"),
        (HEADER + "Eskom,,\n" * (LINES_MAX + 1), "more than 2,000 lines"),
    ],
)
def test_what_is_no_such_file_is_refused_whole(text: str, said: str) -> None:
    with pytest.raises(UnreadableFileError, match=said):
        lines_of(text)


def test_as_many_lines_as_the_limit_are_taken() -> None:
    assert len(lines_of(HEADER + "Eskom,,\n" * LINES_MAX)) == LINES_MAX


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_with_a_byte_order_mark_and_without(encoding: str) -> None:
    content = f"{HEADER}Mônica,ipay,\n".encode(encoding)
    assert lines_of(text_of(content)) == [Line(2, "Mônica", ("ipay",))]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_any_other_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(UnreadableFileError, match="not UTF-8"):
        text_of(f"{HEADER}Mônica,ipay,\n".encode(encoding))


def test_a_name_is_no_formula_in_a_spreadsheet_and_itself_again_when_uploaded() -> None:
    text = file_of([row('=HYPERLINK("x")', [], ["ipay"]), row("'t Huis", [], [])])
    assert "\n\"'=HYPERLINK" in text
    assert [line.utility for line in lines_of(text)] == ['=HYPERLINK("x")', "'t Huis"]


NAMES = st.text(st.characters(categories=("L", "N", "P", "Zs"), codec="utf-8"), max_size=40)
PROVIDERS = st.lists(st.sampled_from(["ipay", "contour", "kazang", "r-and_a.1"]), unique=True)


@given(st.lists(st.tuples(NAMES, PROVIDERS, PROVIDERS), min_size=1, max_size=5))
def test_what_is_downloaded_says_the_same_when_uploaded(
    wanted: list[tuple[str, list[str], list[str]]],
) -> None:
    wanted = [
        (name.strip(), ranked, excluded)
        for name, ranked, excluded in wanted
        if name.strip().isprintable()
    ]
    kept = [one for one in wanted if any(one)]
    if not kept:
        return
    text = file_of(row(*one) for one in wanted)
    for content in (text.encode(), text.encode("utf-8-sig")):
        read = lines_of(text_of(content))
        assert [(one.utility, [*one.ranked], [*one.excluded]) for one in read] == kept


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    for whole in (text, HEADER + text):
        lines: list[Line] = []
        with suppress(UnreadableFileError):
            lines = lines_of(whole)
        assert all(line.number > 1 for line in lines)
