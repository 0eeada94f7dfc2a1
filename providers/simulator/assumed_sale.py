"""A simulated sale's parts in the assumed JSON members (providers/protocols/assumed_sale.py)."""

from domain.sale import OVER_THE_AIR, Sale, Token
from providers.protocols.assumed_sale import Cost, Debt, Step


def costs(sale: Sale) -> tuple[Cost, ...]:
    """Its service charges."""
    return tuple(
        Cost(
            amount=charge.amount.cents,
            tax=charge.amount.tax_cents,
            tax_rate=charge.amount.rate,
            description=charge.description,
            receipt_number=charge.receipt,
        )
        for charge in sale.charges
    )


def debts(sale: Sale) -> tuple[Debt, ...]:
    """The debts that it paid off."""
    return tuple(
        Debt(
            amount=debt.amount.cents,
            tax=debt.amount.tax_cents,
            tax_rate=debt.amount.rate,
            description=debt.description,
            receipt_number=debt.receipt,
            balance=debt.balance_cents,
        )
        for debt in sale.debts
    )


def steps(token: Token) -> tuple[Step, ...]:
    """What its units were priced by."""
    return tuple(Step(step.units, step.rate) for step in token.tariff)


def told_digits(token: Token) -> str | None:
    """None where the meter gets it by itself."""
    return None if token.digits == OVER_THE_AIR else token.digits


def online(sale: Sale) -> bool:
    """Whether the meter gets its tokens by itself."""
    return any(token.digits == OVER_THE_AIR for token in sale.tokens)
