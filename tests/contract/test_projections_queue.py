"""The queue's rows against what the purchases and services say of themselves, and its lists."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from domain.advice import AdviceKind, AdviceStatus
from domain.event import Event
from domain.exchange import Operation, ProviderAsked
from domain.provider import Capabilities
from domain.purchase import (
    Purchase,
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseRequested,
    SurplusSaleFound,
)
from domain.service import Service, ServiceRequested, ServiceStatus
from ledger import Ledger, Recorded
from projections import queue_search
from projections.keyset import Page, cursor_of
from projections.queue import QueueItem
from projections.queue_search import Queued, Section
from projections.reading import Reading
from switch.streams import fold
from tests.contract.test_projections_rows import EVERYTHING, SETTINGS, History, Nobody, runner
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import Switchboard, TestClock

SERVICE_KINDS = {
    "TrialRequested": "TRIAL",
    "ReprintRequested": "REPRINT",
    "FaultReportRequested": "FAULT_REPORT",
    "KeyChangeRequested": "KEY_CHANGE",
}
Told = dict[tuple[str, str, str], tuple[Any, ...]]
"""By (message, kind, part): what a row must say."""


@pytest.fixture
async def reading(database_url: str) -> AsyncIterator[Reading]:
    async with Reading(database_url) as reading:
        yield reading


async def every_item(reading: Reading) -> list[QueueItem]:
    columns = ", ".join(QueueItem.__struct_fields__)
    found = await reading.rows(f"SELECT {columns} FROM projection_queue.item")
    return [QueueItem(*row) for row in found]


# Against the streams


def expected(streams: dict[str, list[Recorded]]) -> Told:
    """What the domain's own states say is open or ended without effect."""
    told: Told = {}
    for stream, recorded in streams.items():
        message_id = stream.partition("/")[2]
        events = [entry.event for entry in recorded if isinstance(entry.event, Event)]
        if isinstance(events[0], PurchaseRequested):
            state = fold(Purchase(), recorded)
            _purchase(told, message_id, state, events)
            _advices(told, message_id, state, events, "CONFIRMATION")
        elif isinstance(events[0], ServiceRequested):
            service = fold(Service(), recorded)
            _service(told, message_id, service, events)
            _advices(told, message_id, service, events, "KEY_CHANGE_CONFIRMATION")
    return told


def _purchase(told: Told, message_id: str, state: Purchase, events: Sequence[Event]) -> None:
    for event in events:
        if isinstance(event, SurplusSaleFound):
            told[message_id, "SURPLUS_SALE", event.reference] = ("SURPLUS", event.provider, 0, None)
    if state.settled:
        return
    ended = [
        at
        for at, event in enumerate(events)
        if isinstance(event, PurchaseApproved | PurchaseDeclined)
    ]
    since = events[ended[-1] + 1 if ended else 0 :]
    recoveries = sum(
        isinstance(event, ProviderAsked) and event.operation is Operation.RECOVER for event in since
    )
    assert state.vend is not None
    status = "ASKED" if state.open is not None else "UNKNOWN"
    due = state.open.deadline if state.open is not None else state.next_recovery_at
    told[message_id, "PURCHASE", ""] = (status, state.vend.provider, recoveries, due)


def _service(told: Told, message_id: str, state: Service, events: Sequence[Event]) -> None:
    kind = SERVICE_KINDS[type(events[0]).__name__]
    if state.status is ServiceStatus.UNKNOWN:
        assert state.asked is not None
        told[message_id, kind, ""] = ("UNRESOLVED", state.asked.provider, 0, None)
    elif state.status is ServiceStatus.PENDING:
        assert state.open is not None
        told[message_id, kind, ""] = ("ASKED", state.open.provider, 0, state.open.deadline)


