"""How text is written into an extract, and read again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.extract import defused, plain, written

TEXTS = st.text(st.sampled_from("'=+-@\ta1 \",\r\né"), max_size=6) | st.text(max_size=20)
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+27821234567", "'+27821234567"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("'=1+1", "''=1+1"),
        ("O'Neill", "O'Neill"),
        ("'quoted'", "'quoted'"),
        ("1=1", "1=1"),
        ("", ""),
    ],
)
def test_an_apostrophe_goes_before_what_a_spreadsheet_would_take_for_a_formula(
    text: str, safe: str
) -> None:
    assert defused(text) == safe
    assert plain(safe) == text


@given(TEXTS)
@example("''=")
@example("'")
def test_every_text_comes_back_as_it_was(text: str) -> None:
    assert plain(defused(text)) == text
    assert not defused(text).startswith(FORMULAS)


@given(TEXTS)
def test_what_is_written_is_one_line_of_ascii(text: str) -> None:
    line = written(text)
    assert line.isascii()
    assert not set(line) & {"\r", "\n", "\0"}
    assert written(line) == line


def test_what_ascii_does_not_have_is_a_question_mark() -> None:
    assert written("Café\r\n 1") == "Caf?  1"
