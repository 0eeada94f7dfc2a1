"""docs/events.md says what the code says."""

from pathlib import Path

import pytest

from ppu import catalogue
from ppu.catalogue import CatalogueError, event_catalogue

PAGE = Path(__file__).parents[2] / "docs" / "events.md"


def test_the_page_is_what_the_code_says_now() -> None:
    assert PAGE.read_text(encoding="utf-8") == event_catalogue(), (
        "docs/events.md is out of date: write it anew with `make catalogue`"
    )


def test_a_field_that_nobody_has_explained_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    meanings = {k: v for k, v in catalogue._MEANINGS.items() if k != "took_ms"}
    monkeypatch.setattr(catalogue, "_MEANINGS", meanings)
    with pytest.raises(CatalogueError, match=r"ProviderAnswered\.took_ms"):
        event_catalogue()


def test_events_of_a_module_without_a_chapter_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chapters = {k: v for k, v in catalogue._CHAPTERS.items() if k != "utility"}
    monkeypatch.setattr(catalogue, "_CHAPTERS", chapters)
    with pytest.raises(CatalogueError, match=r"domain\.utility"):
        event_catalogue()
