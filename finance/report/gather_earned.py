"""The figures of commission and VAT, from the read model of settlements."""

from datetime import datetime

from domain.journal import Account
from finance.calendar import window
from finance.report.figures.earned import EarnedFigures
from finance.report.figures.figures import Figures
from finance.report.snapshot import Snapshot
from finance.report.wanted import BATCH_ROWS, Wanted
from projections.keyset import Cursor
from projections.settlement_breakdown import breakdown
from projections.settlements_search import SettlementFilter, SettlementRow, posted, settlements

_VAT = (Account.VAT_OUTPUT, Account.VAT_INPUT)


async def gather_earned(reading: Snapshot, wanted: Wanted) -> Figures:
    """Of the settlements released within the subject: a day, week or month where the parties are.
    Raises SubjectError, TotalsDifferError."""
    first, last = dates = wanted.dates()
    calendar = wanted.process.calendar
    since, until = window(first, calendar)[0], window(last, calendar)[1]
    making = EarnedFigures(wanted.process)
    for row in await _released(reading, wanted, since, until):
        parts = await breakdown(reading, row.settlement_id)
        making.add(row, parts, await _posted_vat(reading, row))
    return making.figures(wanted.report, wanted.subject, dates, wanted.position, wanted.made_at)


async def _released(
    reading: Snapshot, wanted: Wanted, since: datetime, until: datetime
) -> list[SettlementRow]:
    """The one released first, first. Those released later may have been prepared at any time
    before, so all of the process are looked at; a few hundred a year."""
    found: list[SettlementRow] = []
    cursor: Cursor | None = None
    of_process = SettlementFilter(process=wanted.process.id, status="RELEASED")
    while True:
        page = await settlements(reading, of_process, cursor=cursor, limit=BATCH_ROWS)
        found += [
            row
            for row in page.rows
            if row.released_at is not None and since <= row.released_at < until
        ]
        wanted.require_lines(len(found))
        if page.later is None:
            return sorted(found, key=lambda row: row.released_position or 0)
        last = page.rows[-1]
        cursor = Cursor((last.prepared_at, last.settlement_id))


async def _posted_vat(reading: Snapshot, row: SettlementRow) -> int:
    """What the release posted as VAT: positive where it is owed, or may be claimed."""
    entry = [each for each in await posted(reading, row.settlement_id) if each.account in _VAT]
    return sum(
        each.credit_cents - each.debit_cents
        if each.account == Account.VAT_OUTPUT
        else each.debit_cents - each.credit_cents
        for each in entry
    )
