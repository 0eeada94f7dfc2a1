"""A week the real way, its recon reports, and how each figure of its settlement came about."""

from dataclasses import replace

import msgspec
import pytest

from domain.outbox import ReportKind, ReportMade
from domain.record import line_of
from finance.context import Context
from finance.report.download import Reports
from finance.report.figures.figures import Figures
from finance.report.forms import UnknownFormError
from finance.report.gather import gathered
from finance.report.make import make
from finance.report.trace import NoSuchFigureError, trace_line, trace_settlement
from finance.report.wanted import SubjectError
from ledger import Ledger
from projections.finance_catalogue import finance_models
from projections.settlement_breakdown import Part
from tests.finance_context import finance_context
from tests.finance_week import (
    CYCLE,
    NOW,
    PIETER,
    PROCESS,
    THANDI,
    Sold,
    adjust,
    load_file,
    mark_off,
    match,
    sales,
    sell,
    settle,
)

SALES = sales(14)


@pytest.fixture
async def context(ledger: Ledger, database_url: str) -> Context:
    return await finance_context(ledger, database_url, [PROCESS], clock=lambda: NOW)


def theirs() -> list[Sold]:
    """What the provider's file has: not the last sale, one that we don't have, one a cent more."""
    cent_more = replace(SALES[3], cents=SALES[3].cents + 1)
    extra = replace(SALES[0], reference="CTR-EXTRA", meter="04999999999")
    return [*SALES[:3], cent_more, *SALES[4:13], extra]


@pytest.fixture
async def settlement(context: Context) -> str:
    await sell(context.ledger, SALES)
    await load_file(context, mark_off(theirs(), "CTR-BAD,04123456784,ten,2026-11-20,x,GAS"))
    await match(context)
    await adjust(context, "a1", -500, "a reversal that could not be made")
    settled = await settle(context)
    await context.caught_up(*finance_models())
    return settled


async def report(context: Context, kind: ReportKind, subject: str) -> Figures:
    return await gathered(context, PROCESS, kind, subject)


@pytest.mark.usefixtures("settlement")
async def test_lists_have_each_line_where_it_stands(context: Context) -> None:
    matched = await report(context, ReportKind.MATCHED, CYCLE)
    assert matched.totals["lines"] == 12
    assert matched.totals["our_cents"] == matched.totals["their_cents"]
    assert matched.totals["our_cents"] == sum(
        one.cents for place, one in enumerate(SALES[:13]) if place != 3
    )
    partly = await report(context, ReportKind.PARTLY_MATCHED, CYCLE)
    assert partly.totals["lines"] == 1
    assert partly.totals["difference_cents"] == -1
    row = dict(zip([c.name for c in partly.main.columns], partly.main.first(1)[0], strict=True))
    assert row["mismatch_fields"] == "amount_minor"
    assert (row["resolution_rule"], row["winner"]) == ("one cent", "THEIRS")
    assert (row["our_file"], row["our_line"]) == (2, 4)
    assert (row["their_file"], row["their_line"]) == (1, 5), "the headings are line 1"
    assert row["settlement_status"] == "Settled"
    unmatched = await report(context, ReportKind.UNMATCHED, CYCLE)
    assert (unmatched.totals["our_records"], unmatched.totals["their_records"]) == (1, 1)
    assert unmatched.totals["our_cents"] == SALES[13].cents
    assert unmatched.totals["their_cents"] == SALES[0].cents
    day = await report(context, ReportKind.UNMATCHED, "2026-11-22")
    assert day.totals["lines"] == 1, "only ours is of the last day"


@pytest.mark.usefixtures("settlement")
async def test_every_line_is_in_the_summaries_once(context: Context) -> None:
    for kind in (ReportKind.PROVIDERS, ReportKind.MUNICIPALITIES):
        made = await report(context, kind, "2026-11")
        assert made.totals["lines"] == 15
        assert made.totals["matched"] == 12
        assert made.totals["partly_matched"] == 1
        assert made.totals["unmatched"] == 2
        assert made.totals["settled"] == 13
        assert made.totals["our_cents"] == sum(one.cents for one in SALES)
        assert made.totals["their_cents"] == sum(one.cents for one in theirs())
        for table in made.tables:
            assert table.total("lines") == 15


@pytest.mark.usefixtures("settlement")
async def test_what_is_open_ages_by_business_days(context: Context) -> None:
    made = await report(context, ReportKind.AGEING, "2026-11-23")
    assert made.totals["lines"] == 2
    ages = {row[0]: row[1] for row in made.tables[0]}
    # The sale of Sunday 22 waits since Monday 23; the extra one of Monday 16 five days longer.
    assert ages == {"0 to 1": 1, "2 to 5": 1, "6 to 10": 0, "more than 10": 0}
    assert {row[0] for row in made.main} == {1, 5}
    early = await report(context, ReportKind.AGEING, "2026-11-20")
    assert [row[0] for row in early.main] == [4], "what came later is not in it"
    with pytest.raises(SubjectError, match="is no day"):
        await report(context, ReportKind.AGEING, "today")


