"""Amounts in minor units (cents), with tax where they exclude it, and tenders."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Annotated, Literal

from api.channel.message.scalar import Int64, Text10, Text40, Wire, matching

TenderType = Literal[
    "CASH",
    "CHEQUE",
    "CREDIT_CARD",
    "DEBIT_CARD",
    "WALLET",
    "ROUNDING",
    "GIFT_CARD",
    "LOYALTY_CARD",
    "OTHER",
]
TenderAccount = Literal[
    "DEFAULT", "SAVINGS", "CHEQUE", "CREDIT", "UNIVERSAL", "ELECTRONIC_PURSE", "STORED_VALUE"
]


class LedgerAmount(Wire):
    """An amount in minor units and its ISO 4217 numeric currency ("710" is rand)."""

    amount: Int64
    currency: Annotated[str, matching("[0-9]{3}")]
    ledgerIndicator: Literal["DEBIT", "CREDIT"] | None = None


class TaxableAmount(LedgerAmount):
    """An amount; `tax` (minor units) is there when `amount` excludes it, `taxRate` in percent."""

    tax: Int64 | None = None
    taxType: Text10 | None = None
    taxRate: float | None = None


class Amounts(Wire):
    """Amounts of a transaction; an absent one is zero."""

    requestAmount: LedgerAmount | None = None
    approvedAmount: LedgerAmount | None = None
    feeAmount: LedgerAmount | None = None
    balanceAmount: LedgerAmount | None = None
    additionalAmounts: dict[str, LedgerAmount] | None = None


class Tender(Wire):
    """Money already taken at the till."""

    accountType: TenderAccount | None = "DEFAULT"
    amount: LedgerAmount
    cardNumber: Annotated[str, matching("[0-9]{6}[0-9*]{0,13}")] | None = None
    reference: Text40 | None = None
    tenderType: TenderType
