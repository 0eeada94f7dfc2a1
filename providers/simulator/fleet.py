"""The simulated fleet: utilities, tariffs, providers and meters, as its data file states them.

Everything is invented. Amounts are integer cents, rates cents per unit without VAT, units kWh (kl
for water, m3 for gas), percentages whole or decimal numbers. See docs/providers/fleet.md.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from domain.provider import Capabilities
from domain.sale import UtilityType
from providers.config import ProtocolName
from providers.simulator.faults import Fault, FaultMode


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unknown members are refused, so that a misspelt one is noticed."""


class FleetUtility(_Entry, frozen=True, kw_only=True):
    """A municipality or supplier. `supply_group_code` is invented, outside the public samples."""

    id: str
    name: str
    address: str
    vat_number: str
    client_id: str
    supply_group_code: str
    message: str | None = None


class FleetStep(_Entry, frozen=True, kw_only=True):
    """Units of a calendar month up to `up_to` (the last step has none) at `rate`."""

    rate: Decimal
    up_to: Decimal | None = None


class FleetTariff(_Entry, frozen=True, kw_only=True):
    """One step is a flat tariff. Steps count the units of a calendar month, or start anew with
    every purchase (scenario meters)."""

    id: str
    name: str
    steps: tuple[FleetStep, ...]
    every: Literal["purchase", "month"] = "month"


class FleetDebt(_Entry, frozen=True, kw_only=True):
    """Recovered from each purchase: `percent` of what is tendered or exactly `cents`, VAT
    included, never more than is owed. `refills`: the same balance is owed after every sale
    (scenario meters)."""

    description: str
    balance_cents: int
    percent: Decimal | None = None
    cents: int | None = None
    refills: bool = False


class FleetCharge(_Entry, frozen=True, kw_only=True):
    """`cents` VAT included, from every purchase or from a calendar month's first ones."""

    description: str
    cents: int
    every: Literal["purchase", "month"] = "purchase"


class FleetFreeUnits(_Entry, frozen=True, kw_only=True):
    """A free token of `units`, with every purchase or once a calendar month."""

    units: Decimal
    every: Literal["purchase", "month"] = "month"


class FleetKeyChange(_Entry, frozen=True, kw_only=True):
    """The next sale carries key-change tokens to these parameters; `repeats`: every sale after it
    changes the key to the next revision (scenario meters)."""

    supply_group_code: str
    key_revision: str
    tariff_index: str
    repeats: bool = False


class FleetMeter(_Entry, frozen=True, kw_only=True):
    """A meter, who holds it, and how it behaves."""

    number: str
    utility: str
    providers: tuple[str, ...]
    tariff: str
    utility_type: UtilityType = UtilityType.ELECTRICITY
    first_name: str = "THANDI"
    last_name: str = "TESTER"
    address: str = "1 Test Street"
    account: str = ""
    key_revision: str = "2"
    tariff_index: str = "07"
    token_technology: str = "02"  # noqa: S105 (a technology code)
    algorithm: str = "07"
    min_cents: int = 500
    max_cents: int = 3_000_000
    debts: tuple[FleetDebt, ...] = ()
    charges: tuple[FleetCharge, ...] = ()
    free_units: FleetFreeUnits | None = None
    key_change: FleetKeyChange | None = None
    refund_units: Decimal | None = None
    power_limit_watts: int | None = None
    """A power-limit token of so many watts with every sale of credit."""
    over_the_air: bool = False
    """A smart meter: it is credited by itself, and its tokens are printed as 20 zeros."""
    credit_blocked: bool = False
    """Partially blocked: it is known and gets its free units, and no credit is sold."""
    behaviour: FaultMode = FaultMode.NONE
    latency_ms: int = 0
    message: str | None = None


class FleetHomes(_Entry, frozen=True, kw_only=True):
    """`count` homes of a municipality, made from their numbers (see homes.py): manufacturer (two
    digits), serial from `first_serial` on, check digit. Each is served by one of the sets in
    `providers` and lies in one of `suburbs`; percentages are of the homes."""

    utility: str
    count: int
    manufacturer: str
    first_serial: int
    providers: tuple[tuple[str, ...], ...]
    tariff: str
    suburbs: tuple[str, ...]
    utility_type: UtilityType = UtilityType.ELECTRICITY
    tariff_index: str = "07"
    in_debt_percent: int = 0
    charges: tuple[FleetCharge, ...] = ()
    free_units: FleetFreeUnits | None = None
    free_units_percent: int = 0
    key_change: FleetKeyChange | None = None
    key_change_percent: int = 0


class FleetProvider(_Entry, frozen=True, kw_only=True):
    """A simulated provider. `port` 0 takes a free one. `profile` names an XMLVend profile."""

    id: str
    name: str
    protocol: ProtocolName
    port: int = 0
    weight: int = 1
    profile: str | None = None
    capabilities: Capabilities = Capabilities()
    latency_ms: int = 0
    fault: Fault = Fault()
    probe_meter: str | None = None


class Fleet(_Entry, frozen=True, kw_only=True):
    """All of it."""

    providers: tuple[FleetProvider, ...]
    utilities: tuple[FleetUtility, ...]
    tariffs: tuple[FleetTariff, ...]
    meters: tuple[FleetMeter, ...]
    homes: tuple[FleetHomes, ...] = ()
