"""The token purchase: request (also of a retry) and answer."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Annotated, Literal

from api.channel.message.amount import Amounts, LedgerAmount, TaxableAmount, Tender
from api.channel.message.customer import Customer, Utility
from api.channel.message.meter import Meter
from api.channel.message.payment_method import PaymentMethod
from api.channel.message.scalar import Text, Text30, Text40, Wire, matching
from api.channel.message.transaction import Transaction


class PurchaseRequest(Transaction):
    """Buy tokens for `purchaseAmount` (0 fetches a free token that is due)."""

    meter: Meter
    purchaseAmount: LedgerAmount
    utilityType: Text | None = None
    msisdn: Annotated[str, matching(r"(\+?[1-9]\d{1,14})|([0][0-9]{9})")] | None = None
    tenders: list[Tender] | None = None
    paymentMethods: list[PaymentMethod] | None = None


class TariffBlock(Wire):
    """`units` sold at `rate` minor units per unit."""

    units: float
    rate: float


class Token(Wire):
    """One token: `token` is what the customer keys into the meter."""

    tokenType: Literal["STD", "BSST", "REFUND", "KC", "PWRLMT"]
    units: float
    amount: TaxableAmount
    receiptNum: Text | None = None
    token: Text
    tariffCalc: list[TariffBlock] | None = None


class DebtRecoveryCharge(Wire):
    """A part of the amount that paid off debt; `balance` is what is left of it."""

    amount: TaxableAmount
    description: Text40
    balance: LedgerAmount
    receiptNum: Text30 | None = None


class ServiceCharge(Wire):
    """A fixed charge taken from the amount."""

    amount: TaxableAmount
    description: Text40


class PurchaseResponse(Transaction):
    """What was sold. `purchaseTotal` is tokens only, without tax, debts and charges; `taxTotal`
    is all taxes."""

    purchaseTotal: LedgerAmount | None = None
    taxTotal: LedgerAmount | None = None
    amounts: Amounts | None = None
    meter: Meter
    customer: Customer
    utility: Utility
    utilityType: Text | None = None
    tokens: list[Token] | None = None
    debtRecoveryCharges: list[DebtRecoveryCharge] | None = None
    serviceCharges: list[ServiceCharge] | None = None
    vatInvoiceNumber: Text | None = None
