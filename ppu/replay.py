"""Replay: the story of one message, told from its events alone."""

import json
from datetime import datetime, timedelta
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from domain.advice import AdviceReceived
from domain.event import Event
from domain.exchange import ProviderAnswered, ProviderAsked
from domain.fault_report import FaultReportRequested
from domain.key_change import KeyChangeConfirmationReceived, KeyChangeDone, KeyChangeRequested
from domain.lookup import LookupAnswered, LookupRequested, LookupRouted
from domain.message import message_stream
from domain.purchase import (
    PurchaseApproved,
    PurchaseRequested,
    PurchaseRouted,
    RetryReceived,
    SurplusSaleFound,
)
from domain.reprint import ReprintDone, ReprintRequested
from domain.routing import Route
from domain.sale import Sale
from domain.service import ServiceRouted
from domain.trial import TrialDone, TrialRequested
from ledger import Ledger, Recorded

# Shown in their own way rather than as a bare member.
_HIDDEN = {"at", "message", "route", "request", "legs", "sale", "quote", "answer", "purchase_id"}
_REQUESTS = (
    PurchaseRequested,
    LookupRequested,
    TrialRequested,
    ReprintRequested,
    FaultReportRequested,
    KeyChangeRequested,
)


class NotInLedgerError(Exception):
    """No message, meter or provider has this id."""


async def story(ledger: Ledger, wanted: str) -> list[Recorded]:
    """The events of the message `wanted`; of an advice or retry, those of its purchase or key
    change; of a stream's full name (meter/ELECTRICITY/…, provider/…, utility/…, notification/…),
    that stream's.

    Raises NotInLedgerError."""
    recorded = await ledger.read(wanted if "/" in wanted else message_stream(wanted))
    if not recorded:
        raise NotInLedgerError(f"nothing in the ledger has the id {wanted}")
    first = recorded[0].event
    about: str | None = None
    if isinstance(first, AdviceReceived | RetryReceived):
        about = first.purchase_id
    elif isinstance(first, KeyChangeConfirmationReceived):
        about = first.key_change_id
    if about is not None:
        recorded += await ledger.read(message_stream(about))
        recorded.sort(key=lambda entry: entry.position)
    return recorded


def as_json(recorded: list[Recorded]) -> str:
    """One object: the stream's events with position, version, kind and all their members."""
    events = [
        {
            "position": entry.position,
            "stream": entry.stream,
            "version": entry.version,
            "event": type(entry.event).__name__,
            "data": msgspec.to_builtins(entry.event),
        }
        for entry in recorded
    ]
    return json.dumps({"events": events}, indent=2, ensure_ascii=False)


def tell(recorded: list[Recorded], console: Console) -> None:
    """The story for a person: each event with its time since the first, and the wire messages."""
    start = _at(recorded[0])
    console.print(f"[bold]{recorded[0].stream}[/bold]  began {start.isoformat()}")
    for entry in recorded:
        event = entry.event
        console.print(
            f"[cyan]{_since(_at(entry) - start):>12}[/cyan]  [bold]{type(event).__name__}[/bold]"
            f"  {escape(_facts(event))}  [dim]#{entry.position}[/dim]",
            soft_wrap=True,
        )
        for text in _wire(event):
            console.print(Padding(Text(text, overflow="fold"), (0, 0, 0, 16)), style="dim")
        for table in _tables(event):
            console.print(Padding(table, (0, 0, 0, 14)))


def _at(entry: Recorded) -> datetime:
    assert isinstance(entry.event, Event)
    return entry.event.at


def _since(elapsed: timedelta) -> str:
    return f"{elapsed / timedelta(milliseconds=1):+,.1f} ms"


def _facts(event: msgspec.Struct) -> str:
    data: dict[str, Any] = msgspec.to_builtins(event)
    shown = {key: value for key, value in data.items() if key not in _HIDDEN}
    return "  ".join(f"{key}={_short(value)}" for key, value in shown.items())


def _short(value: object) -> str:
    match value:
        case {"cents": int(cents)}:
            return f"{cents / 100:.2f}"
        case {"number": str(number)}:
            return number
        case {"error_type": str(kind), "detail": str(detail)}:
            return f"{kind} ({detail})"
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def _wire(event: msgspec.Struct) -> list[str]:
    match event:
        case ProviderAsked():
            return [f"→ {event.request}"]
        case ProviderAnswered():
            later = [f"→ {leg.sent}" if index else "" for index, leg in enumerate(event.legs)]
            answers = [f"← {leg.received or '(no readable answer)'}" for leg in event.legs]
            return [line for pair in zip(later, answers, strict=True) for line in pair if line]
        case _ if isinstance(event, _REQUESTS) and event.message:
            return [f"⇒ {event.message}"]
        case _:
            return []


def _tables(event: msgspec.Struct) -> list[Table]:
    match event:
        case PurchaseRouted() | LookupRouted() | ServiceRouted():
            return [_route_table(event.route)]
        case PurchaseApproved() | SurplusSaleFound() | ReprintDone() | KeyChangeDone():
            return [_sale_table(event.sale)]
        case TrialDone():
            return [_sale_table(event.quote)]
        case LookupAnswered():
            answer = event.answer
            table = Table("customer", "address", "utility")
            name = f"{answer.customer.first_name or ''} {answer.customer.last_name or ''}"
            table.add_row(name.strip(), answer.customer.address or "", answer.utility.name)
            return [table]
        case _:
            return []


def _route_table(route: Route) -> Table:
    table = Table("order", "provider", "verdict", "because", "rank", "weight")
    for candidate in route.candidates:
        table.add_row(
            str(candidate.order or ""),
            candidate.provider,
            candidate.verdict.value,
            candidate.because.value,
            str(candidate.rank or ""),
            str(candidate.weight if candidate.weight is not None else ""),
        )
    return table


def _sale_table(sale: Sale) -> Table:
    table = Table("what", "token", "units", "amount", "tax")

    def rand(cents: int) -> str:
        return f"{cents // 100}.{cents % 100:02d}"

    for token in sale.tokens:
        groups = " ".join(token.digits[i : i + 4] for i in range(0, len(token.digits), 4))
        amount = token.amount
        table.add_row(
            token.token_type.value,
            groups,
            str(token.units),
            rand(amount.cents),
            rand(amount.tax_cents),
        )
    for part in (*sale.debts, *sale.charges):
        amount = part.amount
        table.add_row(part.description, "", "", rand(amount.cents), rand(amount.tax_cents))
    return table
