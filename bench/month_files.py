"""The month's files, with disagreements at known places, and its sales in the ledger."""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from bench.month_sales import Month, Sold
from domain.extract import ExtractName
from domain.message import message_stream
from ledger import Ledger
from providers.protocols.numbers import SOUTH_AFRICA
from providers.simulator.extract_file import Disagreement, FileOrder, extract_file

APPENDS_AT_ONCE = 2_000
DISAGREEMENTS = 0.02
"""Of a file's sales, shared evenly by the kinds."""

Say = Callable[[str], None]


@dataclass
class Truth:
    """What is known of one party's month: `sales` and `sold_cents` (purchases less reversals) of
    the ledger; the identities of the sales that were taken back, and, by kind, of those that its
    files have wrong."""

    party: str
    of_provider: bool
    sales: int = 0
    sold_cents: int = 0
    reversed: set[str] = field(default_factory=set[str])
    files: list[Path] = field(default_factory=list[Path])
    injected: dict[Disagreement, set[str]] = field(
        default_factory=lambda: {kind: set[str]() for kind in Disagreement}
    )

    @property
    def identity(self) -> str:
        """The column that names a sale in this party's files."""
        return "provider_reference" if self.of_provider else "transaction_id"

    def count(self, sold: Iterable[Sold]) -> None:
        for one in sold:
            self.sales += 1
            self.sold_cents += 0 if one.reversed else one.amount_cents
            if one.reversed:
                self.reversed.add(one.reference if self.of_provider else one.purchase_id)


async def make_month(month: Month, ledger: Ledger, folder: Path, say: Say) -> list[Truth]:
    """Writes the month's sales into the ledger and every party's daily files into `folder`; returns
    what is known of each party."""
    truths = [
        *(Truth(provider, of_provider=True) for provider in month.providers),
        *(Truth(channel, of_provider=False) for channel in month.channels),
    ]
    for day, sold in month.by_day():
        await _record(ledger, sold)
        for truth in truths:
            own = [s for s in sold if truth.party in (s.provider, s.channel)]
            truth.count(own)
            _write(truth, day, own, folder, month.seed)
        say(f"{day}: {len(sold)} sales")
    return truths


async def _record(ledger: Ledger, sold: list[Sold]) -> None:
    for start in range(0, len(sold), APPENDS_AT_ONCE):
        await asyncio.gather(
            *(
                ledger.append(message_stream(one.purchase_id), 0, one.events())
                for one in sold[start : start + APPENDS_AT_ONCE]
            )
        )


def _write(truth: Truth, day: date, sold: list[Sold], folder: Path, seed: int) -> None:
    rng = random.Random(f"{seed} {truth.party} {day}")
    each = len(sold) * DISAGREEMENTS / len(Disagreement)
    order = FileOrder(
        creator=truth.party,
        name=ExtractName.MARKOFF if truth.of_provider else ExtractName.MARKUP,
        day=day,
        identity=truth.identity,
        # Of a small file most days have none, and over a month the share is right all the same.
        disagreements={kind: int(each + rng.random()) for kind in Disagreement},
        seed=rng.getrandbits(32),
    )
    night = datetime.combine(day, time(), SOUTH_AFRICA) + timedelta(days=1, hours=2)
    rows = [one.row(of_provider=truth.of_provider) for one in sold]
    made = extract_file(order, rows, night)
    path = folder / made.file_name
    path.write_text(made.content, encoding="ascii", newline="")
    truth.files.append(path)
    for change in made.injected:
        truth.injected[change.disagreement].add(change.provider_reference)
