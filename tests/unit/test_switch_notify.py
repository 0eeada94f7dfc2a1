"""Notifications: queued with the approval, sent until heard, and never in a purchase's way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import pytest

from domain.event import Event
from domain.notification import (
    Answer,
    NotGivenBecause,
    Notification,
    NotificationBegun,
    NotificationGivenUp,
    NotificationQueued,
    NotificationStatus,
    notification_stream,
)
from ledger import LedgerUnavailable
from switch.command import Sender, Sold
from switch.notify import Messenger, Notifying, notify
from switch.ports import Notice, UnreadableError
from switch.settings import SwitchSettings
from switch.streams import fold
from switch.subscription import Subscription
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import SENDER, Switchboard, TestClock

LOYALTY = Subscription("loyalty", users=frozenset({SENDER.user}))
BANK = Subscription("bank", clients=frozenset({"bank"}))
SETTINGS = SwitchSettings(
    lease_poll_seconds=0.0, notification_scan_seconds=0.001, notification_concurrency=2
)


class ScriptedNotifier:
    """Answers with what is set here, and keeps what it was given. While `hold` is not set, nobody
    is answered."""

    def __init__(self) -> None:
        self.answer: Answer | Exception = Answer(202)
        self.told: list[tuple[str, Notice]] = []
        self.hold: asyncio.Event | None = None
        self.most_at_once = 0
        self._at_once = 0

    async def notify(self, subscriber: str, notice: Notice) -> Answer:
        self.told.append((subscriber, notice))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await (self.hold.wait() if self.hold is not None else asyncio.sleep(0))
        finally:
            self._at_once -= 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class QueuedInTheLog:
    """Finds what is queued as the read model does, but shows it whether it is due or not."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    async def notifications_due(self, subscriber: str, now: datetime, limit: int) -> Sequence[str]:
        del now
        found = [
            stream.partition("/")[2]
            for stream, recorded in self._board.log.streams.items()
            for entry in recorded
            if isinstance(entry.event, NotificationQueued) and subscriber in entry.event.subscribers
        ]
        return found[:limit]


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    clock = TestClock()
    board = Switchboard(
        clock, [ScriptedProvider("a", clock)], SETTINGS, subscriptions=[LOYALTY, BANK]
    )
    await board.open()
    await board.look_up("l1")
    yield board
    await board.close()


@pytest.fixture
def notifier() -> ScriptedNotifier:
    return ScriptedNotifier()


def fault(board: Switchboard, fault: Fault) -> None:
    board.providers["a"].fault = lambda _operation: fault


def queued(board: Switchboard, purchase_id: str) -> list[tuple[str, ...]]:
    recorded = board.log.streams[f"message/{purchase_id}"]
    return [r.event.subscribers for r in recorded if isinstance(r.event, NotificationQueued)]


async def state(board: Switchboard, purchase_id: str = "p1") -> Notification:
    stream = notification_stream("loyalty", purchase_id)
    return fold(Notification(), await board.log.read(stream))


def last(board: Switchboard, purchase_id: str = "p1") -> Event:
    event = board.log.streams[notification_stream("loyalty", purchase_id)][-1].event
    assert isinstance(event, Event)
    return event


# Queueing


async def test_it_is_queued_in_the_append_that_approves(board: Switchboard) -> None:
    await board.buy("p1")
    written = [type(entry.event).__name__ for entry in board.log.appends[-1]]
    assert written == ["ProviderAnswered", "PurchaseApproved", "NotificationQueued"]
    assert queued(board, "p1") == [("loyalty",)]


async def test_a_recovered_purchase_is_told_of_too_and_once(board: Switchboard) -> None:
    fault(board, Fault.SILENT_AFTER)
    await board.buy("p1")
    await board.buy("p2")
    assert queued(board, "p1") == []
    fault(board, Fault.NONE)
    board.clock.leap(10)
    await board.attend("p1")
    assert isinstance(await board.retry("p2", "r1"), Sold)
    assert isinstance(await board.retry("p2", "r2"), Sold)
    assert queued(board, "p1") == queued(board, "p2") == [("loyalty",)]


