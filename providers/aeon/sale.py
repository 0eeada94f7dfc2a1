"""From AEON's answers to the domain's sale and lookup."""

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
    WireToken,
    WireUtility,
)
from providers.told_sale import key_change_tokens, told_meter


def lookup_answer(asked: MeterDetail, body: ConfirmedMeter) -> LookupAnswer:
    """What ConfirmMeter told of the meter."""
    return LookupAnswer(
        meter=told_meter(asked, body.meter or asked),
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
            *key_change_tokens(() if body.key_change is None else body.key_change.tokens),
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


def _meter_after(asked: MeterDetail, body: Voucher) -> MeterDetail:
    change = body.key_change
    if change is None:
        return told_meter(asked, body.meter or asked)
    key_change = KeyChange(change.supply_group_code, change.key_revision, change.tariff_index)
    return told_meter(asked, body.meter or asked, key_change)


def _customer(customer: WireCustomer) -> Customer:
    return Customer(last_name=customer.name, address=customer.address, account=customer.account)


def _utility(utility: WireUtility) -> UtilityDetail:
    return UtilityDetail(
        name=utility.name or "Unknown",
        address=utility.address,
        vat_number=utility.vat_number,
        message=utility.message,
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
