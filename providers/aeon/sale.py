"""From AEON's answers to the domain's sale and lookup."""

from decimal import Decimal

import msgspec

from domain.sale import (
    Customer,
    DebtRecovery,
    KeyChange,
    LookupAnswer,
    MeterDetail,
    Sale,
    ServiceCharge,
    Taxed,
    Token,
    TokenType,
    UtilityDetail,
)
from providers.protocols.aeon.messages import (
    ConfirmedMeter,
    Voucher,
    WireCustomer,
    WireMeter,
    WireToken,
    WireUtility,
)

_NO_UNITS = Decimal(0)
_NOTHING = Taxed(0)


def lookup_answer(asked: MeterDetail, body: ConfirmedMeter) -> LookupAnswer:
    """What ConfirmMeter told of the meter."""
    return LookupAnswer(
        meter=_meter(asked, body.meter),
        customer=_customer(body.customer),
        utility=_utility(body.utility),
        min_cents=body.min_cents,
        max_cents=body.max_cents,
        arrears_cents=body.arrears_cents,
        free_units_due=body.free_due,
    )


def sale(asked: MeterDetail, body: Voucher) -> Sale:
    """The sale that `body` states. Tokens come in the order in which the customer enters them:
    key change, credit, free units, power limit. `provider_reference` is the TransRef that
    SoldVoucher wants to hear."""
    return Sale(
        tokens=(
            *_key_change_tokens(body),
            *(_token(token, TokenType.STD, body.tariff) for token in body.standard),
            *(_token(token, TokenType.REFUND) for token in body.refunds),
            *(_token(token, TokenType.BSST) for token in body.free),
            *(_token(token, TokenType.PWRLMT) for token in body.limits),
        ),
        customer=_customer(body.customer),
        utility=_utility(body.utility),
        meter=_meter_after(asked, body),
        provider_reference=body.trans_ref,
        sold_at=body.at,
        debts=tuple(
            DebtRecovery(
                debt.description,
                Taxed(debt.cents, debt.tax_cents),
                debt.balance_cents,
                debt.receipt,
            )
            for debt in body.debts
        ),
        charges=tuple(
            ServiceCharge(charge.description, Taxed(charge.cents, charge.tax_cents), charge.receipt)
            for charge in body.charges
        ),
        customer_message=body.message,
    )


def _meter(asked: MeterDetail, told: WireMeter | None) -> MeterDetail:
    """The meter as asked for, with the parameters that the provider told."""
    if told is None:
        return msgspec.structs.replace(asked, key_change=None)
    return MeterDetail(
        number=asked.number,
        utility_type=asked.utility_type,
        supply_group_code=told.supply_group_code or asked.supply_group_code,
        key_revision=told.key_revision or asked.key_revision,
        tariff_index=told.tariff_index or asked.tariff_index,
        token_technology=told.token_technology or asked.token_technology,
        algorithm=told.algorithm or asked.algorithm,
        track2=asked.track2,
    )


def _meter_after(asked: MeterDetail, body: Voucher) -> MeterDetail:
    meter, change = _meter(asked, body.meter), body.key_change
    if change is None:
        return meter
    key_change = KeyChange(change.supply_group_code, change.key_revision, change.tariff_index)
    return msgspec.structs.replace(meter, key_change=key_change)


def _customer(customer: WireCustomer) -> Customer:
    return Customer(last_name=customer.name, address=customer.address, account=customer.account)


def _utility(utility: WireUtility) -> UtilityDetail:
    return UtilityDetail(
        name=utility.name or "Unknown",
        address=utility.address,
        vat_number=utility.vat_number,
        message=utility.message,
    )


def _key_change_tokens(body: Voucher) -> tuple[Token, ...]:
    if body.key_change is None:
        return ()
    return tuple(
        Token(TokenType.KC, digits, _NO_UNITS, _NOTHING, description="Key change")
        for digits in body.key_change.tokens
    )


def _token(token: WireToken, kind: TokenType, tariff: str | None = None) -> Token:
    return Token(
        token_type=kind,
        digits=token.digits,
        units=token.units,
        amount=Taxed(token.cents, token.tax_cents),
        receipt=token.receipt,
        tariff=token.steps,
        description=token.description or tariff,
    )
