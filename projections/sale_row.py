"""A row of `sale`: what a purchase's events say of the money that it moved."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from domain.purchase import PurchaseApproved, PurchaseRequested
from domain.record import RecordKind, RecordState
from domain.sale import Sale, Token, TokenType
from domain.utility import utility_id

_CENT = Decimal("0.01")
_UNTOLD = frozenset({"", "unknown", "not-told"})
"""What the adapters call a municipality that the provider's answer doesn't name."""
_SUPPLY = frozenset({TokenType.STD, TokenType.BSST, TokenType.REFUND})
"""Tokens whose units are electricity, water or gas."""


class SaleRow(msgspec.Struct, frozen=True, kw_only=True):
    """The row, its columns in order. Times UTC, amounts in cents; absent is None."""

    position: int
    purchase_id: str
    transaction_id: str
    original_id: str | None = None
    message_type: RecordKind = RecordKind.PURCHASE
    transaction_state: RecordState = RecordState.APPROVED
    transaction_time: datetime
    originator_institution_id: str | None = None
    merchant_id: str | None = None
    terminal_id: str | None = None
    channel_id: str | None = None
    client_id: str | None = None
    settlement_entity_id: str | None = None
    receiver_id: str | None = None
    provider_reference: str | None = None
    rrn: str | None = None
    stan: str | None = None
    utility_type: str
    meter_id: str
    amount_minor: int
    currency: str
    token_amount_minor: int | None = None
    tax_minor: int | None = None
    debt_minor: int | None = None
    service_charge_minor: int | None = None
    units: str | None = None
    receipt_number: str | None = None
    vat_invoice_number: str | None = None
    tender_type: str | None = None
    fee_minor: int | None = None
    basket_ref: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a row needs of the purchase's request. `receiver_id` is the municipality that the switch
    routed by, for a provider that names none."""

    transaction_time: datetime
    originator_institution_id: str | None
    merchant_id: str | None
    terminal_id: str | None
    channel_id: str | None
    client_id: str | None
    rrn: str | None
    stan: str | None
    utility_type: str
    meter_id: str
    amount_minor: int
    currency: str
    tender_type: str | None
    basket_ref: str | None
    receiver_id: str | None = None


class _Message(msgspec.Struct):
    """References that only the channel's message has. Whatever stands there is taken, for an odd
    member must not hide the others."""

    rrn: Any = None
    stan: Any = None
    basket: Any = msgspec.field(name="basketRef", default=None)


_DECODER = msgspec.json.Decoder(_Message)


def asked(event: PurchaseRequested) -> Asked:
    """What a row is to need of this request. Card terminals fill up ids with blanks, which are no
    part of them."""
    said = _said(event.message)
    return Asked(
        transaction_time=event.at,
        originator_institution_id=_text(event.institution),
        merchant_id=_text(event.merchant),
        terminal_id=_text(event.terminal),
        channel_id=_text(event.channel),
        client_id=_text(event.client),
        rrn=_text(said.rrn),
        stan=_text(said.stan),
        utility_type=event.meter.utility_type.value,
        meter_id=event.meter.number,
        amount_minor=event.amount.cents,
        currency=event.amount.currency,
        tender_type=_text(event.payment),
        basket_ref=_text(said.basket),
    )


def purchase_row(
    request: Asked, purchase_id: str, event: PurchaseApproved, position: int
) -> SaleRow:
    """The row of an approved purchase. Its amount is what was tendered. What that was made up of is
    as the provider told it, and empty where it told nothing."""
    sale = event.sale
    made_up = sale.total.cents != 0 or request.amount_minor == 0
    named = utility_id(sale.utility.name)
    parts = (*sale.tokens, *sale.debts, *sale.charges)
    row = msgspec.structs.asdict(request) | {
        "position": position,
        "purchase_id": purchase_id,
        "transaction_id": purchase_id,
        "settlement_entity_id": event.provider,
        "receiver_id": (request.receiver_id if named in _UNTOLD else named) or None,
        "provider_reference": _text(sale.provider_reference),
        "token_amount_minor": sale.tokens_total.cents if made_up else None,
        "tax_minor": sale.tax_total.cents if made_up else None,
        "debt_minor": sum(debt.amount.cents for debt in sale.debts) if made_up else None,
        "service_charge_minor": sum(c.amount.cents for c in sale.charges) if made_up else None,
        "units": _units(sale),
        "receipt_number": next(filter(None, (_text(part.receipt) for part in parts)), None),
        "vat_invoice_number": _text(sale.vat_invoice),
    }
    return msgspec.convert(row, SaleRow)


def reversal_row(purchase: SaleRow, advice_id: str, advised_at: datetime, position: int) -> SaleRow:
    """The row of the reversal that took `purchase` back whole."""
    return msgspec.structs.replace(
        purchase,
        position=position,
        transaction_id=advice_id,
        original_id=purchase.purchase_id,
        message_type=RecordKind.REVERSAL,
        transaction_time=advised_at,
    )


def _units(sale: Sale) -> str:
    """Two places, as the extract has them."""
    supplied = sum((_supplied(token) for token in sale.tokens), Decimal(0))
    return f"{supplied.quantize(_CENT, ROUND_HALF_UP):f}"


def _supplied(token: Token) -> Decimal:
    return token.units if token.token_type in _SUPPLY else Decimal(0)


def _said(message: str) -> _Message:
    try:
        return _DECODER.decode(message) if message else _Message()
    except msgspec.DecodeError:
        return _Message()


def _text(value: object) -> str | None:
    """A number that is written without quotes is a reference as well."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None
