"""From EasyPay's answers to the domain's sale and lookup. All of it is assumed but the limits."""

from collections.abc import Mapping

from domain.sale import (
    Customer,
    DebtRecovery,
    KeyChange,
    LookupAnswer,
    MeterDetail,
    Sale,
    ServiceCharge,
    TariffStep,
    Taxed,
    Token,
    TokenType,
    UtilityDetail,
)
from providers.protocols.easypay.messages import (
    InfoAnswer,
    Priced,
    VendAnswer,
    WireMeter,
    WireToken,
)
from providers.protocols.errors import ProtocolError
from providers.protocols.numbers import read_time, read_whole

KINDS: dict[str, TokenType] = {
    "STANDARD": TokenType.STD,
    "FREE": TokenType.BSST,
    "REFUND": TokenType.REFUND,
    "KEY_CHANGE": TokenType.KC,
    "POWER_LIMIT": TokenType.PWRLMT,
}
"""Token types on the wire. One that isn't here is handed over as a standard token: withholding a
token that was paid for is worse than a wrong heading."""

OVER_THE_AIR = "0" * 20
"""The digits of a token that the meter got by itself."""


def lookup_answer(asked: MeterDetail, body: InfoAnswer) -> LookupAnswer:
    """What `body` tells of the meter. Raises ProtocolError for fields that make no sense."""
    fields = body.fields
    arrears = fields.get("arrears")
    due = fields.get("freeUnitsDue")
    return LookupAnswer(
        meter=MeterDetail(
            number=asked.number,
            utility_type=asked.utility_type,
            supply_group_code=fields.get("supplyGroupCode") or asked.supply_group_code,
            key_revision=fields.get("keyRevision") or asked.key_revision,
            tariff_index=fields.get("tariffIndex") or asked.tariff_index,
            token_technology=fields.get("tokenTechnology") or asked.token_technology,
            algorithm=fields.get("algorithm") or asked.algorithm,
            track2=asked.track2,
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
        debts=tuple(
            DebtRecovery(
                debt.description or "Debt", _taxed(debt), debt.balance, debt.receipt_number
            )
            for debt in body.debts
        ),
        charges=tuple(
            ServiceCharge(charge.description or "Charge", _taxed(charge), charge.receipt_number)
            for charge in body.charges
        ),
        customer_message=body.message,
    )


def _meter(asked: MeterDetail, told: WireMeter | None) -> MeterDetail:
    if told is None:
        return asked
    changed = (told.new_supply_group_code, told.new_key_revision, told.new_tariff_index)
    return MeterDetail(
        number=asked.number,
        utility_type=asked.utility_type,
        supply_group_code=told.supply_group_code or asked.supply_group_code,
        key_revision=told.key_revision or asked.key_revision,
        tariff_index=told.tariff_index or asked.tariff_index,
        token_technology=told.token_technology or asked.token_technology,
        algorithm=told.algorithm or asked.algorithm,
        track2=asked.track2,
        key_change=KeyChange(*changed) if any(changed) else None,
    )


def _token(token: WireToken, *, online: bool) -> Token:
    if token.digits is None and not online:
        raise ProtocolError("a token has no digits")
    return Token(
        token_type=KINDS.get(token.type, TokenType.STD),
        digits=token.digits or OVER_THE_AIR,
        units=token.units,
        amount=_taxed(token),
        receipt=token.receipt_number,
        tariff=tuple(TariffStep(step.units, step.rate) for step in token.tariff),
        description=token.description,
    )


def _taxed(priced: Priced) -> Taxed:
    return Taxed(priced.amount, priced.tax, priced.tax_rate)


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
