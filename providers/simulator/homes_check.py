"""What can be wrong with a fleet's homes."""

from collections.abc import Iterator

from providers.simulator.fleet import Fleet, FleetHomes
from providers.simulator.homes import SERIAL_DIGITS, is_among

MANUFACTURER_DIGITS = 2


def homes_problems(fleet: Fleet, index: int) -> Iterator[str]:
    """Everything that the shape alone can't show to be wrong with `fleet.homes[index]`."""
    homes = fleet.homes[index]
    yield from _names(fleet, homes)
    yield from _numbers(fleet, index)
    for name in ("in_debt_percent", "free_units_percent", "key_change_percent"):
        percent = getattr(homes, name)
        if not 0 <= percent <= 100:
            yield f"{name} {percent} is not between 0 and 100"
    if homes.free_units_percent and homes.free_units is None:
        yield "free_units_percent needs free_units"
    if homes.key_change_percent and homes.key_change is None:
        yield "key_change_percent needs key_change"


def _names(fleet: Fleet, homes: FleetHomes) -> Iterator[str]:
    known = {provider.id for provider in fleet.providers}
    for provider in sorted({name for some in homes.providers for name in some} - known):
        yield f"provider {provider!r} is not among the providers"
    if not homes.providers or not all(homes.providers):
        yield "providers needs at least one set, and each set a provider"
    if not homes.suburbs:
        yield "suburbs needs at least one"
    if homes.utility not in {utility.id for utility in fleet.utilities}:
        yield f"utility {homes.utility!r} is not among the utilities"
    if homes.tariff not in {tariff.id for tariff in fleet.tariffs}:
        yield f"tariff {homes.tariff!r} is not among the tariffs"


def _numbers(fleet: Fleet, index: int) -> Iterator[str]:
    homes = fleet.homes[index]
    code = homes.manufacturer
    if len(code) != MANUFACTURER_DIGITS or not (code.isascii() and code.isdigit()):
        yield f"manufacturer {code!r} is not {MANUFACTURER_DIGITS} digits"
        return
    end = homes.first_serial + homes.count
    if homes.count < 1 or homes.first_serial < 0 or end > 10**SERIAL_DIGITS:
        yield f"serials {homes.first_serial} to {end - 1} are not {SERIAL_DIGITS} digits each"
        return
    for other in fleet.homes[:index]:
        apart = end <= other.first_serial or other.first_serial + other.count <= homes.first_serial
        if other.manufacturer == code and not apart:
            yield f"numbers overlap those of homes of {other.utility}"
    for meter in fleet.meters:
        if is_among(homes, meter.number):
            yield f"meter {meter.number} is among the meters already"
