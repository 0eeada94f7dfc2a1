"""Any interleaving of appends against a model: a dictionary of lists."""

import asyncio
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import Ledger, LedgerSettings, Recorded, VersionConflict
from tests.ledger_events import Counted


@dataclass(frozen=True)
class Attempt:
    """An append that a writer tries. `lag` is how far its knowledge of the stream is off."""

    stream: int
    lag: int
    events: int


ATTEMPTS = st.builds(
    Attempt,
    stream=st.integers(0, 3),
    lag=st.sampled_from([0, 0, 0, 1, -1, 2]),
    events=st.integers(1, 4),
)
# What one list holds is sent at once; the lists follow each other.
ROUNDS = st.lists(st.lists(ATTEMPTS, min_size=1, max_size=12), min_size=1, max_size=6)
_databases = iter(range(1_000_000))


class Model:
    """What the ledger must say, append by append, in the order in which they are queued."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.log: list[tuple[str, int, int]] = []

    def append(self, stream: str, after: int, numbers: list[int]) -> bool:
        """Whether it is accepted."""
        if self.versions.get(stream, 0) != after:
            return False
        self.versions[stream] = after + len(numbers)
        self.log += [(stream, after + 1 + offset, n) for offset, n in enumerate(numbers)]
        return True


@given(rounds=ROUNDS, commit_appends_max=st.integers(1, 8))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_interleaving_of_appends_agrees_with_the_model(
    database_url: str, rounds: list[list[Attempt]], commit_appends_max: int
) -> None:
    asyncio.run(_agrees(database_url, rounds, commit_appends_max))


async def _agrees(database_url: str, rounds: list[list[Attempt]], commit_appends_max: int) -> None:
    schema = f"example_{next(_databases)}"  # an empty ledger for each example
    ledger = await Ledger.open(
        database_url, LedgerSettings(schema=schema, commit_appends_max=commit_appends_max)
    )
    model = Model()
    number = 0
    for attempts in rounds:
        known = dict(model.versions)
        calls: list[asyncio.Task[list[Recorded]]] = []
        expected: list[bool] = []
        for attempt in attempts:
            stream = f"stream/{attempt.stream}"
            after = max(0, known.get(stream, 0) - attempt.lag)
            numbers = list(range(number, number + attempt.events))
            number += attempt.events
            events = [Counted(number=n) for n in numbers]
            calls.append(asyncio.create_task(ledger.append(stream, after, events)))
            accepted = model.append(stream, after, numbers)
            expected.append(accepted)
            if accepted:
                known[stream] = model.versions[stream]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [not isinstance(answer, VersionConflict) for answer in answers] == expected
        written = [answer for answer in answers if isinstance(answer, list)]
        assert len(written) == sum(expected)
    await _holds(ledger, model)
    await ledger.close()


async def _holds(ledger: Ledger, model: Model) -> None:
    """The ledger holds the model's streams, and positions that agree with both orders."""
    everything = await ledger.read_all(after=0, limit=10_000)
    assert [r.position for r in everything] == list(range(1, len(model.log) + 1))
    assert sorted(map(_of, everything)) == sorted(model.log)
    for stream in {stream for stream, _, _ in model.log}:
        in_stream = await ledger.read(stream)
        assert list(map(_of, in_stream)) == [entry for entry in model.log if entry[0] == stream]
        assert in_stream == [r for r in everything if r.stream == stream]
    assert await ledger.last_position() == len(model.log)


def _of(recorded: Recorded) -> tuple[str, int, int]:
    assert isinstance(recorded.event, Counted)
    return recorded.stream, recorded.version, recorded.event.number
