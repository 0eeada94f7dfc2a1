"""Provider references are never given out twice, whatever processes come and go."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from switch.references import References
from switch.streams import Streams
from tests.memory_log import MemoryLog
from tests.switchboard import TestClock

STEP = st.tuples(st.integers(0, 2), st.sampled_from(["a", "b"]), st.integers(1, 6))


@given(
    block=st.integers(1, 5),
    rounds=st.lists(st.lists(STEP, min_size=1, max_size=5), min_size=1, max_size=6),
    crashes=st.sets(st.integers(0, 5)),
)
def test_references_of_several_processes_are_disjoint(
    block: int, rounds: list[list[tuple[int, str, int]]], crashes: set[int]
) -> None:
    async def run() -> None:
        log, clock = MemoryLog(), TestClock()
        processes: dict[int, References] = {}
        taken: dict[str, list[int]] = {"a": [], "b": []}

        async def take(process: int, provider: str) -> None:
            taken[provider].append(await processes[process].take(provider))

        for number, steps in enumerate(rounds):
            for process in range(3):
                if process not in processes or number in crashes:
                    # A new process knows nothing of what the one before had reserved.
                    owner = f"process {process}, round {number}"
                    processes[process] = References(Streams(log, 20, 0.0), clock, block, owner)
            await asyncio.gather(
                *(
                    take(process, provider)
                    for process, provider, times in steps
                    for _ in range(times)
                )
            )
        for numbers in taken.values():
            assert len(set(numbers)) == len(numbers)
            assert all(number >= 1 for number in numbers)

    asyncio.run(run())


def test_one_process_counts_up_without_gaps_and_reserves_a_block_at_a_time() -> None:
    async def run() -> None:
        log = MemoryLog()
        references = References(Streams(log, 20, 0.0), TestClock(), 4, "me")
        assert [await references.take("a") for _ in range(9)] == list(range(1, 10))
        assert len(log.appends) == 3

    asyncio.run(run())