@pytest.mark.usefixtures("settlement")
async def test_the_bad_line_is_in_the_report_of_exceptions(context: Context) -> None:
    made = await report(context, ReportKind.EXCEPTIONS, "2026-11-23")
    assert made.totals == {"files": 1, "records": 14, "exceptions": 1}
    [(name, _, line, reason, text)] = made.main.first(5)
    assert (name, line) == ("contour_week_47.csv", 16)
    assert "amount" in str(reason).lower()
    assert str(text).startswith("CTR-BAD")
    assert (await report(context, ReportKind.EXCEPTIONS, "2026-11-20")).totals["files"] == 0


@pytest.mark.usefixtures("settlement")
async def test_the_switch_extract_is_a_report_too(context: Context) -> None:
    async def made(subject: str) -> ReportMade:
        return await make(context, PROCESS.id, ReportKind.EXTRACT, subject, ["csv"], THANDI)

    week = await made(CYCLE)
    assert week.totals == {"records": 14, "total_cents": sum(one.cents for one in SALES)}
    [file] = week.files
    assert file.file_name.startswith("PPU_CONTOUR_EXTRACT_PPU_SWITCH_20261122_")
    download = await Reports(context).download(week.report_id, "csv")
    content = b"".join([part async for part in download.parts])
    assert content.count(b"\r\n") == 15
    assert await made(CYCLE) == week
    assert (await made("2026-11-17")).report_id != week.report_id
    with pytest.raises(UnknownFormError, match="csv only"):
        await make(context, PROCESS.id, ReportKind.EXTRACT, CYCLE, ["pdf"], THANDI)


async def test_the_statement_names_the_adjustment_and_who_decided_it(
    context: Context, settlement: str
) -> None:
    made = await report(context, ReportKind.SETTLEMENT, settlement)
    assert made.totals["sales"] == 13
    assert made.totals["adjustment_cents"] == -500
    reasons = [row[-1] for row in made.main if row[1] == "ADJUSTMENT"]
    assert reasons == [f"a reversal that could not be made ({THANDI.name}, {PIETER.name})"]


async def test_a_settlement_is_followed_to_its_lines(context: Context, settlement: str) -> None:
    told = await trace_settlement(context, settlement, limit=5)
    assert len(told.lines) == 5
    assert told.next_ref == told.lines[-1].ref
    rest = await trace_settlement(context, settlement, after=told.next_ref)
    assert rest.next_ref is None
    refs = [line.ref for line in (*told.lines, *rest.lines)]
    assert len(set(refs)) == 13
    for groups in told.parts.values():
        assert sum(group.net_cents for group in groups) == told.settlement.net_cents + 500
    [adjusted] = told.adjustments
    assert adjusted.amount_cents == -500
    assert adjusted.decision is not None
    assert adjusted.decision.requested_by == THANDI.name
    assert adjusted.decision.decided_by == PIETER.name
    assert sum(one.debit_cents - one.credit_cents for one in told.entry) == 0

    group = told.parts[Part.RECEIVER.value][0]
    cell = await trace_settlement(context, settlement, {Part.RECEIVER: group.value})
    assert len(cell.lines) == group.lines
    assert sum(line.net_cents for line in cell.lines) == group.net_cents
    with pytest.raises(NoSuchFigureError):
        await trace_settlement(context, "contour:2026-W01:1")


async def test_a_line_is_followed_to_all_that_it_rests_on(
    context: Context, settlement: str
) -> None:
    lines = (await trace_settlement(context, settlement)).lines
    one = next(line for line in lines if line.transaction_id == SALES[3].purchase_id)
    told = await trace_line(context, settlement, one.ref)
    assert told.line.principal_cents == SALES[3].cents + 1, "the provider's figure counts"
    assert told.fee is not None
    assert told.fee.agrees
    assert told.fee.steps[0].startswith("1.25 % of " if told.fee.rule == "electricity" else "1.5 %")

    ours, provider = told.records
    assert (ours.record.side, ours.line, ours.text) == ("OURS", 4, None)
    assert (provider.record.side, provider.line) == ("THEIRS", 5)
    assert provider.file_name == "contour_week_47.csv"
    assert provider.text is not None
    assert provider.text.startswith(f"{SALES[3].reference},{SALES[3].meter},")
    assert line_of(provider.record.ref) == provider.line

    assert told.match is not None
    assert told.match.key == ["provider_reference", "message_type"]
    assert told.match.differing == ["amount_minor"]
    assert (told.match.resolved_by, told.match.winner) == ("one cent", "THEIRS")
    assert told.match.run == 1
    [message] = told.messages
    assert message.message_id == SALES[3].purchase_id
    assert [event.name for event in message.events] == ["PurchaseRequested", "PurchaseApproved"]
    recorded = await context.ledger.read_all(message.events[0].position - 1, 1)
    assert recorded[0].stream == f"message/{SALES[3].purchase_id}"
    assert sum(each.debit_cents - each.credit_cents for each in told.entry) == 0
    assert max(each.debit_cents for each in told.entry) == SALES[3].cents + 1
    msgspec.json.encode(told)
    with pytest.raises(NoSuchFigureError):
        await trace_line(context, settlement, one.ref + 1)
