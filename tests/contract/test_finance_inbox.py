"""The life of a file in the inbox: uploaded, approved, loaded, withdrawn."""

import asyncio
import sys
from collections.abc import AsyncGenerator

import msgspec
import pytest

from domain.inbox import FileSource, FileStatus, FileUploaded, LinesLoaded, file_stream
from domain.operator import Actor
from domain.reconciliation import FileAdmitted, FileWithdrawn, Process, process_stream
from domain.record import file_of, line_of
from finance.approval import SameOperatorError
from finance.context import Context
from finance.inbox.inbox import Inbox, UnknownFileError, Uploaded, WrongStatusError
from finance.inbox.load import load
from finance.inbox.name import FileNameError
from finance.inbox.receive import FileRefusedError
from finance.inbox.withdraw import withdraw
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.settings import FinanceSettings
from ledger import Ledger
from tests.extract_file import body_line, extract
from tests.finance_context import finance_context, taking_part

ANN, BEN = Actor("ann", comment="March"), Actor("ben")
NAME = "IPAY_PPU_EXTRACT_PPU_MARKOFF_20260301_1772409600.csv"
IPAY = ReconciliationProcess(id="ipay", name="iPay", kind=ProcessKind.PROVIDER, party="ipay")
TRUSTED = msgspec.structs.replace(IPAY, id="trusted", approve_uploads=False)
THREE = extract(*(body_line(number) for number in (1, 2, 3)))


@pytest.fixture
async def context(ledger: Ledger, database_url: str) -> Context:
    settings = FinanceSettings(part_bytes=100, upload_bytes_max=100_000, busy_seconds=0.001)
    return await finance_context(ledger, database_url, (IPAY, TRUSTED), settings=settings)


async def chunks(content: bytes, size: int = 70) -> AsyncGenerator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def upload(
    context: Context, content: bytes = THREE, process: str = "ipay", actor: Actor = ANN
) -> Uploaded:
    found = await Inbox(context).upload([process], NAME, chunks(content), actor, FileSource.CONSOLE)
    return found[0]


async def loaded(context: Context, content: bytes = THREE) -> str:
    file = (await upload(context, content)).file_id
    await Inbox(context).approve(file, BEN)
    await load(context, file)
    return file


async def test_a_file_is_loaded_once_another_person_has_approved_it(context: Context) -> None:
    inbox = Inbox(context)
    uploaded = await upload(context)
    assert (uploaded.status, uploaded.again) == (FileStatus.QUEUED, False)
    with pytest.raises(WrongStatusError, match="not to be loaded"):
        await load(context, uploaded.file_id)
    with pytest.raises(SameOperatorError, match="ann asked for this"):
        await inbox.approve(uploaded.file_id, ANN)

    await inbox.approve(uploaded.file_id, BEN)
    progress: list[tuple[int, int]] = []
    state = await load(context, uploaded.file_id, lambda done, size: progress.append((done, size)))

    assert (state.status, state.records, state.exceptions) == (FileStatus.LOADED, 3, 0)
    assert progress[-1] == (len(THREE), len(THREE))
    records = await taking_part(context, "ipay")
    assert [(file_of(r["ref"]), line_of(r["ref"])) for r in records] == [(1, 2), (1, 3), (1, 4)]
    assert [r["transaction_id"] for r in records] == ["sale-1", "sale-2", "sale-3"]
    assert (await load(context, uploaded.file_id)) == state, "again: nothing happens"
    assert len(await taking_part(context, "ipay")) == 3


async def test_what_needs_no_approval_may_be_loaded_at_once(context: Context) -> None:
    trusted = await upload(context, process="trusted")
    picked_up = await Inbox(context).upload(
        ["ipay"], NAME, chunks(THREE), Actor("sftp"), FileSource.SFTP
    )
    for file in (trusted, picked_up[0]):
        assert file.status is FileStatus.LOADING
        assert (await load(context, file.file_id)).status is FileStatus.LOADED


