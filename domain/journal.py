"""The journal: what a released settlement is in double entry, and the accounts that it posts to.

Sales that go through the switch meet in one account, the sales clearing: a channel's settlement
credits what the channel took from customers, a provider's debits what the provider sold. When both
have settled the same sales, nothing is left in it.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from domain.settlement import Counterparty, Totals


class Account(StrEnum):
    """An account, by the name that the ledger's readers see."""

    SALES_CLEARING = "SALES_CLEARING"
    PROVIDER_PAYABLE = "PROVIDER_PAYABLE"
    """What we owe a provider."""
    CHANNEL_RECEIVABLE = "CHANNEL_RECEIVABLE"
    """What a channel owes us."""
    COMMISSION_INCOME = "COMMISSION_INCOME"
    """Kept from what we owe a provider, without VAT."""
    COMMISSION_EXPENSE = "COMMISSION_EXPENSE"
    """Left to a channel, without VAT."""
    VAT_OUTPUT = "VAT_OUTPUT"
    """VAT on commission income, owed to the revenue service."""
    VAT_INPUT = "VAT_INPUT"
    """VAT on commission expense, claimed from it."""
    ADJUSTMENTS = "ADJUSTMENTS"
    """What two people decided to pay or take beside the sales."""


class Posting(msgspec.Struct, frozen=True):
    """One account's part; never both sides, and never nothing."""

    account: Account
    debit_cents: int = 0
    credit_cents: int = 0


def postings(counterparty: Counterparty, totals: Totals) -> tuple[Posting, ...]:
    """The entry of a settlement; its debits equal its credits. Raises ValueError when the totals
    don't add up."""
    parts = (
        totals.net_cents,
        totals.commission_cents,
        totals.commission_vat_cents,
        -totals.adjustment_cents,
    )
    if sum(parts) != totals.principal_cents:
        raise ValueError("net is not principal + adjustments - commission - VAT")
    match counterparty:
        case Counterparty.PROVIDER:
            signed = {
                Account.SALES_CLEARING: totals.principal_cents,
                Account.PROVIDER_PAYABLE: -totals.net_cents,
                Account.COMMISSION_INCOME: -totals.commission_cents,
                Account.VAT_OUTPUT: -totals.commission_vat_cents,
                Account.ADJUSTMENTS: totals.adjustment_cents,
            }
        case Counterparty.CHANNEL:
            signed = {
                Account.CHANNEL_RECEIVABLE: totals.net_cents,
                Account.COMMISSION_EXPENSE: totals.commission_cents,
                Account.VAT_INPUT: totals.commission_vat_cents,
                Account.SALES_CLEARING: -totals.principal_cents,
                Account.ADJUSTMENTS: -totals.adjustment_cents,
            }
    return _sided(signed)


def _sided(signed: Mapping[Account, int]) -> tuple[Posting, ...]:
    """Debits are positive; a negative debit is a credit."""
    return tuple(
        Posting(account, debit_cents=max(cents, 0), credit_cents=max(-cents, 0))
        for account, cents in signed.items()
        if cents
    )
