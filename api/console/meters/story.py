"""A meter's history in words: what became known of it or was changed about it, when and by whom."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from domain.event import Event
from domain.meter import (
    BroadcastReason,
    MeterBroadcast,
    MeterPreferenceSet,
    MeterSeen,
    MunicipalityAssigned,
    RebroadcastCleared,
    RebroadcastRequested,
    SupportAnswered,
)
from domain.steered import Steered

SWITCH = "switch"
_REASONS = {
    BroadcastReason.UNKNOWN: "no provider was known to serve it",
    BroadcastReason.FLAGGED: "it was marked for rebroadcast",
    BroadcastReason.SCHEDULED: "it was due to be asked about again",
}


class Change(msgspec.Struct, frozen=True):
    """One line of the history. `lookup_id`: the lookup that it comes from; '' for none."""

    at: datetime
    what: str
    by: str = SWITCH
    role: str = ""
    comment: str = ""
    lookup_id: str = ""


class _Story:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._utility = ""
        self._preference: tuple[str, ...] = ()

    def _name(self, provider: str) -> str:
        return self._names.get(provider) or provider

    def _listed(self, providers: Sequence[str]) -> str:
        return ", ".join(map(self._name, providers))

    def _ordered(self, providers: Sequence[str]) -> str:
        return ", ".join(f"{n} {self._name(p)}" for n, p in enumerate(providers, 1)) or "none"

    def change(self, event: Event) -> Change | None:
        """The line of one event that stands alone; None for one without a line."""
        match event:
            case MeterSeen():
                return Change(event.at, "First seen.")
            case MeterBroadcast():
                what = f"Broadcast to {len(event.providers)} providers: {_REASONS[event.reason]}."
                return Change(event.at, what, lookup_id=event.lookup_id)
            case MunicipalityAssigned():
                before, self._utility = self._utility, event.name
                was = f", before: {before}" if before else ""
                return Change(event.at, f"Utility: {event.name}{was}.")
            case RebroadcastCleared():
                what = "The rebroadcast was made, the mark is gone."
                return Change(event.at, what, lookup_id=event.lookup_id)
            case RebroadcastRequested():
                return _by(event, "Marked for rebroadcast.")
            case MeterPreferenceSet():
                before, self._preference = self._preference, event.providers
                now, was = self._ordered(event.providers), self._ordered(before)
                return _by(event, f"Preference: {now}; before: {was}.")
            case _:
                return None

    def answers(self, events: Sequence[SupportAnswered]) -> Change:
        """The line of answers that came in together."""
        said = (
            ("Supported by", [e.provider for e in events if e.supported]),
            ("Not supported by", [e.provider for e in events if not e.supported]),
        )
        what = " ".join(f"{words} {self._listed(who)}." for words, who in said if who)
        return Change(events[0].at, what, lookup_id=events[0].lookup_id)


def story_of(events: Sequence[Event], names: Mapping[str, str]) -> list[Change]:
    """The lines of a meter's events, newest first; `names` of providers by id."""
    story = _Story(names)
    changes: list[Change] = []
    answers: list[SupportAnswered] = []

    def close() -> None:
        if answers:
            changes.append(story.answers(answers))
            answers.clear()

    for event in events:
        if isinstance(event, SupportAnswered):
            if answers and (event.lookup_id, event.at) != (answers[0].lookup_id, answers[0].at):
                close()
            answers.append(event)
            continue
        close()
        change = story.change(event)
        if change is not None:
            changes.append(change)
    close()
    return changes[::-1]


def _by(event: Steered, what: str) -> Change:
    return Change(event.at, what, event.by, event.role, event.comment)