async def test_the_same_file_twice_is_the_same_file(context: Context) -> None:
    file = await loaded(context)
    again = await upload(context, actor=BEN)
    assert again.file_id == file
    assert (again.again, again.status, again.by) == (True, FileStatus.LOADED, "ann")
    assert again.at == "2026-03-09T06:00:00+00:00"
    assert len(await taking_part(context, "ipay")) == 3

    other = await upload(context, process="trusted")
    assert not other.again, "at another process it is another file"


async def test_uploading_at_the_same_time_enters_it_once(context: Context) -> None:
    found = await asyncio.gather(*(upload(context) for _ in range(5)))
    assert sorted(one.again for one in found) == [False, True, True, True, True]
    entered = await context.ledger.read(file_stream(found[0].file_id))
    assert [type(one.event) for one in entered] == [FileUploaded]


async def test_a_rejected_file_is_not_loaded_and_may_come_again(context: Context) -> None:
    inbox = Inbox(context)
    file = (await upload(context)).file_id
    with pytest.raises(SameOperatorError):
        await inbox.reject(file, ANN)
    state = await inbox.reject(file, Actor("ben", comment="of last year"))
    assert (state.status, state.reason) == (FileStatus.ERROR, "rejected: of last year")
    with pytest.raises(WrongStatusError, match="was not loaded"):
        await inbox.approve(file, BEN)
    again = await upload(context)
    assert (again.status, again.again) == (FileStatus.QUEUED, False)


async def test_a_rollback_takes_the_records_out_and_the_file_may_come_again(
    context: Context,
) -> None:
    inbox = Inbox(context)
    file = await loaded(context)
    with pytest.raises(WrongStatusError, match="nobody has asked"):
        await inbox.approve_rollback(file, BEN)
    await inbox.request_rollback(file, BEN)
    with pytest.raises(WrongStatusError, match="ben has asked for its rollback already"):
        await inbox.request_rollback(file, ANN)
    with pytest.raises(SameOperatorError):
        await inbox.approve_rollback(file, BEN)
    assert (await withdraw(context, file)).status is FileStatus.LOADED, "not approved yet"

    await inbox.approve_rollback(file, ANN)
    state = await withdraw(context, file)

    assert state.status is FileStatus.ROLLBACK
    assert await taking_part(context, "ipay") == []
    assert await withdraw(context, file) == state
    with pytest.raises(WrongStatusError, match="rolled back already"):
        await inbox.request_rollback(file, ANN)

    assert await loaded(context) == file
    records = await taking_part(context, "ipay")
    assert {file_of(record["ref"]) for record in records} == {2}, "a number is used once"


async def test_a_rejected_rollback_leaves_everything_as_it_is(context: Context) -> None:
    inbox = Inbox(context)
    file = await loaded(context)
    await inbox.request_rollback(file, ANN)
    with pytest.raises(SameOperatorError):
        await inbox.reject_rollback(file, ANN)
    state = await inbox.reject_rollback(file, BEN)
    assert (state.status, state.rollback_by) == (FileStatus.LOADED, None)
    assert len(await taking_part(context, "ipay")) == 3


async def test_two_loaders_at_once_load_it_once(context: Context) -> None:
    file = (await upload(context, process="trusted")).file_id
    results = await asyncio.gather(*(load(context, file) for _ in range(3)), return_exceptions=True)
    assert any(not isinstance(one, BaseException) for one in results)
    assert len(await taking_part(context, "trusted")) == 3
    events = [type(one.event) for one in await context.ledger.read(process_stream("trusted"))]
    assert events.count(FileAdmitted) == 1


async def test_a_loader_that_comes_late_does_not_bring_back_what_was_withdrawn(
    context: Context,
) -> None:
    inbox = Inbox(context)
    file = await loaded(context)
    await inbox.request_rollback(file, ANN)
    await inbox.approve_rollback(file, BEN)
    # Withdrawn from the process, and killed before the file's own stream says so.
    state = await context.state(process_stream("ipay"), Process())
    withdrawn = FileWithdrawn(at=context.clock(), process="ipay", file=1, file_id=file)
    await context.ledger.append(process_stream("ipay"), state.version, [withdrawn])

    await load(context, file)
    assert await taking_part(context, "ipay") == []
    assert (await withdraw(context, file)).status is FileStatus.ROLLBACK


