"""A week of one provider's sales the real way: sold in the ledger, its mark-off loaded, matched,
decided on, settled and released. Sales are made up, and repeatable."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from domain.inbox import FileSource
from domain.message import message_stream
from domain.money import Money
from domain.operator import Actor
from domain.purchase import PurchaseApproved, PurchaseRequested
from domain.reconciliation import (
    DecisionApproved,
    DecisionKind,
    DecisionRequested,
    Process,
    Winner,
    process_stream,
)
from domain.sale import (
    Customer,
    MeterDetail,
    Sale,
    Taxed,
    Token,
    TokenType,
    UtilityDetail,
    UtilityType,
)
from finance.context import Context
from finance.inbox.inbox import Inbox
from finance.inbox.load import load
from finance.process.calendar import Cycle
from finance.process.fee import Fee
from finance.process.layout import AmountForm, Layout
from finance.process.matching import Matching, Resolution, Tolerance
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.recon.run import run
from finance.settle.releasing import Releasing
from finance.settle.settle import prepare
from ledger import Ledger
from projections.reconciliation import Reconciliation
from projections.settlements import Settlements
from tests.report_figures import PROCESS as BRANDED
from tests.report_figures import settled_lines

CYCLE = "2026-W47"
NOW = datetime(2026, 11, 23, 6, 30, 12, tzinfo=UTC)
THANDI = Actor("Thandi Nkosi", "finance-operator", "10.0.0.7", "/finance", "the week's mark-off")
PIETER = Actor("Pieter van Wyk", "finance-approver", "10.0.0.8", "/finance/approvals", "checked")
HEADINGS = ("Reference", "Meter", "Amount", "Sold", "Municipality", "Service")
PROCESS = ReconciliationProcess(
    id="contour",
    name="Contour",
    kind=ProcessKind.PROVIDER,
    party="contour",
    settle=Cycle.WEEKLY,
    layout=Layout(
        columns={
            "provider_reference": "Reference",
            "meter_id": "Meter",
            "amount_minor": "Amount",
            "transaction_time": "Sold",
            "receiver_id": "Municipality",
            "utility_type": "Service",
        },
        constants={
            "message_type": "PURCHASE",
            "transaction_state": "APPROVED",
            "currency": "710",
        },
        amounts=AmountForm.DECIMAL,
    ),
    matching=Matching(
        resolve=(Resolution(name="one cent", within=Tolerance(cents=1), winner=Winner.THEIRS),)
    ),
    fees=(
        Fee(
            name="electricity",
            since=datetime(2020, 1, 1, tzinfo=UTC).date(),
            utility_type=UtilityType.ELECTRICITY,
            percent=Decimal("1.25"),
        ),
        Fee(
            name="other services",
            since=datetime(2020, 1, 1, tzinfo=UTC).date(),
            percent=Decimal("1.5"),
        ),
    ),
    branding=BRANDED.branding,
)


@dataclass(frozen=True)
class Sold:
    """A sale of ours. Cents; `at` in UTC."""

    purchase_id: str
    reference: str
    meter: str
    cents: int
    at: datetime
    place: str
    utility_type: UtilityType


def sales(number: int) -> list[Sold]:
    """Sales of the week's days, in order."""
    return [
        Sold(
            purchase_id=line.transaction_id or str(UUID(int=place)),
            reference=line.provider_reference or "",
            meter=line.meter or "",
            cents=abs(line.principal_cents),
            at=datetime.combine(line.business_date, datetime.min.time(), UTC)
            + timedelta(hours=6, seconds=place % 40_000),
            place=(line.receiver or "").replace("-", " ").title(),
            utility_type=UtilityType(line.utility_type or "ELECTRICITY"),
        )
        for place, line in enumerate(settled_lines(number))
        if line.business_date is not None
    ]


async def sell(ledger: Ledger, sold: Sequence[Sold]) -> None:
    """Their purchases, as the switch would have recorded them."""
    for one in sold:
        tax = one.cents * 15 // 115
        token = Token(TokenType.STD, "1" * 20, Decimal(40), Taxed(one.cents - tax, tax))
        meter = MeterDetail(one.meter, one.utility_type)
        sale = Sale((token,), Customer(), UtilityDetail(one.place), meter, one.reference)
        requested = PurchaseRequested(
            at=one.at,
            purchase_id=one.purchase_id,
            meter=meter,
            amount=Money(one.cents),
            client="till",
        )
        approved = PurchaseApproved(
            at=one.at + timedelta(seconds=1),
            provider=PROCESS.party,
            reference=one.reference,
            sale=sale,
        )
        await ledger.append(message_stream(one.purchase_id), 0, [requested, approved])


def mark_off(sold: Sequence[Sold], *bad: str) -> bytes:
    """The provider's file of these sales, with lines that can't be read behind them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for one in sold:
        rand, cents = divmod(one.cents, 100)
        amount = f"{rand}.{cents:02}"
        place = one.place.lower().replace(" ", "-")
        sold_at = one.at.isoformat()
        writer.writerow((one.reference, one.meter, amount, sold_at, place, one.utility_type.value))
    return out.getvalue().encode() + "".join(f"{line}\r\n" for line in bad).encode()


async def load_file(context: Context, content: bytes) -> str:
    """Uploaded by one person, approved by another, loaded; the file's id."""

    async def chunks() -> AsyncGenerator[bytes]:
        yield content

    inbox = Inbox(context)
    name = "contour_week_47.csv"
    [uploaded] = await inbox.upload([PROCESS.id], name, chunks(), THANDI, FileSource.CONSOLE)
    await inbox.approve(uploaded.file_id, PIETER)
    await load(context, uploaded.file_id)
    return uploaded.file_id


async def decide(context: Context, decision_id: str, **wanted: object) -> str:
    """One person wants it and another approves it."""
    stream = process_stream(PROCESS.id)
    version = (await context.state(stream, Process())).version
    requested = DecisionRequested(
        at=NOW,
        process=PROCESS.id,
        decision_id=decision_id,
        by=THANDI.name,
        **wanted,  # pyright: ignore[reportArgumentType]
    )
    approved = DecisionApproved(
        at=NOW, process=PROCESS.id, decision_id=decision_id, by=PIETER.name, comment="agreed"
    )
    await context.ledger.append(stream, version, [requested, approved])
    return decision_id


async def adjust(context: Context, decision_id: str, cents: int, reason: str) -> str:
    """An approved adjustment."""
    return await decide(
        context, decision_id, decision=DecisionKind.ADJUST, amount_cents=cents, comment=reason
    )


async def match(context: Context) -> None:
    """A run up to the week's last day."""
    await run(context, PROCESS.id, datetime(2026, 11, 22, tzinfo=UTC).date())


async def prepare_week(context: Context) -> str:
    """The week's settlement, prepared by one person; its id."""
    return (await prepare(context, PROCESS.id, CYCLE, THANDI)).settlement_id


async def release(context: Context, settlement: str) -> None:
    """It is released by another."""
    await context.caught_up(Settlements(context.archive), Reconciliation(context.archive))
    await Releasing(context).release(settlement, PIETER)


async def settle(context: Context) -> str:
    """Both."""
    settlement = await prepare_week(context)
    await release(context, settlement)
    return settlement
