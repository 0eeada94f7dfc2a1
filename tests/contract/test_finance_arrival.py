"""However the files come, the same is found: in any order, shuffled, in pieces, twice, with runs in
between, and when a load or a run is cut off."""

import dataclasses
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.month import AFTERWARDS, ANN, FIRST, processes
from bench.month_files import make_month
from bench.month_sales import Month
from domain.inbox import FileSource
from domain.record import Side, file_of
from finance.context import Context
from finance.inbox.inbox import Inbox
from finance.inbox.load import load
from finance.recon.run import run
from finance.recon.state import load_standing
from finance.settings import FinanceSettings
from ledger import Ledger
from tests.finance_context import finance_context, taking_part

PARTY, PLAIN = "kazang", "plain"
"""Two processes of one party."""
MONTH = Month(240, (PARTY,), ("bank",), FIRST, days=4, seed=11)
LAST = FIRST.replace(day=4)
SMALL = FinanceSettings(part_bytes=4_096, append_events=1)
"""So that a load and a run are several steps each."""

Outcome = Counter[tuple[Any, ...]]
Way = Callable[[Context, list[Path], Path, str], Awaitable[None]]


class CutOffError(Exception):
    """What a crash is here."""


@asynccontextmanager
async def month(database_url: str, folder: Path) -> AsyncGenerator[tuple[Context, list[Path]]]:
    ledger = await Ledger.open(database_url)
    truths = await make_month(MONTH, ledger, folder, lambda _said: None)
    party = processes()[PARTY]
    context = await finance_context(
        ledger,
        database_url,
        [party, msgspec.structs.replace(party, id=PLAIN)],
        clock=lambda: AFTERWARDS,
        settings=SMALL,
    )
    yield context, next(truth.files for truth in truths if truth.party == PARTY)
    await ledger.close()


async def take_in(context: Context, path: Path, process: str) -> None:
    inbox = Inbox(context)
    (uploaded,) = await inbox.upload([process], path.name, path, ANN, FileSource.COMMAND_LINE)
    await load(context, uploaded.file_id)


async def in_order(context: Context, files: list[Path], _folder: Path, process: str) -> None:
    for path in files:
        await take_in(context, path, process)
    await run(context, process, LAST)


async def backwards_with_runs_between(
    context: Context, files: list[Path], _folder: Path, process: str
) -> None:
    for path in reversed(files):
        await take_in(context, path, process)
        await run(context, process, LAST)


async def shuffled(context: Context, files: list[Path], folder: Path, process: str) -> None:
    rng = random.Random(5)
    for path in files:
        header, *lines = _lines(path)
        rng.shuffle(lines)
        await take_in(context, _file(folder, path.name, [header, *lines]), process)
    await run(context, process, LAST)


async def in_pieces(context: Context, files: list[Path], folder: Path, process: str) -> None:
    number = count(1)
    for path in files:
        header, *lines = _lines(path)
        for start in range(0, len(lines), 25):
            piece = [header, *lines[start : start + 25]]
            await take_in(context, _file(folder, f"{next(number)}-{path.name}", piece), process)
    await run(context, process, LAST)


async def twice(context: Context, files: list[Path], _folder: Path, process: str) -> None:
    for path in (*files, *files):
        await take_in(context, path, process)
    await run(context, process, LAST)
    await run(context, process, LAST)


async def cut_off_at_every_step(
    context: Context, files: list[Path], _folder: Path, process: str
) -> None:
    for path in files:
        await _with_crashes(context, lambda crashing, path=path: take_in(crashing, path, process))
    await _with_crashes(context, lambda crashing: run(crashing, process, LAST))


async def _with_crashes(context: Context, work: Callable[[Context], Awaitable[object]]) -> None:
    """Does the work again and again, each time cut off one step later, until it gets through."""
    for steps in count():
        crashing = dataclasses.replace(context, ledger=_Crashing(context.ledger, steps))
        try:
            await work(crashing)
        except CutOffError:
            continue
        assert steps > 1
        return


class _Crashing:
    """The ledger, until it was appended to so often; then every append is a crash. Every second
    one comes after the append, which nobody hears of."""

    def __init__(self, ledger: Ledger, steps: int) -> None:
        self._ledger = ledger
        self._left = steps

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the ledger has)
        return getattr(self._ledger, name)

    async def append(self, stream: str, after: int, events: Sequence[Any]) -> Any:  # noqa: ANN401
        self._left -= 1
        if self._left < 0:
            if self._left % 2:
                await self._ledger.append(stream, after, events)
            raise CutOffError
        return await self._ledger.append(stream, after, events)


def _lines(path: Path) -> list[str]:
    return path.read_bytes().decode("ascii").split("\r\n")[:-1]


def _file(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / "other" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\r\n".join([*lines, ""]), encoding="ascii", newline="")
    return path


async def outcome(context: Context, process: str) -> Outcome:
    """How the records stand, by what they say, not by where they were read."""
    standing = await load_standing(context, process)
    rows = {row["ref"]: row for row in await taking_part(context, process)}
    sides = {file.file: file.side for file in standing.process.files.values()}

    def said(ref: int) -> tuple[Any, ...]:
        row = rows.get(ref)
        if row is None:
            return ()
        side: Side = sides[file_of(ref)]
        return (side, row["provider_reference"], row["message_type"], row["amount_minor"])

    found: Outcome = Counter()
    for ref in rows:
        one = standing.of(ref)
        group = said(one.group)[1:3]
        found[said(ref), one.status, said(one.partner), one.fields, group, one.why] += 1
    return found


WAYS: list[Way] = [backwards_with_runs_between, shuffled, in_pieces, twice, cut_off_at_every_step]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_the_same_is_found_whatever_way_the_files_come(
    way: Way, database_url: str, tmp_path: Path
) -> None:
    async with month(database_url, tmp_path) as (context, files):
        await in_order(context, files, tmp_path, PLAIN)
        await way(context, files, tmp_path, PARTY)
        expected = await outcome(context, PLAIN)
        assert len({key[1] for key in expected}) >= 4
        assert await outcome(context, PARTY) == expected
