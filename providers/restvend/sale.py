"""From answers of the assumed REST profile to the domain's sale and lookup."""

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
from providers.protocols.errors import ProtocolError
from providers.protocols.numbers import read_time
from providers.protocols.restvend.messages import (
    ConsumerDetails,
    Cost,
    MeterParameters,
    MunicipalityDetails,
    Prevend,
    Sold,
    WireToken,
)

KINDS: dict[str, TokenType] = {
    "Standard": TokenType.STD,
    "FBE": TokenType.BSST,
    "Refund": TokenType.REFUND,
    "KeyChange": TokenType.KC,
    "PowerLimit": TokenType.PWRLMT,
}
"""Token types on the wire. One that isn't here is handed over as a standard token: withholding a
token that was paid for is worse than a wrong heading."""

OVER_THE_AIR = "0" * 20
"""The digits of a token that the meter got by itself."""


def lookup_answer(asked: MeterDetail, body: Prevend) -> LookupAnswer:
    """What `body` tells of the meter."""
    return LookupAnswer(
        meter=_meter(asked, body),
        customer=_customer(body.consumer_details),
        utility=_utility(body.municipality_details),
        min_cents=body.minimum_amount,
        max_cents=body.maximum_amount,
        arrears_cents=body.arrears,
        free_units_due=body.free_units_due,
    )


def sale(asked: MeterDetail, body: Sold) -> Sale:
    """The sale that `body` states. Raises ProtocolError for one that has no token's digits where
    the customer needs them."""
    told = body.additional_details
    return Sale(
        tokens=tuple(_token(token, online=told.online_meter) for token in told.tokens),
        customer=_customer(told.consumer_details),
        utility=_utility(told.municipality_details),
        meter=_meter(asked, told),
        provider_reference=told.receipt_number,
        sold_at=read_time(body.transaction_date),
        debts=tuple(
            DebtRecovery(
                debt.description or "Debt", _taxed(debt), debt.balance, debt.receipt_number
            )
            for debt in told.debts
        ),
        charges=tuple(
            ServiceCharge(cost.description or "Charge", _taxed(cost), cost.receipt_number)
            for cost in told.fixed_costs
        ),
        customer_message=told.instructions,
    )


def _meter(asked: MeterDetail, told: MeterParameters) -> MeterDetail:
    changed = (told.new_supplier_group_code, told.new_key_revision_number, told.new_tariff_index)
    return MeterDetail(
        number=asked.number,
        utility_type=asked.utility_type,
        supply_group_code=told.supplier_group_code or asked.supply_group_code,
        key_revision=told.key_revision_number or asked.key_revision,
        tariff_index=told.tariff_index or asked.tariff_index,
        token_technology=told.token_tech_code or asked.token_technology,
        algorithm=told.algorithm_code or asked.algorithm,
        track2=asked.track2,
        key_change=KeyChange(*changed) if any(changed) else None,
    )


def _token(token: WireToken, *, online: bool) -> Token:
    if token.value is None and not online:
        raise ProtocolError("a token has no digits")
    return Token(
        token_type=KINDS.get(token.type, TokenType.STD),
        digits=token.value or OVER_THE_AIR,
        units=token.units,
        amount=_taxed(token),
        receipt=token.receipt_number,
        tariff=tuple(TariffStep(step.units, step.rate) for step in token.tariff),
        description=token.description,
    )


def _taxed(cost: Cost) -> Taxed:
    return Taxed(cost.amount, cost.tax, cost.tax_rate)


def _customer(told: ConsumerDetails | None) -> Customer:
    if told is None:
        return Customer()
    return Customer(last_name=told.name, address=told.address, account=told.account_number)


def _utility(told: MunicipalityDetails | None) -> UtilityDetail:
    if told is None:
        return UtilityDetail("Unknown")
    return UtilityDetail(told.name, told.address, told.vat_number, told.client_id, told.message)
