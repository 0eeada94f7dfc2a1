"""Gathering a report's figures from the read models, all as of one moment."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from domain.outbox import ReportKind
from finance.context import Context
from finance.process.process import ReconciliationProcess
from finance.report.figures.figures import Figures
from finance.report.gather_earned import gather_earned
from finance.report.gather_exceptions import gather_exceptions
from finance.report.gather_recon import gather_ageing, gather_list, gather_standing
from finance.report.gather_settlement import gather_settlement
from finance.report.snapshot import Snapshot, snapshot
from finance.report.wanted import SubjectError, Wanted
from projections.finance_catalogue import finance_models

Gather = Callable[[Snapshot, Wanted], Awaitable[Figures]]

_GATHERERS: Mapping[ReportKind, Gather] = {
    ReportKind.SETTLEMENT: gather_settlement,
    ReportKind.MATCHED: gather_list,
    ReportKind.PARTLY_MATCHED: gather_list,
    ReportKind.UNMATCHED: gather_list,
    ReportKind.AGEING: gather_ageing,
    ReportKind.PROVIDERS: gather_standing,
    ReportKind.MUNICIPALITIES: gather_standing,
    ReportKind.EXCEPTIONS: gather_exceptions,
    ReportKind.COMMISSION: gather_earned,
    ReportKind.VAT: gather_earned,
}


async def gathered(
    context: Context, process: ReconciliationProcess, report: ReportKind, subject: str
) -> Figures:
    """The figures of the report, which the caller closes. The read models are brought up to the
    ledger's present end first. Raises SubjectError, TooManyLinesError, TotalsDifferError,
    TimeoutError, and what the ledger and the database raise."""
    gather = _GATHERERS.get(report)
    if gather is None:
        raise SubjectError(f"no report of kind {report.value} is made this way")
    settings = context.settings
    async with asyncio.timeout(settings.report_seconds):
        position = await context.caught_up(*finance_models())
        async with snapshot(context) as reading:
            rows_max = settings.report_rows_max
            wanted = Wanted(process, report, subject, context.clock(), position, rows_max)
            return await gather(reading, wanted)
