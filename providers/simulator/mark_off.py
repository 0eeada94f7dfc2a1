"""A simulated provider's end-of-day file: the sales of a calendar day in South Africa as a mark-off
extract, with as many disagreements as somebody wants to see found.

A provider knows its own references, meters and amounts; what the channel and the switch called the
sale it does not know, so those columns stay empty.
"""

import csv
import io
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

import msgspec

from domain.extract import (
    BODY,
    BODY_FIELDS,
    HEADER,
    LINE_END,
    SERVICE,
    SPEC_VERSION,
    ExtractName,
    file_name,
)
from domain.money import ZAR
from domain.utility import utility_id
from providers.protocols.numbers import SOUTH_AFRICA
from providers.simulator.sales import IssuedSale, SalesLedger

CREATOR_CHARACTERS_MAX = 40
PARTNER = "PPU"
DISAGREEMENTS_MAX = 10_000

ONE_CENT = 1
TEN_RAND = 1_000


class Disagreement(StrEnum):
    """How the file may differ from what was sold."""

    MISSING = "missing"
    """A sale is left out."""
    EXTRA = "extra"
    """A sale that never was."""
    ONE_CENT = "one_cent"
    """The amount is 1c too high."""
    TEN_RAND = "ten_rand"
    """The amount is R10 too high."""
    OTHER_METER = "other_meter"
    DUPLICATE = "duplicate"
    """A sale is there twice."""
    MALFORMED = "malformed"
    """A line that can't be read: a field too few, or an amount that is no number."""


class MarkOffOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of `day`, with so many disagreements of each kind, at places drawn from `seed`."""

    day: date
    disagreements: dict[Disagreement, int] = {}
    seed: int = 0


class Injected(msgspec.Struct, frozen=True):
    """One disagreement: the sale's provider reference."""

    disagreement: Disagreement
    provider_reference: str


class MarkOff(msgspec.Struct, frozen=True):
    """The file, and what was done to it."""

    file_name: str
    content: str
    injected: tuple[Injected, ...]


Row = dict[str, str]


def mark_off(
    provider: str, order: MarkOffOrder, sales: SalesLedger, generated_at: datetime
) -> MarkOff:
    """The provider's mark-off file. Raises ValueError for a number of disagreements that is
    negative, too large, or larger than the number of sales that it needs."""
    day_sales = [sale for sale in sales if _belongs(sale, provider, order.day)]
    rows = [_row(sale) for sale in day_sales]
    injected = _disagree(provider, rows, order)
    lines = [_line(row) for row in rows]
    for change in injected:
        if change.disagreement is Disagreement.MALFORMED:
            at = next(i for i, row in enumerate(rows) if _is(row, change.provider_reference))
            lines[at] = _malformed(rows[at], len(lines[at]) % 2 == 0)
    header = _header(provider, order.day, rows, generated_at)
    return MarkOff(
        file_name=file_name(provider, PARTNER, ExtractName.MARKOFF, order.day, generated_at),
        content=LINE_END.join((header, *lines, "")),
        injected=tuple(injected),
    )


def _belongs(sale: IssuedSale, provider: str, day: date) -> bool:
    ours = sale.provider == provider and sale.kind == "sale"
    return ours and sale.at.astimezone(SOUTH_AFRICA).date() == day


def _is(row: Row, reference: str) -> bool:
    return row["provider_reference"] == reference


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


def _disagree(provider: str, rows: list[Row], order: MarkOffOrder) -> list[Injected]:
    """Changes `rows`; no sale is hit twice."""
    wanted = order.disagreements
    if any(not 0 <= count <= DISAGREEMENTS_MAX for count in wanted.values()):
        raise ValueError(f"each number of disagreements is between 0 and {DISAGREEMENTS_MAX}")
    needed = sum(count for kind, count in wanted.items() if kind is not Disagreement.EXTRA)
    if needed > len(rows):
        raise ValueError(f"{needed} sales are to be changed, and the day has {len(rows)}")
    rng = random.Random(order.seed)
    victims = rng.sample([row["provider_reference"] for row in rows], needed)
    injected: list[Injected] = []
    for kind in Disagreement:
        for number in range(wanted.get(kind, 0)):
            reference = f"EXTRA{number + 1:010d}"
            if kind is not Disagreement.EXTRA:
                reference = victims.pop()
            if kind is Disagreement.EXTRA:
                rows.append(_invented(provider, reference, order.day))
            else:
                _change(rows, kind, reference)
            injected.append(Injected(kind, reference))
    return injected


def _change(rows: list[Row], kind: Disagreement, reference: str) -> None:
    at = next(i for i, row in enumerate(rows) if _is(row, reference))
    match kind:
        case Disagreement.MISSING:
            del rows[at]
        case Disagreement.ONE_CENT:
            _raise_amount(rows[at], ONE_CENT)
        case Disagreement.TEN_RAND:
            _raise_amount(rows[at], TEN_RAND)
        case Disagreement.OTHER_METER:
            rows[at]["meter_id"] = rows[at]["meter_id"][::-1]
        case Disagreement.DUPLICATE:
            rows.insert(at + 1, dict(rows[at]))
        case _:
            pass  # A malformed line is damaged once it is written, and its header is as it was.


def _raise_amount(row: Row, cents: int) -> None:
    row["amount_minor"] = str(int(row["amount_minor"]) + cents)


def _invented(provider: str, reference: str, day: date) -> Row:
    noon = datetime.combine(day, time(12), SOUTH_AFRICA)
    return dict.fromkeys(BODY_FIELDS, "") | {
        "record_type": BODY,
        "message_type": "PURCHASE",
        "transaction_state": "APPROVED",
        "transaction_time": noon.isoformat(timespec="seconds"),
        "settlement_date": f"{day:%Y%m%d}",
        "settlement_entity_id": provider,
        "provider_reference": reference,
        "utility_type": "ELECTRICITY",
        "meter_id": "99999999999",
        "amount_minor": "5000",
        "currency": ZAR,
        "receipt_number": reference,
    }


def _malformed(row: Row, short: bool) -> str:
    if short:
        return _written(list(row.values())[:-3])
    return _line(row | {"amount_minor": f"R{row['amount_minor']}"})


def _header(provider: str, day: date, rows: Sequence[Row], generated_at: datetime) -> str:
    start = datetime.combine(day, time(), SOUTH_AFRICA)
    end = start + timedelta(days=1) - timedelta(seconds=1)
    total = sum(int(row["amount_minor"]) for row in rows)
    return _written(
        (
            HEADER,
            SPEC_VERSION,
            provider.upper()[:CREATOR_CHARACTERS_MAX],
            PARTNER,
            SERVICE,
            ExtractName.MARKOFF.value,
            start.isoformat(),
            end.isoformat(),
            generated_at.astimezone(UTC).isoformat(timespec="seconds"),
            str(len(rows)),
            str(total),
            ZAR,
        )
    )


def _line(row: Row) -> str:
    return _written(row[field] for field in BODY_FIELDS)


def _written(fields: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    # The file is ASCII; a customer's or a utility's name must not break it.
    return text.getvalue().encode("ascii", "replace").decode("ascii")