async def test_what_was_not_sold_is_not_told(board: Switchboard) -> None:
    fault(board, Fault.DECLINE)
    await board.buy("p1")
    assert queued(board, "p1") == []


@pytest.mark.parametrize(
    ("sender", "owed"),
    [
        (Sender("till", "shop"), [("loyalty",)]),
        (Sender("till", "bank"), [("loyalty", "bank")]),
        (Sender("app", "bank"), [("bank",)]),
        (Sender("bank", "till"), []),
    ],
)
async def test_a_subscriber_gets_the_purchases_of_its_users_and_clients(
    board: Switchboard, monkeypatch: pytest.MonkeyPatch, sender: Sender, owed: list[tuple[str, ...]]
) -> None:
    monkeypatch.setattr("tests.switchboard.SENDER", sender)
    await board.buy("p1")
    assert queued(board, "p1") == owed


# Telling


async def test_a_subscriber_is_told_what_was_sold(
    board: Switchboard, notifier: ScriptedNotifier
) -> None:
    sold = await board.buy("p1")
    assert await notify(board.context, notifier, "loyalty", "p1")
    ((subscriber, notice),) = notifier.told
    assert (subscriber, notice.purchase_id, notice.sold) == ("loyalty", "p1", sold)
    assert (await state(board)).status is NotificationStatus.DELIVERED
    assert not await notify(board.context, notifier, "loyalty", "p1")
    assert len(notifier.told) == 1
    assert len(board.story("p1")) == 6, "the purchase's own story goes no further"


@pytest.mark.parametrize("status", [None, 500, 502, 503, 504, 302, 304])
async def test_it_is_repeated_with_growing_waits(
    board: Switchboard, notifier: ScriptedNotifier, status: int | None
) -> None:
    await board.buy("p1")
    notifier.answer = Answer(status, "as the test says")
    waits: list[float] = []
    for attempt in range(1, 13):
        assert await notify(board.context, notifier, "loyalty", "p1")
        pending = await state(board)
        assert pending.attempts == attempt
        assert pending.next_attempt_at is not None
        assert not await notify(board.context, notifier, "loyalty", "p1")
        waits.append(round((pending.next_attempt_at - board.clock.now).total_seconds()))
        board.clock.leap(waits[-1])
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]
    notifier.answer = Answer(200)
    assert await notify(board.context, notifier, "loyalty", "p1")
    assert (await state(board)).status is NotificationStatus.DELIVERED


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 501])
async def test_a_refusal_is_final(
    board: Switchboard, notifier: ScriptedNotifier, status: int
) -> None:
    await board.buy("p1")
    notifier.answer = Answer(status)
    await notify(board.context, notifier, "loyalty", "p1")
    ended = last(board)
    assert isinstance(ended, NotificationGivenUp)
    assert (ended.because, ended.status) == (NotGivenBecause.REFUSED, status)
    board.clock.leap(100_000)
    assert not await notify(board.context, notifier, "loyalty", "p1")


async def test_it_is_given_up_after_the_set_time(
    board: Switchboard, notifier: ScriptedNotifier
) -> None:
    await board.buy("p1")
    notifier.answer = Answer(None, "refused")
    attempts = 0
    while (await state(board)).status is NotificationStatus.PENDING:
        attempts += await notify(board.context, notifier, "loyalty", "p1")
        board.clock.leap(60)
    ended = last(board)
    assert isinstance(ended, NotificationGivenUp)
    assert ended.because is NotGivenBecause.TOO_OLD
    assert 72 <= attempts <= 90, "ten to begin with, then one an hour"


async def test_a_request_that_cannot_be_read_any_more_is_given_up(
    board: Switchboard, notifier: ScriptedNotifier
) -> None:
    await board.buy("p1")
    notifier.answer = UnreadableError("no time in it")
    await notify(board.context, notifier, "loyalty", "p1")
    ended = last(board)
    assert isinstance(ended, NotificationGivenUp)
    assert (ended.because, ended.detail) == (NotGivenBecause.NOTHING_TO_TELL, "no time in it")


# Several processes, and processes that die


