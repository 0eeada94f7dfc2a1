"""One printed line, and the few shapes that a slip is made of."""

import re
import textwrap
from collections.abc import Iterable, Iterator

import msgspec

# Printers know little more than ASCII; what they don't know they may print as anything.
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_PLAIN = str.maketrans({"³": "3", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"'})  # noqa: RUF001

LARGEST = 2.0
_SCALES = (2.0, 1.75, 1.5, 1.25)
GROUP = 4
TEXT_CHARACTERS_MAX = 160
"""Of one text on a slip; the interface's own texts are no longer."""


class Line(msgspec.Struct, frozen=True):
    """`text` is literal. `scale` enlarges it in both directions, so a line of width 40 holds
    40 / `scale` characters; `rule` draws a line across; `cut` cuts the paper here."""

    text: str = ""
    scale: float = 1.0
    rule: bool = False
    cut: bool = False


RULE = Line(rule=True)
CUT = Line(cut=True)


def plain(text: str | None) -> str:
    """`text` as a printer can print it, in one line."""
    if not text:
        return ""
    text = text[:TEXT_CHARACTERS_MAX]
    if not text.isascii() or not text.isprintable():
        text = _UNPRINTABLE.sub(" ", text.translate(_PLAIN))
    return text.rstrip()


def _pieces(text: str, width: int) -> list[str]:
    # Wrapping is slow, and hardly a line needs it.
    return textwrap.wrap(text, width) if len(text) > width else [text] if text else []


def wrapped(text: str | None, width: int) -> Iterator[Line]:
    """`text` over as many lines as it needs; none for no text."""
    for piece in _pieces(plain(text), width):
        yield Line(piece)


def centred(text: str | None, width: int, scale: float = 1.0) -> Iterator[Line]:
    """`text` in the middle, enlarged as far as a single line of it fits."""
    words = plain(text).strip()
    fitting = scale if len(words) * scale <= width else 1.0
    for piece in _pieces(words, int(width / fitting)):
        yield Line(piece.center(int(width / fitting)).rstrip(), fitting)


def pair(left: str, right: str, width: int) -> Iterator[Line]:
    """`left` and `right` at the two edges; below each other where they don't fit."""
    left, right = plain(left), plain(right)
    if not right:
        return
    if len(left) + 1 + len(right) <= width:
        yield Line(left + right.rjust(width - len(left)))
        return
    yield from wrapped(left, width)
    for piece in _pieces(right, width):
        yield Line(piece.rjust(width))


def large_digits(digits: str, width: int) -> Iterator[Line]:
    """Digits (what is no digit is printed as it is) in groups of four, as large as the paper
    allows: on one line if they can be enlarged there, else on two."""
    digits = plain(digits)
    groups = [digits[at : at + GROUP] for at in range(0, len(digits), GROUP)]
    one = _enlarged([" ".join(groups)], width)
    half = (len(groups) + 1) // 2
    two = _enlarged([" ".join(groups[:half]), " ".join(groups[half:])], width)
    yield from one if one[0].scale > 1 or two[0].scale == 1 else two


def _enlarged(texts: Iterable[str], width: int) -> list[Line]:
    """All of them at one scale."""
    pieces = [piece for text in texts if text for piece in _pieces(text, width)]
    longest = max(map(len, pieces), default=0)
    scale = next((scale for scale in _SCALES if longest * scale <= width), 1.0)
    return [Line(piece.center(int(width / scale)).rstrip(), scale) for piece in pieces] or [Line()]
