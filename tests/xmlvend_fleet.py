"""The four XMLVend providers with meters that the common fleet lacks."""

from decimal import Decimal
from functools import partial

import msgspec

from domain.provider import Capabilities
from domain.sale import UtilityType
from providers.simulator.fleet import Fleet, FleetKeyChange, FleetMeter
from providers.xmlvend.profiles import PROFILES
from tests.simulation import every_provider_fleet

XMLVEND = tuple(PROFILES)
GAS, REFUND, LIMITED, LIMITED_KEY, SMART, LONG_KEY = (f"0100000009{index}" for index in range(6))
"""Meters that the common fleet lacks."""
ALL = Capabilities(
    confirm=True, reverse=True, trial=True, reprint=True, fault_report=True, key_change=True
)


def xmlvend_fleet(capabilities: Capabilities | None = None) -> Fleet:
    """The four with more meters; `capabilities` replaces what is shipped."""
    fleet = every_provider_fleet()
    change = FleetKeyChange(supply_group_code="999998", key_revision="2", tariff_index="08")
    meter = partial(FleetMeter, utility="town", tariff="flat", providers=XMLVEND)
    return msgspec.structs.replace(
        fleet,
        providers=tuple(
            provider
            if capabilities is None
            else msgspec.structs.replace(provider, capabilities=capabilities)
            for provider in fleet.providers
            if provider.id in XMLVEND
        ),
        meters=(
            *(msgspec.structs.replace(known, providers=XMLVEND) for known in fleet.meters),
            meter(number=GAS, utility_type=UtilityType.GAS),
            meter(number=REFUND, refund_units=Decimal(12)),
            meter(number=LIMITED, power_limit_watts=4_600),
            meter(number=LIMITED_KEY, power_limit_watts=4_600, key_change=change),
            meter(number=SMART, over_the_air=True),
            meter(number=LONG_KEY, algorithm="11", key_change=change),
        ),
    )
