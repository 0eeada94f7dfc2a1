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
from providers.protocols.numbers import read_decimal

_NO_UNITS = read_decimal("0", "units")
_NOTHING = Taxed(0)


def lookup_answer(meter: MeterDetail, body: CustInfoRes) -> LookupAnswer:
    """iPay tells neither limits nor arrears."""
    return LookupAnswer(
        meter=meter_detail(meter, body.meter),
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
            *_key_change_tokens(body),
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


def meter_detail(asked: MeterDetail, told: WireMeter | None) -> MeterDetail:
    """The meter as asked for, with the parameters that the provider told."""
    if told is None:
        return asked
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


def _meter_after(asked: MeterDetail, body: VendRes) -> MeterDetail:
    meter, change = meter_detail(asked, body.meter), body.key_change
    if change is None:
        return meter
    return MeterDetail(
        number=meter.number,
        utility_type=meter.utility_type,
        supply_group_code=meter.supply_group_code,
        key_revision=meter.key_revision,
        tariff_index=meter.tariff_index,
        token_technology=meter.token_technology,
        algorithm=meter.algorithm,
        track2=meter.track2,
        key_change=KeyChange(
            supply_group_code=change.new_supply_group_code,
            key_revision=change.new_key_revision,
            tariff_index=change.new_tariff_index,
        ),
    )


def _key_change_tokens(body: VendRes) -> tuple[Token, ...]:
    if body.key_change is None:
        return ()
    return tuple(
        Token(TokenType.KC, code, _NO_UNITS, _NOTHING, description="Key change")
        for code in body.key_change.codes
    )


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
