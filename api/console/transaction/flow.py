"""The message flow: who said what to whom, as arrows between lifelines."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

CHANNEL = "channel"
SWITCH = "switch"


class Look(StrEnum):
    """How a step is drawn."""

    ASKED = "asked"
    ANSWERED = "answered"
    REFUSED = "refused"
    UNUSABLE = "unusable"
    MISSING = "missing"
    """An answer that never came: it ends in a cross."""
    NOT_SENT = "not-sent"
    """A question that never left: it ends in a cross."""
    WAITING = "waiting"
    NOTE = "note"
    PAUSE = "pause"


@dataclass(frozen=True)
class Lifeline:
    key: str
    title: str
    part: str
    """Channel, switch or provider."""


@dataclass(frozen=True)
class Step:
    """An arrow, or a note on the lifeline `source` where `target` is the same. `label` is short,
    `text` all of it."""

    at: datetime
    source: str
    target: str
    look: Look
    label: str
    text: str
    under: str = ""
    late: bool = False


@dataclass(frozen=True)
class Flow:
    """`since` is when it began."""

    lifelines: tuple[Lifeline, ...]
    steps: tuple[Step, ...]
    since: datetime
