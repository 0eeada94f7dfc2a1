"""The ipayMsg codec: `encode` and `decode` between messages and the bytes inside a frame.

Modelled on publicly visible clients of the "Merchant to iPay Interface", versions 2.44 to 2.6a
(confidence HIGH); see docs/providers/ipay.md for what is assumed."""

from providers.protocols.ipaymsg.messages import (
    REPRINT_VERSION,
    VERSION,
    CustInfoReq,
    CustInfoRes,
    IpayMessage,
    ReprintManyReq,
    ReprintManyRes,
    VendAdvReq,
    VendAdvRes,
    VendLastReq,
    VendLastRes,
    VendReq,
    VendRevReq,
    VendRevRes,
)
from providers.protocols.ipaymsg.read import decode
from providers.protocols.ipaymsg.sale import (
    Result,
    VendRes,
    WireCharge,
    WireDebt,
    WireKeyChange,
    WireMeter,
    WireToken,
    WireUtility,
)
from providers.protocols.ipaymsg.services import (
    FaultReportReq,
    FaultReportRes,
    KeyChangeAdvReq,
    KeyChangeAdvRes,
    KeyChangeReq,
    KeyChangeRes,
    TrialVendReq,
    TrialVendRes,
    WireSummary,
)
from providers.protocols.ipaymsg.write import encode

__all__ = [
    "REPRINT_VERSION",
    "VERSION",
    "CustInfoReq",
    "CustInfoRes",
    "FaultReportReq",
    "FaultReportRes",
    "IpayMessage",
    "KeyChangeAdvReq",
    "KeyChangeAdvRes",
    "KeyChangeReq",
    "KeyChangeRes",
    "ReprintManyReq",
    "ReprintManyRes",
    "Result",
    "TrialVendReq",
    "TrialVendRes",
    "VendAdvReq",
    "VendAdvRes",
    "VendLastReq",
    "VendLastRes",
    "VendReq",
    "VendRes",
    "VendRevReq",
    "VendRevRes",
    "WireCharge",
    "WireDebt",
    "WireKeyChange",
    "WireMeter",
    "WireSummary",
    "WireToken",
    "WireUtility",
    "decode",
    "encode",
]
