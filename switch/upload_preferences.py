"""Upload preferences: many utilities' at once, each on its own. What is wrong with one keeps no
other from being set, and no utility is ever half set: each is one append."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec

from domain.operator import Actor
from domain.utility import Utility, utility_id
from ledger import LedgerError
from switch.steer import ChangedMeanwhileError, Steering
from switch.streams import TooManyConflictsError

T = TypeVar("T")

AT_ONCE = 16
"""Lines that are looked at or written at the same time."""


class Line(msgspec.Struct, frozen=True):
    """A line of the file: `number` as an editor counts it, the utility by name. `problem`: why it
    can't be read, empty if it can."""

    number: int
    utility: str
    ranked: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    problem: str = ""


class Outcome(StrEnum):
    """What becomes of a line: foreseen, or done."""

    CHANGES = "CHANGES"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    """Somebody else set these preferences since the file was looked at: not applied."""
    ERROR = "ERROR"


class LineReport(msgspec.Struct, frozen=True, kw_only=True):
    """A line, and what becomes of it. `before`: the preferences now, or until the change.
    `seen_version`: of the utility's stream when it was looked at; None if it was not.
    `registers`: the utility is new."""

    number: int
    utility: str
    outcome: Outcome
    reason: str = ""
    ranked: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    ranked_before: tuple[str, ...] = ()
    excluded_before: tuple[str, ...] = ()
    seen_version: int | None = None
    registers: bool = False


async def foresee(steering: Steering, lines: Sequence[Line], *, register: bool) -> list[LineReport]:
    """What applying the lines would do; changes nothing. `register`: a utility that the ledger does
    not know is no error. Raises the ledger's errors."""
    repeated = _repeated(lines)
    reports: list[LineReport] = []
    for group in _groups(lines):
        reports += await asyncio.gather(
            *(_foreseen(steering, line, repeated, register=register) for line in group)
        )
    return reports


async def apply(
    steering: Steering,
    lines: Sequence[Line],
    by: Actor,
    *,
    register: bool,
    seen: Mapping[str, int],
) -> list[LineReport]:
    """Sets what is good; each line's end is in its report, whatever happens to the others. `seen`:
    versions by utility id, as a report gave them; a utility that has moved on since is left as it
    is. Raises the ledger's errors only before anything was changed."""
    foreseen = await foresee(steering, lines, register=register)
    reports: list[LineReport] = []
    for group in _groups(foreseen):
        reports += await asyncio.gather(*(_applied(steering, one, by, seen) for one in group))
    return reports


def _groups(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[at : at + AT_ONCE] for at in range(0, len(items), AT_ONCE)]


def _repeated(lines: Sequence[Line]) -> dict[str, list[int]]:
    """The utilities that more than one line is about, with those lines."""
    counts = Counter(utility_id(line.utility) for line in lines)
    return {
        key: [line.number for line in lines if utility_id(line.utility) == key]
        for key, count in counts.items()
        if key and count > 1
    }


async def _foreseen(
    steering: Steering, line: Line, repeated: Mapping[str, list[int]], *, register: bool
) -> LineReport:
    key = utility_id(line.utility)
    known = await steering.utility(line.utility) if key else Utility(utility=key)
    report = LineReport(
        number=line.number,
        utility=line.utility,
        outcome=Outcome.UNCHANGED,
        ranked=line.ranked,
        excluded=line.excluded,
        ranked_before=known.ranked,
        excluded_before=known.excluded,
        seen_version=known.version if key else None,
        registers=known.version == 0,
    )
    reason = _why_not(steering, line, key, repeated)
    if not reason and known.version == 0 and not register:
        reason = "no such utility; tick “register new utilities” if it is meant"
    if reason:
        return msgspec.structs.replace(
            report, outcome=Outcome.ERROR, reason=reason, registers=False
        )
    same = (known.ranked, known.excluded) == (line.ranked, line.excluded)
    if known.version == 0 or not same:
        return msgspec.structs.replace(report, outcome=Outcome.CHANGES)
    return report


def _why_not(steering: Steering, line: Line, key: str, repeated: Mapping[str, list[int]]) -> str:
    if line.problem:
        return line.problem
    if not key:
        return "no name of a utility"
    if key in repeated:
        others = [str(number) for number in repeated[key] if number != line.number]
        return f"also on line {', '.join(others)}; which one is meant?"
    try:
        steering.check_providers([*line.ranked, *line.excluded])
    except ValueError as problem:
        return str(problem)
    return ""


async def _applied(
    steering: Steering, report: LineReport, by: Actor, seen: Mapping[str, int]
) -> LineReport:
    """The report of what is done with a line that was foreseen."""
    if report.outcome is not Outcome.CHANGES:
        return report
    version = seen.get(utility_id(report.utility), report.seen_version)
    try:
        await steering.set_preferences(
            report.utility, report.ranked, report.excluded, by, seen_version=version
        )
    except ChangedMeanwhileError as problem:
        outcome, reason = Outcome.CHANGED_MEANWHILE, str(problem)
    except TooManyConflictsError:
        outcome, reason = Outcome.ERROR, "it could not be kept; nothing was changed"
    except (ValueError, LedgerError) as problem:
        outcome, reason = Outcome.ERROR, f"look again before it is repeated: {problem}"
    else:
        return msgspec.structs.replace(report, outcome=Outcome.CHANGED)
    return msgspec.structs.replace(report, outcome=outcome, reason=reason)
