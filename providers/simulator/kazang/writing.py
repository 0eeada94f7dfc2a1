"""A simulated Kazang's quotes and sales as wire messages."""

from datetime import datetime

from domain.sale import Customer, DebtRecovery, MeterDetail, Sale, ServiceCharge, Token, TokenType
from providers.protocols.kazang.codes import OK
from providers.protocols.kazang.messages import (
    Buy,
    Quote,
    Sold,
    TokenKind,
    WireCustomer,
    WireKeyChange,
    WireMeter,
    WirePart,
    WireStep,
    WireToken,
    WireUtility,
)
from providers.protocols.numbers import SOUTH_AFRICA, write_decimal
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import KnownMeter


def quote(request: Buy, known: KnownMeter, confirmation_number: str) -> Quote:
    """What the provider tells of a meter, and the number to confirm."""
    meter, utility = known.meter, known.utility
    return Quote(
        response_code=OK,
        response_message="OK",
        confirmation_number=confirmation_number,
        request_reference=request.request_reference,
        meter=_meter(known.detail),
        customer=_customer(
            Customer(meter.first_name, meter.last_name, meter.address, meter.account)
        ),
        utility=WireUtility(
            name=utility.name,
            address=utility.address,
            vat_number=utility.vat_number,
            code=utility.client_id,
            message=utility.message,
        ),
        minimum_amount=str(meter.min_cents),
        maximum_amount=str(meter.max_cents),
        free_units_due=known.free_units_due,
    )


def sold(issued: IssuedSale, request_reference: str, confirmation_number: str) -> Sold:
    """A sale, the first time or once more."""
    sale = issued.sale
    change = sale.meter.key_change
    return Sold(
        response_code=OK,
        response_message="OK",
        tokens=tuple(map(_token, sale.tokens)),
        transaction_reference=f"T{issued.receipt}",
        receipt_number=issued.receipt,
        request_reference=request_reference,
        confirmation_number=confirmation_number,
        transaction_date=_local(issued.at),
        meter=_meter(sale.meter),
        customer=_customer(sale.customer),
        utility=_utility(sale),
        key_change=None
        if change is None
        else WireKeyChange(
            sgc=change.supply_group_code, krn=change.key_revision, ti=change.tariff_index
        ),
        debts=tuple(map(_part, sale.debts)),
        charges=tuple(map(_part, sale.charges)),
        customer_message=sale.customer_message,
    )


def _utility(sale: Sale) -> WireUtility:
    return WireUtility(
        name=sale.utility.name,
        address=sale.utility.address,
        vat_number=sale.utility.vat_number,
        code=sale.utility.client_id,
        message=sale.utility.message,
    )


def _local(at: datetime) -> str:
    return f"{at.astimezone(SOUTH_AFRICA):%Y-%m-%d %H:%M:%S}"


def _meter(meter: MeterDetail) -> WireMeter:
    return WireMeter(
        meter_number=meter.number,
        sgc=meter.supply_group_code,
        krn=meter.key_revision,
        ti=meter.tariff_index,
        at=meter.algorithm,
        tt=meter.token_technology,
    )


def _customer(customer: Customer) -> WireCustomer:
    names = (customer.first_name, customer.last_name)
    return WireCustomer(
        name=" ".join(name for name in names if name),
        address=customer.address,
        account_number=customer.account or None,
    )


_KINDS: dict[TokenType, TokenKind] = {
    TokenType.STD: "STANDARD",
    TokenType.BSST: "FREE",
    TokenType.REFUND: "REFUND",
    TokenType.KC: "KEY_CHANGE",
    TokenType.PWRLMT: "POWER_LIMIT",
}


def _token(token: Token) -> WireToken:
    return WireToken(
        type=_KINDS[token.token_type],
        token=token.digits,
        units=write_decimal(token.units),
        amount=str(token.amount.cents),
        vat_amount=str(token.amount.tax_cents),
        vat_rate=None if token.amount.rate is None else write_decimal(token.amount.rate),
        receipt_number=token.receipt,
        description=token.description,
        tariff=tuple(
            WireStep(units=write_decimal(step.units), rate=write_decimal(step.rate))
            for step in token.tariff
        ),
    )


def _part(part: DebtRecovery | ServiceCharge) -> WirePart:
    return WirePart(
        description=part.description,
        amount=str(part.amount.cents),
        vat_amount=str(part.amount.tax_cents),
        vat_rate=None if part.amount.rate is None else write_decimal(part.amount.rate),
        balance=str(part.balance_cents) if isinstance(part, DebtRecovery) else None,
        receipt_number=part.receipt,
    )
