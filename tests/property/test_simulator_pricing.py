"""Whatever is tendered, the parts add up to it, to the cent."""

from decimal import Decimal
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.simulator.fleet import (
    FleetCharge,
    FleetDebt,
    FleetMeter,
    FleetStep,
    FleetTariff,
)
from providers.simulator.pricing import History, energy_steps, price, without_vat

EXAMPLES_MAX = 200

RATES = st.decimals(Decimal("0.01"), Decimal(10_000), places=2)
CENTS = st.integers(0, 5_000_000)
EVERY: tuple[Literal["purchase", "month"], ...] = ("purchase", "month")


@st.composite
def tariffs(draw: st.DrawFn) -> FleetTariff:
    ends = sorted(draw(st.sets(st.integers(1, 1_000), max_size=4)))
    steps = [FleetStep(rate=draw(RATES), up_to=Decimal(end)) for end in ends]
    return FleetTariff(id="t", name="T", steps=(*steps, FleetStep(rate=draw(RATES))))


@st.composite
def meters(draw: st.DrawFn) -> FleetMeter:
    debts = tuple(
        FleetDebt(
            description=f"debt {index}",
            balance_cents=draw(CENTS),
            percent=percent,
            cents=None if percent is not None else draw(CENTS),
            refills=draw(st.booleans()),
        )
        for index, percent in enumerate(
            draw(st.lists(st.none() | st.decimals(Decimal(1), Decimal(100), places=1), max_size=3))
        )
    )
    charges = tuple(
        FleetCharge(description=f"charge {index}", cents=cents, every=every)
        for index, (cents, every) in enumerate(
            draw(st.lists(st.tuples(CENTS, st.sampled_from(EVERY)), max_size=3))
        )
    )
    return FleetMeter(
        number="1", utility="u", providers=(), tariff="t", debts=debts, charges=charges
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    return History(
        units=draw(st.decimals(Decimal(0), Decimal(2_000), places=1)),
        charges_paid={"charge 0": draw(CENTS)},
        debts_paid={"debt 0": draw(CENTS)},
    )


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(meter=meters(), tariff=tariffs(), cents=CENTS, history=histories())
def test_the_parts_add_up(
    meter: FleetMeter, tariff: FleetTariff, cents: int, history: History
) -> None:
    priced = price(meter, tariff, cents, history)
    assert priced.total_cents == cents
    for part in (priced.energy, *(part.amount for part in (*priced.debts, *priced.charges))):
        assert part.cents >= 0
        assert part.tax_cents >= 0
    assert all(part.balance_cents >= 0 for part in priced.debts)
    assert sum((step.units for step in priced.steps), Decimal(0)) == priced.units
    spent = sum((step.units * step.rate for step in priced.steps), Decimal(0))
    assert spent <= priced.energy.cents


@given(gross=st.integers(0, 10**12))
def test_vat_is_what_is_left_of_the_gross(gross: int) -> None:
    taxed = without_vat(gross)
    assert taxed.total_cents == gross
    exact = Decimal(gross) / Decimal("1.15")
    assert abs(taxed.cents - exact) <= Decimal("0.5")


def test_a_published_figure() -> None:
    """350 kWh at R2.0967 without VAT, R843.93 with it."""
    tariff = FleetTariff(id="t", name="T", steps=(FleetStep(rate=Decimal("209.67")),))
    assert without_vat(84_393).cents == 73_385
    (step,) = energy_steps(tariff, 73_385, Decimal(0))
    assert step.units == Decimal("350.0")


def test_steps_go_on_where_the_month_stands() -> None:
    tariff = FleetTariff(
        id="t",
        name="T",
        steps=(
            FleetStep(rate=Decimal(100), up_to=Decimal(100)),
            FleetStep(rate=Decimal(200), up_to=Decimal(200)),
            FleetStep(rate=Decimal(400)),
        ),
    )

    def bought(cents: int, before: int) -> list[tuple[Decimal, Decimal]]:
        steps = energy_steps(tariff, cents, Decimal(before))
        return [(step.units, step.rate) for step in steps]

    assert bought(10_000, 0) == [(Decimal(100), Decimal(100))]
    assert bought(12_000, 0) == [(Decimal(100), Decimal(100)), (Decimal(10), Decimal(200))]
    assert bought(10_000, 150) == [(Decimal(50), Decimal(200))]
    assert bought(10_800, 150) == [(Decimal(50), Decimal(200)), (Decimal(2), Decimal(400))]
    assert bought(800, 5_000) == [(Decimal(2), Decimal(400))]
