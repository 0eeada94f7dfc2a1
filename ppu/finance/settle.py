"""`ppu finance settle`, `release`, `discard`: settlements."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console

from domain.settlement import SettlementReady
from finance.context import Context
from finance.settle.releasing import Releasing
from finance.settle.settle import prepare
from ppu.finance.app import app
from ppu.finance.errors import errors
from ppu.finance.office import run
from ppu.finance.options import (
    As,
    Comment,
    ConfigOption,
    JsonOption,
    OneProcess,
    actor_of,
    kept_up,
    rand,
)
from projections.settlements import Settlements

SettlementId = Annotated[str, typer.Argument(metavar="SETTLEMENT", help="As `settle` prints it.")]


@app.command("settle")
def settle_command(
    process: OneProcess,
    cycle: Annotated[
        str, typer.Option("--cycle", help="2026-11-23, 2026-W47 or 2026-11, as the process has it.")
    ],
    name: As = None,
    comment: Comment = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prepare the settlement of a cycle: every reconciled sale with its commission and VAT. Another
    person releases it."""

    async def work(context: Context) -> SettlementReady:
        actor = actor_of(name, "ppu finance settle", comment)
        return await prepare(context, process, cycle, actor)

    with errors():
        ready = run(config, work)
    if as_json:
        print(msgspec.json.encode(ready).decode())
    else:
        _show(ready)


def _show(ready: SettlementReady) -> None:
    totals = ready.totals
    console = Console()
    console.print(f"{ready.settlement_id} is ready: {totals.sales:,} sales")
    for what, cents in (
        ("principal", totals.principal_cents),
        ("commission", -totals.commission_cents),
        ("VAT on it", -totals.commission_vat_cents),
        ("adjustments", totals.adjustment_cents),
        ("net", totals.net_cents),
    ):
        console.print(f"  {what:<12}{rand(cents):>20}")
    for remark in ready.remarks:
        console.print(f"  {remark}")
    console.print(
        f"Another person releases it: ppu finance release {ready.settlement_id} --as NAME"
    )


@app.command("release")
def release_command(
    settlement: SettlementId, name: As = None, comment: Comment = "", config: ConfigOption = None
) -> None:
    """Make another person's settlement final: it is to be paid, and is posted."""

    async def work(context: Context) -> None:
        async with kept_up(context, Settlements(context.archive)):
            actor = actor_of(name, "ppu finance release", comment)
            await Releasing(context).release(settlement, actor)

    with errors():
        run(config, work)
    print(f"{settlement} is released.")


@app.command("discard")
def discard_command(
    settlement: SettlementId, name: As = None, comment: Comment = "", config: ConfigOption = None
) -> None:
    """Put aside a settlement that is not released; its sales are free for another."""

    async def work(context: Context) -> None:
        async with kept_up(context, Settlements(context.archive)):
            actor = actor_of(name, "ppu finance discard", comment)
            await Releasing(context).discard(settlement, actor)

    with errors():
        run(config, work)
    print(f"{settlement} is discarded.")
