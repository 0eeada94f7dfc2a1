"""From XMLVend answers to the domain's sale and lookup."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from domain.sale import (
    OVER_THE_AIR,
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
from providers.protocols.xmlvend.messages import (
    ConfirmResult,
    CreditVendResp,
    UpdateMeterKeyResp,
)
from providers.protocols.xmlvend.receipt import (
    CreditVendTx,
    IssueKind,
    KctData,
    KeyChangeIssue,
    PayAccTx,
    TxAmount,
    VendCustomer,
    VendMeterDetail,
    VendUtility,
)
from providers.told_sale import key_change_tokens, told_meter

_KINDS = {
    IssueKind.SALE: TokenType.STD,
    IssueKind.FREE_BASIC: TokenType.BSST,
    # Credit that isn't bought: compensation, or what was left on a replaced meter.
    IssueKind.FREE: TokenType.REFUND,
    IssueKind.TRANSFER: TokenType.REFUND,
}


def lookup_answer(
    asked: MeterDetail, result: ConfirmResult, utilities: Mapping[str, UtilityDetail]
) -> LookupAnswer:
    """XMLVend's lookup names no utility; its supply group does, by `utilities`. It tells no
    arrears."""
    meter = _meter(asked, result.meter)
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
    needs them first, and power limits after it. The wire names the utility without its id;
    `utilities` knows that by supply group."""
    paid = [tx for tx in body.transactions if isinstance(tx, CreditVendTx)]
    others = [tx for tx in body.transactions if isinstance(tx, PayAccTx)]
    issues = [tx.key_change for tx in paid if tx.key_change is not None]
    told = next((tx.meter for tx in paid if tx.meter is not None), None)
    meter = _meter_after(asked, told, next((i.data or KctData() for i in issues if i.tokens), None))
    return Sale(
        tokens=(*_keys(issues), *map(_token, paid), *_power_limits(issues)),
        customer=Customer() if body.customer is None else _customer(body.customer),
        utility=_utility(body.utility, meter, utilities),
        meter=meter,
        provider_reference=_receipt(body.receipt) or body.base.request.reference,
        sold_at=body.base.at,
        debts=tuple(
            DebtRecovery(
                tx.description, _taxed(tx.amount), tx.balance_cents or 0, _receipt(tx.receipt)
            )
            for tx in others
            if tx.debt
        ),
        charges=tuple(
            ServiceCharge(tx.description, _taxed(tx.amount), _receipt(tx.receipt))
            for tx in others
            if not tx.debt
        ),
        customer_message=body.base.customer_message,
    )


def trial_sale(
    asked: MeterDetail, body: CreditVendResp, utilities: Mapping[str, UtilityDetail]
) -> Sale:
    """What a sale would be. The wire has zeros for its tokens, which are no tokens."""
    would_be = sale(asked, body, utilities)
    tokens = tuple(msgspec.structs.replace(token, digits="") for token in would_be.tokens)
    return msgspec.structs.replace(would_be, tokens=tokens)


def key_change_sale(
    asked: MeterDetail, body: UpdateMeterKeyResp, utilities: Mapping[str, UtilityDetail]
) -> Sale:
    """The key-change tokens of `body`. It has no receipt: the message id names it."""
    # Without its data it was issued for what was asked.
    data = body.issue.data or _asked_data(asked.key_change or KeyChange())
    meter = _meter_after(asked, body.issue.meter, data)
    return Sale(
        tokens=(*_keys([body.issue]), *_power_limits([body.issue])),
        customer=Customer() if body.customer is None else _customer(body.customer),
        utility=_utility(body.utility, meter, utilities),
        meter=meter,
        provider_reference=body.base.request.reference,
        sold_at=body.base.at,
        customer_message=body.base.customer_message,
    )


def _meter(asked: MeterDetail, told: VendMeterDetail | None) -> MeterDetail:
    return told_meter(asked, told or asked)


def _meter_after(
    asked: MeterDetail, told: VendMeterDetail | None, change: KctData | None
) -> MeterDetail:
    if change is None:
        return _meter(asked, told)
    key_change = KeyChange(
        change.to_supply_group_code, change.to_key_revision, change.to_tariff_index
    )
    return told_meter(asked, told or asked, key_change)


def _asked_data(wanted: KeyChange) -> KctData:
    return KctData(
        to_supply_group_code=wanted.supply_group_code,
        to_key_revision=wanted.key_revision,
        to_tariff_index=wanted.tariff_index,
    )


def _utility(
    told: VendUtility, meter: MeterDetail, utilities: Mapping[str, UtilityDetail]
) -> UtilityDetail:
    known = utilities.get(meter.supply_group_code or "")
    return UtilityDetail(
        told.name, told.address, told.tax_ref, None if known is None else known.client_id
    )


def _customer(customer: VendCustomer) -> Customer:
    return Customer(
        last_name=customer.name or None,
        address=customer.address or None,
        account=customer.account or None,
    )


def _taxed(amount: TxAmount) -> Taxed:
    rate = None if amount.rate is None else (amount.rate * 100).normalize() + Decimal(0)
    return Taxed(amount.cents, amount.tax_cents, rate)


def _receipt(number: str | None) -> str | None:
    """None for the zeros that stand for no receipt."""
    return number if number and number.strip("0") else None


def _keys(issues: Iterable[KeyChangeIssue]) -> tuple[Token, ...]:
    return key_change_tokens(digits for issue in issues for digits in issue.tokens)


def _power_limits(issues: Iterable[KeyChangeIssue]) -> Iterator[Token]:
    for issue in issues:
        limit = issue.power_limit
        if limit is not None:
            words = limit.description or f"Power limit {limit.value:f} {limit.unit}".strip()
            yield Token(TokenType.PWRLMT, limit.token, Decimal(0), Taxed(0), description=words)


def _token(tx: CreditVendTx) -> Token:
    return Token(
        token_type=_KINDS[tx.kind],
        digits=tx.token or OVER_THE_AIR,
        units=tx.units,
        amount=_taxed(tx.amount),
        receipt=_receipt(tx.receipt),
        tariff=tx.steps,
        description=tx.tariff_name or tx.description,
    )