def _advices(
    told: Told, message_id: str, state: Purchase | Service, events: Sequence[Event], confirm: str
) -> None:
    for advice in state.advices.values():
        kind = "REVERSAL" if advice.kind is AdviceKind.REVERSAL else confirm
        attempts = [
            event
            for event in events
            if isinstance(event, ProviderAsked) and event.advice_id == advice.advice_id
        ]
        sold_by = state.vend.provider if isinstance(state, Purchase) and state.vend else ""
        if isinstance(state, Service) and state.done is not None:
            sold_by = state.done.provider
        match advice.status:
            case AdviceStatus.DELIVERED:
                continue
            case AdviceStatus.GIVEN_UP:
                provider, due = sold_by, None
                status = "GIVEN_UP"
            case AdviceStatus.PENDING:
                # Until it is asked, or its purchase's outcome is open, no event of it names one.
                provider = attempts[-1].provider if attempts else None
                under_way = state.open is not None and state.open.advice_id == advice.advice_id
                status = "ASKED" if under_way else "WAITING"
                due = advice.next_attempt_at or advice.advised_at
                if under_way:
                    assert state.open is not None
                    due = state.open.deadline
        told[message_id, kind, advice.advice_id] = (status, provider, len(attempts), due)


@pytest.mark.parametrize("seed", [4, 5])
async def test_the_rows_are_what_the_streams_say(
    ledger: Ledger, database_url: str, reading: Reading, seed: int
) -> None:
    history = History(ledger, seed)
    await history.board.open()
    seen: set[str] = set()
    for number in range(180):
        await history.step()
        if number % 45 != 44:
            continue
        await history.board.quiet()
        await runner(ledger, database_url, 7).catch_up()
        streams: dict[str, list[Recorded]] = {}
        position = 0
        while page := await ledger.read_all(position, 1_000):
            for entry in page:
                if entry.stream.startswith("message/"):
                    streams.setdefault(entry.stream, []).append(entry)
            position = page[-1].position
        told = expected(streams)
        rows = {(i.message_id, i.kind, i.part): i for i in await every_item(reading)}
        assert rows.keys() == told.keys()
        for key, (state, provider, attempts, due) in told.items():
            row = rows[key]
            assert (row.state, row.attempts, row.next_attempt_at) == (state, attempts, due), key
            assert provider is None or row.provider == provider, key
            assert row.open == (state in ("ASKED", "UNKNOWN", "WAITING")), key
        seen |= {row.state for row in rows.values()}
    assert seen >= {"UNKNOWN", "WAITING", "GIVEN_UP", "UNRESOLVED"}
    await history.board.close()


# What a row tells


@pytest.fixture
async def board(ledger: Ledger) -> AsyncIterator[Switchboard]:
    """Provider a, which serves the meter and can't confirm or reverse; the meter is known."""
    clock = TestClock()
    clock.now = datetime(2026, 3, 1, 8, tzinfo=UTC)
    board = Switchboard(clock, [ScriptedProvider("a", clock, EVERYTHING)], SETTINGS, log=ledger)
    board.purchases = Nobody()
    await board.open()
    await board.look_up("l1")
    yield board
    await board.close()


def fault(board: Switchboard, fault: Fault) -> None:
    board.providers["a"].fault = lambda _operation: fault


Look = Callable[..., Awaitable[list[Queued]]]


@pytest.fixture
def look(board: Switchboard, ledger: Ledger, reading: Reading, database_url: str) -> Look:
    """Feeds the read models and gives a section's first page."""

    async def found(section: Section, provider: str = "", kind: str = "") -> list[Queued]:
        await runner(ledger, database_url).catch_up()
        page = await queue_search.listed(
            reading, section, board.clock(), provider=provider, kind=kind, limit=50
        )
        return page.rows

    return found


async def test_a_purchase_in_doubt_tells_of_whom_what_and_how_often(
    board: Switchboard, look: Look
) -> None:
    fault(board, Fault.SILENT_AFTER)
    began = board.clock.now
    await board.buy("p1")
    board.clock.leap(10)
    fault(board, Fault.NOT_SENT)
    await board.attend("p1")
    (queued,) = await look(Section.IN_DOUBT)
    item = queued.item
    assert (item.message_id, item.kind, item.state, item.provider) == (
        *("p1", "PURCHASE", "UNKNOWN"),
        "a",
    )
    assert (queued.meter, queued.amount_cents, queued.currency, queued.client) == (
        *("04000000001", 10_000),
        *("710", "till"),
    )
    assert began < item.since < began + timedelta(seconds=1)
    assert item.last_attempt_at is not None
    assert item.last_attempt_at > began + timedelta(seconds=10)
    assert (item.attempts, item.detail) == (1, "connection refused")
    assert item.reference == "a-2", "what the provider knows the vend by, not its recovery"
    assert queued.outcome_open


