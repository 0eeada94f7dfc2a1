"""A simulated sale, customer and meter in EasyPay's assumed members."""

from collections.abc import Mapping

from domain.sale import MeterDetail, Sale, Token, TokenType
from providers.easypay.sale import KINDS
from providers.protocols.easypay.messages import (
    OK,
    VendAnswer,
    WireMeter,
    WireToken,
)
from providers.protocols.numbers import SOUTH_AFRICA
from providers.simulator.assumed_sale import costs, debts, online, steps, told_digits
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import KnownMeter

_TYPES = {kind: name for name, kind in KINDS.items()}


def vend_answer(issued: IssuedSale, echo_data: str) -> VendAnswer:
    """The sale as EasyPay states it."""
    sale = issued.sale
    local = issued.at.astimezone(SOUTH_AFRICA)
    return VendAnswer(
        response_code=OK,
        reference=issued.reference,
        echo_data=echo_data,
        response_message="OK",
        receipt_number=issued.receipt,
        amount=issued.amount_cents,
        payment_date=f"{local:%Y-%m-%d %H:%M:%S}",
        tokens=tuple(map(_token, sale.tokens)),
        debts=debts(sale),
        charges=costs(sale),
        meter=_meter(sale.meter, online=online(sale)),
        fields=_told(sale),
        message=sale.customer_message,
    )


def _token(token: Token) -> WireToken:
    return WireToken(
        amount=token.amount.cents,
        tax=token.amount.tax_cents,
        tax_rate=token.amount.rate,
        description=token.description,
        receipt_number=token.receipt,
        type=_TYPES.get(token.token_type, _TYPES[TokenType.STD]),
        digits=told_digits(token),
        units=token.units,
        tariff=steps(token),
    )


def _meter(meter: MeterDetail, *, online: bool) -> WireMeter:
    change = meter.key_change
    return WireMeter(
        number=meter.number,
        supply_group_code=meter.supply_group_code,
        key_revision=meter.key_revision,
        tariff_index=meter.tariff_index,
        token_technology=meter.token_technology,
        algorithm=meter.algorithm,
        online=online,
        new_supply_group_code=None if change is None else change.supply_group_code,
        new_key_revision=None if change is None else change.key_revision,
        new_tariff_index=None if change is None else change.tariff_index,
    )


def _told(sale: Sale) -> dict[str, str]:
    customer, utility = sale.customer, sale.utility
    return _present(
        {
            "customerName": f"{customer.first_name or ''} {customer.last_name or ''}".strip(),
            "customerAddress": customer.address,
            "customerAccount": customer.account,
            "utilityName": utility.name,
            "utilityAddress": utility.address,
            "utilityVatNumber": utility.vat_number,
            "utilityId": utility.client_id,
            "utilityMessage": utility.message,
        }
    )


def looked_up(known: KnownMeter) -> dict[str, str]:
    """The `fields` of a lookup's answer."""
    meter, utility, detail = known.meter, known.utility, known.detail
    return _present(
        {
            "customerName": f"{meter.first_name} {meter.last_name}".strip(),
            "customerAddress": meter.address,
            "customerAccount": meter.account,
            "utilityName": utility.name,
            "utilityAddress": utility.address,
            "utilityVatNumber": utility.vat_number,
            "utilityId": utility.client_id,
            "utilityMessage": utility.message,
            "supplyGroupCode": detail.supply_group_code,
            "keyRevision": detail.key_revision,
            "tariffIndex": detail.tariff_index,
            "tokenTechnology": detail.token_technology,
            "algorithm": detail.algorithm,
            "arrears": str(sum(debt.balance_cents for debt in meter.debts)),
            "freeUnitsDue": "true" if known.free_units_due else "false",
        }
    )


def _present(fields: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}
