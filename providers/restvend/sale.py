"""From answers of the assumed REST profile to the domain's sale and lookup."""

from domain.sale import (
    Customer,
    KeyChange,
    LookupAnswer,
    MeterDetail,
    Sale,
    Token,
    TokenType,
    UtilityDetail,
)
from providers.assumed_sale import (
    debt_recoveries,
    service_charges,
    tariff,
    taxed,
    token_digits,
)
from providers.protocols.numbers import read_time
from providers.protocols.restvend.messages import (
    ConsumerDetails,
    MeterParameters,
    MunicipalityDetails,
    Prevend,
    Sold,
    WireToken,
)
from providers.told_sale import told_meter

KINDS: dict[str, TokenType] = {
    "Standard": TokenType.STD,
    "FBE": TokenType.BSST,
    "Refund": TokenType.REFUND,
    "KeyChange": TokenType.KC,
    "PowerLimit": TokenType.PWRLMT,
}
"""Token types on the wire. One that isn't here is handed over as a standard token: withholding a
token that was paid for is worse than a wrong heading."""


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
        debts=debt_recoveries(told.debts),
        charges=service_charges(told.fixed_costs),
        customer_message=told.instructions,
    )


def _meter(asked: MeterDetail, told: MeterParameters) -> MeterDetail:
    changed = (told.new_supplier_group_code, told.new_key_revision_number, told.new_tariff_index)
    parameters = MeterDetail(
        number=asked.number,
        supply_group_code=told.supplier_group_code,
        key_revision=told.key_revision_number,
        tariff_index=told.tariff_index,
        token_technology=told.token_tech_code,
        algorithm=told.algorithm_code,
    )
    return told_meter(asked, parameters, KeyChange(*changed) if any(changed) else None)


def _token(token: WireToken, *, online: bool) -> Token:
    return Token(
        token_type=KINDS.get(token.type, TokenType.STD),
        digits=token_digits(token.value, online=online),
        units=token.units,
        amount=taxed(token),
        receipt=token.receipt_number,
        tariff=tariff(token.tariff),
        description=token.description,
    )


def _customer(told: ConsumerDetails | None) -> Customer:
    if told is None:
        return Customer()
    return Customer(last_name=told.name, address=told.address, account=told.account_number)


def _utility(told: MunicipalityDetails | None) -> UtilityDetail:
    if told is None:
        return UtilityDetail("Unknown")
    return UtilityDetail(told.name, told.address, told.vat_number, told.client_id, told.message)
