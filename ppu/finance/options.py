"""Options that finance's commands share, and what they make of them."""

import asyncio
import getpass
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from domain.operator import Actor
from finance.context import Context
from projections.projection import Projection
from projections.reading import Reading
from projections.runner import ProjectionRunner

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file; default: the sandbox's database.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For a program: JSON on stdout.")]
As = Annotated[str | None, typer.Option("--as", help="Who you are; default: the system's user.")]
Comment = Annotated[str, typer.Option("--comment", help="Why; kept for good.")]
PIPED_WIDTH = 240

OneProcess = Annotated[str, typer.Option("--process", help="Which process.")]


def actor_of(name: str | None, command: str, comment: str = "") -> Actor:
    """Who does it. The command line trusts the name that it is given."""
    return Actor(name or getpass.getuser(), address="local", page=command, comment=comment)


def date_of(option: str, text: str) -> date:
    """Raises ValueError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{option} {text!r} is no date; one is written 2026-11-23") from None


def rand(cents: int) -> str:
    """An amount for eyes: 1,234.50."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}.{rest:02}"


def listing(*headings: str, right: int = 0) -> Table:
    """A table in which nothing is cut off; the last `right` columns are numbers."""
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        number = place >= len(headings) - right
        table.add_column(heading, overflow="fold", justify="right" if number else "left")
    return table


def show(table: Table) -> None:
    """Prints it: as wide as the terminal; in a file or pipe, where nothing wraps, as it needs."""
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


@asynccontextmanager
async def read_up_to_date(context: Context, *models: Projection) -> AsyncGenerator[Reading]:
    """The read models, once they have seen the ledger's present end, whoever else feeds them."""
    await context.caught_up(*models)
    async with Reading(context.database_url, connections=1) as reading:
        yield reading


@asynccontextmanager
async def kept_up(context: Context, *models: Projection) -> AsyncGenerator[None]:
    """Feeds the read models meanwhile, so that a desk finds them up to date without a worker."""
    runner = ProjectionRunner(context.ledger, context.database_url, models)
    await runner.catch_up()
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
