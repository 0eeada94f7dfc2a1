"""From the assumed JSON parts of a sale (providers/protocols/assumed_sale.py) to the domain's."""

from collections.abc import Iterable

from domain.sale import OVER_THE_AIR, DebtRecovery, ServiceCharge, TariffStep, Taxed
from providers.protocols.assumed_sale import Cost, Debt, Step
from providers.protocols.errors import ProtocolError


def taxed(cost: Cost) -> Taxed:
    """What it costs."""
    return Taxed(cost.amount, cost.tax, cost.tax_rate)


def debt_recoveries(debts: Iterable[Debt]) -> tuple[DebtRecovery, ...]:
    """Those that the amount paid off."""
    return tuple(
        DebtRecovery(debt.description or "Debt", taxed(debt), debt.balance, debt.receipt_number)
        for debt in debts
    )


def service_charges(costs: Iterable[Cost]) -> tuple[ServiceCharge, ...]:
    """Those that were taken from the amount."""
    return tuple(
        ServiceCharge(cost.description or "Charge", taxed(cost), cost.receipt_number)
        for cost in costs
    )


def tariff(steps: Iterable[Step]) -> tuple[TariffStep, ...]:
    """What the units were priced by."""
    return tuple(TariffStep(step.units, step.rate) for step in steps)


def token_digits(digits: str | None, *, online: bool) -> str:
    """An online meter gets its token by itself. Raises ProtocolError where the customer needs
    digits and there are none."""
    if digits is None and not online:
        raise ProtocolError("a token has no digits")
    return digits or OVER_THE_AIR
