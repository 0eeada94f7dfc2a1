"""A settlement in the ledger, event by event, of made-up lines."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from domain.event import Event
from domain.reconciliation import (
    DecisionApproved,
    DecisionKind,
    DecisionRequested,
    Process,
    SalesTaken,
    process_stream,
)
from domain.settlement import (
    Counterparty,
    SettlementAdjusted,
    SettlementLines,
    SettlementPrepared,
    SettlementReady,
    SettlementReleased,
    Totals,
    settlement_id,
)
from finance.context import Context
from projections.frame import SCHEMA, encoded
from projections.settlements_search import SettlementLineRow

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)


def frame_of(lines: Sequence[SettlementLineRow]) -> pa.Table:
    """The switch's records of `lines`, as file 0."""
    records = [
        {
            "ref": line.ref & 0xFFFF_FFFF,
            "business_date": line.business_date,
            "transaction_id": line.transaction_id,
            "message_type": line.message_type,
            "transaction_state": "APPROVED",
            "transaction_time": AT,
            "client_id": line.client,
            "settlement_entity_id": line.provider,
            "receiver_id": line.receiver,
            "provider_reference": line.provider_reference,
            "utility_type": line.utility_type,
            "meter_id": line.meter,
            "amount_minor": abs(line.principal_cents),
            "currency": "710",
        }
        for line in lines
    ]
    return pa.Table.from_pylist(records, schema=SCHEMA)


async def take_sales(context: Context, process: str, lines: Sequence[SettlementLineRow]) -> None:
    """Lets the records of `lines`, which say file 1, take part in the process."""
    async with context.connect() as connection:
        frame = await context.archive.put(connection, encoded(frame_of(lines)))
    taken = SalesTaken(
        at=AT,
        process=process,
        file=1,
        after_position=0,
        to_position=1,
        records=len(lines),
        frames=(frame,),
    )
    await append(context, process, [taken])


async def append(context: Context, process: str, events: Sequence[Event]) -> None:
    """Adds to the process's stream."""
    stream = process_stream(process)
    state = await context.state(stream, Process())
    await context.ledger.append(stream, state.version, events)


async def adjust(context: Context, process: str) -> dict[str, int]:
    """Two approved adjustments: what each is, by the id of its decision."""
    wanted = {
        "adjustment-1": (-12_550, "Reversal of 14 November that the provider could not make"),
        "adjustment-2": (300, "Three cents short on each of a hundred sales of 12 November"),
    }
    events: list[Event] = []
    for name, (amount, reason) in wanted.items():
        events += [
            DecisionRequested(
                at=AT,
                by="Thandi Nkosi",
                comment=reason,
                process=process,
                decision_id=name,
                decision=DecisionKind.ADJUST,
                amount_cents=amount,
            ),
            DecisionApproved(at=AT, by="Pieter van Wyk", process=process, decision_id=name),
        ]
    await append(context, process, events)
    return {name: amount for name, (amount, _) in wanted.items()}


async def settle(
    context: Context,
    process: str,
    lines: Sequence[SettlementLineRow],
    *,
    cycle: str = "2026-W47",
    attempt: int = 1,
    adjustments: Mapping[str, int] | None = None,
    released: bool = True,
    counted: int = 0,
) -> str:
    """A settlement of `lines`, whose records take part already, and of adjustments by the id of
    their decision; `counted` is added to the net that its totals have, as a mistake would. Returns
    its id."""
    settlement = settlement_id(process, cycle, attempt)
    principal = sum(line.principal_cents for line in lines)
    commission = sum(line.commission_cents for line in lines)
    vat = sum(line.commission_vat_cents for line in lines)
    adjusted = dict(adjustments or {})
    fees = tuple(sorted({line.fee for line in lines}))
    events: list[Event] = [
        SettlementPrepared(
            at=AT,
            by="Thandi Nkosi",
            process=process,
            settlement_id=settlement,
            cycle=cycle,
            until="2026-11-22",
            settings_sha256="",
            counterparty=Counterparty.PROVIDER,
            party=context.process(process).party,
        ),
        SettlementLines(
            at=AT,
            process=process,
            settlement_id=settlement,
            lines=tuple(line.ref for line in lines),
            principal=tuple(line.principal_cents for line in lines),
            commission=tuple(line.commission_cents for line in lines),
            commission_vat=tuple(line.commission_vat_cents for line in lines),
            fees=fees,
            fee=tuple(fees.index(line.fee) for line in lines),
        ),
        SettlementAdjusted(
            at=AT,
            process=process,
            settlement_id=settlement,
            decisions=tuple(adjusted),
            amounts=tuple(adjusted.values()),
        ),
        SettlementReady(
            at=AT,
            process=process,
            settlement_id=settlement,
            totals=Totals(
                sales=len(lines),
                principal_cents=principal,
                commission_cents=commission,
                commission_vat_cents=vat,
                adjustment_cents=sum(adjusted.values()),
                net_cents=principal - commission - vat + sum(adjusted.values()) + counted,
            ),
        ),
    ]
    if released:
        events.append(
            SettlementReleased(
                at=AT, by="Pieter van Wyk", process=process, settlement_id=settlement
            )
        )
    await append(context, process, events)
    return settlement
