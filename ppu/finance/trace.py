"""`ppu finance trace`: how a settlement's figures came about."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from finance.context import Context
from finance.report.page_text import amount, count
from finance.report.trace import LINES_MAX, SettlementTrace, trace_line, trace_settlement
from finance.report.trace_line import LineTrace, RecordTold
from ppu.finance.app import app
from ppu.finance.errors import errors
from ppu.finance.office import run
from projections.finance_catalogue import finance_models
from projections.settlement_breakdown import Part

_WHERE = {
    "day": Part.DAY,
    "municipality": Part.RECEIVER,
    "utility": Part.UTILITY_TYPE,
    "fee": Part.FEE,
    "type": Part.MESSAGE_TYPE,
}


@app.command("trace")
def trace_command(
    settlement: Annotated[str, typer.Argument(metavar="SETTLEMENT", help="Its id.")],
    line: Annotated[
        int | None, typer.Option("--line", metavar="REF", help="One line, by its record.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="NAME=VALUE",
            help="Only these lines: day=, municipality=, utility=, fee=, type=; may be repeated.",
        ),
    ] = None,
    after: Annotated[int | None, typer.Option(metavar="REF", help="Lines after this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LINES_MAX, help="At most so many lines.")] = 20,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Settings file; default: the sandbox's database."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a program: JSON on stdout.")] = False,
) -> None:
    """Tell how a settlement's figures came about.

    From its totals to the lines that a figure consists of; with --line, from one line to its fee's
    arithmetic, both parties' records, the match, the decisions, and the events of its purchase."""

    async def work(context: Context) -> SettlementTrace | LineTrace:
        await context.caught_up(*finance_models())
        if line is not None:
            return await trace_line(context, settlement, line)
        wanted = dict(_condition(text) for text in where or ())
        return await trace_settlement(context, settlement, wanted, after=after, limit=limit)

    with errors():
        told = run(config, work)
        if as_json:
            print(msgspec.json.encode(told).decode())
        elif isinstance(told, LineTrace):
            _tell_line(told, Console())
        else:
            _tell_settlement(told, Console())


def _condition(text: str) -> tuple[Part, str]:
    name, found, value = text.partition("=")
    if not found or name not in _WHERE:
        raise ValueError(f"--where {text!r}: one of {', '.join(_WHERE)}, = and a value")
    return _WHERE[name], value


def _tell_settlement(told: SettlementTrace, screen: Console) -> None:
    row = told.settlement
    screen.print(Text.assemble((row.settlement_id, "bold"), f"  {row.status}, {row.party}"))
    totals = {
        "principal": row.principal_cents,
        "+ adjustments": row.adjustment_cents,
        "- commission": row.commission_cents,
        "- VAT on it": row.commission_vat_cents,
        "= net": row.net_cents,
    }
    _print_pairs(screen, [(name, amount(cents)) for name, cents in totals.items()])
    names = {part.value: name for name, part in _WHERE.items()}
    for part, groups in told.parts.items():
        table = _table(f"by {names[part]}", "Lines", "Principal", "Commission", "VAT", "Net")
        for group in groups:
            table.add_row(
                Text(group.value or "(none)"),
                count(group.lines),
                amount(group.principal_cents),
                amount(group.commission_cents),
                amount(group.commission_vat_cents),
                amount(group.net_cents),
            )
        screen.print(table)
    for adjusted in told.adjustments:
        why = adjusted.decision
        said = f": {why.reason} ({why.requested_by}, {why.decided_by})" if why else ""
        screen.print(Text(f"adjustment {amount(adjusted.amount_cents)}{said}"))
    _print_lines(told, screen)


def _print_lines(told: SettlementTrace, screen: Console) -> None:
    table = _table("Record (--line)", "Principal", "Commission", "VAT", "Net")
    table.add_column("Transaction", overflow="fold")
    for line in told.lines:
        table.add_row(
            str(line.ref),
            amount(line.principal_cents),
            amount(line.commission_cents),
            amount(line.commission_vat_cents),
            amount(line.net_cents),
            Text(line.transaction_id or line.provider_reference or ""),
        )
    screen.print(table)
    if told.next_ref is not None:
        screen.print(f"There are more: --after {told.next_ref}")


def _table(first: str, *amounts: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first, overflow="fold")
    for heading in amounts:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _print_pairs(screen: Console, pairs: list[tuple[str, str]]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for name, value in pairs:
        table.add_row(name, Text(value))
    screen.print(table)


def _tell_line(told: LineTrace, screen: Console) -> None:
    line = told.line
    screen.print(Text(f"Record {line.ref} of {line.settlement_id}", style="bold"))
    _print_pairs(
        screen,
        [
            ("principal", amount(line.principal_cents)),
            ("- commission", amount(line.commission_cents)),
            ("- VAT on it", amount(line.commission_vat_cents)),
            ("= net", amount(line.net_cents)),
        ],
    )
    if told.fee is None:
        screen.print("No fee rule held, so nothing was charged.")
    else:
        agrees = "" if told.fee.agrees else " (does not give the line's amounts by itself)"
        screen.print(Text(f"Fee rule {told.fee.rule}{agrees}"))
        for step in told.fee.steps:
            screen.print(Text(f"  {step}"))
    for record in told.records:
        _tell_record(record, screen)
    _tell_why(told, screen)
    for message in told.messages:
        screen.print(Text(f"Message {message.message_id} (ppu replay {message.message_id})"))
        for event in message.events:
            at = f"  {event.at:%Y-%m-%d %H:%M:%S}" if event.at else ""
            screen.print(Text(f"  #{event.position}{at}  {event.name}"))
    for entry in told.entry:
        debit, credit = amount(entry.debit_cents), amount(entry.credit_cents)
        screen.print(Text(f"Posted to {entry.account}: debit {debit}, credit {credit}"))


def _tell_record(told: RecordTold, screen: Console) -> None:
    record = told.record
    where = f"{told.file_name}, line {told.line}" if told.file_name else "the ledger"
    whose = "Our record" if record.side == "OURS" else "Their record"
    cents = amount(record.amount_cents) if record.amount_cents is not None else "no amount"
    about = f"{record.message_type or ''} of {cents}, meter {record.meter or 'not told'}"
    screen.print(Text(f"{whose}: {about}, {record.business_date}, from {where}"))
    if told.text is not None:
        screen.print(Text(f"  {told.text}"))
        screen.print(Text(f"  file's SHA-256: {told.sha256}"))


def _tell_why(told: LineTrace, screen: Console) -> None:
    match = told.match
    if match is None:
        return
    by = f"by {', '.join(match.key)}" if match.key else "by no key"
    screen.print(Text(f"{match.status.capitalize()} {by} in run {match.run}"))
    if match.differing:
        winner = f"; {match.winner.lower()} counts" if match.winner else ""
        differing = ", ".join(match.differing)
        screen.print(Text(f"  differing in {differing}; resolved by {match.resolved_by}{winner}"))
    for decision in told.decisions:
        asked = f"{decision.decision} wanted by {decision.requested_by}: {decision.reason}"
        screen.print(Text(f"  {asked}; {decision.status.lower()} by {decision.decided_by}"))