async def test_a_sale_under_way_is_no_doubt_and_one_past_its_deadline_is(
    board: Switchboard, look: Look, reading: Reading
) -> None:
    board.providers["a"].hold = asyncio.Event()
    buying = asyncio.create_task(board.buy("p1"))
    async with asyncio.timeout(30):
        while Operation.VEND not in board.providers["a"].asked:  # noqa: ASYNC110 (nothing says it)
            await asyncio.sleep(0.001)
    assert await look(Section.IN_DOUBT) == []
    assert await queue_search.depths(reading, board.clock()) == []
    buying.cancel()
    await asyncio.gather(buying, return_exceptions=True)
    board.clock.leap(120)
    (queued,) = await look(Section.IN_DOUBT)
    assert (queued.item.state, queued.item.attempts) == ("ASKED", 0)
    (depth,) = await queue_search.depths(reading, board.clock())
    assert (depth.provider, depth.in_doubt, depth.waiting) == ("a", 1, 0)
    assert depth.in_doubt_since == queued.item.since


async def test_an_advice_waits_for_the_outcome_and_knows_its_provider(
    board: Switchboard, look: Look
) -> None:
    fault(board, Fault.SILENT_AFTER)
    await board.buy("p1")
    await board.advise(AdviceKind.REVERSAL, "p1", "r1")
    await board.advise(AdviceKind.CONFIRMATION, "p1", "c1")
    first, second = await look(Section.WAITING)
    assert [(q.item.kind, q.item.part) for q in (first, second)] == [
        ("REVERSAL", "r1"),
        ("CONFIRMATION", "c1"),
    ]
    assert first.outcome_open
    assert first.item.provider == "a"
    fault(board, Fault.NONE)
    board.clock.leap(10)
    await board.attend("p1")
    assert await look(Section.WAITING) == []
    (ended,) = await look(Section.ENDED)
    assert (ended.item.part, ended.item.because, ended.item.provider) == ("c1", "SUPERSEDED", "a")


async def test_an_advice_that_was_not_sent_yet_is_found_by_the_provider_that_sold(
    board: Switchboard, look: Look, reading: Reading
) -> None:
    await board.buy("p1")
    await board.advise(AdviceKind.REVERSAL, "p1", "r1")
    (queued,) = await look(Section.WAITING, provider="a")
    assert (queued.item.provider, queued.item.state) == ("a", "WAITING")
    assert await look(Section.WAITING, provider="b") == []
    (depth,) = await queue_search.depths(reading, board.clock())
    assert (depth.provider, depth.waiting, depth.in_doubt) == ("a", 1, 0)


async def test_what_the_provider_cannot_do_or_refuses_stays_with_its_reason(
    board: Switchboard, look: Look, reading: Reading
) -> None:
    await board.buy("p1")
    await board.buy("p2")
    board.providers["a"].capabilities = Capabilities(confirm=True)
    await board.advise(AdviceKind.REVERSAL, "p1", "r1")
    await board.attend("p1")
    fault(board, Fault.DECLINE)
    await board.advise(AdviceKind.CONFIRMATION, "p2", "c2")
    await board.attend("p2")
    refused, unsupported = await look(Section.ENDED)
    assert (unsupported.item.because, unsupported.item.provider) == ("NOT_SUPPORTED", "a")
    assert unsupported.item.attempts == 0, "it was never asked"
    assert (refused.item.because, refused.item.error_type, refused.item.detail) == (
        *("REFUSED", "TRANSACTION_DECLINED"),
        "no",
    )
    for kind, parts in (("REVERSAL", ["r1"]), ("CONFIRMATION", ["c2"]), ("TRIAL", [])):
        found = await look(Section.ENDED, kind=kind)
        assert [queued.item.part for queued in found] == parts
    assert len(await look(Section.ENDED, provider="a")) == 2
    assert await look(Section.ENDED, provider="b") == []
    totals = await queue_search.totals(reading, [], board.clock())
    assert totals.ended == 2
    board.clock.leap(86_400)
    assert (await queue_search.totals(reading, [], board.clock())).ended == 0


