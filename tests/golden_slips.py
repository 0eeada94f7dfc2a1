"""The slips of the scenario meters, as the simulated providers sell on one fixed day.

`make slips` writes them anew, and the picture in docs/; look at the difference before you commit
it."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from api.slip import Occasion, SlipKind, till_slip
from api.slip.line import Line
from ppu.slip import write_page
from providers.simulator.fleet_file import DEFAULT_FLEET, load_fleet
from providers.simulator.sales import SalesLedger
from providers.simulator.vending import Vending

FOLDER = Path(__file__).parent / "unit" / "slips"
AT = datetime(2026, 5, 6, 8, 11, 12, tzinfo=UTC)
SCENARIOS = tuple(f"TST{number:03d}" for number in range(1, 12))
WIDTH = 40
PICTURED = "TST006"
PICTURE = Path(__file__).parent.parent / "docs" / "images" / "slip.png"


def slip(meter: str, kind: SlipKind = SlipKind.SALE, width: int = WIDTH) -> tuple[Line, ...]:
    """The slip of the smallest purchase for `meter` at its first provider."""
    fleet = load_fleet(DEFAULT_FLEET)
    held = next(entry for entry in fleet.meters if entry.number == meter)
    vending = Vending(fleet, SalesLedger(), lambda: AT, random.Random(1))
    issued = vending.sell(held.providers[0], "R1", meter, held.min_cents)
    occasion = Occasion(
        kind=kind,
        at=AT,
        message_id="1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
        provider=held.providers[0],
        merchant="MERCHANT0000001",
        terminal="TERM0001",
    )
    return till_slip(issued.sale, occasion, width)


def text_of(lines: tuple[Line, ...], width: int = WIDTH) -> str:
    """The lines as a file shows them, with the format of each that has one."""

    def shown() -> Iterator[str]:
        for line in lines:
            if line.rule:
                yield "-" * width
            elif line.cut:
                yield "(cut)"
            else:
                yield f"{line.text}  (x{line.scale:g})" if line.scale != 1 else line.text

    return "\n".join(shown()) + "\n"


if __name__ == "__main__":
    for scenario in SCENARIOS:
        (FOLDER / f"{scenario}.txt").write_text(text_of(slip(scenario)), encoding="utf-8")
    write_page(slip(PICTURED), WIDTH, PICTURE)
