"""Many writing processes, one tailing reader: none missed, none twice.

The library's own inserting function loses events to a tail under this load; that is why the
ledger takes a lock and why this test exists.
"""

import asyncio
import multiprocessing
from contextlib import aclosing
from itertools import islice
from time import perf_counter

from ledger import Ledger, Recorded
from tests.ledger_events import Counted

PROCESSES = 8
CLIENTS_PER_PROCESS = 8
TAIL_SECONDS_MAX = 120.0


def write(database_url: str, process: int, events: int) -> None:
    """Runs in a process of its own: appends `events` events to streams of its own."""
    asyncio.run(_write(database_url, process, events))


async def _write(database_url: str, process: int, events: int) -> None:
    ledger = await Ledger.open(database_url)
    left = iter(range(events))

    async def client(number: int) -> None:
        version = 0
        # Appends of one, two and three events in turn, as many as are left over all clients.
        while numbers := list(islice(left, 1 + version % 3)):
            counted = [Counted(number=n) for n in numbers]
            await ledger.append(f"writer/{process}/{number}", version, counted)
            version += len(counted)

    await asyncio.gather(*(client(number) for number in range(CLIENTS_PER_PROCESS)))
    await ledger.close()


async def _tail(database_url: str, events: int) -> list[Recorded]:
    ledger = await Ledger.open(database_url)
    seen: list[Recorded] = []
    async with asyncio.timeout(TAIL_SECONDS_MAX), aclosing(ledger.tail(after=0)) as tail:
        async for batch in tail:
            seen += batch.recorded
            if len(seen) >= events:
                break
    assert await ledger.last_position() == events
    await ledger.close()
    return seen


async def none_missed_none_twice(database_url: str, processes: int, per_process: int) -> float:
    """Returns the seconds from the first write to the last event seen."""
    events = processes * per_process
    spawn = multiprocessing.get_context("spawn")
    tailing = asyncio.create_task(_tail(database_url, events))
    await asyncio.sleep(0.1)
    began = perf_counter()
    writers = [
        spawn.Process(target=write, args=(database_url, number, per_process))
        for number in range(processes)
    ]
    for writer in writers:
        writer.start()
    seen = await tailing
    seconds = perf_counter() - began
    for writer in writers:
        await asyncio.to_thread(writer.join)
    assert [writer.exitcode for writer in writers] == [0] * processes

    assert [r.position for r in seen] == list(range(1, events + 1))
    by_stream: dict[str, list[int]] = {}
    numbers: dict[str, list[int]] = {}
    for recorded in seen:
        assert isinstance(recorded.event, Counted)
        by_stream.setdefault(recorded.stream, []).append(recorded.version)
        process = recorded.stream.split("/")[1]
        numbers.setdefault(process, []).append(recorded.event.number)
    for versions in by_stream.values():
        assert versions == list(range(1, len(versions) + 1))
    assert {p: sorted(found) for p, found in numbers.items()} == {
        str(process): list(range(per_process)) for process in range(processes)
    }
    return seconds


async def test_eight_processes_write_and_a_tail_sees_every_event_once(database_url: str) -> None:
    await none_missed_none_twice(database_url, PROCESSES, 1_000)


async def test_a_hundred_thousand_events_from_twelve_processes(database_url: str) -> None:
    seconds = await none_missed_none_twice(database_url, 12, 8_334)
    print(f"\n{12 * 8_334} events from 12 processes in {seconds:.1f} s: none missed, none twice")
