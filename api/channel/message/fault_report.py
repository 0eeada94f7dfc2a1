"""The fault report: request and answer."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from api.channel.message.customer import Customer
from api.channel.message.meter import Meter
from api.channel.message.scalar import Text, Text20
from api.channel.message.transaction import Transaction

FAULT_TYPE_ALIASES = {
    "SeriousBoxDamage": "SERIOUS_BOX_DAMAGE",
    "FireWaterDamage": "FIRE_WATER_DAMAGE",
    "MeterDead": "METER_DEAD",
    "KeepsTripping": "KEEPS_TRIPPING",
    "NoTrip": "NO_TRIP",
    "DisplayLightsButtons": "DISPLAY_LIGHTS_BUTTONS",
    "NetworkFaultReport": "NETWORK_FAULT_REPORT",
    "IncorrectSGC": "INCORRECT_SGC",
    "IncorrectTI": "INCORRECT_TI",
    "ConvertedFrmConventional": "CONVERTED_FRM_CONVENTIONAL",
    "MeterChangedOut": "METER_CHANGED_OUT",
    "NewInstallation": "NEW_INSTALLATION",
}
"""A second spelling that deployed clients send; the documented one is the constant."""

Text160 = Annotated[str, Field(max_length=160)]


def _constant(value: object) -> object:
    return FAULT_TYPE_ALIASES.get(value, value) if isinstance(value, str) else value


FaultType = Annotated[
    Literal[
        "SERIOUS_BOX_DAMAGE",
        "FIRE_WATER_DAMAGE",
        "METER_DEAD",
        "KEEPS_TRIPPING",
        "NO_TRIP",
        "DISPLAY_LIGHTS_BUTTONS",
        "NETWORK_FAULT_REPORT",
        "INCORRECT_SGC",
        "INCORRECT_TI",
        "CONVERTED_FRM_CONVENTIONAL",
        "METER_CHANGED_OUT",
        "NEW_INSTALLATION",
    ],
    BeforeValidator(_constant),
]


class FaultReportRequest(Transaction):
    """A meter is broken; `contactNumber` is where the customer can be called."""

    meter: Meter
    customer: Customer | None = None
    contactNumber: Text20
    faultType: FaultType
    faultDescription: Text160 | None = None


class FaultReportResponse(Transaction):
    """The fault is logged under `reference`."""

    reference: Text
    description: Text160
