"""`ppu finance match`: a run over what is open in a process."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from domain.reconciliation import RunFinished
from finance.calendar import latest_complete_date
from finance.context import Context
from finance.recon.run import run as match
from ppu.finance.app import app
from ppu.finance.errors import errors
from ppu.finance.office import run
from ppu.finance.options import ConfigOption, JsonOption, date_of, listing, show


@app.command("match")
def match_command(
    process: Annotated[
        list[str] | None, typer.Option("--process", help="Which; default: all of them.")
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(
            "--date",
            metavar="YYYY-MM-DD",
            help="The last business date looked at; default: the last that is over.",
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Match the records of a process: takes the switch's own sales, pairs them with the other
    party's, applies its rules, and expires what waited too long."""

    async def work(context: Context) -> list[RunFinished]:
        wanted = process or list(context.processes)
        return [await _matched(context, one, day) for one in wanted]

    with errors():
        finished = run(config, work)
    if as_json:
        print(msgspec.json.encode(finished).decode())
    else:
        _show(finished)


async def _matched(context: Context, process: str, day: str | None) -> RunFinished:
    calendar = context.process(process).calendar
    as_of = date_of("--date", day) if day else latest_complete_date(context.clock(), calendar)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task(process, total=None)

        def say(what: str, done: int, total: int) -> None:
            of = f" {done:,} of {total:,}" if total else ""
            progress.update(task, description=f"{process}: {what}{of}")

        return await match(context, process, as_of, say)


def _show(finished: list[RunFinished]) -> None:
    headings = ("Process", "Up to", "Matched", "Partly", "Resolved", "Only ours", "Only theirs")
    table = listing(*headings, "Duplicates", "Expired", "Settled", right=8)
    for one in finished:
        counts = one.counts
        numbers = (
            counts.matched,
            counts.partly_matched,
            counts.resolved,
            counts.unmatched_ours,
            counts.unmatched_theirs,
            counts.duplicates_ours + counts.duplicates_theirs,
            counts.expired,
            counts.settled,
        )
        table.add_row(one.process, one.as_of, *(f"{number:,}" for number in numbers))
    show(table)
