"""The XMLVend providers' differences, as data.

Nothing public shows the wire of Contour, Sandulela or SwitchOne, and little that of Syntell: that
they speak XMLVend 2.1 is assumed, and so is each value here (confidence beside it). A real
specification replaces a profile or the codec, never the adapter."""

from typing import Literal

import msgspec

from domain.provider import Capabilities


class XmlvendProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How one provider wants its XMLVend.

    `soap_action`: "named" sends e.g. "CreditVendRequest", "empty" sends "". `client_kind` and
    `terminal_kind`: the device ids' types. `free_units_request`: what asks for free units alone."""

    confidence: Literal["assumed (LOW)", "assumed (MED)"]
    soap_action: Literal["empty", "named"] = "empty"
    client_kind: Literal["EANDeviceID", "GenericDeviceID"] = "EANDeviceID"
    terminal_kind: Literal["EANDeviceID", "GenericDeviceID"] = "GenericDeviceID"
    operator_credentials: bool = False
    gzip: bool = False
    free_units_request: Literal["fbeReq", "creditVendReq"] = "fbeReq"
    capabilities: Capabilities = Capabilities()


PROFILES: dict[str, XmlvendProfile] = {
    "contour": XmlvendProfile(
        confidence="assumed (LOW)",
        soap_action="named",
        operator_credentials=True,
        capabilities=Capabilities(confirm=True, reverse=True),
    ),
    "syntell": XmlvendProfile(
        confidence="assumed (MED)",
        gzip=True,
        operator_credentials=True,
        capabilities=Capabilities(confirm=True),
    ),
    "sandulela": XmlvendProfile(
        confidence="assumed (LOW)",
        soap_action="named",
        free_units_request="creditVendReq",
        capabilities=Capabilities(reverse=True),
    ),
    "switchone": XmlvendProfile(confidence="assumed (LOW)", gzip=True),
}
"""Capabilities vary between them so that each combination is met somewhere."""
