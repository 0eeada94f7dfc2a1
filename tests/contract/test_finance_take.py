"""Take: the ledger's own sales become a process's records, each once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.advice import AdviceKind
from domain.money import Money
from domain.reconciliation import Process, SalesTaken, process_stream
from domain.record import file_of, line_of
from finance.context import Context, UnknownProcessError
from finance.process.calendar import Calendar
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.recon.take import take
from finance.settings import FinanceSettings
from ledger import Archive, Ledger, OutcomeUnknown
from projections.frame import SCHEMA
from switch.buy import buy
from switch.command import Buy, Sender
from tests.finance_context import finance_context, taking_part
from tests.scripted_provider import CONFIRMS_AND_REVERSES, ScriptedProvider
from tests.switchboard import METER, Switchboard, TestClock

A = ReconciliationProcess(id="a", name="A", kind=ProcessKind.PROVIDER, party="a")
B = ReconciliationProcess(id="b", name="B", kind=ProcessKind.PROVIDER, party="b")
TILL = ReconciliationProcess(id="till", name="Till", kind=ProcessKind.CHANNEL, party="till")
EVENING = ReconciliationProcess(
    id="evening",
    name="A, days that end at 17:00",
    kind=ProcessKind.PROVIDER,
    party="a",
    calendar=Calendar(cut_off="17:00"),
)
PROCESSES = (A, B, TILL, EVENING)


@pytest.fixture
async def board(ledger: Ledger) -> AsyncIterator[Switchboard]:
    """Two providers that serve a meter each."""
    clock = TestClock()
    clock.now = datetime(2026, 3, 1, 8, tzinfo=UTC)
    providers = [
        ScriptedProvider("a", clock, CONFIRMS_AND_REVERSES),
        ScriptedProvider("b", clock, CONFIRMS_AND_REVERSES, frozenset({"2"})),
    ]
    board = Switchboard(clock, providers, log=ledger)
    await board.open()
    await board.look_up("l1")
    await board.look_up("l2", "2")
    yield board
    await board.close()


@pytest.fixture
async def context(ledger: Ledger, database_url: str) -> Context:
    return await finance_context(ledger, database_url, PROCESSES)


async def sell(board: Switchboard, purchases: Sequence[str], number: str = METER.number) -> None:
    for purchase_id in purchases:
        await board.buy(purchase_id, number=number)


async def takings(context: Context, process_id: str) -> list[SalesTaken]:
    recorded = await context.ledger.read(process_stream(process_id))
    return [entry.event for entry in recorded if isinstance(entry.event, SalesTaken)]


async def test_a_process_takes_its_partys_sales_and_no_others(
    board: Switchboard, context: Context
) -> None:
    await sell(board, ["p1", "p2"])
    await sell(board, ["p3"], number="2")
    assert [await take(context, name) for name in ("a", "b", "till")] == [2, 1, 3]
    ids = {
        name: [row["transaction_id"] for row in await taking_part(context, name)]
        for name in ("a", "b", "till")
    }
    assert ids == {"a": ["p1", "p2"], "b": ["p3"], "till": ["p1", "p2", "p3"]}


async def test_what_is_taken_is_said_with_its_total_and_its_records_have_the_frames_columns(
    board: Switchboard, context: Context
) -> None:
    await sell(board, ["p1", "p2", "p3"])
    await board.advise(AdviceKind.REVERSAL, "p2", "a1")
    await board.attend("p2")
    assert await take(context, "a") == 4
    (taken,) = await takings(context, "a")
    assert (taken.file, taken.after_position, taken.records) == (1, 0, 4)
    assert taken.to_position == await context.ledger.last_position() - 1
    assert taken.total_cents == 20_000, "three purchases of R100 less a reversal"
    rows = await taking_part(context, "a")
    assert all(set(row) == set(SCHEMA.names) for row in rows)
    assert [(file_of(row["ref"]), line_of(row["ref"])) for row in rows] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 4),
    ]
    reversal = rows[3]
    assert (reversal["message_type"], reversal["original_id"]) == ("REVERSAL", "p2")
    assert (rows[1]["transaction_id"], rows[1]["transaction_state"]) == ("p2", "APPROVED")


async def test_nothing_new_writes_nothing(board: Switchboard, context: Context) -> None:
    assert await take(context, "a") == 0
    await sell(board, ["p1"])
    assert await take(context, "a") == 1
    assert await take(context, "a") == 0
    await sell(board, ["p2"], number="2")
    assert await take(context, "a") == 0, "that was another provider's"
    assert len(await takings(context, "a")) == 1


async def test_later_sales_are_taken_as_another_file(board: Switchboard, context: Context) -> None:
    await sell(board, ["p1"])
    await take(context, "a")
    await sell(board, ["p2"])
    await take(context, "a")
    first, second = await takings(context, "a")
    assert (first.file, second.file) == (1, 2)
    assert second.after_position == first.to_position
    assert [(r["transaction_id"], file_of(r["ref"])) for r in await taking_part(context, "a")] == [
        ("p1", 1),
        ("p2", 2),
    ]


async def test_many_sales_are_several_frames_whose_lines_count_on(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    await sell(board, [f"p{n}" for n in range(7)])
    context = await finance_context(
        ledger, database_url, PROCESSES, settings=FinanceSettings(sales_batch=3)
    )
    assert await take(context, "a") == 7
    (taken,) = await takings(context, "a")
    assert len(taken.frames) == 3
    assert [line_of(row["ref"]) for row in await taking_part(context, "a")] == [*range(1, 8)]


async def test_the_business_date_is_the_calendars(board: Switchboard, context: Context) -> None:
    moments = {
        "before": datetime(2026, 3, 1, 14, 59, tzinfo=UTC),
        "at": datetime(2026, 3, 1, 15, 0, tzinfo=UTC),
        "late": datetime(2026, 3, 1, 21, 59, tzinfo=UTC),
        "midnight": datetime(2026, 3, 1, 22, 0, tzinfo=UTC),
    }
    for name, at in moments.items():
        board.clock.now = at
        await sell(board, [name])
    await take(context, "a")
    await take(context, "evening")
    days = {
        name: {
            row["transaction_id"]: (row["business_date"], row["settlement_date"])
            for row in await taking_part(context, name)
        }
        for name in ("a", "evening")
    }
    first, second = (date(2026, 3, 1),) * 2, (date(2026, 3, 2),) * 2
    assert days["a"] == {"before": first, "at": first, "late": first, "midnight": second}
    assert days["evening"] == {"before": first, "at": second, "late": second, "midnight": second}


async def test_text_comes_through_as_it_was_sent(board: Switchboard, context: Context) -> None:
    hostile = '"a,b"\r\nNULL\té'
    sender = Sender("till", "till", "NULL", hostile, "=1+1", "")
    await buy(board.context, board.look_ups, Buy("p1", METER, Money(5), sender, '{"rrn":"007"}'))
    await take(context, "a")
    (row,) = await taking_part(context, "a")
    assert (row["originator_institution_id"], row["merchant_id"]) == ("NULL", hostile)
    assert (row["terminal_id"], row["channel_id"], row["rrn"]) == ("=1+1", None, "007")


async def test_many_takers_at_once_take_each_sale_once(
    board: Switchboard, context: Context
) -> None:
    await sell(board, [f"p{n}" for n in range(5)])
    counts = await asyncio.gather(*(take(context, "a") for _ in range(6)))
    assert sorted(counts) == [0, 0, 0, 0, 0, 5]
    ids = Counter(row["transaction_id"] for row in await taking_part(context, "a"))
    assert ids == dict.fromkeys((f"p{n}" for n in range(5)), 1)


async def test_taking_while_it_sells_leaves_nothing_out_and_takes_nothing_twice(
    board: Switchboard, context: Context
) -> None:
    async def taking() -> None:
        for _ in range(8):
            await take(context, "a")
            await asyncio.sleep(0.01)

    await asyncio.gather(sell(board, [f"p{n}" for n in range(30)]), taking(), taking())
    await take(context, "a")
    ids = Counter(row["transaction_id"] for row in await taking_part(context, "a"))
    assert ids == dict.fromkeys((f"p{n}" for n in range(30)), 1)


class Dies(Archive):
    """An archive at whose n-th frame the process is killed, before or after it is kept."""

    def __init__(self, at: int, *, kept: bool) -> None:
        super().__init__()
        self._left, self._kept = at, kept

    async def put(self, connection: Any, content: bytes) -> str:  # noqa: ANN401
        self._left -= 1
        if self._left == 0 and not self._kept:
            raise KilledError
        digest = await super().put(connection, content)
        if self._left == 0:
            raise KilledError
        return digest


class KilledError(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("kept", [True, False])
async def test_a_taker_that_is_killed_leaves_nothing_half_done(
    board: Switchboard, ledger: Ledger, database_url: str, at: int, kept: bool
) -> None:
    await sell(board, [f"p{n}" for n in range(5)])
    settings = FinanceSettings(sales_batch=2)
    context = await finance_context(ledger, database_url, PROCESSES, settings=settings)
    dying = Context(
        ledger=context.ledger,
        database_url=context.database_url,
        archive=Dies(at, kept=kept),
        connect=context.connect,
        processes=context.processes,
        clock=context.clock,
        new_id=context.new_id,
        settings=context.settings,
    )
    with pytest.raises(KilledError):
        await take(dying, "a")
    assert (await context.state(process_stream("a"), Process())).version == 0
    assert await take(context, "a") == 5
    ids = [row["transaction_id"] for row in await taking_part(context, "a")]
    assert ids == [f"p{n}" for n in range(5)]


async def test_a_taking_of_which_nobody_knows_whether_it_was_written_is_not_done_twice(
    board: Switchboard, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sell(board, ["p1", "p2"])
    append = context.ledger.append

    async def written_and_lost(*arguments: Any) -> None:  # noqa: ANN401
        await append(*arguments)
        raise OutcomeUnknown("the connection was lost")

    with monkeypatch.context() as patched:
        patched.setattr(context.ledger, "append", written_and_lost)
        with pytest.raises(OutcomeUnknown):
            await take(context, "a")
    assert await take(context, "a") == 0
    ids = [row["transaction_id"] for row in await taking_part(context, "a")]
    assert ids == ["p1", "p2"]


async def test_a_reversal_of_later_days_comes_with_its_own_date(
    board: Switchboard, context: Context
) -> None:
    await sell(board, ["p1"])
    await take(context, "a")
    board.clock.leap(timedelta(days=9).total_seconds())
    await board.advise(AdviceKind.REVERSAL, "p1", "a1")
    await board.attend("p1")
    assert await take(context, "a") == 1
    purchase, reversal = await taking_part(context, "a")
    assert purchase["business_date"] == date(2026, 3, 1)
    assert reversal["business_date"] == date(2026, 3, 10)


async def test_an_unknown_process_is_refused_by_name(context: Context) -> None:
    with pytest.raises(UnknownProcessError, match="no process 'nobody'; there are: a, b"):
        await take(context, "nobody")
