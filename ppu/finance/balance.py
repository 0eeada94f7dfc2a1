"""`ppu finance balance`: the trial balance as of any moment of the ledger."""

from datetime import UTC, datetime
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
    listing,
    rand,
    read_up_to_date,
    show,
)
from projections.settlements import Settlements
from projections.settlements_search import BalanceRow, trial_balance


@app.command("balance")
def balance_command(
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="TIME|POSITION",
            help="A moment (2026-11-23T17:00:00+02:00) or a position of the ledger; default: now.",
        ),
    ] = None,
    process: Annotated[str | None, typer.Option("--process", help="Default: all of them.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the trial balance: every account's debits and credits, which add up to nothing.

    Exit code 1 if they don't."""

    async def work(context: Context) -> list[BalanceRow]:
        position, at = _moment(as_of)
        if process is not None:
            context.process(process)
        async with (
            read_up_to_date(context, Settlements(context.archive)) as reading,
            reading.connection() as connection,
        ):
            return await trial_balance(connection, position=position, at=at, process=process)

    with errors():
        rows = run(config, work)
    total = sum(row.balance_cents for row in rows)
    if as_json:
        print(msgspec.json.encode({"rows": rows, "balance_cents": total}).decode())
    else:
        _show(rows)
    if total:
        typer.echo(f"ppu: debits and credits differ by {rand(total)}", err=True)
        raise typer.Exit(1)


def _moment(text: str | None) -> tuple[int | None, datetime | None]:
    """A position or a moment. Raises ValueError."""
    if text is None:
        return None, None
    if text.isdigit():
        return int(text), None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"--as-of {text!r} is neither a position nor a time; one is written"
            " 2026-11-23T17:00:00+02:00"
        ) from None
    return None, at if at.tzinfo else at.replace(tzinfo=UTC)


def _show(rows: list[BalanceRow]) -> None:
    table = listing("Account", "Party", "Currency", "Debit", "Credit", right=2)
    for row in rows:
        balance = row.balance_cents
        table.add_row(
            row.account,
            row.party,
            row.currency,
            rand(balance) if balance > 0 else "",
            rand(-balance) if balance < 0 else "",
        )
    debit = sum(max(row.balance_cents, 0) for row in rows)
    credit = sum(max(-row.balance_cents, 0) for row in rows)
    table.add_row("Total", "", "", rand(debit), rand(credit))
    show(table)
