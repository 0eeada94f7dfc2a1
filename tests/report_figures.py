"""Figures of reports from made-up sales: repeatable, so that pictures and tests are, too."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from domain.journal import postings
from domain.record import RecordKind, record_ref
from domain.settlement import Counterparty, SettlementStatus, Totals
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.process.report import Branding
from finance.report.figures.figures import Figures
from finance.report.figures.settled import SettledAdjustment, Settlement
from finance.report.figures.settlement import SettlementFigures
from projections.settlements_search import EntryRow, SettlementLineRow, SettlementRow

MADE_AT = datetime(2026, 11, 23, 6, 30, 12, tzinfo=UTC)
PROCESS = ReconciliationProcess(
    id="contour",
    name="Contour",
    kind=ProcessKind.PROVIDER,
    party="contour",
    branding=Branding(
        name="Prepaid Utilities Switch",
        colour="#0b5cad",
        foot=(
            "Prepaid Utilities Switch (Pty) Ltd",
            "VAT 4123456789",
            "12 Harbour Road, Cape Town 8001",
        ),
    ),
)
SETTLEMENT = "contour:2026-W47:1"
_PLACES = (
    ("city-of-cape-town", 30),
    ("ethekwini", 22),
    ("nelson-mandela-bay", 14),
    ("mangaung", 10),
    ("emfuleni", 8),
    ("drakenstein", 6),
    ("george", 5),
    ("msunduzi", 5),
)
_AMOUNTS = (1_000, 2_000, 5_000, 5_000, 10_000, 10_000, 20_000, 25_000, 50_000, 100_000)
_FIRST = date(2026, 11, 16)


def _percent(cents: int, percent: Decimal) -> int:
    return int((Decimal(cents) * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))


def settled_lines(sales: int, seed: int = 1) -> list[SettlementLineRow]:
    """Lines of a week, by day; one in two hundred is a reversal."""
    chance = random.Random(seed)
    places = [name for name, weight in _PLACES for _ in range(weight)]
    lines: list[SettlementLineRow] = []
    for number in range(1, sales + 1):
        utility = chance.choices(("ELECTRICITY", "WATER", "GAS"), (88, 10, 2))[0]
        amount = chance.choice(_AMOUNTS) + chance.choice((0, 0, 0, 150, 99))
        reversal = chance.random() < 0.005
        percent = Decimal("1.25") if utility == "ELECTRICITY" else Decimal("1.5")
        commission = _percent(amount, percent)
        vat = _percent(commission, Decimal(15))
        sign = -1 if reversal else 1
        lines.append(
            SettlementLineRow(
                settlement_id=SETTLEMENT,
                process=PROCESS.id,
                ref=record_ref(1, number),
                business_date=_FIRST + timedelta(days=(number - 1) * 7 // sales),
                message_type=(RecordKind.REVERSAL if reversal else RecordKind.PURCHASE).value,
                principal_cents=sign * amount,
                commission_cents=sign * commission,
                commission_vat_cents=sign * vat,
                net_cents=sign * (amount - commission - vat),
                fee=f"{utility.lower()} {percent} %",
                transaction_id=str(UUID(int=chance.getrandbits(128), version=4)),
                provider_reference=f"CTR{chance.randrange(10**9):09}",
                meter=f"{chance.randrange(10**11):011}",
                receiver=chance.choice(places),
                utility_type=utility,
                provider="contour",
                client="till",
                transaction_time=None,
                original_id=None,
                channel=None,
            )
        )
    return lines


def settlement(
    lines: Sequence[SettlementLineRow], adjustments: tuple[SettledAdjustment, ...] = ()
) -> Settlement:
    """The released settlement that these lines make up."""
    adjusted = sum(each.amount_cents for each in adjustments)
    totals = Totals(
        sales=len(lines),
        principal_cents=sum(line.principal_cents for line in lines),
        commission_cents=sum(line.commission_cents for line in lines),
        commission_vat_cents=sum(line.commission_vat_cents for line in lines),
        adjustment_cents=adjusted,
        net_cents=sum(line.net_cents for line in lines) + adjusted,
    )
    row = SettlementRow(
        settlement_id=SETTLEMENT,
        process=PROCESS.id,
        cycle="2026-W47",
        status=SettlementStatus.RELEASED.value,
        counterparty=Counterparty.PROVIDER.value,
        party=PROCESS.party,
        currency=PROCESS.currency,
        until=date(2026, 11, 22),
        settings_sha256="",
        sales=totals.sales,
        principal_cents=totals.principal_cents,
        commission_cents=totals.commission_cents,
        commission_vat_cents=totals.commission_vat_cents,
        adjustment_cents=totals.adjustment_cents,
        net_cents=totals.net_cents,
        prepared_at=datetime(2026, 11, 23, 6, 0, 3, tzinfo=UTC),
        prepared_by="Thandi Nkosi",
        prepared_comment="",
        ready_at=datetime(2026, 11, 23, 6, 0, 4, tzinfo=UTC),
        ready_position=1_204_320,
        released_at=datetime(2026, 11, 23, 6, 28, 41, tzinfo=UTC),
        released_by="Pieter van Wyk",
        released_comment="",
        released_position=1_204_377,
        discarded_at=None,
        discarded_by=None,
        discarded_comment=None,
        position=1_204_310,
        remarks=[],
    )
    entries = tuple(
        EntryRow(
            account=one.account.value, debit_cents=one.debit_cents, credit_cents=one.credit_cents
        )
        for one in postings(Counterparty.PROVIDER, totals)
    )
    return Settlement(row=row, adjustments=adjustments, entries=entries)


ADJUSTMENT = SettledAdjustment(
    decision_id="5f1c",
    amount_cents=-12_550,
    requested_by="Thandi Nkosi",
    approved_by="Pieter van Wyk",
    reason="Reversal of 14 November that the provider could not make",
)


def settlement_figures(
    lines: list[SettlementLineRow],
    adjustments: tuple[SettledAdjustment, ...] = (ADJUSTMENT,),
    process: ReconciliationProcess = PROCESS,
) -> Figures:
    """The statement of these lines."""
    making = SettlementFigures(process, settlement(lines, adjustments))
    for start in range(0, len(lines), 1_000):
        making.add(lines[start : start + 1_000])
    return making.figures(MADE_AT)
