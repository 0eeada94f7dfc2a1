"""`ppu finance load`, `files`, `approve`, `reject`, `rollback`, `exceptions`: files in."""

import asyncio
import getpass
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from domain.inbox import FileSource, FileStatus, InboxFile, file_stream
from domain.operator import Actor
from finance.context import Context
from finance.inbox.exceptions_file import write_exceptions
from finance.inbox.inbox import Inbox, Uploaded
from finance.inbox.load import LoadingElsewhereError, load
from finance.inbox.withdraw import withdraw
from ppu.finance.app import app
from ppu.finance.errors import errors
from ppu.finance.office import run
from ppu.finance.told_files import FileTold, show_exceptions, show_files, tell, told
from projections.inbox import FileRow
from projections.inbox import Inbox as InboxModel
from projections.inbox_search import every_exception, files, one_file
from projections.reading import Reading

FILES_MAX = 1_000

FileId = Annotated[str, typer.Argument(metavar="FILE_ID", help="As `ppu finance files` shows it.")]
As = Annotated[str | None, typer.Option("--as", help="Who you are; default: the system's user.")]
Comment = Annotated[str, typer.Option("--comment", help="Why; whoever approves sees it.")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file; default: the sandbox's database.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For a program: JSON on stdout.")]


@app.command("load")
def load_command(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV or XLSX.")
    ],
    process: Annotated[list[str], typer.Option("--process", help="Whose inbox; may be repeated.")],
    name: As = None,
    comment: Comment = "",
    party: Annotated[
        str | None, typer.Option(help="Who made it; default: the process's party.")
    ] = None,
    corrects: Annotated[
        str | None, typer.Option(help="The file whose exceptions this one mends.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a file into the inbox of a process, and load it unless another person has to approve.

    Exit code 2: not a record of it could be loaded."""

    async def work(context: Context) -> list[FileTold]:
        actor = _actor(name, "ppu finance load", comment)
        uploaded = await Inbox(context).upload(
            process, path.name, path, actor, FileSource.COMMAND_LINE, party=party, corrects=corrects
        )
        with _progress() as progress:
            return [await _loaded(context, one, progress) for one in uploaded]

    with errors():
        found = run(config, work)
        tell(found, as_json=as_json)
        if any(one.status == FileStatus.ERROR for one in found):
            raise typer.Exit(2)


async def _loaded(context: Context, uploaded: Uploaded, progress: Progress) -> FileTold:
    """The file loaded, if it may be."""
    if uploaded.status is FileStatus.LOADING:
        state = await _load(context, uploaded.file_id, progress)
    else:
        state = await Inbox(context).file(uploaded.file_id)
    return told(uploaded.file_id, state, again=uploaded.again)


async def _load(context: Context, file_id: str, progress: Progress) -> InboxFile:
    """Loads the file; while another process does, waits, and goes on when that one is gone."""
    task = progress.add_task(file_id, total=None)

    def show(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    while True:
        try:
            return await load(context, file_id, show)
        except LoadingElsewhereError:
            await _while_it_moves(context, file_id)


async def _while_it_moves(context: Context, file_id: str) -> None:
    """Returns when the file is no longer loading, or its lines have stood still for long."""
    version, still = -1, 0.0
    while still < context.settings.caught_up_seconds:
        state = await context.state(file_stream(file_id), InboxFile())
        if state.status is not FileStatus.LOADING:
            return
        still = 0.0 if state.version != version else still + context.settings.scan_seconds
        version = state.version
        await asyncio.sleep(context.settings.scan_seconds)


@app.command("files")
def files_command(
    process: Annotated[str, typer.Option("--process", help="Whose; default: all.")] = "",
    status: Annotated[
        FileStatus | None, typer.Option("--status", case_sensitive=False, help="Only these.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=FILES_MAX, help="How many, latest first.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the files of the inbox, the latest first."""

    async def work(context: Context) -> list[FileRow]:
        async with _reading(context) as reading:
            wanted = status.value if status else ""
            page = await files(reading, process=process, status=wanted, limit=limit)
            return page.rows

    with errors():
        rows = run(config, work)
        if as_json:
            print(msgspec.json.encode(rows).decode())
        else:
            show_files(rows)


@app.command("approve")
def approve_command(
    file_id: FileId,
    name: As = None,
    comment: Comment = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve another person's upload and load it, or another person's rollback and do it."""

    async def work(context: Context) -> FileTold:
        actor = _actor(name, "ppu finance approve", comment)
        inbox = Inbox(context)
        state = await inbox.file(file_id)
        if state.rollback_by is not None:
            await inbox.approve_rollback(file_id, actor)
            return told(file_id, await withdraw(context, file_id))
        await inbox.approve(file_id, actor)
        with _progress() as progress:
            return told(file_id, await _load(context, file_id, progress))

    with errors():
        tell([run(config, work)], as_json=as_json)


@app.command("reject")
def reject_command(
    file_id: FileId,
    name: As = None,
    comment: Comment = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject another person's upload or rollback."""

    async def work(context: Context) -> FileTold:
        actor = _actor(name, "ppu finance reject", comment)
        inbox = Inbox(context)
        state = await inbox.file(file_id)
        asked = state.rollback_by is not None
        reject = inbox.reject_rollback if asked else inbox.reject
        return told(file_id, await reject(file_id, actor))

    with errors():
        tell([run(config, work)], as_json=as_json)


@app.command("rollback")
def rollback_command(
    file_id: FileId,
    name: As = None,
    comment: Comment = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a file to be withdrawn with all its records; another person approves."""

    async def work(context: Context) -> FileTold:
        actor = _actor(name, "ppu finance rollback", comment)
        return told(file_id, await Inbox(context).request_rollback(file_id, actor))

    with errors():
        tell([run(config, work)], as_json=as_json)


@app.command("exceptions")
def exceptions_command(
    file_id: FileId,
    output: Annotated[
        Path | None, typer.Option("--output", help="A .csv or .xlsx to write them into.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the lines of a file that could not be read, and why."""
    with errors():
        if output is not None and output.suffix.lower() not in (".csv", ".xlsx"):
            raise ValueError(f"--output is a .csv or .xlsx file: {output}")

        async def work(context: Context) -> list[tuple[int, str, str]]:
            async with _reading(context) as reading:
                if await one_file(reading, file_id) is None:
                    raise ValueError(f"no file {file_id!r}")
                return [(e.line, e.text, e.reason) async for e in every_exception(reading, file_id)]

        found = run(config, work)
        if output is not None:
            write_exceptions(output, found)
        elif as_json:
            rows = [{"line": line, "text": text, "reason": why} for line, text, why in found]
            print(msgspec.json.encode(rows).decode())
        else:
            show_exceptions(found)


@asynccontextmanager
async def _reading(context: Context) -> AsyncGenerator[Reading]:
    """The read model of the inbox, brought up to the ledger's present end."""
    await context.caught_up(InboxModel())
    async with Reading(context.database_url, connections=1) as reading:
        yield reading


def _actor(name: str | None, page: str, comment: str) -> Actor:
    return Actor(name or getpass.getuser(), page=page, comment=comment)


def _progress() -> Progress:
    screen = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)
