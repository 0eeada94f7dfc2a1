"""The messages of XMLVend 2.1 (NRS 009-6-10), as far as this switch speaks them.

Shapes follow publicly visible clients' generated classes (confidence HIGH for the shapes; which of
them a given provider uses is assumed). Money is integer cents here and rand with decimals on the
wire; times UTC. Structs are named like the wire's types. What a sale is made of stands in
`xmlvend_receipt.py`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from domain.fault import FaultType
from domain.sale import UtilityType
from providers.protocols.xmlvend.receipt import (
    CreditVendTx,
    KctData,
    KeyChangeIssue,
    PayAccTx,
    VendCustomer,
    VendMeterDetail,
    VendUtility,
)

BASE = "http://www.nrs.eskom.co.za/xmlvend/base/2.1/schema"
REVENUE = "http://www.nrs.eskom.co.za/xmlvend/revenue/2.1/schema"
METER = "http://www.nrs.eskom.co.za/xmlvend/meter/2.1/schema"
STEP_EXTENSION = "http://www.conlog.co.za/xmlvend/base-ext/2.1.1/schema"
"""Core 2.1 has no step tariff; this vendor's extension is public."""
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

RESOURCES = {
    UtilityType.ELECTRICITY: "Electricity",
    UtilityType.WATER: "Water",
    UtilityType.GAS: "Gas",
}


class DeviceId(msgspec.Struct, frozen=True):
    """`EANDeviceID` (13 digits) or `GenericDeviceID`."""

    value: str
    kind: Literal["EANDeviceID", "GenericDeviceID"] = "GenericDeviceID"


class MsgId(msgspec.Struct, frozen=True):
    """`dateTime` (YYYYMMDDHHMMSS) and `uniqueNumber`; per client, it names a request for good."""

    date_time: str
    unique_number: str

    @property
    def reference(self) -> str:
        """Both parts as one string, e.g. "20250701093000-000123"."""
        return f"{self.date_time}-{self.unique_number}"

    @classmethod
    def of(cls, reference: str) -> "MsgId":
        """The message id that `reference` spells. Raises ValueError for anything else."""
        date_time, dash, unique_number = reference.partition("-")
        if not dash or not (date_time + unique_number).isascii():
            raise ValueError("reference is not an XMLVend message id")
        if not date_time.isdigit() or not unique_number.isdigit():
            raise ValueError("reference is not an XMLVend message id")
        return cls(date_time, unique_number)


class BaseReq(msgspec.Struct, frozen=True):
    """What every request begins with; operator and password are `authCred`."""

    client: DeviceId
    terminal: DeviceId
    msg_id: MsgId
    operator: str | None = None
    password: str | None = None


class VendMeter(msgspec.Struct, frozen=True, kw_only=True):
    """A meter identifier: `MeterCard` when track 2 is given, else `MeterNumber`. Read from
    `MeterDetail` too."""

    number: str
    track2: str | None = None


class ConfirmCustomerReq(msgspec.Struct, frozen=True):
    """Who is behind this meter?"""

    base: BaseReq
    meter: VendMeter


class VendKind(StrEnum):
    """The ways to ask for a vend; values are the wire's element names without Req or Resp."""

    CREDIT = "creditVend"
    FREE_BASIC = "fbe"
    """Free units alone: it has no purchase value."""
    TRIAL = "trialCreditVend"
    """Sells nothing; its tokens and receipt numbers are zeros."""


class CreditVendReq(msgspec.Struct, frozen=True, kw_only=True):
    """Sell for `cents`, or say what that would buy."""

    base: BaseReq
    resource: UtilityType
    meter: VendMeter
    cents: int
    cash: bool = True
    kind: VendKind = VendKind.CREDIT


class ReprintReq(msgspec.Struct, frozen=True):
    """Show what this meter was sold before."""

    base: BaseReq
    meter: VendMeter


class UpdateMeterKeyReq(msgspec.Struct, frozen=True):
    """Issue key-change tokens from the parameters of `meter` (or on the card `track2`) to those
    that the provider has on record."""

    base: BaseReq
    meter: VendMeterDetail
    track2: str | None = None


class EngKctReq(msgspec.Struct, frozen=True):
    """`meterSpecificEngReq` of type `EngKCTReq`: issue key-change tokens to the parameters of
    `data`, as an engineer does."""

    base: BaseReq
    resource: UtilityType
    meter: VendMeter
    data: KctData


