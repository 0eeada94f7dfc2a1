"""Text can be read: the style sheet's colours have the contrast that WCAG AA asks for."""

import re
from pathlib import Path

import pytest

import api.console

SHEET = (Path(api.console.__file__).parent / "static" / "console.css").read_text()
THEMES = {"light": ":root", "dark": "body.body--dark", "dark sign-in": "  body.plain"}
TEXTS = ("ink", "soft", "link", "good", "bad", "wait")
GROUNDS = ("paper", "card", "tint")
LEAST = 4.5


def colours(selector: str) -> dict[str, str]:
    """The variables that the rule sets, over those of the light theme."""
    [rule] = re.findall(rf"^{re.escape(selector)} {{([^}}]*)}}", SHEET, re.MULTILINE)
    found = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", rule))
    return found if selector == ":root" else colours(":root") | found


def luminance(colour: str) -> float:
    """As WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_text_colour_on_every_ground(theme: str, text: str, ground: str) -> None:
    found = colours(THEMES[theme])
    assert contrast(found[text], found[ground]) >= LEAST, (found[text], found[ground])


@pytest.mark.parametrize("text", ["ink", "soft", "bad"])
@pytest.mark.parametrize("ground", ["paper", "card"])
def test_the_sign_in_in_the_dark(text: str, ground: str) -> None:
    found = colours(THEMES["dark sign-in"])
    assert contrast(found[text], found[ground]) >= LEAST
