"""Reads a fleet file (TOML) and says exactly what is wrong with it."""

import tomllib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

from providers.simulator.faults import fault_problem, meter_mode_problem
from providers.simulator.fleet import Fleet, FleetHomes, FleetMeter, FleetTariff
from providers.simulator.homes_check import homes_problems
from providers.simulator.sts.amount import AMOUNT_MAX
from providers.simulator.sts.dkga import KeyParameterError, key_parameters
from providers.xmlvend.profiles import PROFILES

DEFAULT_FLEET = Path(__file__).with_name("default_fleet.toml")
PORT_MAX = 65_535


class FleetError(ValueError):
    """The fleet file is unusable; the text says what is wrong and where, one problem a line."""


def load_fleet(path: Path = DEFAULT_FLEET) -> Fleet:
    """Reads and checks a fleet file. Raises FleetError, and OSError when it can't be read."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        fleet = msgspec.convert(data, Fleet)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise FleetError(f"{path}: {error}") from None
    problems = list(fleet_problems(fleet))
    if problems:
        raise FleetError("\n".join(f"{path}: {problem}" for problem in problems))
    return fleet


def fleet_problems(fleet: Fleet) -> Iterator[str]:
    """Everything that the shape alone can't show to be wrong."""
    yield from _repeated("providers", "id", (provider.id for provider in fleet.providers))
    yield from _repeated("utilities", "id", (utility.id for utility in fleet.utilities))
    yield from _repeated("tariffs", "id", (tariff.id for tariff in fleet.tariffs))
    yield from _repeated("meters", "number", (meter.number for meter in fleet.meters))
    fixed_ports = [provider.port for provider in fleet.providers if provider.port]
    yield from _repeated("providers", "port", map(str, fixed_ports))
    for index, provider in enumerate(fleet.providers):
        where = f"providers[{index}] ({provider.id})"
        if not 0 <= provider.port <= PORT_MAX:
            yield f"{where}: port {provider.port} is not between 0 and {PORT_MAX}"
        problem = fault_problem(provider.fault, provider.protocol)
        if problem:
            yield f"{where}: fault: {problem}"
        if provider.probe_meter not in (None, *(meter.number for meter in fleet.meters)):
            yield f"{where}: probe_meter {provider.probe_meter!r} is not among the meters"
        if provider.profile is not None and provider.profile not in PROFILES:
            yield f"{where}: profile {provider.profile!r} is none of {', '.join(PROFILES)}"
    for index, tariff in enumerate(fleet.tariffs):
        for problem in _tariff_problems(tariff):
            yield f"tariffs[{index}] ({tariff.id}): {problem}"
    for index, meter in enumerate(fleet.meters):
        for problem in _meter_problems(fleet, meter):
            yield f"meters[{index}] ({meter.number}): {problem}"
    for index, homes in enumerate(fleet.homes):
        for problem in homes_problems(fleet, index):
            yield f"homes[{index}] ({homes.utility}): {problem}"
        for problem in _home_token_problems(fleet, homes):
            yield f"homes[{index}] ({homes.utility}): {problem}"


def _repeated(table: str, member: str, values: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            yield f"{table}: {member} {value} is there twice"
        seen.add(value)


def _tariff_problems(tariff: FleetTariff) -> Iterator[str]:
    if not tariff.steps:
        yield "it has no steps"
        return
    ends = [step.up_to for step in tariff.steps[:-1]]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        yield "only the last step may lack up_to"
    if known != sorted(set(known)) or any(end <= 0 for end in known):
        yield "up_to must rise from step to step"
    if tariff.steps[-1].up_to is not None:
        yield "the last step must not have up_to"
    if any(step.rate <= 0 for step in tariff.steps):
        yield "every rate must be above 0"


def _meter_problems(fleet: Fleet, meter: FleetMeter) -> Iterator[str]:
    providers = {provider.id for provider in fleet.providers}
    for provider in meter.providers:
        if provider not in providers:
            yield f"provider {provider!r} is not among the providers"
    if meter.utility not in {utility.id for utility in fleet.utilities}:
        yield f"utility {meter.utility!r} is not among the utilities"
    if meter.tariff not in {tariff.id for tariff in fleet.tariffs}:
        yield f"tariff {meter.tariff!r} is not among the tariffs"
    if not 0 <= meter.min_cents <= meter.max_cents:
        yield f"min_cents {meter.min_cents} and max_cents {meter.max_cents} leave no amount"
    yield from _token_problems(fleet, meter)
    for debt in meter.debts:
        if (debt.percent is None) == (debt.cents is None):
            yield f"debt {debt.description!r} needs either percent or cents"
        if debt.percent is not None and not 0 < debt.percent <= 100:
            yield f"debt {debt.description!r}: percent {debt.percent} is not above 0 and up to 100"
        if debt.balance_cents < 0 or (debt.cents or 0) < 0:
            yield f"debt {debt.description!r}: amounts can't be negative"
    if any(charge.cents < 0 for charge in meter.charges):
        yield "charges can't be negative"
    problem = meter_mode_problem(meter.behaviour)
    if problem:
        yield problem


def _home_token_problems(fleet: Fleet, homes: FleetHomes) -> Iterator[str]:
    meter = FleetMeter(
        number="",
        utility=homes.utility,
        providers=(),
        tariff=homes.tariff,
        tariff_index=homes.tariff_index,
        free_units=homes.free_units,
        key_change=homes.key_change,
    )
    yield from _token_problems(fleet, meter)


def _token_problems(fleet: Fleet, meter: FleetMeter) -> Iterator[str]:
    """What STS tokens of the meter have no room for."""
    groups = [entry.supply_group_code for entry in fleet.utilities if entry.id == meter.utility]
    keys = [(group, meter.key_revision, meter.tariff_index) for group in groups]
    if meter.key_change is not None:
        new = meter.key_change
        keys.append((new.supply_group_code, new.key_revision, new.tariff_index))
    for group, revision, index in keys:
        try:
            key_parameters(group, revision, index)
        except KeyParameterError as error:
            yield str(error)
    free = None if meter.free_units is None else meter.free_units.units
    for name, units in (("free_units", free), ("refund_units", meter.refund_units)):
        if units is not None and not _in_tenths(units):
            yield f"{name} {units}: a token carries tenths of a unit"
    if meter.power_limit_watts is not None and not 0 < meter.power_limit_watts <= AMOUNT_MAX:
        yield f"power_limit_watts {meter.power_limit_watts} is not between 1 and {AMOUNT_MAX}"


def _in_tenths(units: Decimal) -> bool:
    return units.is_finite() and units >= 0 and units == round(units, 1)
