"""`ppu finance decide`, `decisions`, `approve-decision`, `reject-decision`: about records."""

from typing import Annotated

import msgspec
import typer

from domain.reconciliation import DecisionKind, Winner
from finance.context import Context
from finance.recon.decisions import Decisions
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
    listing,
    rand,
    read_up_to_date,
    show,
)
from projections.decision_search import DecisionRow, decisions
from projections.reconciliation import Reconciliation

SHOWN_MAX = 1_000

DecisionId = Annotated[str, typer.Argument(metavar="DECISION", help="As `decisions` shows it.")]
Refs = Annotated[list[int] | None, typer.Option(help="Record, as `recon` shows it; repeatable.")]


@app.command("decide")
def decide_command(
    process: OneProcess,
    kind: Annotated[DecisionKind, typer.Argument(case_sensitive=False)],
    comment: Annotated[str, typer.Option("--comment", help="The reason, for who approves it.")],
    ours: Refs = None,
    theirs: Refs = None,
    winner: Annotated[Winner | None, typer.Option(help="Of RESOLVE.", case_sensitive=False)] = None,
    amount_cents: Annotated[
        int, typer.Option(help="Of ADJUST: signed cents; positive is owed to the party.")
    ] = 0,
    name: As = None,
    config: ConfigOption = None,
) -> None:
    """Ask for a decision about records: match or unmatch pairs, resolve in favour of a side, adjust
    the next settlement, revive what expired. Another person approves it."""

    async def work(context: Context) -> str:
        actor = actor_of(name, "ppu finance decide", comment)
        async with kept_up(context, Reconciliation(context.archive)):
            return await Decisions(context).request(
                process, kind, ours or (), theirs or (), winner, amount_cents, actor
            )

    with errors():
        decision = run(config, work)
    print(decision)


@app.command("decisions")
def decisions_command(
    process: Annotated[str | None, typer.Option("--process", help="Default: all of them.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that were decided, too.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the decisions that wait for approval, newest first."""

    async def work(context: Context) -> list[DecisionRow]:
        async with read_up_to_date(context, Reconciliation(context.archive)) as reading:
            page = await decisions(
                reading, process=process, pending=not everything, limit=SHOWN_MAX
            )
            return page.rows

    with errors():
        found = run(config, work)
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        _show(found)


def _show(found: list[DecisionRow]) -> None:
    headings = ("Decision", "Process", "Kind", "In favour of", "Asked by", "Reason", "Status")
    table = listing(*headings, "Lines", "Amount", right=2)
    for row in found:
        amount = rand(row.amount_cents) if row.amount_cents else ""
        table.add_row(
            *(row.decision_id, row.process, row.decision, row.winner, row.requested_by),
            *(row.reason, row.status, str(row.records), amount),
        )
    show(table)


@app.command("approve-decision")
def approve_command(
    process: OneProcess,
    decision: DecisionId,
    name: As = None,
    comment: Comment = "",
    config: ConfigOption = None,
) -> None:
    """Approve what another person decided; it is done at once."""

    async def work(context: Context) -> None:
        actor = actor_of(name, "ppu finance approve-decision", comment)
        async with kept_up(context, Reconciliation(context.archive)):
            await Decisions(context).approve(process, decision, actor)

    with errors():
        run(config, work)
    print(f"{decision} is approved.")


@app.command("reject-decision")
def reject_command(
    process: OneProcess,
    decision: DecisionId,
    name: As = None,
    comment: Comment = "",
    config: ConfigOption = None,
) -> None:
    """Turn down what was decided; the records stay as they are."""

    async def work(context: Context) -> None:
        actor = actor_of(name, "ppu finance reject-decision", comment)
        async with kept_up(context, Reconciliation(context.archive)):
            await Decisions(context).reject(process, decision, actor)

    with errors():
        run(config, work)
    print(f"{decision} is rejected.")