async def test_names_sizes_and_ids_that_can_not_be_are_refused(context: Context) -> None:
    inbox = Inbox(context)

    async def send(name: str, content: bytes, process: str = "ipay", party: str = "ipay") -> None:
        await inbox.upload(
            [process], name, chunks(content, 5_000), ANN, FileSource.CONSOLE, party=party
        )

    for name in ("../x.csv", "a\\b.csv", "a\nb.csv", " ", "..", "x" * 256):
        with pytest.raises(FileNameError):
            await send(name, THREE)
    with pytest.raises(FileRefusedError, match="empty"):
        await send(NAME, b"")
    with pytest.raises(FileRefusedError, match="at most 100000 bytes"):
        await send(NAME, b"x" * 100_001)
    with pytest.raises(FileRefusedError, match="between switch and ipay, not 'contour'"):
        await send(NAME, THREE, party="contour")
    with pytest.raises(ValueError, match="no process 'nobody'"):
        await send(NAME, THREE, process="nobody")
    with pytest.raises(UnknownFileError):
        await inbox.approve("ipay-0", BEN)


async def test_a_file_without_a_record_is_an_error_that_says_why(context: Context) -> None:
    bad = body_line(1, amount_minor="R100")
    cases = {
        extract(bad): "none of its 1 lines can be read; line 2: amount_minor is 'R100', not",
        extract(): "it has no line with a transaction",
        extract(body_line(1, transaction_state="DECLINED")): "none of its 1 lines moved money",
        b"PK\x03\x04 no workbook": "the workbook can't be opened",
    }
    for content, reason in cases.items():
        file = (await upload(context, content, "trusted")).file_id
        state = await load(context, file)
        assert state.status is FileStatus.ERROR
        assert state.reason.startswith(reason), state.reason
        assert await taking_part(context, "trusted") == []
        assert not (await upload(context, content, "trusted")).again


async def test_many_exceptions_are_several_events_and_too_many_refuse_the_file(
    ledger: Ledger, database_url: str
) -> None:
    settings = FinanceSettings(exceptions_max=1_500, busy_seconds=0.001)
    context = await finance_context(ledger, database_url, (TRUSTED,), settings=settings)
    lines = [body_line(n, amount_minor="1" if n % 3 == 0 else "R1") for n in range(2_200)]
    file = (await upload(context, extract(*lines), "trusted")).file_id
    state = await load(context, file)

    assert (state.status, state.records, state.exceptions) == (FileStatus.LOADED, 734, 1_466)
    events = [entry.event for entry in await context.ledger.read(file_stream(file))]
    pieces = [event for event in events if isinstance(event, LinesLoaded)]
    assert [len(piece.exceptions) for piece in pieces] == [500, 500, 466]
    assert [piece.first_line for piece in pieces] == [
        2,
        *(piece.last_line + 1 for piece in pieces[:-1]),
    ]
    records = await taking_part(context, "trusted")
    assert [line_of(record["ref"]) for record in records] == list(range(2, 2_202, 3))

    more = [body_line(0), *(body_line(n, amount_minor="R1") for n in range(1_501))]
    other = (await upload(context, extract(*more), "trusted")).file_id
    failed = await load(context, other)
    assert failed.status is FileStatus.ERROR
    assert failed.reason == (
        "more than 1500 lines can't be read; line 3: amount_minor is 'R1', not an amount in whole "
        "cents"
    )
    assert len(await taking_part(context, "trusted")) == 734


async def test_the_desk_loads_no_frames() -> None:
    modules = "finance.inbox.inbox, projections.inbox_search, projections.inbox"
    check = f"import sys, {modules}; print({{'pyarrow', 'pandas', 'numpy'}} & set(sys.modules))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", check, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out == b"set()\n"