class FaultReport(msgspec.Struct, frozen=True):
    """`MeterFaultReport`, or without a meter `NetworkFaultReport`."""

    description: str
    meter: VendMeter | None = None


def fault_words(fault_type: FaultType) -> str:
    """The standard tells a meter's fault from the network's and no more: which of the meter's it is
    begins the description, e.g. "Meter dead." (assumed)."""
    return f"{fault_type.value.replace('_', ' ').capitalize()}."


class CustReportFaultReq(msgspec.Struct, frozen=True):
    """Log a fault that a customer reports."""

    base: BaseReq
    customer: VendCustomer
    report: FaultReport


class AdviceKind(StrEnum):
    """The three advices; values are the wire's type names without Req or Resp."""

    LAST_RESPONSE = "LastRespAdvice"
    CONFIRMATION = "ConfirmationAdvice"
    REVERSAL = "ReversalAdvice"


class AdviceReq(msgspec.Struct, frozen=True):
    """About the request `original`; `base.msg_id` is new."""

    base: BaseReq
    kind: AdviceKind
    original: MsgId


class BaseResp(msgspec.Struct, frozen=True, kw_only=True):
    """What every response begins with; `request` is the message id that it answers."""

    client: DeviceId
    server: DeviceId
    terminal: DeviceId
    request: MsgId
    at: datetime | None = None
    header: str | None = None
    operator_message: str | None = None
    customer_message: str | None = None


class ConfirmResult(msgspec.Struct, frozen=True, kw_only=True):
    """One meter of the customer. `can_vend` false: known, but not sold to."""

    customer: VendCustomer
    can_vend: bool = True
    free_due: bool | None = None
    max_cents: int | None = None
    min_cents: int | None = None
    meter: VendMeterDetail | None = None


class ConfirmCustomerResp(msgspec.Struct, frozen=True):
    """At least one result."""

    base: BaseResp
    results: tuple[ConfirmResult, ...]


class CreditVendResp(msgspec.Struct, frozen=True, kw_only=True):
    """A sale, or for a trial what it would be. Sum of amounts and taxes = tendered."""

    base: BaseResp
    utility: VendUtility
    customer: VendCustomer | None
    receipt: str
    transactions: tuple[CreditVendTx | PayAccTx, ...]
    tendered_cents: int | None = None
    credit_left_cents: int = 0
    kind: VendKind = VendKind.CREDIT


class UpdateMeterKeyResp(msgspec.Struct, frozen=True, kw_only=True):
    """Key-change tokens on their own. `engineering` makes it an `EngKCTResp`."""

    base: BaseResp
    utility: VendUtility
    customer: VendCustomer | None
    issue: KeyChangeIssue
    credit_left_cents: int = 0
    engineering: bool = False


class ReprintResp(msgspec.Struct, frozen=True):
    """Earlier responses, each with the message id that it answered."""

    base: BaseResp
    reprints: tuple[CreditVendResp | UpdateMeterKeyResp, ...]


class CustReportFaultResp(msgspec.Struct, frozen=True):
    """The fault is logged under `reference`."""

    base: BaseResp
    reference: str
    customer: VendCustomer | None
    report: FaultReport


class FaultResp(msgspec.Struct, frozen=True):
    """`kind` is the fault's type name; `base` is None where a server omits it. A SOAP fault
    without an XMLVend fault inside has the kind ""."""

    kind: str
    description: str
    code: str | None = None
    base: BaseResp | None = None


class AdviceResp(msgspec.Struct, frozen=True):
    """`last` answers a last-response advice, `done` (txConfirmed, txReversed) the others."""

    base: BaseResp
    kind: AdviceKind
    original: MsgId | None
    last: CreditVendResp | UpdateMeterKeyResp | FaultResp | None = None
    done: bool | None = None


Request = (
    ConfirmCustomerReq
    | CreditVendReq
    | AdviceReq
    | ReprintReq
    | UpdateMeterKeyReq
    | EngKctReq
    | CustReportFaultReq
)
Response = (
    ConfirmCustomerResp
    | CreditVendResp
    | AdviceResp
    | ReprintResp
    | UpdateMeterKeyResp
    | CustReportFaultResp
    | FaultResp
)
