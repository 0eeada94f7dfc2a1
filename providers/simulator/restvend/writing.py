"""A simulated sale, customer and meter in the assumed REST profile's members."""

from domain.sale import UNITS, MeterDetail, Token, TokenType, UtilityDetail
from providers.protocols.restvend.messages import (
    AdditionalDetails,
    ConsumerDetails,
    MunicipalityDetails,
    Prevend,
    Sold,
    WireToken,
)
from providers.restvend.sale import KINDS
from providers.simulator.assumed_sale import costs, debts, online, steps, told_digits
from providers.simulator.fleet import FleetUtility
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import KnownMeter

_TYPES = {kind: name for name, kind in KINDS.items()}


def looked_up(known: KnownMeter, request_id: str) -> Prevend:
    """What is known of a meter."""
    meter, detail = known.meter, known.detail
    return Prevend(
        request_id=request_id,
        meter_number=meter.number,
        minimum_amount=meter.min_cents,
        maximum_amount=meter.max_cents,
        arrears=sum(debt.balance_cents for debt in meter.debts),
        free_units_due=known.free_units_due,
        consumer_details=ConsumerDetails(
            name=f"{meter.first_name} {meter.last_name}".strip(),
            address=meter.address,
            account_number=meter.account or None,
        ),
        municipality_details=_municipality(known.utility),
        supplier_group_code=detail.supply_group_code,
        key_revision_number=detail.key_revision,
        tariff_index=detail.tariff_index,
        token_tech_code=detail.token_technology,
        algorithm_code=detail.algorithm,
    )


def sold(issued: IssuedSale) -> Sold:
    """A sale."""
    return Sold(
        request_id=issued.reference,
        transaction_id=f"T{issued.receipt}",
        meter_number=issued.meter,
        amount=issued.amount_cents,
        transaction_date=issued.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        additional_details=_details(issued),
    )


def _details(issued: IssuedSale) -> AdditionalDetails:
    sale = issued.sale
    meter, customer, change = sale.meter, sale.customer, sale.meter.key_change
    return AdditionalDetails(
        receipt_number=issued.receipt,
        tokens=tuple(_token(token, sale.meter) for token in sale.tokens),
        fixed_costs=costs(sale),
        debts=debts(sale),
        consumer_details=ConsumerDetails(
            name=f"{customer.first_name or ''} {customer.last_name or ''}".strip(),
            address=customer.address,
            account_number=customer.account or None,
        ),
        municipality_details=_municipality(sale.utility),
        instructions=sale.customer_message,
        supplier_group_code=meter.supply_group_code,
        key_revision_number=meter.key_revision,
        tariff_index=meter.tariff_index,
        token_tech_code=meter.token_technology,
        algorithm_code=meter.algorithm,
        online_meter=online(sale),
        new_supplier_group_code=None if change is None else change.supply_group_code,
        new_key_revision_number=None if change is None else change.key_revision,
        new_tariff_index=None if change is None else change.tariff_index,
    )


def _token(token: Token, meter: MeterDetail) -> WireToken:
    return WireToken(
        amount=token.amount.cents,
        tax=token.amount.tax_cents,
        tax_rate=token.amount.rate,
        description=token.description,
        receipt_number=token.receipt,
        type=_TYPES.get(token.token_type, _TYPES[TokenType.STD]),
        value=told_digits(token),
        units=token.units,
        unit_type=UNITS[meter.utility_type],
        tariff=steps(token),
    )


def _municipality(utility: FleetUtility | UtilityDetail) -> MunicipalityDetails:
    return MunicipalityDetails(
        name=utility.name,
        address=utility.address,
        vat_number=utility.vat_number,
        client_id=utility.client_id,
        message=utility.message,
    )
