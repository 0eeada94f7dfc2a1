"""Finance's desks put together for the console, in the process that serves its pages."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from finance.doors import FinanceDoors
from finance.inbox.inbox import Inbox
from finance.recon.decisions import Decisions
from finance.report.download import Reports
from finance.settle.releasing import Releasing
from ledger import Ledger
from ppu.config import Config
from ppu.finance.office import open_context


@asynccontextmanager
async def open_doors(
    config: Config, database_url: str, ledger: Ledger
) -> AsyncGenerator[FinanceDoors]:
    """Finance's doors on `ledger`. Raises ProcessError."""
    async with open_context(config, database_url, ledger) as context:
        yield FinanceDoors(
            processes=context.processes,
            inbox=Inbox(context),
            decisions=Decisions(context),
            releasing=Releasing(context),
            reports=Reports(context),
        )
