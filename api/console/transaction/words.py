"""Words that the story, the diagram and the timeline have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.console.text import Formats, money, span
from domain.exchange import Operation
from domain.failure import Failure
from domain.money import Money
from domain.settling import LOST
from projections.provider_standing import providers
from projections.reading import Reading

OPERATIONS = {
    Operation.LOOKUP: "lookup",
    Operation.VEND: "vend",
    Operation.RECOVER: "recovery",
    Operation.CONFIRM: "confirmation",
    Operation.REVERSE: "reversal",
    Operation.TRIAL: "trial",
    Operation.REPRINT: "reprint",
    Operation.FAULT_REPORT: "fault report",
    Operation.KEY_CHANGE: "key change",
    Operation.CONFIRM_KEY_CHANGE: "confirmation of the key change",
}


@dataclass(frozen=True)
class Words:
    """How things are called: providers by their printed names, times in the console's zone."""

    formats: Formats
    now: datetime
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    def provider(self, provider: str | None) -> str:
        return self.names.get(provider, provider) if provider else "the provider"

    def providers(self, providers: tuple[str, ...]) -> str:
        return ", ".join(map(self.provider, providers)) or "none"


def elapsed(length: timedelta) -> str:
    """12 ms, 3.2 s, 4 min: a length of time as people say it."""
    seconds = length.total_seconds()
    if abs(seconds) < 1:
        return f"{round(seconds * 1_000)} ms"
    return f"{seconds:.1f} s" if abs(seconds) < 60 else span(seconds)


def milliseconds(took: int) -> str:
    return elapsed(timedelta(milliseconds=took))


def amount(value: Money) -> str:
    return money(value.cents, value.currency)


def refusal(failure: Failure) -> str:
    """The refusal with the provider's own code and words."""
    own = " ".join(part for part in (failure.provider_code, failure.provider_message) if part)
    said = failure.detail if failure == LOST or not own else f"{failure.detail} ({own})"
    return f"{failure.error_type.value}: {said}"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text.strip()
    ended = text.endswith((".", "!", "?"))
    return (text[:1].upper() + text[1:] + ("" if ended else ".")) if text else ""


async def provider_names(reading: Reading) -> dict[str, str]:
    """The printed names of all providers by id, as they are now."""
    return {one.provider: one.label for one in await providers(reading)}