async def test_a_killed_process_leaves_an_attempt_that_is_made_again_later(
    board: Switchboard, notifier: ScriptedNotifier
) -> None:
    await board.buy("p1")
    notifier.hold = asyncio.Event()
    dying = asyncio.create_task(notify(board.context, notifier, "loyalty", "p1"))
    await board.quiet()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert isinstance(last(board), NotificationBegun)
    notifier.hold = None
    board.restart()
    assert not await notify(board.context, notifier, "loyalty", "p1"), "it may still be under way"
    board.clock.leap(13)
    assert await notify(board.context, notifier, "loyalty", "p1")
    assert (await state(board)).status is NotificationStatus.DELIVERED
    assert len(notifier.told) == 2, "at least once"


async def test_two_processes_make_one_attempt(
    board: Switchboard, notifier: ScriptedNotifier
) -> None:
    await board.buy("p1")
    made = await asyncio.gather(
        *(notify(board.context, notifier, "loyalty", "p1") for _ in range(8))
    )
    assert sum(made) == 1
    assert len(notifier.told) == 1


async def test_a_delivery_that_ends_after_its_deadline_still_counts(board: Switchboard) -> None:
    await board.buy("p1")
    first, second = ScriptedNotifier(), ScriptedNotifier()
    first.hold = asyncio.Event()
    stalled = asyncio.create_task(notify(board.context, first, "loyalty", "p1"))
    await board.quiet()
    board.clock.leap(13)
    second.answer = Answer(503)
    assert await notify(board.context, second, "loyalty", "p1")
    first.hold.set()
    assert await stalled
    assert (await state(board)).status is NotificationStatus.DELIVERED


# The messenger


async def until_told(board: Switchboard, notifier: ScriptedNotifier, times: int) -> None:
    async with asyncio.timeout(20):
        while len(notifier.told) < times:
            await board.quiet()
            await asyncio.sleep(0.001)


async def test_the_messenger_tells_all_a_few_at_once(
    board: Switchboard, notifier: ScriptedNotifier
) -> None:
    for number in range(7):
        await board.buy(f"p{number}")
    messenger = Messenger(board.context, Notifying(QueuedInTheLog(board), notifier), "loyalty")
    assert await messenger.round() == 7
    assert notifier.most_at_once == SETTINGS.notification_concurrency
    assert {notice.purchase_id for _, notice in notifier.told} == {f"p{n}" for n in range(7)}
    assert await messenger.round() == 0


async def test_a_subscriber_that_hangs_keeps_neither_purchases_nor_others_waiting(
    board: Switchboard,
) -> None:
    hanging, well = ScriptedNotifier(), ScriptedNotifier()
    hanging.hold = asyncio.Event()
    finder = QueuedInTheLog(board)
    loops = [
        asyncio.create_task(Messenger(board.context, Notifying(finder, one), name).loop())
        for name, one in (("loyalty", hanging), ("bank", well))
    ]
    sender = Sender("till", "bank")
    for number in range(3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.switchboard.SENDER", sender)
            assert isinstance(await board.buy(f"p{number}"), Sold)
    await until_told(board, well, 3)
    assert len(hanging.told) <= SETTINGS.notification_concurrency
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)


async def test_the_messenger_survives_whatever_goes_wrong(
    board: Switchboard, notifier: ScriptedNotifier
) -> None:
    await board.buy("p1")
    notifier.answer = RuntimeError("a fault in the program")
    loop = asyncio.create_task(
        Messenger(board.context, Notifying(QueuedInTheLog(board), notifier), "loyalty").loop()
    )
    await until_told(board, notifier, 1)

    def away(moment: str, events: Sequence[Event]) -> None:
        del moment
        if isinstance(events[0], NotificationBegun):
            raise LedgerUnavailable

    board.log.around = away
    board.clock.leap(13)
    await asyncio.sleep(0.02)
    board.log.around = lambda _moment, _events: None
    notifier.answer = Answer(200)
    await until_told(board, notifier, 2)
    await board.quiet()
    assert (await state(board)).status is NotificationStatus.DELIVERED
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
