"""From what a simulated provider sold to the XMLVend responses that tell it."""

from collections.abc import Iterator
from decimal import Decimal

from domain.sale import OVER_THE_AIR, UNITS, MeterDetail, Sale, Taxed, Token, TokenType
from providers.protocols.xmlvend.messages import (
    BaseResp,
    CreditVendResp,
    UpdateMeterKeyResp,
    VendKind,
)
from providers.protocols.xmlvend.receipt import (
    CreditVendTx,
    IssueKind,
    KctData,
    KeyChangeIssue,
    PayAccTx,
    PowerLimitIssue,
    TxAmount,
    VendCustomer,
    VendMeterDetail,
    VendUtility,
)

CREDIT_LEFT_CENTS = 100_000_000
"""What every vendor has left to sell: simulated credit never runs out."""
NO_RECEIPT = "0" * 15
"""A trial's receipt number."""

_KINDS = {
    TokenType.STD: IssueKind.SALE,
    TokenType.BSST: IssueKind.FREE_BASIC,
    TokenType.REFUND: IssueKind.FREE,
}


def sale_response(
    base: BaseResp,
    sale: Sale,
    tendered_cents: int,
    *,
    watts: int | None = None,
    kind: VendKind = VendKind.CREDIT,
) -> CreditVendResp:
    """A sale, or for a trial what it would be. `watts` is what its power-limit token sets."""
    return CreditVendResp(
        base=base,
        utility=_utility(sale),
        customer=_customer(sale),
        receipt=_receipt(sale.provider_reference),
        transactions=(*_credits(sale, watts), *_deductions(sale)),
        tendered_cents=tendered_cents,
        credit_left_cents=CREDIT_LEFT_CENTS,
        kind=kind,
    )


def key_change_response(
    base: BaseResp, sale: Sale, *, engineering: bool, watts: int | None = None
) -> UpdateMeterKeyResp:
    """Key-change tokens on their own."""
    issue = _key_change(sale, watts)
    assert issue is not None, "a key change has tokens"
    return UpdateMeterKeyResp(
        base=base,
        utility=_utility(sale),
        customer=_customer(sale),
        issue=issue,
        credit_left_cents=CREDIT_LEFT_CENTS,
        engineering=engineering,
    )


def meter_detail(meter: MeterDetail) -> VendMeterDetail:
    """The meter's STS parameters."""
    return VendMeterDetail(
        number=meter.number,
        supply_group_code=meter.supply_group_code,
        key_revision=meter.key_revision,
        tariff_index=meter.tariff_index,
        algorithm=meter.algorithm,
        token_technology=meter.token_technology,
    )


def _utility(sale: Sale) -> VendUtility:
    return VendUtility(sale.utility.name, sale.utility.address, sale.utility.vat_number)


def _customer(sale: Sale) -> VendCustomer:
    customer = sale.customer
    return VendCustomer(
        name=f"{customer.first_name} {customer.last_name}".strip(),
        address=customer.address,
        account=customer.account or None,
    )


def _receipt(number: str | None) -> str:
    return number or NO_RECEIPT


def _credits(sale: Sale, watts: int | None) -> Iterator[CreditVendTx]:
    """A transaction for each credit token; key changes and power limits go with the first."""
    key_change = _key_change(sale, watts)
    for token in sale.tokens:
        if token.token_type not in _KINDS:
            continue
        yield CreditVendTx(
            amount=_amount(token.amount),
            kind=_KINDS[token.token_type],
            units=token.units,
            unit=UNITS[sale.meter.utility_type],
            token=_digits(token),
            meter=meter_detail(sale.meter),
            resource=sale.meter.utility_type,
            description=token.description,
            receipt=_receipt(token.receipt),
            key_change=key_change,
            tariff_name=token.description,
            steps=token.tariff,
        )
        key_change = None


def _deductions(sale: Sale) -> Iterator[PayAccTx]:
    account = sale.customer.account or None
    for debt in sale.debts:
        yield PayAccTx(
            amount=_amount(debt.amount),
            description=debt.description,
            debt=True,
            account=account,
            balance_cents=debt.balance_cents,
            receipt=_receipt(debt.receipt),
        )
    for charge in sale.charges:
        yield PayAccTx(
            amount=_amount(charge.amount),
            description=charge.description,
            debt=False,
            account=account,
            receipt=_receipt(charge.receipt),
        )


def _key_change(sale: Sale, watts: int | None) -> KeyChangeIssue | None:
    meter, change = sale.meter, sale.meter.key_change
    keys = tuple(_digits(token) for token in sale.tokens if token.token_type is TokenType.KC)
    limit = next((token for token in sale.tokens if token.token_type is TokenType.PWRLMT), None)
    if not keys and limit is None:
        return None
    data = None
    if change is not None:
        data = KctData(
            from_supply_group_code=meter.supply_group_code,
            from_key_revision=meter.key_revision,
            from_tariff_index=meter.tariff_index,
            to_supply_group_code=change.supply_group_code,
            to_key_revision=change.key_revision,
            to_tariff_index=change.tariff_index,
        )
    return KeyChangeIssue(
        tokens=keys,
        data=data,
        meter=meter_detail(meter),
        description="Key change" if keys else "Power limit",
        power_limit=None if limit is None else _power_limit(limit, watts),
    )


def _power_limit(token: Token, watts: int | None) -> PowerLimitIssue:
    return PowerLimitIssue(
        token=_digits(token),
        value=Decimal(watts or 0),
        unit="W",
        description=token.description,
    )


def _digits(token: Token) -> str:
    """A trial's tokens are 20 zeros, as are those of a meter that is credited over the air."""
    return token.digits or OVER_THE_AIR


def _amount(taxed: Taxed) -> TxAmount:
    rate = None if taxed.rate is None else taxed.rate / 100
    return TxAmount(taxed.cents, taxed.tax_cents, rate)
