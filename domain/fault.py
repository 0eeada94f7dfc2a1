"""A fault of a meter that a customer reports, and what the provider logged."""

from enum import StrEnum

import msgspec


class FaultType(StrEnum):
    """What is wrong, in the channel interface's words."""

    SERIOUS_BOX_DAMAGE = "SERIOUS_BOX_DAMAGE"
    FIRE_WATER_DAMAGE = "FIRE_WATER_DAMAGE"
    METER_DEAD = "METER_DEAD"
    KEEPS_TRIPPING = "KEEPS_TRIPPING"
    NO_TRIP = "NO_TRIP"
    DISPLAY_LIGHTS_BUTTONS = "DISPLAY_LIGHTS_BUTTONS"
    NETWORK_FAULT_REPORT = "NETWORK_FAULT_REPORT"
    INCORRECT_SGC = "INCORRECT_SGC"
    INCORRECT_TI = "INCORRECT_TI"
    CONVERTED_FRM_CONVENTIONAL = "CONVERTED_FRM_CONVENTIONAL"
    METER_CHANGED_OUT = "METER_CHANGED_OUT"
    NEW_INSTALLATION = "NEW_INSTALLATION"


class FaultLogged(msgspec.Struct, frozen=True):
    """The provider's number for the fault, and its words."""

    reference: str
    description: str