async def test_a_service_request_without_an_answer_has_ended_until_a_late_one_comes(
    board: Switchboard, look: Look
) -> None:
    fault(board, Fault.SILENT_AFTER)
    await board.report_fault("f1")
    (queued,) = await look(Section.ENDED)
    assert (queued.item.kind, queued.item.state) == ("FAULT_REPORT", "UNRESOLVED")
    assert queued.item.detail == "no answer"
    assert await look(Section.IN_DOUBT) == []


async def test_the_confirmation_of_a_key_change_is_told_from_that_of_a_purchase(
    board: Switchboard, look: Look
) -> None:
    await board.change_key("k1")
    assert await look(Section.WAITING) == []
    fault(board, Fault.NOT_SENT)
    await board.confirm_key_change("k1", "c1")
    await board.attend("k1")
    (queued,) = await look(Section.WAITING)
    assert (queued.item.kind, queued.item.detail) == (
        "KEY_CHANGE_CONFIRMATION",
        "connection refused",
    )
    assert not queued.outcome_open


# Page by page


async def insert(database_url: str, items: Sequence[QueueItem]) -> None:
    columns = ", ".join(QueueItem.__struct_fields__)
    holders = ", ".join(["%s"] * len(QueueItem.__struct_fields__))
    connection = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    async with connection:
        await connection.cursor().executemany(
            f"INSERT INTO projection_queue.item ({columns}) VALUES ({holders})".encode(),
            [msgspec.structs.astuple(item) for item in items],
        )


T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)


def item(number: int, section: Section) -> QueueItem:
    """Some share their moment, so that the ids have to keep them apart."""
    at = T0 + timedelta(seconds=number // 3)
    kind, part, state = {
        Section.IN_DOUBT: ("PURCHASE", "", "UNKNOWN"),
        Section.WAITING: ("REVERSAL", f"r~{number}%", "WAITING"),
        Section.ENDED: ("REVERSAL", f"g{number}", "GIVEN_UP"),
    }[section]
    provider = "ab"[number % 2]
    made = QueueItem(f"{section}-{number}", kind, part, state, provider, "", at, next_attempt_at=at)
    if section is Section.ENDED:
        made.finished_at, made.since = at, T0
    return made


@pytest.mark.parametrize("section", Section)
@pytest.mark.parametrize("provider", ["", "b"])
async def test_pages_lead_through_the_whole_list_and_back(
    ledger: Ledger, database_url: str, reading: Reading, section: Section, provider: str
) -> None:
    await runner(ledger, database_url).catch_up()
    items = [item(number, one) for one in Section for number in range(11)]
    await insert(database_url, items)
    wanted = [
        one.message_id
        for one in items
        if one.message_id.startswith(section) and provider in ("", one.provider)
    ]

    async def page(mark: str | None, *, back: bool = False) -> Page[Queued]:
        kinds = (datetime, str, str, str)
        cursor = cursor_of(mark, kinds, back=back) if mark is not None else None
        return await queue_search.listed(
            reading, section, T0 + timedelta(days=1), provider=provider, cursor=cursor, limit=4
        )

    pages = [await page(None)]
    assert pages[0].earlier is None
    while pages[-1].later is not None:
        pages.append(await page(pages[-1].later))
    forth = [[queued.item.message_id for queued in one.rows] for one in pages]
    found = [message_id for one in forth for message_id in one]
    assert sorted(found) == sorted(wanted)
    moments = [(q.item.finished_at or q.item.since) for one in pages for q in one.rows]
    assert moments == sorted(moments, reverse=section is Section.ENDED)

    back = [pages[-1]]
    while back[-1].earlier is not None:
        back.append(await page(back[-1].earlier, back=True))
    assert [[q.item.message_id for q in one.rows] for one in back[::-1]] == forth
