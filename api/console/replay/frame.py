"""One step of a replay, as the page shows it."""

from dataclasses import dataclass
from datetime import datetime

from api.console.replay.event_words import event_words
from api.console.replay.fields import Row, rows
from api.console.replay.past import Claimed, Past
from api.console.transaction.sections import raw_events
from api.console.transaction.words import Words, elapsed
from domain.advice import AdviceReceived
from domain.key_change import KeyChangeConfirmationReceived
from domain.purchase import RetryReceived


@dataclass(frozen=True)
class Frame:
    """Step 0 has no event: nothing had happened. `about` is the message that a claim is about."""

    step: int
    last: int
    at: datetime | None
    until: datetime | None
    kind: str
    text: str
    after_previous: str
    since_start: str
    rows: list[Row]
    event: str
    about: str = ""

    @property
    def changes(self) -> list[Row]:
        return [row for row in self.rows if row.changed]


def frame_of(past: Past, step: int, words: Words) -> Frame:
    """The stream after `step` events, of 0 … past.last."""
    state = past.state(step)
    until = past.entries[step].event.at if step < past.last else None
    if step == 0:
        return Frame(0, past.last, None, until, "", "", "", "", [], "")
    entry = past.entries[step - 1]
    before = past.state(step - 1)
    at = entry.event.at
    previous = past.entries[step - 2].event.at if step > 1 else at
    return Frame(
        step=step,
        last=past.last,
        at=at,
        until=until,
        kind=type(entry.event).__name__,
        text=event_words(entry.event, words),
        after_previous=elapsed(at - previous) if step > 1 else "",
        since_start=elapsed(at - past.entries[0].event.at),
        rows=rows(before if step > 1 else None, state, words.formats),
        event=raw_events((entry,)),
        about=_about(state),
    )


def _about(state: object) -> str:
    """The message that a retry or advice is about."""
    match state:
        case Claimed(by=RetryReceived() | AdviceReceived() as first):
            return first.purchase_id
        case Claimed(by=KeyChangeConfirmationReceived() as first):
            return first.key_change_id
        case _:
            return ""
