"""The messages of XMLVend 2.1 (NRS 009-6-10), as far as this switch speaks them.

Shapes follow publicly visible clients' generated classes (confidence HIGH for the shapes; which of
them a given provider uses is assumed). Money is integer cents here and rand with decimals on the
wire; units are Decimal; times UTC. Structs are named like the wire's types.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

import msgspec

from domain.sale import TariffStep, UtilityType

BASE = "http://www.nrs.eskom.co.za/xmlvend/base/2.1/schema"
REVENUE = "http://www.nrs.eskom.co.za/xmlvend/revenue/2.1/schema"
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


class CreditVendReq(msgspec.Struct, frozen=True, kw_only=True):
    """Sell for `cents`. `free_only` makes it an `fbeReq`, which has no purchase value."""

    base: BaseReq
    resource: UtilityType
    meter: VendMeter
    cents: int
    cash: bool = True
    free_only: bool = False


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


class VendCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """`custVendDetail`."""

    name: str | None = None
    address: str | None = None
    contact: str | None = None
    account: str | None = None
    location: str | None = None
    days_last_purchase: int | None = None


class VendMeterDetail(msgspec.Struct, frozen=True, kw_only=True):
    """`meterDetail`: STS parameters as digit strings."""

    number: str
    supply_group_code: str | None = None
    key_revision: str | None = None
    tariff_index: str | None = None
    algorithm: str | None = None
    token_technology: str | None = None


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


class VendUtility(msgspec.Struct, frozen=True):
    """`utility`; `tax_ref` is the VAT number."""

    name: str
    address: str | None = None
    tax_ref: str | None = None


class IssueKind(StrEnum):
    """What kind of credit a token is."""

    SALE = "SaleCredTokenIssue"
    FREE_BASIC = "FBECredTokenIssue"
    FREE = "FreeCredTokenIssue"
    TRANSFER = "MCTCredTokenIssue"


class KeyChangeIssue(msgspec.Struct, frozen=True, kw_only=True):
    """`kcTokenIssue`: two tokens, to be entered in this order before the credit."""

    tokens: tuple[str, ...]
    to_supply_group_code: str | None = None
    to_key_revision: str | None = None
    to_tariff_index: str | None = None
    from_supply_group_code: str | None = None
    from_key_revision: str | None = None
    from_tariff_index: str | None = None


class TxAmount(msgspec.Struct, frozen=True):
    """`amt` excludes tax; `rate` is a fraction ("0.1500")."""

    cents: int
    tax_cents: int = 0
    rate: Decimal | None = None


class CreditVendTx(msgspec.Struct, frozen=True, kw_only=True):
    """One credit token, with key-change tokens where due. `token` None: none was given out (a
    meter that is credited over the air)."""

    amount: TxAmount
    kind: IssueKind
    units: Decimal
    unit: str
    token: str | None
    meter: VendMeterDetail | None = None
    resource: UtilityType | None = None
    description: str | None = None
    receipt: str | None = None
    key_change: KeyChangeIssue | None = None
    tariff_name: str | None = None
    steps: tuple[TariffStep, ...] = ()


class PayAccTx(msgspec.Struct, frozen=True, kw_only=True):
    """`DebtRecoveryTx` (with the balance still owed) or `ServiceChrgTx`."""

    amount: TxAmount
    description: str
    debt: bool
    account: str | None = None
    balance_cents: int | None = None
    receipt: str | None = None


class CreditVendResp(msgspec.Struct, frozen=True, kw_only=True):
    """A sale. `free_only` makes it an `fbeResp`. Sum of amounts and taxes = tendered."""

    base: BaseResp
    utility: VendUtility
    customer: VendCustomer | None
    receipt: str
    transactions: tuple[CreditVendTx | PayAccTx, ...]
    tendered_cents: int | None = None
    credit_left_cents: int = 0
    free_only: bool = False


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
    last: CreditVendResp | FaultResp | None = None
    done: bool | None = None


Request = ConfirmCustomerReq | CreditVendReq | AdviceReq
Response = ConfirmCustomerResp | CreditVendResp | AdviceResp | FaultResp
