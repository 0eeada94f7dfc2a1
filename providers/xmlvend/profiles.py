"""The XMLVend providers' differences, as data.

Nothing public shows the wire of Contour, Sandulela or SwitchOne, and little that of Syntell: that
they speak XMLVend 2.1 is assumed, and so is each value here (confidence beside it). What a provider
does otherwise is configuration (`[providers.xmlvend]`); a real specification replaces a profile or
the codec, never the adapter."""

from typing import Literal, Self

import msgspec

from domain.provider import Capabilities
from providers.config import DeviceKind, FreeUnitsRequest, SoapAction, XmlvendOptions
from providers.protocols.xmlvend.receipt import StepExtension


class XmlvendProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How one provider wants its XMLVend.

    `soap_action`: "named" sends e.g. "CreditVendRequest", "empty" sends "". `client_kind` and
    `terminal_kind`: the device ids' types. `free_units_request`: what asks for free units alone.
    `steps_as`: the extension in which its simulator tells a step tariff (both are read). `note`:
    what else is known or open."""

    confidence: Literal["assumed (LOW)", "assumed (MED)"]
    soap_action: SoapAction = "empty"
    client_kind: DeviceKind = "EANDeviceID"
    terminal_kind: DeviceKind = "GenericDeviceID"
    operator_credentials: bool = False
    gzip: bool = False
    free_units_request: FreeUnitsRequest = "fbeReq"
    steps_as: StepExtension = StepExtension.BREAKDOWN
    capabilities: Capabilities = Capabilities()
    note: str = ""

    def adjusted(self, options: XmlvendOptions) -> Self:
        """The profile with what `options` set otherwise."""
        changed = {
            name: value
            for name, value in msgspec.structs.asdict(options).items()
            if value is not None
        }
        return msgspec.structs.replace(self, **changed)


PROFILES: dict[str, XmlvendProfile] = {
    "contour": XmlvendProfile(
        confidence="assumed (LOW)",
        soap_action="named",
        operator_credentials=True,
        capabilities=Capabilities(
            confirm=True, reverse=True, reprint=True, fault_report=True, key_change=True
        ),
        note="fault reports and key changes: offered by this provider alone of the four",
    ),
    "syntell": XmlvendProfile(
        confidence="assumed (MED)",
        gzip=True,
        operator_credentials=True,
        steps_as=StepExtension.CREDIT_STEP,
        capabilities=Capabilities(confirm=True, reprint=True),
        note="step tariffs, debt and free basic electricity are usual at its municipalities",
    ),
    "sandulela": XmlvendProfile(
        confidence="assumed (LOW)",
        soap_action="named",
        free_units_request="creditVendReq",
        capabilities=Capabilities(reverse=True, reprint=True),
        note="a reseller near it asks for the last response only after a time-out, as we do",
    ),
    "switchone": XmlvendProfile(
        confidence="assumed (LOW)",
        gzip=True,
        steps_as=StepExtension.CREDIT_STEP,
        capabilities=Capabilities(reprint=True),
        note="nothing at all is public: it may be REST/JSON instead, in two steps as other "
        "aggregators have it; the protocol restvend in its configuration then replaces this",
    ),
}
"""Capabilities and headers vary between them so that each combination is met somewhere."""
