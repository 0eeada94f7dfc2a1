"""`ppu finance recon`: how a process's lines stand, and what is open."""

from datetime import date
from typing import Annotated

import msgspec
import typer

from finance.context import Context
from ppu.finance.app import app
from ppu.finance.errors import errors
from ppu.finance.office import run
from ppu.finance.options import (
    ConfigOption,
    JsonOption,
    OneProcess,
    date_of,
    listing,
    rand,
    read_up_to_date,
    show,
)
from projections.reading import Reading
from projections.reconciliation import Reconciliation
from projections.reconciliation_filter import OPEN, LineFilter, Show
from projections.reconciliation_overview import Standings, standings
from projections.reconciliation_search import Line, lines

OPEN_EXIT_CODE = 3
LINES_MAX = 10_000


class Recon(msgspec.Struct, frozen=True):
    """What the command prints: sums by how lines stand, and lines. Amounts in cents."""

    process: str
    date: str
    standings: list[Standings]
    open_lines: int
    lines: list[Line]


@app.command("recon")
def recon_command(
    process: OneProcess,
    day: Annotated[
        str, typer.Option("--date", metavar="YYYY-MM-DD", help="Business dates up to this one.")
    ],
    status: Annotated[
        Show, typer.Option("--status", help="Which lines to list.", case_sensitive=False)
    ] = Show.OPEN,
    limit: Annotated[int, typer.Option(help="Lines that are listed.", min=0, max=LINES_MAX)] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how the lines of a process stand that are not settled, and list those that are open.

    Exit code 3 when something is open: unmatched, partly matched or duplicate."""

    async def work(context: Context) -> Recon:
        context.process(process)
        async with read_up_to_date(context, Reconciliation(context.archive)) as reading:
            until = date_of("--date", day)
            return await _recon(reading, process, until, status, limit)

    with errors():
        found = run(config, work)
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        _show(found)
    if found.open_lines:
        raise typer.Exit(OPEN_EXIT_CODE)


async def _recon(reading: Reading, process: str, until: date, status: Show, limit: int) -> Recon:
    by_standing = await standings(reading, process, until)
    page = await lines(reading, LineFilter(process, show=status, until=until), limit=limit)
    still_open = sum(one.lines for one in by_standing if one.standing in OPEN)
    return Recon(process, until.isoformat(), by_standing, still_open, page.rows)


def _show(found: Recon) -> None:
    sums = listing("Standing", "", "Lines", "Ours", "Theirs", right=3)
    for one in found.standings:
        what = "pairs" if one.paired else f"only {one.side.lower()}"
        sums.add_row(
            one.standing, what, f"{one.lines:,}", rand(one.our_cents), rand(one.their_cents)
        )
    show(sums)
    if not found.lines:
        return
    print()
    headings = ("Ref", "Date", "Matched", "Standing", "Reference", "Meter", "Differs")
    table = listing(*headings, "Ours", "Theirs", right=2)
    for line in found.lines:
        table.add_row(
            str(line.ref),
            line.business_date.isoformat(),
            line.matched,
            line.standing,
            line.provider_reference or line.transaction_id or "",
            line.meter or "",
            ", ".join(line.fields),
            "" if line.our_cents is None else rand(line.our_cents),
            "" if line.their_cents is None else rand(line.their_cents),
        )
    show(table)
