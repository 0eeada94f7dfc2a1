"""A simulated provider's end-of-day file: the sales of a calendar day in South Africa as a mark-off
extract, with as many disagreements as somebody wants to see found.

A provider knows its own references, meters and amounts; what the channel and the switch called the
sale it does not know, so those columns stay empty.
"""

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from domain.extract import BODY, BODY_FIELDS, ExtractName
from domain.utility import utility_id
from providers.protocols.numbers import SOUTH_AFRICA
from providers.simulator.extract_file import (
    Disagreement,
    FileOrder,
    MarkOff,
    Row,
    extract_file,
)
from providers.simulator.sales import IssuedSale


class MarkOffOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of `day`, with so many disagreements of each kind, at places drawn from `seed`."""

    day: date
    disagreements: dict[Disagreement, int] = {}
    seed: int = 0


def mark_off(
    provider: str, order: MarkOffOrder, sales: Iterable[IssuedSale], generated_at: datetime
) -> MarkOff:
    """The provider's mark-off file. Raises ValueError for a number of disagreements that is
    negative, too large, or larger than the number of sales that it needs."""
    rows = [_row(sale) for sale in sales if _belongs(sale, provider, order.day)]
    wanted = FileOrder(
        creator=provider,
        name=ExtractName.MARKOFF,
        day=order.day,
        identity="provider_reference",
        disagreements=order.disagreements,
        seed=order.seed,
    )
    return extract_file(wanted, rows, generated_at)


def _belongs(sale: IssuedSale, provider: str, day: date) -> bool:
    ours = sale.provider == provider and sale.kind == "sale"
    return ours and sale.at.astimezone(SOUTH_AFRICA).date() == day


def _row(issued: IssuedSale) -> Row:
    sale = issued.sale
    local = issued.at.astimezone(SOUTH_AFRICA)
    debts = sum(debt.amount.cents for debt in sale.debts)
    charges = sum(charge.amount.cents for charge in sale.charges)
    return dict.fromkeys(BODY_FIELDS, "") | {
        "record_type": BODY,
        "message_type": "PURCHASE",
        "transaction_state": "APPROVED" if issued.status == "standing" else "REVERSED",
        "transaction_time": local.isoformat(timespec="seconds"),
        "settlement_date": f"{local:%Y%m%d}",
        "settlement_entity_id": issued.provider,
        "receiver_id": utility_id(sale.utility.name),
        "provider_reference": issued.receipt,
        "utility_type": sale.meter.utility_type.value,
        "meter_id": issued.meter,
        "amount_minor": str(issued.amount_cents),
        "currency": sale.currency,
        "token_amount_minor": str(sale.tokens_total.cents),
        "tax_minor": str(sale.tax_total.cents),
        "debt_minor": str(debts),
        "service_charge_minor": str(charges),
        "units": f"{sum(token.units for token in sale.tokens):.2f}",
        "receipt_number": issued.receipt,
        "vat_invoice_number": sale.vat_invoice or "",
    }
