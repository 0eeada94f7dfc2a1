"""A simulated sale as ipayMsg tells it."""

from datetime import datetime
from decimal import Decimal

import msgspec

from domain.sale import UNITS, MeterDetail, Sale, TokenType, UtilityDetail
from providers.protocols.ipaymsg import (
    Result,
    TrialVendRes,
    VendRes,
    WireCharge,
    WireDebt,
    WireKeyChange,
    WireMeter,
    WireSummary,
    WireToken,
    WireUtility,
)
from providers.protocols.ipaymsg.tariff_text import write_tariff
from providers.simulator.sales import IssuedSale

OK = Result("elec000", "OK")
ZEROS = "0" * 20

_STANDARD = (TokenType.STD, TokenType.REFUND, TokenType.PWRLMT)
"""What `stdToken` carries; the description tells them apart."""


def vend_result(issued: IssuedSale) -> VendRes:
    """The sale as `vendRes`, the same bytes whenever it is told."""
    return sale_result(issued.reference, issued.sale, issued.at)


def trial_result(reference: str, sale: Sale, at: datetime) -> TrialVendRes:
    """A sale that would be; each of its tokens is twenty zeros."""
    vend = sale_result(reference, sale, at)
    vend = msgspec.structs.replace(
        vend, standard=_zeroed(vend.standard), free=_zeroed(vend.free), key_change=None
    )
    return TrialVendRes(ref=reference, result=OK, vend=vend)


def summary_result(reference: str, sale: Sale) -> TrialVendRes:
    """Its totals alone."""
    paid = [token for token in sale.tokens if token.token_type is TokenType.STD]
    free = [token for token in sale.tokens if token.token_type is TokenType.BSST]
    others = [*sale.debts, *sale.charges]
    summary = WireSummary(
        total_cents=sale.total.cents,
        tax_cents=sale.tax_total.cents,
        standard_cents=sum(token.amount.cents for token in paid),
        standard_tax_cents=sum(token.amount.tax_cents for token in paid),
        other_cents=sum(other.amount.cents for other in others),
        other_tax_cents=sum(other.amount.tax_cents for other in others),
        standard_units=sum((token.units for token in paid), Decimal(0)),
        free_units=sum((token.units for token in free), Decimal(0)),
    )
    vend = VendRes(ref=reference, result=OK, utility=wire_utility(sale.utility))
    return TrialVendRes(ref=reference, result=OK, vend=vend, summary=summary)


def _zeroed(tokens: tuple[WireToken, ...]) -> tuple[WireToken, ...]:
    return tuple(msgspec.structs.replace(token, digits=ZEROS) for token in tokens)


def sale_result(reference: str, sale: Sale, at: datetime) -> VendRes:
    """`sale`, made or only quoted, as `vendRes`."""
    unit = UNITS[sale.meter.utility_type]
    return VendRes(
        ref=reference,
        result=OK,
        meter=wire_meter(sale.meter),
        resource=sale.meter.utility_type.capitalize(),
        transaction_date=_seconds(at),
        utility=wire_utility(sale.utility),
        standard=_wire_tokens(sale, _STANDARD, unit),
        free=_wire_tokens(sale, (TokenType.BSST,), unit),
        debts=tuple(
            WireDebt(
                text=debt.description,
                cents=debt.amount.cents,
                tax_cents=debt.amount.tax_cents,
                remaining_cents=debt.balance_cents,
                receipt=debt.receipt,
            )
            for debt in sale.debts
        ),
        charges=tuple(
            WireCharge(
                text=charge.description,
                cents=charge.amount.cents,
                tax_cents=charge.amount.tax_cents,
                receipt=charge.receipt,
            )
            for charge in sale.charges
        ),
        key_change=wire_key_change(sale),
        customer_message=sale.customer_message,
        marketing_message=sale.utility.message,
    )


def _wire_tokens(sale: Sale, kinds: tuple[TokenType, ...], unit: str) -> tuple[WireToken, ...]:
    return tuple(
        WireToken(
            digits=token.digits,
            units=token.units,
            cents=token.amount.cents,
            tax_cents=token.amount.tax_cents,
            tariff=write_tariff(token.tariff, unit),
            description=token.description,
            units_type=unit,
            receipt=token.receipt,
        )
        for token in sale.tokens
        if token.token_type in kinds
    )


def wire_utility(utility: UtilityDetail) -> WireUtility:
    """`util`."""
    return WireUtility(utility.name, utility.address, utility.vat_number, utility.client_id)


def wire_key_change(sale: Sale) -> WireKeyChange | None:
    """`keyChangeToken`, where the sale has such tokens."""
    change = sale.meter.key_change
    if change is None:
        return None
    return WireKeyChange(
        old_supply_group_code=sale.meter.supply_group_code,
        old_tariff_index=sale.meter.tariff_index,
        old_key_revision=sale.meter.key_revision,
        new_supply_group_code=change.supply_group_code,
        new_tariff_index=change.tariff_index,
        new_key_revision=change.key_revision,
        codes=tuple(token.digits for token in sale.tokens if token.token_type == TokenType.KC),
    )


def wire_meter(meter: MeterDetail) -> WireMeter:
    """The meter with its STS parameters."""
    return WireMeter(
        number=meter.number,
        supply_group_code=meter.supply_group_code,
        token_technology=meter.token_technology,
        algorithm=meter.algorithm,
        tariff_index=meter.tariff_index,
        key_revision=meter.key_revision,
    )


def _seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)
