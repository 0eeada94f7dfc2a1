"""From iPay's answers to the domain's sale and lookup."""

from datetime import datetime

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
from providers.protocols.ipaymsg import CustInfoRes, VendRes, WireMeter, WireToken
from providers.protocols.ipaymsg.tariff_text import read_tariff
from providers.told_sale import key_change_tokens, told_meter


def lookup_answer(meter: MeterDetail, body: CustInfoRes) -> LookupAnswer:
    """iPay tells neither limits nor arrears."""
    return LookupAnswer(
        meter=_meter(meter, body.meter),
        customer=Customer(
            first_name=None,
            last_name=body.name or None,
            address=body.address or None,
            account=body.agreement or None,
        ),
        utility=UtilityDetail(name=body.utility or "Unknown"),
    )


def sale(meter: MeterDetail, body: VendRes, at: datetime | None) -> Sale:
    """The sale that `body` states. Tokens come in the order in which the customer enters them:
    key change, then credit, then free units, then a power limit."""
    # An amount may go into debts and charges whole: then only they have a receipt.
    parts = (*body.standard, *body.free, *body.debts, *body.charges)
    receipts = [part.receipt for part in parts if part.receipt]
    utility = body.utility
    standard = [_token(token, body.tariff, credit=True) for token in body.standard]
    return Sale(
        tokens=(
            *key_change_tokens(() if body.key_change is None else body.key_change.codes),
            *(token for token in standard if token.token_type is not TokenType.PWRLMT),
            *(_token(token, None, credit=False) for token in body.free),
            *(token for token in standard if token.token_type is TokenType.PWRLMT),
        ),
        customer=Customer(),
        utility=UtilityDetail(
            name=utility.name if utility else "Unknown",
            address=utility.address if utility else None,
            vat_number=utility.tax_ref if utility else None,
            client_id=utility.distributor if utility else None,
            message=body.marketing_message,
        ),
        meter=_meter_after(meter, body),
        provider_reference=receipts[0] if receipts else body.ref,
        sold_at=body.transaction_date or at,
        debts=tuple(
            DebtRecovery(
                debt.text, Taxed(debt.cents, debt.tax_cents), debt.remaining_cents, debt.receipt
            )
            for debt in body.debts
        ),
        charges=tuple(
            ServiceCharge(charge.text, Taxed(charge.cents, charge.tax_cents), charge.receipt)
            for charge in body.charges
        ),
        customer_message=body.customer_message,
    )


def _meter(asked: MeterDetail, told: WireMeter | None) -> MeterDetail:
    return told_meter(asked, told or asked)


def _meter_after(asked: MeterDetail, body: VendRes) -> MeterDetail:
    change = body.key_change
    if change is None:
        return _meter(asked, body.meter)
    key_change = KeyChange(
        change.new_supply_group_code, change.new_key_revision, change.new_tariff_index
    )
    return told_meter(asked, body.meter or asked, key_change)


def _token(token: WireToken, tariff: str | None, *, credit: bool) -> Token:
    kind = _standard_kind(token.description) if credit else TokenType.BSST
    return Token(
        token_type=kind,
        digits=token.digits,
        units=token.units,
        amount=Taxed(token.cents, token.tax_cents),
        receipt=token.receipt,
        tariff=read_tariff(token.tariff or tariff),
        description=token.description,
    )


def _standard_kind(description: str | None) -> TokenType:
    """The wire has one element for every token but free units and key changes; that a refund or a
    power limit says so in its description is assumed."""
    words = (description or "").casefold()
    if words.startswith("refund"):
        return TokenType.REFUND
    return TokenType.PWRLMT if words.startswith("power limit") else TokenType.STD
