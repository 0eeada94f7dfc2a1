"""`ppu finance report` and `outbox`: reports made, and where each went."""

import getpass
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.operator import Actor
from domain.outbox import ReportKind, ReportMade
from finance.context import Context
from finance.process.report import FORMS
from finance.report.download import Reports
from finance.report.figures.figures import TotalsDifferError
from finance.report.make import make
from finance.report.page_text import amount, count
from finance.report.snapshot import snapshot
from ppu.finance.app import app
from ppu.finance.errors import errors
from ppu.finance.office import run
from projections.outbox import Outbox
from projections.outbox_search import OutboxFilter, ReportRow, reports

SHOWN_MAX = 1_000

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file; default: the sandbox's database.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For a program: JSON on stdout.")]
As = Annotated[str | None, typer.Option("--as", help="Who you are; default: the system's user.")]


class Made(msgspec.Struct, frozen=True):
    """A report, as `--json` says it; `files` are the paths that were written."""

    report_id: str
    process: str
    report: str
    subject: str
    totals: dict[str, int]
    position: int
    files: list[str]


@app.command("report")
def report_command(
    process: Annotated[str, typer.Option("--process", help="Of which process.")],
    kind: Annotated[ReportKind, typer.Option("--kind", case_sensitive=False)],
    subject: Annotated[
        str,
        typer.Option(
            "--subject",
            help="SETTLEMENT: its id. All others: a day (2026-11-23), week (2026-W47) or month.",
        ),
    ],
    form: Annotated[
        list[str] | None, typer.Option("--form", help="csv, xlsx, pdf; may be repeated.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="The folder to write into.")] = Path(),
    name: As = None,
    comment: Annotated[str, typer.Option("--comment", help="Why; the outbox shows it.")] = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a report, put it into the outbox, and write its files.

    When it says what one says that was made before, that one's files are written. Exit code 1: the
    figures do not tie, and nothing was made."""
    actor = Actor(name or getpass.getuser(), page="ppu finance report", comment=comment)

    async def work(context: Context) -> Made:
        made = await make(context, process, kind, subject, form or FORMS, actor)
        return _told(made, await _written(context, made, output))

    with errors(), _ties():
        screen = Console(stderr=True)
        with screen.status(Text(f"{kind.value.lower()} of {process}, {subject}")):
            told = run(config, work)
        if as_json:
            print(msgspec.json.encode(told).decode())
        else:
            _tell(told)


@contextmanager
def _ties() -> Generator[None]:
    """Figures that do not tie are a failure of ours, not of the caller."""
    try:
        yield
    except TotalsDifferError as error:
        typer.echo(f"ppu: {error}; nothing was made", err=True)
        raise typer.Exit(1) from None


async def _written(context: Context, made: ReportMade, folder: Path) -> list[Path]:
    """The report's files out of the archive, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 (a command line's own folder)
    written: list[Path] = []
    for file in made.files:
        download = await Reports(context).download(made.report_id, file.form)
        path = folder / download.file_name
        unfinished = path.with_name(f".{path.name}.part")
        try:
            with unfinished.open("wb") as out:
                async for part in download.parts:
                    out.write(part)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        written.append(path)
    return written


def _told(made: ReportMade, paths: list[Path]) -> Made:
    return Made(
        made.report_id,
        made.process,
        made.report.value,
        made.subject,
        made.totals,
        made.position,
        [str(path) for path in paths],
    )


def _tell(told: Made) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for key, value in told.totals.items():
        name, _, unit = key.rpartition("_")
        cents = unit == "cents"
        label = (name if cents else key).replace("_", " ").capitalize()
        table.add_row(label, amount(value) if cents else count(value))
    screen = Console()
    about = f" of {told.process}, {told.subject}: {told.report_id}"
    screen.print(Text.assemble((told.report, "bold"), about))
    screen.print(table)
    for path in told.files:
        print(path)


@app.command("outbox")
def outbox_command(
    process: Annotated[str, typer.Option("--process", help="Only this one's.")] = "",
    kind: Annotated[ReportKind | None, typer.Option("--kind", case_sensitive=False)] = None,
    not_delivered: Annotated[
        bool, typer.Option("--not-delivered", help="Only those that a recipient didn't get.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=SHOWN_MAX, help="At most so many.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the reports that were made, newest first, and how their deliveries stand."""

    async def work(context: Context) -> list[ReportRow]:
        if process:
            context.process(process)
        wanted = OutboxFilter(
            process=process, kind=kind.value if kind else "", not_delivered=not_delivered
        )
        await context.caught_up(Outbox())
        async with snapshot(context) as reading:
            return (await reports(reading, wanted, limit=limit)).rows

    with errors():
        rows = run(config, work)
        if as_json:
            print(msgspec.json.encode(rows).decode())
        else:
            _list(rows)


def _list(rows: list[ReportRow]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("Made (UTC)", "Process", "Report", "Subject", "Forms", "By", "Delivered"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        forms = " ".join(file.form for file in row.files)
        made_at = f"{row.made_at:%Y-%m-%d %H:%M:%S}"
        cells = (made_at, row.process, row.kind, row.subject, forms, row.made_by, _delivered(row))
        table.add_row(*map(Text, cells))
    Console().print(table if rows else "The outbox has no such report.")


def _delivered(row: ReportRow) -> str:
    recipients = row.pending + row.sent + row.given_up
    if not recipients:
        return "to nobody"
    given_up = f", {row.given_up} given up" if row.given_up else ""
    return f"{row.sent} of {recipients}{given_up}"
