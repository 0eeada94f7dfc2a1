"""People decide about records: one asks, another approves, and what is decided fits how the records
stand at that moment, or is refused."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.operator import Actor
from domain.reconciliation import DecisionKind, FileAdmitted, SalesTaken, Winner, process_stream
from domain.record import Side, record_ref
from finance.approval import SameOperatorError
from finance.context import Context, UnknownProcessError
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.recon.deciding import DecisionRefusedError
from finance.recon.decisions import Decisions
from finance.recon.run import match_open
from finance.recon.state import RecordStanding, load_standing
from finance.recon.status import Status
from finance.settings import FinanceSettings
from finance.up_to_date import BehindError
from ledger import Archive, Ledger
from projections.reconciliation import Reconciliation
from projections.runner import ProjectionRunner, RunnerSettings
from tests.finance_context import finance_context
from tests.record_frames import DAY, frame

P = "kazang"
PROCESS = ReconciliationProcess(id=P, name="K", kind=ProcessKind.PROVIDER, party=P, expiry_days=30)
AT = datetime(2026, 3, 9, 6, tzinfo=UTC)
ANN, BEN = Actor("ann", comment="seen on the slip"), Actor("ben", comment="agreed")
A, B, C, D = (record_ref(1, line) for line in (1, 2, 3, 4))
"""Ours: A agrees, B differs in the amount, C and D are alone."""
TA, TB, TX, TY = (record_ref(2, line) for line in (1, 2, 3, 4))
"""Theirs: X and Y are alone."""


def records(references: list[str], amounts: list[int]) -> bytes:
    count = len(references)
    return frame(
        count,
        {
            "provider_reference": references,
            "amount_minor": amounts,
            "message_type": ["PURCHASE"] * count,
            "transaction_state": ["APPROVED"] * count,
            "currency": ["710"] * count,
        },
    )


@asynccontextmanager
async def office(
    database_url: str, *, fed: bool = True, waits: float = 20.0
) -> AsyncGenerator[Context]:
    """A process after its first run, its read model fed as the worker does."""
    ledger = await Ledger.open(database_url)
    settings = FinanceSettings(caught_up_seconds=waits, busy_seconds=0.01)
    context = await finance_context(ledger, database_url, [PROCESS], settings=settings)
    async with context.connect() as connection:
        archive = Archive()
        ours = await archive.put(
            connection, records(["R1", "R2", "R3", "R4"], [100, 200, 300, 400])
        )
        theirs = await archive.put(
            connection, records(["R1", "R2", "X", "Y"], [100, 205, 300, 450])
        )
    about: dict[str, Any] = {"at": AT, "process": P, "records": 4}
    await ledger.append(
        process_stream(P),
        0,
        [
            SalesTaken(**about, file=1, after_position=0, to_position=1, frames=(ours,)),
            FileAdmitted(**about, file=2, file_id="f", side=Side.THEIRS, frames=(theirs,)),
        ],
    )
    await match_open(context, P, DAY)
    runner = ProjectionRunner(
        ledger, database_url, [Reconciliation()], RunnerSettings(linger_seconds=0.0)
    )
    await runner.set_up()
    task = asyncio.create_task(runner.run()) if fed else None
    try:
        yield context
    finally:
        if task:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await ledger.close()


async def standing(context: Context, ref: int) -> RecordStanding:
    return (await load_standing(context, P)).of(ref)


async def decide(context: Context, kind: DecisionKind, *sides: Any, **more: Any) -> str:  # noqa: ANN401
    ours, theirs = sides
    winner: Winner | None = more.get("winner")
    cents: int = more.get("cents", 0)
    desk = Decisions(context)
    return await desk.request(P, kind, ours, theirs, winner, cents, more.get("actor", ANN))


async def done(context: Context, kind: DecisionKind, *sides: Any, **more: Any) -> None:  # noqa: ANN401
    decision = await decide(context, kind, *sides, **more)
    await Decisions(context).approve(P, decision, BEN)
    await match_open(context, P, DAY)


async def test_two_records_are_matched_by_hand(database_url: str) -> None:
    async with office(database_url) as context:
        decision = await decide(context, DecisionKind.MATCH, [C], [TX])
        assert (await standing(context, C)).status is Status.UNMATCHED
        await Decisions(context).approve(P, decision, BEN)
        await match_open(context, P, DAY)
        found = await standing(context, C)
        assert (found.status, found.partner, found.why) == (Status.MATCHED, TX, decision)


async def test_a_pair_that_is_none_is_taken_apart_and_stays_so(database_url: str) -> None:
    async with office(database_url) as context:
        await done(context, DecisionKind.UNMATCH, [A], [TA])
        found = await standing(context, A)
        assert (found.status, found.partner) == (Status.UNMATCHED, 0)


RESOLVED: list[tuple[Any, Winner, Status]] = [
    (([B], [TB]), Winner.THEIRS, Status.RESOLVED),
    (([B], [TB]), Winner.NEITHER, Status.CLOSED),
    (([C, D], []), Winner.OURS, Status.RESOLVED),
    (([], [TX]), Winner.OURS, Status.CLOSED),
]


@pytest.mark.parametrize(("sides", "winner", "status"), RESOLVED)
async def test_what_differs_or_stands_alone_is_resolved(
    database_url: str, sides: tuple[list[int], list[int]], winner: Winner, status: Status
) -> None:
    async with office(database_url) as context:
        await done(context, DecisionKind.RESOLVE, *sides, winner=winner)
        for ref in (*sides[0], *sides[1]):
            found = await standing(context, ref)
            assert (found.status, found.winner) == (status, winner)


async def test_an_adjustment_waits_for_the_next_settlement(database_url: str) -> None:
    async with office(database_url) as context:
        await done(context, DecisionKind.ADJUST, [A], [], cents=-1_250)
        (adjustment,) = (await load_standing(context, P)).adjustments().values()
        assert (adjustment.amount_cents, adjustment.by, adjustment.comment) == (
            -1_250,
            "ann",
            "seen on the slip",
        )


async def test_nobody_approves_their_own(database_url: str) -> None:
    async with office(database_url) as context:
        decision = await decide(context, DecisionKind.MATCH, [C], [TX])
        with pytest.raises(SameOperatorError):
            await Decisions(context).approve(P, decision, ANN)
        assert (await standing(context, C)).status is Status.UNMATCHED


async def test_what_is_rejected_is_over(database_url: str) -> None:
    async with office(database_url) as context:
        decision = await decide(context, DecisionKind.MATCH, [C], [TX])
        await Decisions(context).reject(P, decision, BEN)
        with pytest.raises(DecisionRefusedError, match="rejected already"):
            await Decisions(context).approve(P, decision, BEN)
        assert await decide(context, DecisionKind.MATCH, [C], [TX]) != decision


async def test_two_approvals_at_once_are_one(database_url: str) -> None:
    async with office(database_url) as context:
        decision = await decide(context, DecisionKind.MATCH, [C], [TX])
        desk = Decisions(context)
        both = await asyncio.gather(
            desk.approve(P, decision, BEN),
            desk.approve(P, decision, Actor("cy")),
            return_exceptions=True,
        )
        assert sum(isinstance(one, DecisionRefusedError) for one in both) == 1


async def test_what_a_run_changed_meanwhile_is_not_decided_on(database_url: str) -> None:
    async with office(database_url) as context:
        decision = await decide(context, DecisionKind.MATCH, [C], [TX])
        late = record_ref(3, 1)
        async with context.connect() as connection:
            file = await context.archive.put(connection, records(["R3"], [300]))
        state = await load_standing(context, P)
        await context.ledger.append(
            process_stream(P),
            state.version,
            [
                FileAdmitted(
                    at=AT,
                    process=P,
                    file=3,
                    file_id="g",
                    side=Side.THEIRS,
                    records=1,
                    frames=(file,),
                )
            ],
        )
        await match_open(context, P, DAY)
        assert (await standing(context, C)).partner == late
        with pytest.raises(DecisionRefusedError, match="matched in a pair"):
            await Decisions(context).approve(P, decision, BEN)


REFUSED: list[tuple[DecisionKind, Any, dict[str, Any], str]] = [
    (DecisionKind.MATCH, ([C], []), {}, "both sides"),
    (DecisionKind.MATCH, ([C, D], [TX]), {}, "no pairs"),
    (DecisionKind.MATCH, ([A], [TX]), {}, "matched in a pair, not alone"),
    (DecisionKind.MATCH, ([TX], [C]), {}, "no record of ours"),
    (DecisionKind.MATCH, ([C, C], [TX, TY]), {}, "named twice"),
    (DecisionKind.UNMATCH, ([A], [TB]), {}, "no pair"),
    (DecisionKind.UNMATCH, ([C], [TX]), {}, "not part of a pair"),
    (DecisionKind.RESOLVE, ([B], [TB]), {}, "takes one"),
    (DecisionKind.RESOLVE, ([A], []), {"winner": Winner.OURS}, "not alone"),
    (DecisionKind.REVIVE, ([C], []), {}, "not expired"),
    (DecisionKind.ADJUST, ([], []), {"cents": 0}, "not 0"),
    (DecisionKind.ADJUST, ([A, B], []), {"cents": 5}, "one line at most"),
    (DecisionKind.MATCH, ([C], [TX]), {"cents": 5}, "only an adjustment"),
    (DecisionKind.MATCH, ([C], [TX]), {"actor": Actor("ann")}, "needs a reason"),
    (DecisionKind.RESOLVE, ([], []), {"winner": Winner.OURS}, "which records"),
]


@pytest.mark.parametrize(("kind", "sides", "more", "said"), REFUSED)
async def test_what_makes_no_sense_is_refused(
    database_url: str, kind: DecisionKind, sides: tuple[Any, Any], more: dict[str, Any], said: str
) -> None:
    async with office(database_url) as context:
        before = await context.ledger.last_position()
        with pytest.raises(DecisionRefusedError, match=said):
            await decide(context, kind, *sides, **more)
        assert await context.ledger.last_position() == before


async def test_a_record_is_in_one_open_decision_at_a_time(database_url: str) -> None:
    async with office(database_url) as context:
        await decide(context, DecisionKind.MATCH, [C], [TX])
        with pytest.raises(DecisionRefusedError, match="waits for approval already"):
            await decide(context, DecisionKind.MATCH, [C], [TY])


async def test_unknown_ones_are_refused(database_url: str) -> None:
    async with office(database_url) as context:
        with pytest.raises(DecisionRefusedError, match="no decision 'none'"):
            await Decisions(context).approve(P, "none", BEN)
        with pytest.raises(UnknownProcessError):
            await Decisions(context).reject("other", "none", BEN)


async def test_without_a_worker_nothing_is_decided(database_url: str) -> None:
    async with office(database_url, fed=False, waits=0.2) as context:
        with pytest.raises(BehindError, match="finance worker"):
            await decide(context, DecisionKind.MATCH, [C], [TX])
