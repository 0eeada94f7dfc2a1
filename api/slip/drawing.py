"""A slip as people see it without a till printer: as text, and as a page of the paper's width."""

import json
from collections.abc import Sequence

from rich.text import Text

from api.slip.line import Line

_CHARACTER_MM = 1.9
_MARGIN_MM = 4.0


def as_text(lines: Sequence[Line], width: int) -> Text:
    """For a terminal: enlarged lines are bold, in the middle of the paper."""
    text = Text(f"┌{'─' * (width + 2)}┐\n")
    for line in lines:
        if line.cut:
            continue
        content = "─" * width if line.rule else line.text
        if line.scale > 1:
            content = line.text.strip().center(width)
        text.append("│ ").append(content.ljust(width), "bold" if line.scale > 1 else "")
        text.append(" │\n")
    return text.append(f"└{'─' * (width + 2)}┘")


def as_typst(lines: Sequence[Line], width: int) -> str:
    """A Typst document, one page of the slip's own length, true to scale."""
    size = _CHARACTER_MM / 0.604  # the font is 0.602 of its size wide; the rest is for rounding
    paper = width * _CHARACTER_MM + 2 * _MARGIN_MM
    parts = [
        f"#set page(width: {paper:.2f}mm, height: auto, margin: {_MARGIN_MM}mm)",
        f'#set text(font: "DejaVu Sans Mono", size: {size:.3f}mm)',
        "#show raw: set text(size: 1.25em)",  # undoes the 0.8 that raw text has by default
        "#set par(leading: 0.5em, spacing: 0.5em)",
    ]
    for line in lines:
        if line.rule:
            parts.append("#line(length: 100%, stroke: 0.3mm)")
        elif not line.cut:
            # A JSON string is a Typst string, so whatever stands in it stays text.
            literal = json.dumps(line.text or " ")
            parts.append(f"#raw({literal})" if line.scale == 1 else _enlarged(literal, line.scale))
    return "\n\n".join(parts)


def _enlarged(literal: str, scale: float) -> str:
    return f"#text(size: {scale}em)[#raw({literal})]"
