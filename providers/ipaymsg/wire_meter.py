"""Meter and tender as ipayMsg writes them."""

from domain.sale import MeterDetail
from providers.protocols.ipaymsg import WireMeter

_PAY_TYPES = {
    "CASH": "cash",
    "CHEQUE": "cheque",
    "CREDIT_CARD": "creditCard",
    "DEBIT_CARD": "debitCard",
}
"""`cash`, `creditCard` and `OTHER` are seen in public clients; cheque and debitCard are assumed."""


def pay_type(payment: str) -> str:
    """`payType` for a tender type of the channel interface."""
    return _PAY_TYPES.get(payment, "OTHER")


def wire_meter(meter: MeterDetail) -> WireMeter:
    """The meter with the STS parameters that the channel named."""
    return WireMeter(
        number=meter.number,
        supply_group_code=meter.supply_group_code,
        token_technology=meter.token_technology,
        algorithm=meter.algorithm,
        tariff_index=meter.tariff_index,
        key_revision=meter.key_revision,
        track2=meter.track2,
    )
