"""What an amount buys: debts and charges first, then free units and energy by step tariff.

Pure: the meter's history of the month comes in, the parts come out. The parts with their VAT add up
to the tendered amount to the cent, always: every part's VAT is taken out of its gross amount."""

from decimal import ROUND_DOWN, Decimal

import msgspec

from domain.sale import TariffStep, Taxed
from providers.simulator.fleet import FleetMeter, FleetTariff

VAT_PERCENT = 15
"""South Africa since April 2018."""

_TENTH = Decimal("0.1")
_VAT_RATE = Decimal(VAT_PERCENT)


class History(msgspec.Struct, frozen=True):
    """What the meter bought before: units of this calendar month, VAT-inclusive cents paid per
    charge this month, cents paid per debt ever, whether this month's free units were had."""

    units: Decimal = Decimal(0)
    charges_paid: dict[str, int] = {}
    debts_paid: dict[str, int] = {}
    free_units_had: bool = False


class PricedPart(msgspec.Struct, frozen=True):
    """A debt or charge; `balance_cents` is what a debt still owes after it."""

    description: str
    amount: Taxed
    balance_cents: int = 0


class Price(msgspec.Struct, frozen=True):
    """`energy` for `units` in `steps`; `free_units` come on top."""

    energy: Taxed
    units: Decimal
    steps: tuple[TariffStep, ...]
    debts: tuple[PricedPart, ...]
    charges: tuple[PricedPart, ...]
    free_units: Decimal | None

    @property
    def total_cents(self) -> int:
        parts = [*self.debts, *self.charges]
        return self.energy.total_cents + sum(part.amount.total_cents for part in parts)


def price(meter: FleetMeter, tariff: FleetTariff, tendered_cents: int, history: History) -> Price:
    """The parts of `tendered_cents` (0 or more)."""
    left = tendered_cents
    debts: list[PricedPart] = []
    for debt in meter.debts if tendered_cents else ():
        paid = 0 if debt.refills else history.debts_paid.get(debt.description, 0)
        owed = max(0, debt.balance_cents - paid)
        wanted = debt.cents or 0
        if debt.percent is not None:
            wanted = int(tendered_cents * debt.percent / 100)
        part = min(wanted, owed, left)
        if part > 0:
            debts.append(PricedPart(debt.description, without_vat(part), owed - part))
            left -= part
    charges: list[PricedPart] = []
    for charge in meter.charges if tendered_cents else ():
        paid = history.charges_paid.get(charge.description, 0) if charge.every == "month" else 0
        part = min(max(0, charge.cents - paid), left)
        if part > 0:
            charges.append(PricedPart(charge.description, without_vat(part)))
            left -= part
    energy = without_vat(left)
    before = history.units if tariff.every == "month" else Decimal(0)
    steps = energy_steps(tariff, energy.cents, before)
    return Price(
        energy=energy,
        units=sum((step.units for step in steps), Decimal(0)),
        steps=steps,
        debts=tuple(debts),
        charges=tuple(charges),
        free_units=free_units_due(meter, history),
    )


def free_units_due(meter: FleetMeter, history: History) -> Decimal | None:
    """The free units that the next sale carries."""
    free = meter.free_units
    if free is None or (free.every == "month" and history.free_units_had):
        return None
    return free.units


def without_vat(gross_cents: int) -> Taxed:
    """Splits a VAT-inclusive amount; net is rounded half up and VAT is the rest."""
    whole = 100 + VAT_PERCENT
    net = (gross_cents * 100 * 2 + whole) // (2 * whole)
    return Taxed(net, gross_cents - net, _VAT_RATE)


def energy_steps(
    tariff: FleetTariff, net_cents: int, units_before: Decimal
) -> tuple[TariffStep, ...]:
    """The units that `net_cents` buy, step by step, after `units_before` of the same month. Units
    are rounded down to tenths, as a token carries them."""
    steps: list[TariffStep] = []
    left, used = Decimal(net_cents), units_before
    for step in tariff.steps:
        if left <= 0:
            break
        if step.up_to is not None and used >= step.up_to:
            continue
        units = left / step.rate
        if step.up_to is not None:
            units = min(units, step.up_to - used)
        left -= units * step.rate
        used += units
        units = units.quantize(_TENTH, ROUND_DOWN)
        if units > 0:
            steps.append(TariffStep(units, step.rate))
    return tuple(steps)
