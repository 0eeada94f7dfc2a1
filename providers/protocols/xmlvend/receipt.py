"""What XMLVend 2.1 responses tell of a sale: the parties, the meter, and the receipt's transactions
with their tokens. Shapes follow publicly visible clients' generated classes (confidence HIGH).

Money is integer cents here and rand with decimals on the wire; units are Decimal. Structs are named
like the wire's types."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from domain.sale import TariffStep, UtilityType


class VendCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """`custVendDetail`, and `custDetail` of a fault report."""

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


class KctData(msgspec.Struct, frozen=True, kw_only=True):
    """`kctData`: key parameters before and after. The schema wants all six; what nobody knows is
    left out."""

    from_supply_group_code: str | None = None
    from_key_revision: str | None = None
    from_tariff_index: str | None = None
    to_supply_group_code: str | None = None
    to_key_revision: str | None = None
    to_tariff_index: str | None = None


class PowerLimitIssue(msgspec.Struct, frozen=True, kw_only=True):
    """`pwrLmtToken`: a token that sets the meter's power limit to `value` `unit`."""

    token: str
    value: Decimal
    unit: str
    description: str | None = None


class KeyChangeIssue(msgspec.Struct, frozen=True, kw_only=True):
    """`kcTokenIssue`: keys to be entered in this order before the credit. Version 2.1 has room for
    two of them."""

    tokens: tuple[str, ...]
    data: KctData | None = None
    meter: VendMeterDetail | None = None
    description: str | None = None
    power_limit: PowerLimitIssue | None = None


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


class StepExtension(StrEnum):
    """How a step tariff is told. Core 2.1 has only its name and a description; these are the two
    vendors' extensions that are public."""

    BREAKDOWN = "tariffBreakdown"
    CREDIT_STEP = "creditStep"
