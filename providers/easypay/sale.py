"""From EasyPay's answers to the domain's sale and lookup. All of it is assumed but the limits."""

from collections.abc import Mapping

from domain.sale import (
    Customer,
    KeyChange,
    LookupAnswer,
    MeterDetail,
    Sale,
    Token,
    TokenType,
    UtilityDetail,
)
from providers.assumed_sale import (
    debt_recoveries,
    service_charges,
    tariff,
    taxed,
    token_digits,
)
from providers.protocols.easypay.messages import (
    InfoAnswer,
    VendAnswer,
    WireMeter,
    WireToken,
)
from providers.protocols.numbers import read_time, read_whole
from providers.told_sale import told_meter

KINDS: dict[str, TokenType] = {
    "STANDARD": TokenType.STD,
    "FREE": TokenType.BSST,
    "REFUND": TokenType.REFUND,
    "KEY_CHANGE": TokenType.KC,
    "POWER_LIMIT": TokenType.PWRLMT,
}
"""Token types on the wire. One that isn't here is handed over as a standard token: withholding a
token that was paid for is worse than a wrong heading."""


def lookup_answer(asked: MeterDetail, body: InfoAnswer) -> LookupAnswer:
    """What `body` tells of the meter. Raises ProtocolError for fields that make no sense."""
    fields = body.fields
    arrears = fields.get("arrears")
    due = fields.get("freeUnitsDue")
    return LookupAnswer(
        meter=told_meter(
            asked,
            MeterDetail(
                number=asked.number,
                supply_group_code=fields.get("supplyGroupCode"),
                key_revision=fields.get("keyRevision"),
                tariff_index=fields.get("tariffIndex"),
                token_technology=fields.get("tokenTechnology"),
                algorithm=fields.get("algorithm"),
            ),
        ),
        customer=_customer(fields),
        utility=_utility(fields),
        min_cents=body.min_amount,
        max_cents=body.max_amount,
        arrears_cents=None if arrears is None else read_whole(arrears, "arrears"),
        free_units_due=None if due is None else due == "true",
    )


def sale(asked: MeterDetail, body: VendAnswer) -> Sale:
    """The sale that `body` states. Raises ProtocolError for one that has no token's digits where
    the customer needs them."""
    online = body.meter is not None and body.meter.online
    return Sale(
        tokens=tuple(_token(token, online=online) for token in body.tokens),
        customer=_customer(body.fields),
        utility=_utility(body.fields),
        meter=_meter(asked, body.meter),
        provider_reference=body.receipt_number or body.reference,
        sold_at=read_time(body.payment_date),
        debts=debt_recoveries(body.debts),
        charges=service_charges(body.charges),
        customer_message=body.message,
    )


def _meter(asked: MeterDetail, told: WireMeter | None) -> MeterDetail:
    if told is None:
        return told_meter(asked, asked)
    changed = (told.new_supply_group_code, told.new_key_revision, told.new_tariff_index)
    return told_meter(asked, told, KeyChange(*changed) if any(changed) else None)


def _token(token: WireToken, *, online: bool) -> Token:
    return Token(
        token_type=KINDS.get(token.type, TokenType.STD),
        digits=token_digits(token.digits, online=online),
        units=token.units,
        amount=taxed(token),
        receipt=token.receipt_number,
        tariff=tariff(token.tariff),
        description=token.description,
    )


def _customer(fields: Mapping[str, str]) -> Customer:
    return Customer(
        last_name=fields.get("customerName"),
        address=fields.get("customerAddress"),
        account=fields.get("customerAccount"),
    )


def _utility(fields: Mapping[str, str]) -> UtilityDetail:
    return UtilityDetail(
        name=fields.get("utilityName") or "Unknown",
        address=fields.get("utilityAddress"),
        vat_number=fields.get("utilityVatNumber"),
        client_id=fields.get("utilityId"),
        message=fields.get("utilityMessage"),
    )
