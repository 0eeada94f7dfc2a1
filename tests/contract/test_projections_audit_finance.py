"""Finance's acts in the audit log: who, on what, and what a file's own events say was before."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from domain.event import Event
from domain.inbox import (
    FileApproved,
    FileRejected,
    FileSource,
    FileUploaded,
    RollbackApproved,
    RollbackRejected,
    RollbackRequested,
)
from domain.operator import Actor
from domain.outbox import ReportFile, ReportKind, ReportMade
from domain.reconciliation import (
    DecisionApproved,
    DecisionKind,
    DecisionRejected,
    DecisionRequested,
    Winner,
)
from domain.settlement import (
    Counterparty,
    SettlementDiscarded,
    SettlementPrepared,
    SettlementReleased,
    SettlementRequested,
)
from domain.steered import source
from ledger import Ledger
from projections.audit import AuditEntry
from projections.audit_finance import FINANCE_ACTIONS, FINANCE_TOPICS
from projections.audit_search import AuditFilter, every_entry
from projections.reading import Reading
from tests.contract.test_projections_rows import built, rows, runner

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
ANN = source(Actor("ann", "finance-operator", "10.0.0.7", "/finance/ipay/inbox", "because"))
BOB = source(Actor("bob", "finance-approver", "10.0.0.8", "/finance/approvals", "looked at"))
FILE, SETTLEMENT = "ipay-0123456789abcdef", "ipay:2026-03-01:1"
UPLOADED = FileUploaded(
    at=AT,
    **ANN,
    process="ipay",
    party="ipay",
    file_name="IPAY_PPU.csv",
    sha256="01" * 32,
    size_bytes=1_234,
    parts=("02" * 32,),
    source=FileSource.CONSOLE,
)
ASKED = DecisionRequested(
    at=AT,
    **ANN,
    process="ipay",
    decision_id="d1",
    decision=DecisionKind.RESOLVE,
    ours=(1, 2),
    theirs=(3, 4),
    winner=Winner.THEIRS,
)
STORY: list[tuple[str, Event]] = [
    (f"file/{FILE}", UPLOADED),
    (f"file/{FILE}", FileApproved(at=AT, **BOB)),
    (f"file/{FILE}", RollbackRequested(at=AT, **ANN)),
    (f"file/{FILE}", RollbackRejected(at=AT, **BOB)),
    (f"file/{FILE}", RollbackRequested(at=AT, **ANN)),
    (f"file/{FILE}", RollbackApproved(at=AT, **BOB)),
    ("file/other", FileRejected(at=AT, **BOB)),
    ("process/ipay", ASKED),
    ("process/ipay", DecisionApproved(at=AT, **BOB, process="ipay", decision_id="d1")),
    ("process/ipay", DecisionRejected(at=AT, **BOB, process="ipay", decision_id="d2")),
    ("process/ipay", SettlementRequested(at=AT, **ANN, process="ipay", cycle="2026-03-01")),
    (
        "process/ipay",
        SettlementPrepared(
            at=AT,
            **source(Actor("worker")),
            process="ipay",
            settlement_id=SETTLEMENT,
            cycle="2026-03-01",
            until="2026-03-01",
            settings_sha256="",
            counterparty=Counterparty.PROVIDER,
            party="ipay",
        ),
    ),
    ("process/ipay", SettlementReleased(at=AT, **BOB, process="ipay", settlement_id=SETTLEMENT)),
    ("process/ipay", SettlementDiscarded(at=AT, **BOB, process="ipay", settlement_id="other")),
    (
        "report/r1",
        ReportMade(
            at=AT,
            **source(Actor("worker")),
            process="ipay",
            report_id="r1",
            report=ReportKind.SETTLEMENT,
            subject=SETTLEMENT,
            files=(ReportFile("pdf", "statement.pdf", "03" * 32, 9),),
            totals={},
            position=7,
        ),
    ),
]


@pytest.fixture
async def found(ledger: Ledger, database_url: str) -> AsyncIterator[list[AuditEntry]]:
    """The log of STORY, oldest first, fed in small batches."""
    versions: dict[str, int] = {}
    for stream, event in STORY:
        await ledger.append(stream, versions.get(stream, 0), [event])
        versions[stream] = versions.get(stream, 0) + 1
    await runner(ledger, database_url, 2).catch_up()
    async with Reading(database_url) as reading:
        wanted = AuditFilter(everybody=True)
        yield [entry async for entry in every_entry(reading, wanted, 1_000)][::-1]


def told(entries: Sequence[AuditEntry]) -> list[tuple[str, str, Any, Any]]:
    return [(e.action, e.object_id, e.before, e.after) for e in entries]


async def test_a_files_story_says_what_was_before(found: list[AuditEntry]) -> None:
    waits, approved = {"rollback": "waits"}, {"rollback": "approved"}
    assert told(found)[:6] == [
        (
            *("FILE_UPLOADED", FILE, None),
            {"upload": "waits", "bytes": 1_234, "source": "CONSOLE"},
        ),
        ("FILE_APPROVED", FILE, {"upload": "waits"}, {"upload": "approved"}),
        ("ROLLBACK_REQUESTED", FILE, None, waits),
        ("ROLLBACK_REJECTED", FILE, waits, {"rollback": "rejected"}),
        ("ROLLBACK_REQUESTED", FILE, {"rollback": "rejected"}, waits),
        ("ROLLBACK_APPROVED", FILE, waits, approved),
    ]
    assert {e.object_name for e in found[:6]} == {"IPAY_PPU.csv"}, "the name, long after the upload"


async def test_who_where_and_why_are_in_each_and_the_worker_is_no_person(
    found: list[AuditEntry],
) -> None:
    upload, approval = found[:2]
    assert (upload.who, upload.role, upload.address, upload.page, upload.comment) == (
        *("ann", "finance-operator", "10.0.0.7"),
        *("/finance/ipay/inbox", "because"),
    )
    assert (approval.who, approval.person) == ("bob", True)
    by_worker = {entry.action for entry in found if not entry.person}
    assert by_worker == {"SETTLEMENT_PREPARED", "REPORT_MADE"}


async def test_decisions_settlements_and_reports_are_named_with_their_process(
    found: list[AuditEntry],
) -> None:
    assert told(found)[7:] == [
        (
            *("DECISION_REQUESTED", "d1", None),
            {"decision": "RESOLVE", "records": 2, "winner": "THEIRS"},
        ),
        ("DECISION_APPROVED", "d1", None, {"decision": "approved"}),
        ("DECISION_REJECTED", "d2", None, {"decision": "rejected"}),
        ("SETTLEMENT_REQUESTED", "ipay", None, {"cycle": "2026-03-01"}),
        (
            *("SETTLEMENT_PREPARED", SETTLEMENT, None),
            {"cycle": "2026-03-01", "until": "2026-03-01"},
        ),
        ("SETTLEMENT_RELEASED", SETTLEMENT, None, {"settlement": "released"}),
        ("SETTLEMENT_DISCARDED", "other", None, {"settlement": "discarded"}),
        (
            *("REPORT_MADE", "r1", None),
            {"report": "SETTLEMENT", "subject": SETTLEMENT, "forms": ["pdf"]},
        ),
    ]
    assert {e.object_name for e in found[7:] if e.object_type != "process"} == {"ipay"}


async def test_the_story_has_every_act_of_finance(found: list[AuditEntry]) -> None:
    kinds = {type(event) for _, event in STORY}
    assert kinds == set(FINANCE_TOPICS)
    assert {entry.action for entry in found} == set(FINANCE_ACTIONS)


@pytest.mark.usefixtures("found")
async def test_a_rebuild_says_the_same(ledger: Ledger, database_url: str) -> None:
    live = (await rows(database_url))["audit.entry"]
    assert len(live) == len(STORY)
    for batch in (1, 3, 1_000):
        again = await built(ledger, database_url, f"again_{batch}", batch)
        assert again["audit.entry"] == live


async def test_an_act_of_finance_can_be_searched_by_its_file(
    found: list[AuditEntry], database_url: str
) -> None:
    async with Reading(database_url) as reading:
        wanted = AuditFilter(object_type="file", text=FILE)
        ours = [entry async for entry in every_entry(reading, wanted, 100)]
    assert [entry.position for entry in ours[::-1]] == [entry.position for entry in found[:6]]


async def test_the_log_counts_records_and_keeps_none_of_their_refs(
    ledger: Ledger, database_url: str
) -> None:
    """A decision may name ten thousand records."""
    many = tuple(range(1, 5_001))
    event = DecisionRequested(
        at=AT,
        **ANN,
        process="ipay",
        decision_id="d1",
        decision=DecisionKind.ADJUST,
        ours=many,
        amount_cents=-1_234,
    )
    await ledger.append("process/ipay", 0, [event])
    await runner(ledger, database_url).catch_up()
    connection = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    async with connection:
        cursor = await connection.execute("SELECT after FROM projection_audit.entry")
        (row,) = await cursor.fetchall()
    assert row[0] == {"decision": "ADJUST", "records": 5_000, "amount_cents": -1_234}
