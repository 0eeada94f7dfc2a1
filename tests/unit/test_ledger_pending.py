"""Which appends go into a commit together, and which wait."""

import asyncio
from dataclasses import replace

import pytest

from ledger import LedgerBusy, LedgerSettings
from ledger.pending import AppendQueue, PendingAppend


def append(stream: str, events: int = 1, size: int = 10, deadline: float = 0.0) -> PendingAppend:
    future = asyncio.get_running_loop().create_future()
    return PendingAppend(stream, 0, ["t"] * events, [b"s"] * events, size, deadline, future)


def queue_of(*appends: PendingAppend, **limits: int) -> AppendQueue:
    queue = AppendQueue(replace(LedgerSettings(event_bytes_max=1), **limits))
    for one in appends:
        queue.put(one)
    return queue


async def commits(queue: AppendQueue) -> list[list[str]]:
    """The streams of commit after commit until nothing is left."""
    found: list[list[str]] = []
    while taken := queue.take():
        found.append([one.stream for one in taken])
    return found


async def test_first_come_first_served_up_to_the_limits() -> None:
    streams = [append(name) for name in "abcd"]
    assert await commits(queue_of(*streams, commit_appends_max=3)) == [["a", "b", "c"], ["d"]]
    streams = [append(name, events=3) for name in "abc"]
    assert await commits(queue_of(*streams, commit_events_max=7)) == [["a", "b"], ["c"]]
    streams = [append(name, size=40) for name in "abc"]
    assert await commits(queue_of(*streams, commit_bytes_max=100)) == [["a", "b"], ["c"]]


async def test_one_append_larger_than_a_commit_goes_alone_and_is_not_stuck() -> None:
    queue = queue_of(append("a", events=9), append("b"), commit_events_max=4)
    assert await commits(queue) == [["a"], ["b"]]


async def test_a_stream_comes_once_in_a_commit_and_keeps_its_order() -> None:
    names = ["a", "b", "a", "c", "a", "b"]
    assert await commits(queue_of(*map(append, names))) == [["a", "b", "c"], ["a", "b"], ["a"]]


async def test_an_append_under_suspicion_is_committed_alone() -> None:
    suspect = append("b")
    suspect.alone = True
    queue = queue_of(append("a"), suspect, append("c"), append("d"))
    assert await commits(queue) == [["a"], ["b"], ["c", "d"]]


async def test_an_append_whose_caller_has_gone_away_is_not_written() -> None:
    gone = append("a")
    queue = queue_of(gone, append("b"))
    gone.answer.cancel()
    assert await commits(queue) == [["b"]]


async def test_the_queue_is_bounded_by_number_and_by_bytes() -> None:
    queue = queue_of(append("a"), append("b"), queue_appends_max=2)
    with pytest.raises(LedgerBusy):
        queue.put(append("c"))
    queue.take()
    queue.put(append("c"))

    queue = queue_of(append("a", size=60), queue_bytes_max=100)
    with pytest.raises(LedgerBusy):
        queue.put(append("b", size=41))
    queue.put(append("b", size=40))
    queue.take()
    queue.put(append("c", size=100))


async def test_what_was_put_back_is_taken_first_and_in_its_order() -> None:
    queue = queue_of(*map(append, "abcd"), commit_appends_max=3)
    queue.put_back(queue.take())
    assert await commits(queue) == [["a", "b", "c"], ["d"]]


async def test_only_what_has_waited_too_long_expires() -> None:
    queue = queue_of(append("a", deadline=1), append("b", deadline=3), append("c", deadline=2))
    assert [one.stream for one in queue.take_expired(2)] == ["a", "c"]
    assert await commits(queue) == [["b"]]
