"""The virtual meter of a simulated fleet's meter: it takes what the simulated providers sell."""

from pathlib import Path

from domain.sale import KeyChange
from providers.simulator.fleet import Fleet
from providers.simulator.homes import MeterBook
from providers.simulator.sts.error import StsError
from providers.simulator.sts.meter import Meter, MeterSettings, MeterState
from providers.simulator.sts.meter_file import meter_path, read_meter
from providers.simulator.sts.meter_key import meter_key
from providers.simulator.tokens import CREDIT_KINDS, sts_key


class UnknownMeterError(StsError):
    """The fleet has no such meter."""


def new_meter(fleet: Fleet, number: str) -> MeterState:
    """The meter as it leaves the factory: with the key that the fleet states, and nothing used.
    Raises UnknownMeterError, KeyParameterError."""
    known = MeterBook(fleet).get(number)
    if known is None:
        raise UnknownMeterError(f"the fleet has no meter {number}")
    utility = next(utility for utility in fleet.utilities if utility.id == known.utility)
    key = sts_key(KeyChange(utility.supply_group_code, known.key_revision, known.tariff_index))
    return MeterState(
        number=number,
        kind=CREDIT_KINDS[known.utility_type],
        key=meter_key(number, known.algorithm, key).hex(),
        key_revision=key.key_revision,
        key_type=key.key_type,
        tariff_index=key.tariff_index,
        group=key.supply_group_code,
    )


def kept_meter(
    folder: Path, fleet: Fleet, number: str, settings: MeterSettings | None = None
) -> Meter:
    """The meter as `folder` keeps it, or a new one. Raises UnknownMeterError, KeyParameterError,
    MeterFileError, OSError."""
    state = read_meter(meter_path(folder, number)) or new_meter(fleet, number)
    return Meter(state, settings)
