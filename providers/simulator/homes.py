"""Many meters alike: homes of a municipality that are made from their meter numbers alone.

Nothing is stored, so a fleet may have as many as its number ranges hold: who lives there, who
serves it, what is owed, is worked out from the number whenever it is asked, the same every time.
"""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from providers.simulator.fleet import Fleet, FleetDebt, FleetHomes, FleetMeter
from providers.simulator.people import FIRST_NAMES, LAST_NAMES, STREETS
from providers.simulator.sts.drn import luhn_digit

T = TypeVar("T")

SERIAL_DIGITS = 8
REMEMBERED_MAX = 65_536
"""Homes that are kept once worked out."""
_DEBT_CENTS_MAX = 500_000
_DEBT_PERCENT = Decimal(20)


class MeterBook:
    """All meters of a fleet: those that its file names one by one, and its homes."""

    def __init__(self, fleet: Fleet) -> None:
        self._named = {meter.number: meter for meter in fleet.meters}
        self._homes = fleet.homes
        self._home = lru_cache(REMEMBERED_MAX)(self._worked_out)

    def get(self, number: str) -> FleetMeter | None:
        """The meter of that number, if the fleet has it."""
        return self._named.get(number) or self._home(number)

    def __len__(self) -> int:
        return len(self._named) + sum(homes.count for homes in self._homes)

    def __iter__(self) -> Iterator[FleetMeter]:
        """All of them: those that are named, then the homes in the order of the file."""
        yield from self._named.values()
        for homes in self._homes:
            for number in numbers_of(homes):
                yield home(homes, number)

    def _worked_out(self, number: str) -> FleetMeter | None:
        for homes in self._homes:
            if is_among(homes, number):
                return home(homes, number)
        return None


def numbers_of(homes: FleetHomes) -> Iterator[str]:
    """The meter numbers, rising."""
    for serial in range(homes.first_serial, homes.first_serial + homes.count):
        body = f"{homes.manufacturer}{serial:0{SERIAL_DIGITS}d}"
        yield body + luhn_digit(body)


def is_among(homes: FleetHomes, number: str) -> bool:
    """Whether `number` is one of them, check digit included."""
    if len(number) != len(homes.manufacturer) + SERIAL_DIGITS + 1:
        return False
    if not number.startswith(homes.manufacturer) or not (number.isascii() and number.isdigit()):
        return False
    serial = int(number[len(homes.manufacturer) : -1])
    known = homes.first_serial <= serial < homes.first_serial + homes.count
    return known and luhn_digit(number[:-1]) == number[-1]


def home(homes: FleetHomes, number: str) -> FleetMeter:
    """The home with that number."""
    draw = _Draw(number)
    suburb = draw.one_of(homes.suburbs)
    house = 1 + draw.below(240)
    debts: tuple[FleetDebt, ...] = ()
    if draw.below(100) < homes.in_debt_percent:
        owed = 100 * (1 + draw.below(_DEBT_CENTS_MAX // 100))
        debts = (FleetDebt(description="Arrears", balance_cents=owed, percent=_DEBT_PERCENT),)
    free = draw.below(100) < homes.free_units_percent
    change = draw.below(100) < homes.key_change_percent
    return FleetMeter(
        number=number,
        utility=homes.utility,
        providers=draw.one_of(homes.providers),
        tariff=homes.tariff,
        utility_type=homes.utility_type,
        first_name=draw.one_of(FIRST_NAMES),
        last_name=draw.one_of(LAST_NAMES),
        address=f"{house} {draw.one_of(STREETS)}, {suburb}",
        account=f"A{number[2:-1]}",
        key_revision="1" if change else "2",
        tariff_index=homes.tariff_index,
        debts=debts,
        charges=homes.charges,
        free_units=homes.free_units if free else None,
        key_change=homes.key_change if change else None,
    )


class _Draw:
    """Choices that follow from a text, and nothing else."""

    def __init__(self, text: str) -> None:
        self._left = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=32).digest(), "big")

    def below(self, limit: int) -> int:
        self._left, chosen = divmod(self._left, limit)
        return chosen

    def one_of(self, choices: tuple[T, ...]) -> T:
        return choices[self.below(len(choices))]
