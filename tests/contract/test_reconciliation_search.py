"""What people ask of recon lines: every filter, pages, sums, and a record's line by either ref."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from domain.event import Event
from domain.reconciliation import (
    DecisionApproved,
    DecisionKind,
    DecisionRequested,
    DifferencesResolved,
    DuplicatesFound,
    FileAdmitted,
    RecordsExpired,
    RecordsMatched,
    RecordsPartlyMatched,
    RecordsUnmatched,
    RunCounts,
    RunFinished,
    SalesTaken,
    Winner,
    process_stream,
)
from domain.record import Side, record_ref
from ledger import Archive, Ledger
from projections.decision_search import decision, decisions, decisions_about
from projections.keyset import cursor_of
from projections.projection import Connection
from projections.reading import Reading
from projections.reconciliation import Reconciliation
from projections.reconciliation_filter import LineFilter, SettlementState, Show
from projections.reconciliation_overview import admitted, processes, standings
from projections.reconciliation_search import (
    LINE_KEYS,
    line,
    line_sum,
    lines,
    lines_of,
    lines_of_transaction,
    refs,
)
from projections.runner import ProjectionRunner
from tests.record_frames import DAY, frame

P = "kazang"
AT = datetime(2026, 3, 9, 6, tzinfo=UTC)
LINES = 9
A, B, C, D, E, F, G, H, NEW = (record_ref(1, line) for line in range(1, LINES + 1))
"""Ours: A agrees, B differs by a cent, C by the meter, D and E are alone, F has two of theirs,
G expired, H is closed by hand, NEW nobody has looked at. Theirs: TNEW nobody has looked at."""
TA, TB, TC, TX, TNEW, TF1, TF2 = (record_ref(2, line) for line in range(1, 8))
_BY: dict[str, Any] = {"at": AT, "by": "ann", "process": P}
_RUN: dict[str, Any] = {"at": AT, "process": P, "run": 1}


def our_frame() -> bytes:
    return frame(
        LINES,
        {
            "amount_minor": [100, 200, 300, 400, 500, 600, 700, 800, 900],
            "business_date": [DAY + timedelta(days=n // 3) for n in range(LINES)],
            "transaction_id": [f"t{n}" for n in range(LINES)],
            "provider_reference": [f"R{n}" for n in range(LINES)],
            "message_type": ["PURCHASE"] * 4 + ["REVERSAL"] + ["PURCHASE"] * 4,
            "meter_id": [f"0{n}" for n in range(LINES)],
            "receiver_id": ["mangaung"] * LINES,
        },
    )


def their_frame() -> bytes:
    return frame(7, {"amount_minor": [100, 201, 300, 444, 0, 600, 600], "meter_id": ["9"] * 7})


def events(ours: str, theirs: str) -> list[Event]:
    return [
        SalesTaken(
            at=AT,
            process=P,
            file=1,
            after_position=0,
            to_position=7,
            records=LINES,
            frames=(ours,),
        ),
        FileAdmitted(
            at=AT, process=P, file=2, file_id="f", side=Side.THEIRS, records=7, frames=(theirs,)
        ),
        RecordsMatched(**_RUN, key=0, ours=(A,), theirs=(TA,)),
        RecordsPartlyMatched(**_RUN, key=0, fields=("amount_minor",), ours=(B,), theirs=(TB,)),
        RecordsPartlyMatched(**_RUN, key=0, fields=("meter_id",), ours=(C,), theirs=(TC,)),
        DifferencesResolved(**_RUN, rule="cent", winner=Winner.THEIRS, ours=(B,), theirs=(TB,)),
        RecordsUnmatched(**_RUN, side=Side.OURS, refs=(D, E)),
        RecordsUnmatched(**_RUN, side=Side.THEIRS, refs=(TX,)),
        DuplicatesFound(
            **_RUN, key=0, ours=(F,), ours_groups=(F,), theirs=(TF1, TF2), theirs_groups=(F, F)
        ),
        RecordsExpired(**_RUN, side=Side.OURS, refs=(G,)),
        RunFinished(**_RUN, as_of="2026-03-08", counts=RunCounts(matched=1, partly_matched=1)),
        DecisionRequested(
            **_BY, decision_id="d1", decision=DecisionKind.RESOLVE, ours=(H,), winner=Winner.NEITHER
        ),
        DecisionApproved(at=AT, by="ben", process=P, decision_id="d1", comment="agreed"),
        DecisionRequested(
            **_BY, decision_id="d2", decision=DecisionKind.MATCH, ours=(D,), theirs=(TX,)
        ),
    ]


@asynccontextmanager
async def filled(database_url: str) -> AsyncGenerator[Reading]:
    ledger = await Ledger.open(database_url)
    archive = Archive()
    connection: Connection
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await archive.set_up(connection)
        ours = await archive.put(connection, our_frame())
        theirs = await archive.put(connection, their_frame())
    await ledger.append(process_stream(P), 0, events(ours, theirs))
    await ProjectionRunner(ledger, database_url, [Reconciliation()]).catch_up()
    await ledger.close()
    async with Reading(database_url) as reading:
        yield reading


async def found(reading: Reading, **wanted: Any) -> list[int]:  # noqa: ANN401 (any filter)
    page = await lines(reading, LineFilter(P, **wanted), limit=100, oldest_first=True)
    rows = page.rows
    total = await line_sum(reading, LineFilter(P, **wanted))
    assert total.lines == len(rows)
    assert sorted(await refs(reading, LineFilter(P, **wanted), 100)) == sorted(r.ref for r in rows)
    return [row.ref for row in rows]


FILTERS: list[tuple[dict[str, Any], Sequence[int]]] = [
    ({"show": Show.MATCHED}, [A]),
    ({"show": Show.PARTIAL}, [C]),
    ({"show": Show.RESOLVED}, [B]),
    ({"show": Show.UNMATCHED}, [D, E, NEW, TX, TNEW]),
    ({"show": Show.DUPLICATE}, [F, TF1, TF2]),
    ({"show": Show.OPEN}, [C, D, E, F, NEW, TX, TNEW, TF1, TF2]),
    ({"show": Show.EXPIRED}, [G]),
    ({"show": Show.CLOSED}, [H]),
    ({"settlement_state": SettlementState.READY}, [A, B]),
    ({"settlement_state": SettlementState.SETTLED}, []),
    ({"side": "THEIRS", "show": Show.UNMATCHED}, [TX, TNEW]),
    ({"field": "meter_id"}, [C]),
    ({"since": DAY + timedelta(days=2)}, [G, H, NEW]),
    ({"until": DAY, "show": Show.MATCHED}, [A]),
    ({"cents_min": 201, "cents_max": 201}, [B]),
    ({"meter": "9", "show": Show.PARTIAL}, [C]),
    ({"reference": "R2"}, [C]),
    ({"reference": "t3"}, [D]),
    ({"receiver": "mangaung", "show": Show.EXPIRED}, [G]),
    ({"why": "cent"}, [B]),
    ({"why": "d1"}, [H]),
    ({"file": 2, "show": Show.RESOLVED}, [B]),
    ({"file": 3}, []),
]


async def test_filters_show_what_they_name(database_url: str) -> None:
    async with filled(database_url) as reading:
        for wanted, expected in FILTERS:
            assert sorted(await found(reading, **wanted)) == sorted(expected), wanted


async def test_pages_go_through_every_line_once_and_back(database_url: str) -> None:
    async with filled(database_url) as reading:
        whole = (await lines(reading, LineFilter(P), limit=100)).rows
        dates = [row.business_date for row in whole]
        assert dates == sorted(dates, reverse=True)
        seen: list[int] = []
        page = await lines(reading, LineFilter(P), limit=4)
        assert page.earlier is None
        while True:
            seen += [row.ref for row in page.rows]
            if page.later is None:
                break
            page = await lines(
                reading, LineFilter(P), limit=4, cursor=cursor_of(page.later, LINE_KEYS)
            )
        assert seen == [row.ref for row in whole]
        assert page.earlier is not None
        cursor = cursor_of(page.earlier, LINE_KEYS, back=True)
        back = await lines(reading, LineFilter(P), limit=4, cursor=cursor)
        assert [row.ref for row in back.rows] == seen[8:12]


async def test_a_line_shows_both_sides_and_the_products_words(database_url: str) -> None:
    async with filled(database_url) as reading:
        pair = await line(reading, P, TB)
        assert pair == await line(reading, P, B)
        assert pair is not None
        assert (pair.ours, pair.theirs, pair.our_cents, pair.their_cents) == (B, TB, 200, 201)
        assert (pair.matched, pair.standing, pair.winner) == (
            "Partially matched",
            "RESOLVED",
            "THEIRS",
        )
        alone = await line(reading, P, TX)
        assert alone is not None
        assert (alone.ours, alone.theirs, alone.our_cents, alone.their_cents) == (0, TX, None, 444)
        assert alone.matched == "Unmatched"
        assert await line(reading, P, 5) is None
        assert {one.ref for one in await lines_of(reading, P, [A, TB, TX])} == {A, TX}
        assert [one.ref for one in await lines_of_transaction(reading, "t1", 10)] == [B]


async def test_sums_count_a_reversal_as_negative(database_url: str) -> None:
    async with filled(database_url) as reading:
        total = await line_sum(reading, LineFilter(P, show=Show.UNMATCHED, side="OURS"))
        assert (total.lines, total.our_cents, total.their_cents) == (3, 400 - 500 + 900, 0)
        by_standing = {
            (one.standing, one.side): (one.lines, one.our_cents, one.their_cents)
            for one in await standings(reading, P)
        }
        assert by_standing["MATCHED", "OURS"] == (1, 100, 100)
        assert by_standing["RESOLVED", "OURS"] == (1, 200, 201)
        assert by_standing["UNMATCHED", "OURS"] == (2, -100, 0)
        assert by_standing["DUPLICATE", "THEIRS"] == (2, 0, 1_200)
        few = await standings(reading, P, date(2026, 3, 1), matched=False)
        assert few == []


async def test_the_process_and_its_decisions(database_url: str) -> None:
    async with filled(database_url) as reading:
        process = (await processes(reading))[P]
        assert (process.run, process.as_of, process.taken_position) == (1, DAY, 7)
        assert (process.open_lines, process.pending) == (9, 1)
        newest, older = (await decisions(reading, process=P, limit=10)).rows
        assert (newest.decision_id, newest.status) == ("d2", "PENDING")
        assert (older.decided_by, older.comment, older.status) == ("ben", "agreed", "APPROVED")
        assert [d.decision_id for d in (await decisions(reading, pending=True, limit=9)).rows] == [
            "d2"
        ]
        assert await decision(reading, P, "d1") == older
        assert await decision(reading, P, "none") is None
        assert [d.decision_id for d in await decisions_about(reading, P, [TX], 5)] == ["d2"]
        file = await admitted(reading, P, 2)
        assert file is not None
        assert (file.file_id, file.records, len(file.frames)) == ("f", 7, 1)


async def test_the_many_that_agree_are_not_gone_through_for_the_few(database_url: str) -> None:
    """The plan for what is open takes the index that leaves the agreeing ones out."""
    async with filled(database_url) as reading, reading.connection() as connection:
        await connection.execute(
            "INSERT INTO projection_reconciliation.record (process, ref, side, business_date,"
            " status, partner) SELECT 'kazang', (9::bigint << 32) + n, 'OURS', '2026-01-01',"
            " 'MATCHED', 1 FROM generate_series(1, 30000) AS n"
        )
        await connection.execute("ANALYZE projection_reconciliation.record")
        wanted = LineFilter(P, show=Show.OPEN)
        conditions = " AND ".join(wanted.conditions())
        cursor = await connection.execute(
            f"EXPLAIN SELECT ref FROM projection_reconciliation.record AS h WHERE {conditions}"
            " ORDER BY h.business_date DESC, h.ref DESC LIMIT 50".encode(),
            wanted.parameters(),
        )
        plan = "\n".join(row[0] for row in await cursor.fetchall())
        assert "record_by_status" in plan, plan


pytestmark = pytest.mark.filterwarnings("error")
