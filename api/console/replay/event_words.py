"""Events of meters, providers and utilities in words; those of messages have theirs in trace."""

from api.console.transaction.meaning import meaning
from api.console.transaction.words import Words
from domain.event import Event
from domain.meter import (
    MeterBroadcast,
    MeterPreferenceSet,
    MeterSeen,
    MunicipalityAssigned,
    RebroadcastCleared,
    RebroadcastRequested,
    SupportAnswered,
)
from domain.provider import (
    HealthChanged,
    ProviderConfigured,
    ProviderDisabled,
    ProviderEnabled,
    ReferencesReserved,
    WeightSet,
)
from domain.steered import Steered
from domain.utility import PreferencesSet, UtilityRegistered


def event_words(event: Event, words: Words) -> str:
    """What the event means, and for what a person changed, who and why."""
    text = _of_meter(event, words) or _of_provider(event, words) or _of_utility(event, words)
    if text is None:
        return meaning(event, words)
    if isinstance(event, Steered):
        role = f" ({event.role})" if event.role else ""
        said = f": {event.comment}" if event.comment else ""
        return f"{text}, by {event.by}{role}{said}"
    return text


def _of_meter(event: Event, words: Words) -> str | None:
    match event:
        case MeterSeen():
            return f"Meter {event.number} was named for the first time"
        case MeterBroadcast():
            return f"Broadcast to {words.providers(event.providers)} ({event.reason.value})"
        case SupportAnswered():
            says = "serves" if event.supported else "does not serve"
            return f"{words.provider(event.provider)} says that it {says} the meter"
        case MunicipalityAssigned():
            return f"Belongs to {event.name}"
        case RebroadcastRequested():
            return "Flagged for rebroadcast at its next transaction"
        case RebroadcastCleared():
            return "The broadcast that was asked for has been made"
        case MeterPreferenceSet():
            if not event.providers:
                return "Preference taken back"
            return f"Preference set: {words.providers(event.providers)}"
        case _:
            return None


def _of_provider(event: Event, words: Words) -> str | None:
    match event:
        case ProviderConfigured():
            return f"Known as {event.name}, speaking {event.protocol}"
        case WeightSet():
            return f"Weight set to {event.weight}"
        case ProviderEnabled():
            return "Enabled"
        case ProviderDisabled():
            return "Disabled: zero traffic"
        case HealthChanged():
            state = "Healthy again" if event.healthy else "Unhealthy: no purchases go to it"
            return f"{state} ({event.reason}), as {event.by} found"
        case ReferencesReserved():
            last = event.first + event.count - 1
            return f"References {event.first} to {last} reserved for process {event.by}"
        case _:
            del words
            return None


def _of_utility(event: Event, words: Words) -> str | None:
    match event:
        case UtilityRegistered():
            return f"Known as {event.name}"
        case PreferencesSet():
            ranked, excluded = words.providers(event.ranked), words.providers(event.excluded)
            return f"Preferences set: ranked {ranked}; excluded {excluded}"
        case _:
            return None
