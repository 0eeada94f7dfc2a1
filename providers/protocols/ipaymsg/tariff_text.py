"""The tariff text of an iPay slip: blocks separated by ":", e.g. "50.0kWh @ 117.30 c/kWh".

That blocks are separated by ":" is public; the words inside a block are assumed. Text that isn't
understood yields no steps and is no error: it is there for the slip."""

import re
from collections.abc import Iterable
from decimal import Decimal

from domain.sale import TariffStep

_BLOCK = re.compile(
    r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*(?:kWh|kl|m3)\s*@\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(c|R)\b.*",
    re.IGNORECASE,
)


def write_tariff(steps: Iterable[TariffStep], unit: str) -> str | None:
    """The blocks of `steps`; None when there are none."""
    return ": ".join(f"{step.units:f}{unit} @ {step.rate:f} c/{unit}" for step in steps) or None


def read_tariff(text: str | None) -> tuple[TariffStep, ...]:
    """The steps that `text` names, rates in cents per unit; empty when it isn't such a text."""
    found = [_BLOCK.fullmatch(block) for block in (text or "").split(":") if block.strip()]
    steps: list[TariffStep] = []
    for block in found:
        if block is None:
            return ()
        units, rate, symbol = block.groups()
        per_unit = Decimal(rate) * 100 if symbol == "R" else Decimal(rate)
        steps.append(TariffStep(Decimal(units), per_unit))
    return tuple(steps)
