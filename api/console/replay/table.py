"""The contract table as it was known at a moment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api.console.commands.meters import NUMBER
from api.console.replay.past import Past
from api.console.replay.subject import Kind, Subject, utility_type_of
from api.console.transaction.masking import masked
from domain.meter import Meter, MeterSeen
from domain.routing import Support
from domain.sale import UtilityType
from projections.history import History
from projections.last_responses import last_responses
from projections.meter_search import meters_with, part_of
from projections.reading import Reading

METERS_MAX = 50
_BETWEEN = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Wanted:
    """Meters by number, or those with a part of a number; `cut` of a list that was too long."""

    utility_type: UtilityType
    numbers: tuple[str, ...] = ()
    part: str = ""
    cut: bool = False


@dataclass(frozen=True)
class Said:
    """One provider's line of a meter: None for no response yet."""

    provider: str
    support: Support
    last_response_at: datetime | None


@dataclass(frozen=True)
class KnownMeter:
    """A meter's row as it was known. `step` of its stream, 0: nobody had named it yet."""

    meter: Meter
    step: int
    first_seen_at: datetime | None
    said: tuple[Said, ...]

    @property
    def address(self) -> str:
        """Of its replay at this step."""
        subject = Subject(Kind.METER, self.meter.number, self.meter.utility_type)
        return subject.address(step=str(self.step))


def wanted_of(query: Mapping[str, str]) -> Wanted | None:
    """The meters that the address names; None for none. Raises ValueError saying what is wrong."""
    kind = utility_type_of(query)
    listed = [one for one in _BETWEEN.split(query.get("meters", "")) if one]
    if listed:
        wrong = next((one for one in listed if not re.fullmatch(NUMBER, one)), None)
        if wrong is not None:
            raise ValueError(f"{wrong[:40]} is no meter number: 1 to 20 letters and digits.")
        numbers = tuple(dict.fromkeys(listed))
        return Wanted(kind, numbers[:METERS_MAX], cut=len(numbers) > METERS_MAX)
    if part := query.get("part", "").strip():
        return Wanted(kind, part=part_of(part))
    return None


async def known_at(
    history: History, reading: Reading, wanted: Wanted, at: datetime
) -> tuple[list[KnownMeter], bool]:
    """The meters' rows by what had happened at `at` (UTC) or before, and whether there were more
    than METERS_MAX. Those with a part of a number are looked for among the meters known today."""
    meters, more = await _meters(reading, wanted)
    responses = await last_responses(reading, meters, at)
    found: list[KnownMeter] = []
    for kind, number in meters:
        subject = Subject(Kind.METER, number, UtilityType(kind))
        past = Past(subject, masked(await history.of(subject.stream)))
        found.append(known_meter(past, at, responses.get((kind, number), {})))
    return found, more


async def _meters(reading: Reading, wanted: Wanted) -> tuple[list[tuple[str, str]], bool]:
    if not wanted.part:
        kind = wanted.utility_type.value
        return [(kind, number) for number in wanted.numbers], wanted.cut
    rows = await meters_with(reading, wanted.part, METERS_MAX + 1)
    keys = [(row.utility_type, row.number) for row in rows]
    return keys[:METERS_MAX], len(keys) > METERS_MAX


def known_meter(past: Past, at: datetime, responses: Mapping[str, datetime]) -> KnownMeter:
    """One row; `responses` are the last answers that lookups were told by then."""
    step = past.step_at(at)
    meter = past.state(step)
    assert isinstance(meter, Meter)
    seen = (entry.event for entry in past.entries[:step])
    first = next((event.at for event in seen if isinstance(event, MeterSeen)), None)
    said = tuple(
        Said(provider, meter.support(provider), _last(meter, provider, responses))
        for provider in dict.fromkeys((*meter.asked, *meter.answers))
    )
    return KnownMeter(meter, step, first, said)


def _last(meter: Meter, provider: str, responses: Mapping[str, datetime]) -> datetime | None:
    """A lookup's answer is a response, too, though it changes nothing about the support."""
    answer = meter.answers.get(provider)
    times = [answer.at] if answer is not None else []
    if provider in responses:
        times.append(responses[provider])
    return max(times, default=None)
