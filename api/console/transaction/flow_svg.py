"""The message flow as SVG: lines, arrows and words, in the styles of the page (transaction.css)."""

from collections.abc import Sequence
from datetime import timedelta
from html import escape

from api.console.transaction.flow import Flow, Look, Step
from api.console.transaction.words import elapsed

STEPS_MAX = 80
"""More are left out in the middle."""

_TIMES = 92
_HEAD = 46
_ROW = 44
_LABEL_CHARACTERS_MAX = 34
_SEND = 0.55
"""How much of its way a message makes that never arrives."""


def flow_svg(flow: Flow) -> str:
    """One `<svg>`; every arrow has a title of its own, and `flow_text` says the same in words."""
    spacing = 200 if len(flow.lifelines) <= 5 else 150
    places = {
        line.key: _TIMES + spacing // 2 + n * spacing for n, line in enumerate(flow.lifelines)
    }
    steps = shortened(flow.steps)
    width = _TIMES + spacing * len(flow.lifelines)
    height = _HEAD + _ROW * len(steps) + 16
    names = escape(", ".join(line.title for line in flow.lifelines))
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    told = f"{len(steps)} steps between {names}. The list below says them in words."
    parts = [
        f'<svg class="flow" {size} role="img" aria-labelledby="flow-title flow-desc">',
        '<title id="flow-title">Message flow</title>',
        f'<desc id="flow-desc">{told}</desc>',
    ]
    for line in flow.lifelines:
        x = places[line.key]
        parts += [
            f'<line class="life" x1="{x}" y1="{_HEAD - 12}" x2="{x}" y2="{height - 6}"/>',
            f'<rect class="head" x="{x - 70}" y="4" width="140" height="28" rx="6"/>',
            f'<text class="head" x="{x}" y="23">{escape(_cut(line.title, 18))}</text>',
        ]
    for row, step in enumerate(steps):
        y = _HEAD + _ROW * row + 26
        parts.append(_drawn(step, y, places, step.at - flow.since))
    parts.append("</svg>")
    return "".join(parts)


def flow_text(flow: Flow) -> list[tuple[str, str, str]]:
    """The same in words: time since the beginning, how it is drawn, and what it is."""
    return [
        (
            "" if step.look is Look.PAUSE else f"+{elapsed(step.at - flow.since)}",
            step.look.value,
            f"{step.text}{' (late)' if step.late else ''}",
        )
        for step in shortened(flow.steps)
    ]


def shortened(steps: Sequence[Step]) -> list[Step]:
    """At most STEPS_MAX, the first and the last ones."""
    if len(steps) <= STEPS_MAX:
        return list(steps)
    half = STEPS_MAX // 2
    left_out = len(steps) - 2 * half
    label = f"{left_out} more steps: see the timeline"
    gap = Step(steps[half].at, steps[half].source, steps[half].source, Look.PAUSE, label, label)
    return [*steps[:half], gap, *steps[-half:]]


def _drawn(step: Step, y: int, places: dict[str, int], since: timedelta) -> str:
    time = "" if step.look is Look.PAUSE else f'<text class="at" x="4" y="{y + 4}">'
    time += f"+{escape(elapsed(since))}</text>" if time else ""
    title = f"<title>{escape(step.text)}{' (late)' if step.late else ''}</title>"
    if step.look is Look.PAUSE:
        middle = (min(places.values()) + max(places.values())) // 2
        body = f'<text class="label" x="{middle}" y="{y + 4}">{escape(step.label)}</text>'
        left, right = min(places.values()) - 60, max(places.values()) + 60
        body = f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}"/>{body}'
    elif step.source == step.target:
        body = _note(step, places[step.source], y)
    else:
        body = _arrow(step, places[step.source], places[step.target], y)
    late = " late" if step.late else ""
    return f'<g class="{step.look.value}{late}">{title}{time}{body}</g>'


def _note(step: Step, x: int, y: int) -> str:
    label = _cut(step.label, _LABEL_CHARACTERS_MAX)
    width = max(80, 7 * len(label) + 16)
    left = x - width // 2
    return (
        f'<rect class="note" x="{left}" y="{y - 14}" width="{width}" height="24" rx="12"/>'
        f'<text class="label" x="{x}" y="{y + 3}">{escape(label)}</text>'
    )


def _arrow(step: Step, start: int, end: int, y: int) -> str:
    way = 1 if end > start else -1
    lost = step.look in (Look.MISSING, Look.NOT_SENT)
    tip = round(start + (end - start) * _SEND) if lost else end
    body = f'<line x1="{start}" y1="{y}" x2="{tip - (0 if lost else 7 * way)}" y2="{y}"/>'
    if lost:
        body += (
            f'<path class="cross" d="M{tip - 7} {y - 7}L{tip + 7} {y + 7}'
            f'M{tip - 7} {y + 7}L{tip + 7} {y - 7}"/>'
        )
    elif step.look is not Look.WAITING:
        back = end - 9 * way
        body += f'<path class="tip" d="M{end} {y}L{back} {y - 5}L{back} {y + 5}Z"/>'
    # Beside the line's near end, so that long arrows don't write over other lifelines.
    near = start + way * min(abs(end - start), 200) // 2 if step.target != "switch" else 0
    middle = near or end - way * min(abs(end - start), 200) // 2
    if lost:
        middle = (start + tip) // 2
    label = _cut(step.label, _LABEL_CHARACTERS_MAX) + (" · late" if step.late else "")
    under = _cut(step.under, _LABEL_CHARACTERS_MAX)
    return f'{body}<text class="label" x="{middle}" y="{y - 6}">{escape(label)}</text>' + (
        f'<text class="under" x="{middle}" y="{y + 14}">{escape(under)}</text>' if under else ""
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
