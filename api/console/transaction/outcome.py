"""How a story ended, as the page shows it at a glance."""

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """Named as the styles are."""

    GOOD = "good"
    BAD = "bad"
    WAIT = "wait"
    PLAIN = "soft"


@dataclass(frozen=True)
class Told:
    """`status` in a word or two, `sentence` in full, `warnings` what somebody has to look after."""

    kind: str
    status: str
    tone: Tone
    sentence: str
    warnings: tuple[str, ...] = ()
