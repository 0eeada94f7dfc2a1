"""A load that is killed goes on, and gives the records that it would have given: none is missing
and none is there twice."""

import asyncio
import dataclasses
import sys
from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

import msgspec
import pytest

from domain.event import Event
from domain.inbox import FileLoaded, FileSource, FileStatus, InboxFile, LinesLoaded, file_stream
from domain.operator import Actor
from domain.reconciliation import FileAdmitted, process_stream
from finance.context import Context
from finance.inbox.inbox import Inbox, WrongStatusError
from finance.inbox.load import load
from finance.settings import FinanceSettings
from ledger import Ledger, Recorded
from ledger.embedded import EmbeddedServer
from tests.extract_file import body_line, extract
from tests.finance_context import finance_context, taking_part
from tests.finance_loader import PROCESS

CHANGES = {
    7: {"amount_minor": "R1"},
    50: {"transaction_state": "REVERSED"},
    51: {"transaction_state": "DECLINED"},
    120: {"meter_id": 'a"b'},
    299: {"currency": "840"},
}
CONTENT = extract(*(body_line(number, CHANGES.get(number)) for number in range(300)))
PARTS = 5
SETTINGS = FinanceSettings(part_bytes=-(-len(CONTENT) // PARTS), busy_seconds=0.001)
APPENDS = PARTS + 2
"""Of a load: its lines part by part, its end, and its taking part."""


async def upload(context: Context, process: str) -> str:
    """Puts the file into the inbox of a process, to be loaded; returns its id."""

    async def content() -> AsyncGenerator[bytes]:
        yield CONTENT

    found = await Inbox(context).upload(
        [process], "march.csv", content(), Actor("sftp"), FileSource.SFTP
    )
    return found[0].file_id


async def outcome(context: Context, process: str, file: str) -> tuple[Any, ...]:
    """What a load leaves in the ledger, but for who and when."""
    stream = await context.ledger.read(file_stream(file))
    of_process = await context.ledger.read(process_stream(process))
    records = await taking_part(context, process)
    events = [cast("Event", entry.event) for entry in (*stream, *of_process)]
    lines = [(e.first_line, e.last_line, e.left_out) for e in events if isinstance(e, LinesLoaded)]
    bad = [one for e in events if isinstance(e, LinesLoaded) for one in e.exceptions]
    ends = [event for event in events if isinstance(event, FileLoaded)]
    admitted = [(e.file, e.records) for e in events if isinstance(e, FileAdmitted)]
    return records, lines, bad, ends, admitted


class CutOffError(Exception):
    """The process is gone."""


class Failing:
    """A ledger that is cut off at an append: the one with this number, before or after it."""

    def __init__(self, ledger: Ledger, number: int, *, after: bool) -> None:
        self._ledger = ledger
        self._left = number
        self._after = after

    async def append(
        self, stream: str, after_version: int, events: Sequence[msgspec.Struct]
    ) -> list[Recorded]:
        self._left -= 1
        if self._left < 0 and not self._after:
            raise CutOffError
        recorded = await self._ledger.append(stream, after_version, events)
        if self._left < 0:
            raise CutOffError
        return recorded

    async def read(self, stream: str, after_version: int = 0) -> list[Recorded]:
        return await self._ledger.read(stream, after_version)


async def test_cut_off_at_any_append_it_goes_on_to_the_same_end(
    ledger: Ledger, database_url: str
) -> None:
    cuts = [(number, after) for number in range(APPENDS) for after in (False, True)]
    names = ["whole", *(f"cut-{number}-{after}".lower() for number, after in cuts)]
    processes = [msgspec.structs.replace(PROCESS, id=name) for name in names]
    context = await finance_context(ledger, database_url, processes, settings=SETTINGS)
    whole = await upload(context, "whole")
    await load(context, whole)
    expected = await outcome(context, "whole", whole)
    assert [len(part) for part in expected] == [297, PARTS, 3, 1, 1]

    for name, (number, after) in zip(names[1:], cuts, strict=True):
        file = await upload(context, name)
        broken = cast("Ledger", Failing(ledger, number, after=after))
        with pytest.raises(CutOffError):
            await load(dataclasses.replace(context, ledger=broken), file)
        before_admitted = (number, after) in {(APPENDS - 2, True), (APPENDS - 1, False)}
        if before_admitted:
            with pytest.raises(WrongStatusError, match="loaded a moment ago"):
                await Inbox(context).request_rollback(file, Actor("ann"))
        state = await load(context, file)
        assert state.status is FileStatus.LOADED
        assert await outcome(context, name, file) == expected, name


async def test_a_killed_process_leaves_nothing_out_and_nothing_twice(
    server: EmbeddedServer,
) -> None:
    ledger = await Ledger.open(server.database_url)
    processes = [PROCESS, msgspec.structs.replace(PROCESS, id="whole")]
    context = await finance_context(ledger, server.database_url, processes, settings=SETTINGS)
    file, whole = await upload(context, "ipay"), await upload(context, "whole")
    read: list[int] = []
    for parts in (1, 3):
        await killed(server.database_url, file, parts)
        state = await context.state(file_stream(file), InboxFile())
        assert state.status is FileStatus.LOADING
        read.append(state.loaded_lines)
    assert 0 < read[0] < read[1] < 301
    await load(context, file)
    await load(context, whole)
    assert await outcome(context, "ipay", file) == await outcome(context, "whole", whole)
    await ledger.close()


async def killed(url: str, file: str, parts: int) -> None:
    """A process that loads the file, killed when it has loaded so many parts."""
    command = [sys.executable, "-m", "tests.finance_loader", url, file, str(parts)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"here\n"
    process.kill()
    assert await process.wait() == -9
