"""Appending and reading back: what a caller may rely on."""

import asyncio

import pytest

from ledger import EventRejected, Ledger, LedgerClosed, Recorded, VersionConflict
from tests.ledger_events import Noted, noted


async def test_what_was_appended_is_read_back_in_order(ledger: Ledger) -> None:
    first = await ledger.append("note/1", 0, noted("a", "b"))
    second = await ledger.append("note/1", 2, noted("c"))

    assert first == [
        Recorded(1, "note/1", 1, Noted(text="a")),
        Recorded(2, "note/1", 2, Noted(text="b")),
    ]
    assert await ledger.read("note/1") == [*first, *second]
    assert await ledger.read("note/1", after_version=2) == second
    assert await ledger.read("note/2") == []


async def test_the_second_of_two_first_appends_loses(ledger: Ledger) -> None:
    """Two requests with one message id at the same instant: one stream, one winner."""
    answers = await asyncio.gather(
        *(ledger.append("message/1", 0, noted(f"writer {n}")) for n in range(8)),
        return_exceptions=True,
    )

    winners = [answer for answer in answers if isinstance(answer, list)]
    assert len(winners) == 1
    assert sum(isinstance(answer, VersionConflict) for answer in answers) == 7
    assert await ledger.read("message/1") == winners[0]


async def test_a_conflict_fails_alone_among_its_neighbours(ledger: Ledger) -> None:
    await ledger.append("note/old", 0, noted("first"))

    answers = await asyncio.gather(
        ledger.append("note/1", 0, noted("a")),
        ledger.append("note/old", 0, noted("exists already")),
        ledger.append("note/2", 0, noted("b", "c")),
        ledger.append("note/old", 5, noted("beyond the end")),
        ledger.append("note/3", 0, noted("d")),
        return_exceptions=True,
    )

    written = [answer for answer in answers if isinstance(answer, list)]
    assert [r.position for answer in written for r in answer] == [2, 3, 4, 5]
    conflict = answers[1]
    assert isinstance(conflict, VersionConflict)
    assert (conflict.stream, conflict.after_version) == ("note/old", 0)
    assert isinstance(answers[3], VersionConflict)
    assert await ledger.last_position() == 5


async def test_appends_that_follow_each_other_may_be_sent_at_once(ledger: Ledger) -> None:
    """The second is judged after the first, though both may have been queued together."""
    answers = await asyncio.gather(*(ledger.append("note/1", n, noted(str(n))) for n in range(20)))

    assert [answer[0].version for answer in answers] == list(range(1, 21))


async def test_an_append_that_builds_on_a_refused_one_is_judged_by_the_stream(
    ledger: Ledger,
) -> None:
    await ledger.append("note/1", 0, noted("a"))

    refused, accepted = await asyncio.gather(
        ledger.append("note/1", 0, noted("too late")),
        ledger.append("note/1", 1, noted("in time")),
        return_exceptions=True,
    )

    assert isinstance(refused, VersionConflict)
    assert isinstance(accepted, list)


async def test_positions_have_no_gaps_whatever_was_refused(ledger: Ledger) -> None:
    for n in range(10):
        await ledger.append(f"note/{n}", 0, noted("a"))
        with pytest.raises(VersionConflict):
            await ledger.append(f"note/{n}", 0, noted("again"))

    recorded = await ledger.read_all(after=0, limit=100)
    assert [r.position for r in recorded] == list(range(1, 11))
    assert [r.stream for r in recorded] == [f"note/{n}" for n in range(10)]


async def test_a_cancelled_caller_does_not_disturb_the_others(ledger: Ledger) -> None:
    tasks = [asyncio.create_task(ledger.append(f"note/{n}", 0, noted("a"))) for n in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::5]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert all(isinstance(a, asyncio.CancelledError) for a in answers[::5])
    for n, answer in enumerate(answers):
        if n % 5:
            assert isinstance(answer, list), answer
            assert await ledger.read(f"note/{n}") == answer
    assert await ledger.append("note/after", 0, noted("still writing"))


@pytest.mark.parametrize(
    ("stream", "after", "count"),
    [("", 0, 1), ("a\x00b", 0, 1), ("x" * 1001, 0, 1), ("\ud800", 0, 1), ("a", -1, 1), ("a", 0, 0)],
)
async def test_an_append_that_cannot_be_stored_is_refused_at_the_door(
    ledger: Ledger, stream: str, after: int, count: int
) -> None:
    with pytest.raises(EventRejected):
        await ledger.append(stream, after, noted(*["a"] * count))
    assert await ledger.last_position() == 0


async def test_closing_finishes_what_was_queued(database_url: str) -> None:
    ledger = await Ledger.open(database_url)
    tasks = [asyncio.create_task(ledger.append(f"note/{n}", 0, noted("a"))) for n in range(500)]
    await asyncio.sleep(0)
    await ledger.close()

    assert all(isinstance(answer, list) for answer in await asyncio.gather(*tasks))
    with pytest.raises(LedgerClosed):
        await ledger.append("note/late", 0, noted("a"))
    reopened = await Ledger.open(database_url)
    assert await reopened.last_position() == 500
    await reopened.close()
