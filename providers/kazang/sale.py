"""From Kazang answers to the domain's sale and lookup."""

from decimal import Decimal

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
from providers.protocols.kazang.messages import (
    Quote,
    Sold,
    TokenKind,
    WireCustomer,
    WireMeter,
    WirePart,
    WireToken,
    WireUtility,
)
from providers.protocols.numbers import read_time
from providers.told_sale import told_meter

_KINDS: dict[TokenKind, TokenType] = {
    "STANDARD": TokenType.STD,
    "FREE": TokenType.BSST,
    "REFUND": TokenType.REFUND,
    "KEY_CHANGE": TokenType.KC,
    "POWER_LIMIT": TokenType.PWRLMT,
}
_UNTOLD = UtilityDetail("not told")


def lookup_answer(asked: MeterDetail, quote: Quote) -> LookupAnswer:
    """What the quote tells of the meter."""
    return LookupAnswer(
        meter=_meter(asked, quote.meter),
        customer=_customer(quote.customer),
        utility=_utility(quote.utility),
        min_cents=_whole(quote.minimum_amount),
        max_cents=_whole(quote.maximum_amount),
        arrears_cents=_whole(quote.arrears_amount),
        free_units_due=quote.free_units_due,
    )


def sale(asked: MeterDetail, sold: Sold) -> Sale:
    """The sale that `sold` states. Key-change tokens go first: the meter needs them first."""
    change = sold.key_change
    key_change = None if change is None else KeyChange(change.sgc, change.krn, change.ti)
    tokens = sorted(map(_token, sold.tokens), key=lambda token: token.token_type != TokenType.KC)
    return Sale(
        tokens=tuple(tokens),
        customer=_customer(sold.customer),
        utility=_utility(sold.utility),
        meter=_meter(asked, sold.meter, key_change),
        provider_reference=sold.receipt_number or sold.transaction_reference,
        sold_at=read_time(sold.transaction_date),
        debts=tuple(
            DebtRecovery(
                part.description, _taxed(part), _whole(part.balance) or 0, part.receipt_number
            )
            for part in sold.debts
        ),
        charges=tuple(
            ServiceCharge(part.description, _taxed(part), part.receipt_number)
            for part in sold.charges
        ),
        customer_message=sold.customer_message,
    )


def _meter(
    asked: MeterDetail, told: WireMeter | None, key_change: KeyChange | None = None
) -> MeterDetail:
    if told is None:
        return told_meter(asked, asked, key_change)
    parameters = MeterDetail(
        number=asked.number,
        supply_group_code=told.sgc,
        key_revision=told.krn,
        tariff_index=told.ti,
        token_technology=told.tt,
        algorithm=told.at,
    )
    return told_meter(asked, parameters, key_change)


def _customer(told: WireCustomer | None) -> Customer:
    """The wire has one name for all of a person's."""
    if told is None:
        return Customer()
    return Customer(
        last_name=told.name or None,
        address=told.address or None,
        account=told.account_number or None,
    )


def _utility(told: WireUtility | None) -> UtilityDetail:
    if told is None:
        return _UNTOLD
    return UtilityDetail(told.name, told.address, told.vat_number, told.code, told.message)


def _token(told: WireToken) -> Token:
    return Token(
        token_type=_KINDS[told.type],
        digits=told.token.replace(" ", "").replace("-", ""),
        units=Decimal(told.units),
        amount=_taxed(told),
        receipt=told.receipt_number,
        tariff=tuple(TariffStep(Decimal(step.units), Decimal(step.rate)) for step in told.tariff),
        description=told.description,
    )


def _taxed(told: WireToken | WirePart) -> Taxed:
    rate = None if told.vat_rate is None else Decimal(told.vat_rate)
    return Taxed(int(told.amount), int(told.vat_amount), rate)


def _whole(digits: str | None) -> int | None:
    return None if digits is None else int(digits)
