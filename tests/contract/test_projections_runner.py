"""The batch runner on a real database: exactly once, whatever stops it and whoever else runs."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg import sql

from domain.event import Event
from domain.utility import PreferencesSet, UtilityRegistered
from ledger import Ledger, Recorded
from projections.projection import Connection, schema_of
from projections.runner import ProjectionRunner, RunnerSettings, connect
from tests.switchboard import TestClock


class Tally:
    """A row for every event and no key at all: whatever is applied twice shows twice."""

    name = "tally"
    tables = "CREATE TABLE IF NOT EXISTS seen (position bigint NOT NULL)"
    topics: tuple[type[Event], ...] = (PreferencesSet,)

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.dies_at: int | None = None

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        await connection.cursor().executemany(
            "INSERT INTO seen VALUES (%s)", [(entry.position,) for entry in recorded]
        )
        self.batches.append(len(recorded))
        if len(self.batches) == self.dies_at:
            raise KilledError


class KilledError(Exception):
    """The process dies here, its rows written and not yet committed."""


CLOCK = TestClock()


async def write(ledger: Ledger, utility: str, count: int) -> list[int]:
    """Registers a utility and sets its preferences so often; the positions of the latter."""
    stream = f"utility/{utility}"
    registered = UtilityRegistered(at=CLOCK(), utility=utility, name=utility, by="test")
    await ledger.append(stream, 0, [registered])
    positions: list[int] = []
    for version in range(1, count + 1):
        event = PreferencesSet(at=CLOCK(), utility=utility, ranked=(), excluded=(), by="test")
        positions += [entry.position for entry in await ledger.append(stream, version, [event])]
    return positions


async def seen(url: str, schema: str = schema_of(Tally.name)) -> list[int]:
    connection = await connect(url)
    async with connection:
        query = sql.SQL("SELECT position FROM {}.seen ORDER BY position")
        cursor = await connection.execute(query.format(sql.Identifier(schema)))
        return [row[0] for row in await cursor.fetchall()]


async def position_of(url: str) -> int:
    connection = await connect(url)
    async with connection:
        cursor = await connection.execute(
            "SELECT position FROM projections.cursor WHERE name = %s", (Tally.name,)
        )
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0])


async def until_position(url: str, position: int) -> None:
    async with asyncio.timeout(60):
        while await position_of(url) < position:  # noqa: ASYNC110 (the runner says it nowhere else)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(*runners: ProjectionRunner) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        yield
    finally:
        for task in tasks:
            assert not task.done(), "a runner never ends by itself"
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


QUICK = RunnerSettings(batch=3, linger_seconds=0.0, idle_seconds=0.01, restart_seconds=0.01)


def runner(ledger: Ledger, url: str, tally: Tally | None = None) -> ProjectionRunner:
    return ProjectionRunner(ledger, url, [tally or Tally()], QUICK)


@pytest.mark.parametrize("batch", [1, 3, 7, 1_000])
async def test_every_event_of_the_topics_once_in_batches_of_any_size(
    ledger: Ledger, database_url: str, batch: int
) -> None:
    written = [*await write(ledger, "a", 10), *await write(ledger, "b", 11)]
    tally = Tally()
    at_work = ProjectionRunner(ledger, database_url, [tally], RunnerSettings(batch=batch))

    end = await at_work.catch_up()

    assert end == await ledger.last_position() == await position_of(database_url)
    assert await seen(database_url) == written
    assert max(tally.batches) == min(batch, 21)
    assert sum(tally.batches) == 21
    assert await at_work.catch_up() == end, "nothing new: nothing to do"
    assert await seen(database_url) == written


@pytest.mark.parametrize("dies_at", [1, 2, 4])
async def test_rows_and_cursor_move_together_or_not_at_all(
    ledger: Ledger, database_url: str, dies_at: int
) -> None:
    written = await write(ledger, "a", 12)
    tally = Tally()
    tally.dies_at = dies_at
    with pytest.raises(KilledError):
        await runner(ledger, database_url, tally).catch_up()

    assert await seen(database_url) == written[: 3 * (dies_at - 1)]
    before = await position_of(database_url)
    assert before == (written[3 * (dies_at - 1) - 1] if dies_at > 1 else 0)

    await runner(ledger, database_url).catch_up()
    assert await seen(database_url) == written


async def test_a_runner_that_is_stopped_again_and_again_repeats_and_skips_nothing(
    ledger: Ledger, database_url: str
) -> None:
    written = await write(ledger, "a", 60)
    await runner(ledger, database_url).set_up()
    for stop in range(0, 60, 7):
        async with running(runner(ledger, database_url)):
            await until_position(database_url, written[stop])
    await runner(ledger, database_url).catch_up()
    assert await seen(database_url) == written


async def test_two_runners_on_one_database_share_the_work_and_do_it_once(
    ledger: Ledger, database_url: str
) -> None:
    second = await Ledger.open(database_url)
    await runner(ledger, database_url).set_up()
    async with running(runner(ledger, database_url), runner(second, database_url)):
        both = await asyncio.gather(write(ledger, "a", 40), write(second, "b", 40))
        await until_position(database_url, await ledger.last_position())
    assert await seen(database_url) == sorted([*both[0], *both[1]])
    await second.close()


async def test_when_the_runner_at_work_dies_the_other_takes_over(
    ledger: Ledger, database_url: str
) -> None:
    await runner(ledger, database_url).set_up()
    async with running(runner(ledger, database_url)):
        async with running(runner(ledger, database_url)):
            first = await write(ledger, "a", 5)
            await until_position(database_url, first[-1])
        second = await write(ledger, "b", 5)
        await until_position(database_url, second[-1])
    assert await seen(database_url) == [*first, *second]


async def test_many_processes_may_set_up_at_once(ledger: Ledger, database_url: str) -> None:
    await asyncio.gather(*(runner(ledger, database_url).set_up() for _ in range(8)))
    assert await position_of(database_url) == 0


async def test_a_reader_never_sees_the_cursor_ahead_of_the_rows_or_behind_them(
    ledger: Ledger, database_url: str
) -> None:
    await runner(ledger, database_url).set_up()
    connection = await connect(database_url)
    looks: list[tuple[int, int]] = []
    async with connection, running(runner(ledger, database_url)):
        writing = asyncio.create_task(write(ledger, "a", 60))
        while not writing.done() or looks[-1][0] < await ledger.last_position():
            cursor = await connection.execute(
                "SELECT position, (SELECT count(*) FROM projection_tally.seen)"
                " FROM projections.cursor"
            )
            row = await cursor.fetchone()
            assert row is not None
            looks.append((row[0], row[1]))
    written = await writing
    for position, rows in looks:
        assert rows == sum(1 for at in written if at <= position)
    assert looks[-1][1] == 60


async def test_a_rebuild_takes_the_place_of_the_live_tables_in_one_step(
    ledger: Ledger, database_url: str
) -> None:
    written = await write(ledger, "a", 10)
    tally = Tally()
    at_work = runner(ledger, database_url, tally)
    await at_work.catch_up()
    connection = await connect(database_url)
    async with connection:
        await connection.execute("DELETE FROM projection_tally.seen WHERE position % 2 = 0")
    steps: list[tuple[int, int]] = []

    end = await at_work.rebuild(tally, lambda done, total: steps.append((done, total)))

    assert end == await ledger.last_position() == await position_of(database_url)
    assert await seen(database_url) == written
    assert steps[-1] == (end, end)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    later = await write(ledger, "b", 3)
    await at_work.catch_up()
    assert await seen(database_url) == [*written, *later]


async def test_rebuilding_while_the_live_one_is_fed_misses_and_repeats_nothing(
    ledger: Ledger, database_url: str
) -> None:
    await runner(ledger, database_url).set_up()
    rebuilt = asyncio.Event()
    written: list[int] = []

    async def write_on() -> None:
        number = 0
        while not rebuilt.is_set():
            number += 1
            written.extend(await write(ledger, f"u{number}", 3))

    async with running(runner(ledger, database_url)):
        writing = asyncio.create_task(write_on())
        for _ in range(5):
            tally = Tally()
            await runner(ledger, database_url, tally).rebuild(tally)
        rebuilt.set()
        await writing
        written += await write(ledger, "afterwards", 3)
        await until_position(database_url, written[-1])
    assert await seen(database_url) == written


async def test_a_rebuild_never_takes_the_live_tables_back_in_time(
    ledger: Ledger, database_url: str
) -> None:
    class Overtaken(Tally):
        """While it is rebuilt more happens, and the live one gets there first."""

        async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
            await super().apply(connection, recorded)
            if len(self.batches) == 1:
                written.extend(await write(ledger, "b", 4))
                await runner(ledger, database_url).catch_up()

    written = await write(ledger, "a", 2)
    tally = Overtaken()
    end = await runner(ledger, database_url, tally).rebuild(tally)
    assert end == await ledger.last_position() == await position_of(database_url)
    assert await seen(database_url) == written


async def test_a_rebuild_that_died_is_no_hindrance_to_the_next(
    ledger: Ledger, database_url: str
) -> None:
    written = await write(ledger, "a", 10)
    await runner(ledger, database_url).catch_up()
    dying = Tally()
    dying.dies_at = 2
    with pytest.raises(KilledError):
        await runner(ledger, database_url, dying).rebuild(dying)
    assert await seen(database_url) == written, "the live one stands"
    tally = Tally()
    await runner(ledger, database_url, tally).rebuild(tally)
    assert await seen(database_url) == written


async def test_a_read_model_can_be_built_as_it_stood_at_a_position(
    ledger: Ledger, database_url: str
) -> None:
    written = await write(ledger, "a", 20)
    tally = Tally()
    at_work = runner(ledger, database_url, tally)
    await at_work.set_up()
    for place in (1, written[0], written[3], written[10], written[-1]):
        connection = await connect(database_url)
        async with connection:
            reached = await at_work.build(connection, tally, f"as_of_{place}", until=place)
        assert reached == place
        assert await seen(database_url, f"as_of_{place}") == [p for p in written if p <= place]
    assert await position_of(database_url) == 0, "the live one is not touched"


class WiderTally(Tally):
    """The next release's: what it creates needs a column that the tables of today lack."""

    tables = """
        CREATE TABLE IF NOT EXISTS seen (position bigint NOT NULL, more text);
        CREATE INDEX IF NOT EXISTS seen_by_more ON seen (more);
    """


class OtherTally(Tally):
    """A read model beside it, whose tables are as they were."""

    name = "other_tally"


async def test_tables_of_an_older_shape_stop_only_their_own_read_model_and_can_be_rebuilt(
    ledger: Ledger, database_url: str
) -> None:
    await runner(ledger, database_url).catch_up()
    written = await write(ledger, "a", 5)
    wider, other = WiderTally(), OtherTally()
    upgraded = ProjectionRunner(ledger, database_url, [wider, other], QUICK)
    async with running(upgraded):
        async with asyncio.timeout(60):
            while await seen_by_other(database_url) != written:  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0.01)
        assert await seen(database_url) == []
        await ProjectionRunner(ledger, database_url, [wider], QUICK).rebuild(wider)
        written += await write(ledger, "b", 5)
        await until_position(database_url, written[-1])
    assert await seen(database_url) == written


async def seen_by_other(url: str) -> list[int]:
    try:
        return await seen(url, schema_of(OtherTally.name))
    except psycopg.errors.UndefinedTable:
        return []
