"""docs/events.md says what the code says."""

from pathlib import Path

import pytest

from ppu import catalogue
from ppu.catalogue import CatalogueError, event_catalogue

PAGE = Path(__file__).parents[2] / "docs" / "events.md"


def forget(monkeypatch: pytest.MonkeyPatch, table: str, name: str) -> None:
    """Takes an entry out of one of the catalogue's tables."""
    said = vars(catalogue)[table]
    assert name in said
    monkeypatch.setattr(catalogue, table, {k: v for k, v in said.items() if k != name})


def test_the_page_is_what_the_code_says_now() -> None:
    assert PAGE.read_text(encoding="utf-8") == event_catalogue(), (
        "docs/events.md is out of date: write it anew with `make catalogue`"
    )


def test_a_field_that_nobody_has_explained_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch, "MEANINGS", "took_ms")
    with pytest.raises(CatalogueError, match=r"ProviderAnswered\.took_ms"):
        event_catalogue()


def test_events_of_a_module_without_a_chapter_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forget(monkeypatch, "CHAPTERS", "utility")
    with pytest.raises(CatalogueError, match=r"domain\.utility"):
        event_catalogue()
