"""What happened to a message, in plain sentences, whatever kind it is."""

from collections.abc import Sequence
from typing import TypeVar

from api.console.transaction.lookup_story import Lookup, lookup_told
from api.console.transaction.masking import Entry
from api.console.transaction.outcome import Told, Tone
from api.console.transaction.purchase_story import purchase_told
from api.console.transaction.service_story import service_told
from api.console.transaction.words import Words
from domain.lookup import LookupRequested
from domain.purchase import Purchase, PurchaseRequested, PurchaseRuledOut
from domain.service import Service, ServiceRequested
from switch.streams import Folded

F = TypeVar("F", bound=Folded)

State = Purchase | Service | Lookup


def folded(state: F, entries: Sequence[Entry]) -> F:
    """`state` after the entries of its stream."""
    for entry in entries:
        state = state.after(entry.event, entry.version)
    return state


def state_of(entries: Sequence[Entry]) -> State | None:
    """The message as its events stand; None where it is only a claim on an id."""
    match entries[0].event if entries else None:
        case PurchaseRequested():
            return folded(Purchase(), entries)
        case LookupRequested():
            return folded(Lookup(), entries)
        case first if isinstance(first, ServiceRequested):
            return folded(Service(), entries)
        case _:
            return None


def tell(entries: Sequence[Entry], words: Words) -> Told:
    """The story of the entries of one message's stream."""
    events = [entry.event for entry in entries]
    match state_of(entries):
        case Purchase() as purchase:
            return purchase_told(purchase, events, words)
        case Service() as service:
            return service_told(service, words)
        case Lookup() as lookup:
            return lookup_told(lookup, words)
        case None:
            return _claimed(events[0])


def _claimed(first: object) -> Told:
    if isinstance(first, PurchaseRuledOut):
        text = (
            f"No purchase had come under this id when the retry or advice {first.named_by} named "
            "it. It was ruled out for good: should it still come, it is refused. Nothing was sold."
        )
        return Told("Purchase", "Ruled out", Tone.BAD, text)
    text = "This id was used, and there is nothing more to tell of it."
    return Told("Message", "Used", Tone.PLAIN, text)
