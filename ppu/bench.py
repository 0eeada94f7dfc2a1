"""`ppu bench`: each prints a table, or with --json one object with a list of rows."""

from pathlib import Path
from typing import Annotated

import typer

from bench import ledger as ledger_bench
from bench import lookup as lookup_bench
from bench import purchase as purchase_bench
from bench import tokens as tokens_bench
from bench.result import Row, as_json, print_rows

app = typer.Typer(no_args_is_help=True, help="Measure, side by side in one run.")

JsonOption = Annotated[bool, typer.Option("--json", help="For a program: JSON on stdout.")]


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _print(rows: list[Row], json: bool, title: str, ratio_to: str) -> None:
    if json:
        print(as_json(rows))
    else:
        print_rows(rows, title, ratio_to)


@app.command("ledger")
def ledger(
    seconds: Annotated[float, typer.Option(help="Per case.", min=0.2)] = 3.0,
    json: JsonOption = False,
) -> None:
    """Appends of two 300-byte events: ours, the library's recorder, and plain INSERT."""
    rows = ledger_bench.run(seconds=seconds, say=_say)
    _print(rows, json, "appends of two 300-byte events", "library recorder")


@app.command("purchase")
def purchase(
    seconds: Annotated[float, typer.Option(help="Per case and round.", min=0.5)] = 4.0,
    rounds: Annotated[int, typer.Option(help="Rounds; each case once a round.", min=1)] = 3,
    json: JsonOption = False,
) -> None:
    """Purchases over HTTP through a TCP provider, beside a no-op endpoint of the same server."""
    rows = purchase_bench.run(seconds=seconds, rounds=rounds, say=_say)
    _print(rows, json, "purchases over HTTP", "no-op endpoint")


@app.command("lookup")
def lookup(
    seconds: Annotated[float, typer.Option(help="Per case and round.", min=0.5)] = 4.0,
    rounds: Annotated[int, typer.Option(help="Rounds; each case once a round.", min=1)] = 3,
    json: JsonOption = False,
) -> None:
    """Lookups over HTTP that are broadcast to ten providers, beside those that go to one."""
    rows = lookup_bench.run(seconds=seconds, rounds=rounds, say=_say)
    _print(rows, json, "lookups over HTTP", lookup_bench.SINGLE)


@app.command("tokens")
def tokens(
    seconds: Annotated[float, typer.Option(help="Per case.", min=0.1)] = 2.0,
    json: JsonOption = False,
) -> None:
    """STS tokens of the simulators: made, entered, sold; beside random digits."""
    rows = tokens_bench.run(seconds=seconds, say=_say)
    _print(rows, json, "STS tokens", tokens_bench.YARDSTICK)


@app.command("console")
def console(
    transactions: Annotated[int, typer.Option(help="Rows of the list.", min=1_000)] = 10_000_000,
    meters: Annotated[int, typer.Option(help="Rows of the contract table.", min=1_000)] = (
        10_000_000
    ),
    times: Annotated[int, typer.Option(help="Requests for each page.", min=3)] = 100,
    folder: Annotated[
        Path, typer.Option(help="Where the data is made; the next run finds it there.")
    ] = Path("var/bench-console"),
    json: JsonOption = False,
) -> None:
    """Pages of the console on generated read models of that size. The first run fills them, which
    takes half an hour and 25 GB."""
    # These two need what only `make test` installs, so no other command may.
    from bench import console as console_bench

    rows = console_bench.run(transactions, meters, times, folder, _say)
    title = f"pages at {transactions:,} transactions and {meters:,} meters"
    _print(rows, json, title, console_bench.NOTHING)


@app.command("live")
def live(
    purchases: Annotated[int, typer.Option(help="Measured ones, per case.", min=10)] = 200,
    per_second: Annotated[float, typer.Option(help="Measured ones.", min=0.1)] = 5.0,
    load: Annotated[int, typer.Option(help="Connections that buy beside them.", min=1)] = 8,
    json: JsonOption = False,
) -> None:
    """From a purchase's answer to its card on an open Transactions page, in a real browser."""
    from bench import live as live_bench

    rows = live_bench.run(purchases, per_second, load, _say)
    _print(rows, json, "from the answer to the card", live_bench.QUIET)


@app.command("month")
def month(
    sales: Annotated[int, typer.Option(help="Sales of the month.", min=1_000)] = 1_000_000,
    json: JsonOption = False,
) -> None:
    """A month at ten providers and three channels with 2 % disagreements at known places: what
    reconciliation finds of them, and whether all totals tie. Exit code 1 when one doesn't."""
    from bench import month as month_bench

    result = month_bench.run(sales, _say)
    _print(month_bench.rows(result), json, f"a month of {sales:,} sales", "")
    for wrong in result.untied():
        typer.echo(wrong, err=True)
    raise typer.Exit(1 if result.untied() else 0)
