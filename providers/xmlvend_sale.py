"""From XMLVend answers to the domain's sale and lookup."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

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
from providers.protocols.xmlvend_messages import (
    ConfirmResult,
    CreditVendResp,
    CreditVendTx,
    IssueKind,
    PayAccTx,
    TxAmount,
    VendCustomer,
    VendMeterDetail,
)

_KINDS = {
    IssueKind.SALE: TokenType.STD,
    IssueKind.FREE_BASIC: TokenType.BSST,
    # Credit that isn't bought: compensation, or what was left on a replaced meter.
    IssueKind.FREE: TokenType.REFUND,
    IssueKind.TRANSFER: TokenType.REFUND,
}

OVER_THE_AIR = "0" * 20
"""The digits of a token that the meter got by itself."""


def lookup_answer(
    asked: MeterDetail, result: ConfirmResult, utilities: Mapping[str, UtilityDetail]
) -> LookupAnswer:
    """XMLVend's lookup names no utility; its supply group does, by `utilities`. It tells no
    arrears."""
    meter = meter_detail(asked, result.meter)
    group = meter.supply_group_code
    return LookupAnswer(
        meter=meter,
        customer=_customer(result.customer),
        utility=utilities.get(group or "") or UtilityDetail(f"Supply group {group or 'unknown'}"),
        min_cents=result.min_cents,
        max_cents=result.max_cents,
        free_units_due=result.free_due,
    )


def sale(asked: MeterDetail, body: CreditVendResp, utilities: Mapping[str, UtilityDetail]) -> Sale:
    """The sale that `body` states. Key-change tokens come before the credit, because the meter
    needs them first. The wire names the utility without its id; `utilities` knows that by supply
    group."""
    paid = [tx for tx in body.transactions if isinstance(tx, CreditVendTx)]
    others = [tx for tx in body.transactions if isinstance(tx, PayAccTx)]
    meter = _meter_after(asked, paid)
    known = utilities.get(meter.supply_group_code or "")
    return Sale(
        tokens=(*_key_change_tokens(paid), *map(_token, paid)),
        customer=Customer() if body.customer is None else _customer(body.customer),
        utility=UtilityDetail(
            body.utility.name,
            body.utility.address,
            body.utility.tax_ref,
            None if known is None else known.client_id,
        ),
        meter=meter,
        provider_reference=body.receipt or body.base.request.reference,
        sold_at=body.base.at,
        debts=tuple(
            DebtRecovery(tx.description, _taxed(tx.amount), tx.balance_cents or 0, tx.receipt)
            for tx in others
            if tx.debt
        ),
        charges=tuple(
            ServiceCharge(tx.description, _taxed(tx.amount), tx.receipt)
            for tx in others
            if not tx.debt
        ),
        customer_message=body.base.customer_message,
    )


def meter_detail(
    asked: MeterDetail, told: VendMeterDetail | None, key_change: KeyChange | None = None
) -> MeterDetail:
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
        key_change=key_change,
    )


def _meter_after(asked: MeterDetail, paid: list[CreditVendTx]) -> MeterDetail:
    told = next((tx.meter for tx in paid if tx.meter is not None), None)
    change = next((tx.key_change for tx in paid if tx.key_change is not None), None)
    if change is None:
        return meter_detail(asked, told)
    key_change = KeyChange(
        change.to_supply_group_code, change.to_key_revision, change.to_tariff_index
    )
    return meter_detail(asked, told or VendMeterDetail(number=asked.number), key_change)


def _customer(customer: VendCustomer) -> Customer:
    return Customer(
        last_name=customer.name or None,
        address=customer.address or None,
        account=customer.account or None,
    )


def _taxed(amount: TxAmount) -> Taxed:
    rate = None if amount.rate is None else (amount.rate * 100).normalize() + Decimal(0)
    return Taxed(amount.cents, amount.tax_cents, rate)


def _key_change_tokens(paid: list[CreditVendTx]) -> Iterator[Token]:
    for tx in paid:
        for digits in tx.key_change.tokens if tx.key_change else ():
            yield Token(TokenType.KC, digits, Decimal(0), Taxed(0), description="Key change")


def _token(tx: CreditVendTx) -> Token:
    return Token(
        token_type=_KINDS[tx.kind],
        digits=tx.token or OVER_THE_AIR,
        units=tx.units,
        amount=_taxed(tx.amount),
        receipt=tx.receipt,
        tariff=tx.steps,
        description=tx.tariff_name or tx.description,
    )
