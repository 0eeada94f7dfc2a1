"""Writes the sample of a settlement statement: python -m tests.finance_samples docs/samples

Sales are made up (tests/finance_week.py); from there on it is the real way: purchases in a ledger,
the provider's mark-off loaded, matched and decided on, a settlement that one person prepares and
another releases, figures that have to tie, and the writers.
"""

import asyncio
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from domain.operator import Actor
from domain.outbox import ReportKind
from finance.report.download import Reports
from finance.report.make import make
from finance.settings import FinanceSettings
from ledger import Ledger
from ledger.embedded import EmbeddedServer
from tests.finance_context import finance_context
from tests.finance_week import (
    NOW,
    PROCESS,
    adjust,
    load_file,
    mark_off,
    match,
    prepare_week,
    release,
    sales,
    sell,
)

SALES = 2_400
FORMS = ("xlsx", "pdf")
PREPARED_AT = NOW - timedelta(minutes=30, seconds=9)
RELEASED_AT = NOW - timedelta(minutes=2)
ADJUSTMENTS = (
    (-12_550, "Sale of 14 November that was reversed by hand at the provider"),
    (300, "Three cents short on each of a hundred sales of 12 November"),
)


async def write(database_url: str, folder: Path) -> list[Path]:
    """The statement of a week, in each of FORMS."""
    ledger = await Ledger.open(database_url)
    now = PREPARED_AT
    try:
        settings = FinanceSettings(report_page_rows_max=60)
        context = await finance_context(
            ledger, database_url, [PROCESS], clock=lambda: now, settings=settings
        )
        sold = sales(SALES)
        await sell(ledger, sold)
        # The provider's file: every four hundredth a cent more, and the last two not in it.
        theirs = [
            replace(one, cents=one.cents + 1) if place % 400 == 100 else one
            for place, one in enumerate(sold[:-2])
        ]
        await load_file(context, mark_off(theirs))
        await match(context)
        for number, (cents, reason) in enumerate(ADJUSTMENTS, 1):
            await adjust(context, f"adjustment-{number}", cents, reason)
        settlement = await prepare_week(context)
        now = RELEASED_AT
        await release(context, settlement)
        now = NOW
        made = await make(
            context, PROCESS.id, ReportKind.SETTLEMENT, settlement, FORMS, Actor("samples")
        )
        written: list[Path] = []
        for form in FORMS:
            download = await Reports(context).download(made.report_id, form)
            path = folder / f"settlement-statement.{form}"
            path.write_bytes(b"".join([part async for part in download.parts]))
            written.append(path)
        return written
    finally:
        await ledger.close()


def main(folder: Path) -> None:
    """Writes them into `folder` from a database of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ppu-samples-") as data:
        server = EmbeddedServer(Path(data), fast=True)
        url = server.start()
        try:
            for path in asyncio.run(write(url, folder)):
                print(path)
        finally:
            server.stop()
            server.remove()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
