"""`ppu finance extract`: the switch's own records of business dates, for the other parties."""

from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from finance.context import Context
from finance.extract import Extract, not_reconciled, write_extract
from ppu.finance.app import app
from ppu.finance.errors import errors
from ppu.finance.office import run


@app.command("extract")
def extract_command(
    process: Annotated[
        list[str] | None, typer.Option("--process", help="Which; default: all of them.")
    ] = None,
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The business date.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="The first of several.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="The last of several.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="The folder to write into.")] = Path(),
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Settings file; default: the sandbox's database."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a program: JSON on stdout.")] = False,
) -> None:
    """Write the switch extract: every approved purchase and every reversal of the dates.

    One file for each process, with a header that counts its lines. Lookups, trials and declined
    purchases are not in it."""
    with errors():
        dates = _dates(day, first, last)

        async def work(context: Context) -> tuple[list[Extract], dict[str, int]]:
            wanted = process or list(context.processes)
            if not wanted:
                raise ValueError("the settings have no reconciliation processes")
            for one in wanted:
                context.process(one)
            written = await _write(context, wanted, dates, output)
            left = {} if process else await not_reconciled(context, *dates)
            return written, left

        written, left = run(config, work)
        for provider, count in left.items():
            typer.echo(f"ppu: {count} sales of {provider} are in no process's extract", err=True)
        if as_json:
            print(_json(written, left))
        else:
            _show(written)


def _dates(day: str | None, first: str | None, last: str | None) -> tuple[date, date]:
    """The first and the last date. Raises ValueError."""
    if day is not None and (first or last):
        raise ValueError("either --date, or --from and --to")
    if (first is None) != (last is None):
        raise ValueError("--from and --to go together")
    if first is not None and last is not None:
        return _date("--from", first), _date("--to", last)
    if day is None:
        raise ValueError("--date, or --from and --to, say which business dates")
    return _date("--date", day), _date("--date", day)


def _date(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{option} {text!r} is no date; one is written 2026-11-23") from None


async def _write(
    context: Context, processes: list[str], dates: tuple[date, date], folder: Path
) -> list[Extract]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    written: list[Extract] = []
    screen = Console(stderr=True)
    hidden = not screen.is_terminal
    with Progress(*columns, console=screen, transient=True, disable=hidden) as progress:
        for one in processes:
            task = progress.add_task(one, total=None)
            written.append(
                await write_extract(
                    context,
                    one,
                    *dates,
                    folder,
                    lambda done, total, task=task: progress.update(
                        task, completed=done, total=total
                    ),
                )
            )
    return written


def _json(written: list[Extract], left: dict[str, int]) -> str:
    files = [
        {
            "process": one.process,
            "file": str(one.path),
            "records": one.records,
            "total_cents": one.total_cents,
        }
        for one in written
    ]
    return msgspec.json.encode({"extracts": files, "without_process": left}).decode()


def _show(written: list[Extract]) -> None:
    table = Table("Process", "File", "Lines", "Amount", box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    for one in written:
        whole, cents = divmod(one.total_cents, 100)
        table.add_row(one.process, str(one.path), f"{one.records:,}", f"{whole:,}.{cents:02}")
    Console().print(table)
