"""One way to reconcile two files, in a process of its own.

The work is the same for all: read every line and column of both files, pair by the process's keys
in order, set aside what shares a key within a side, and compare the pairs' fields.
"""

import asyncio
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.finance_files import DAY, OURS, PARTY, THEIRS
from domain.extract import BODY_FIELDS
from domain.reconciliation import RunCounts
from domain.record import COLUMNS, ColumnType
from finance.process.matching import DEFAULT_COMPARED, DEFAULT_KEYS

KEYS = DEFAULT_KEYS
COMPARED = DEFAULT_COMPARED
CENTS = tuple(name for name, kind in COLUMNS.items() if kind is ColumnType.CENTS)
ZONE = "Africa/Johannesburg"


class Case(msgspec.Struct, frozen=True):
    """What one process did. `steps`: seconds by what was done."""

    seconds: float
    peak_bytes: int
    counts: RunCounts
    steps: dict[str, float] = {}


class Watch:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.begin = self._last = time.perf_counter()
        self.steps: dict[str, float] = {}

    def step(self, name: str) -> None:
        """What was done since the last step."""
        now = time.perf_counter()
        self.steps[name] = now - self._last
        self._last = now


def ours(folder: Path, watch: Watch, database_url: str) -> RunCounts:
    """Our own: from the files to durable events."""
    # Imported here, so that the others' memory is theirs alone.
    from domain.inbox import FileSource, FileStatus
    from domain.operator import Actor
    from finance.context import Context
    from finance.inbox.inbox import Inbox
    from finance.inbox.load import load
    from finance.process.process import OURSELVES, ProcessKind, ReconciliationProcess
    from finance.recon.run import run
    from finance.settings import FinanceSettings
    from ledger import Archive, Ledger
    from ppu.finance.office import connecting

    process = ReconciliationProcess(
        id="bench", name="Bench", kind=ProcessKind.PROVIDER, party=PARTY, approve_uploads=False
    )

    async def work() -> RunCounts:
        ledger = await Ledger.open(database_url)
        context = Context(
            ledger=ledger,
            database_url=database_url,
            archive=Archive(),
            connect=connecting(database_url),
            processes={process.id: process},
            clock=lambda: datetime(2026, 3, 3, 6, tzinfo=UTC),
            new_id=lambda: "",
            settings=FinanceSettings(),
        )
        async with context.connect() as connection:
            await context.archive.set_up(connection)
        watch.step("open")
        for name, party in ((OURS, OURSELVES), (THEIRS, PARTY)):
            (uploaded,) = await Inbox(context).upload(
                [process.id],
                name,
                folder / name,
                Actor("bench"),
                FileSource.COMMAND_LINE,
                party=party,
            )
            watch.step(f"upload {name}")
            state = await load(context, uploaded.file_id)
            assert state.status is FileStatus.LOADED
            assert not state.exceptions
            watch.step(f"load {name}")
        end = await run(context, process.id, DAY)
        watch.step("match")
        await ledger.close()
        return end.counts

    return asyncio.run(work())


def pandas(folder: Path, watch: Watch) -> RunCounts:
    """read_csv, merge, compare."""
    import pandas as pd

    def read(name: str) -> pd.DataFrame:
        types = {field: "int64" if field in CENTS else "str" for field in BODY_FIELDS}
        optional = {"fee_minor": "Int64"}
        frame = pd.read_csv(folder / name, skiprows=1, names=BODY_FIELDS, dtype=types | optional)
        times = pd.to_datetime(frame["transaction_time"], format="ISO8601", utc=True)
        frame["business_date"] = times.dt.tz_convert(ZONE).dt.normalize()
        return frame

    sides = read(OURS), read(THEIRS)
    watch.step("read")
    free = [frame.assign(row=frame.index) for frame in sides]
    pairs: list[pd.DataFrame] = []
    duplicates = [0, 0]
    for key in map(list, KEYS):
        whole = [frame.dropna(subset=key) for frame in free]
        again = pd.concat([f.loc[f.duplicated(key, keep=False), key] for f in whole])
        marked = [
            f.merge(again.drop_duplicates(), on=key, how="left", indicator=True) for f in whole
        ]
        groups = [f.loc[f["_merge"] == "both", "row"] for f in marked]
        single = [f.loc[f["_merge"] != "both", [*key, "row"]] for f in marked]
        found = single[0].merge(single[1], on=key, suffixes=("", "_theirs"))
        pairs.append(found[["row", "row_theirs"]])
        for side, rows in enumerate((found["row"], found["row_theirs"])):
            duplicates[side] += len(groups[side])
            gone = pd.concat([rows, groups[side]])
            free[side] = free[side][~free[side]["row"].isin(gone)]
    watch.step("merge")
    both = pd.concat(pairs)
    left = sides[0].loc[both["row"], list(COMPARED)].reset_index(drop=True)
    right = sides[1].loc[both["row_theirs"], list(COMPARED)].reset_index(drop=True)
    apart = pd.Series(False, index=left.index)
    for field in COMPARED:
        if field == "business_date":
            differs = (left[field] - right[field]).abs() > pd.Timedelta(days=1)
        else:
            differs = (left[field] != right[field]) & left[field].notna() & right[field].notna()
        apart |= differs
    watch.step("compare")
    return RunCounts(
        matched=int((~apart).sum()),
        partly_matched=int(apart.sum()),
        unmatched_ours=len(free[0]),
        unmatched_theirs=len(free[1]),
        duplicates_ours=duplicates[0],
        duplicates_theirs=duplicates[1],
    )


def duckdb(folder: Path, watch: Watch) -> RunCounts:
    """read_csv, join, compare; on all cores, as it does by itself."""
    import duckdb as database

    link = database.connect()
    link.execute(f"SET TimeZone = '{ZONE}'")
    types = {field: "BIGINT" if field in CENTS else "VARCHAR" for field in BODY_FIELDS}
    columns = types | {"transaction_time": "TIMESTAMPTZ"}
    for side, name in (("ours", OURS), ("theirs", THEIRS)):
        link.execute(
            f"CREATE TABLE {side} AS SELECT row_number() OVER () AS row, *,"
            " transaction_time::date AS business_date"
            f" FROM read_csv('{folder / name}', header = false, skip = 1, columns = {columns})"
        )
        link.execute(f"CREATE TABLE free_{side} AS SELECT row FROM {side}")
    watch.step("read")
    link.execute("CREATE TABLE pairs (ours BIGINT, theirs BIGINT)")
    link.execute("CREATE TABLE groups (side VARCHAR, row BIGINT)")
    for key in KEYS:
        _duckdb_key(link.execute, key)
    watch.step("join")
    differ = " OR ".join(
        f"coalesce(abs(o.{field} - t.{field}) > 1, false)"
        if field == "business_date"
        else f"coalesce(o.{field} <> t.{field}, false)"
        for field in COMPARED
    )
    apart, paired = link.execute(
        f"SELECT count(*) FILTER ({differ}), count(*) FROM pairs"
        " JOIN ours o ON o.row = pairs.ours JOIN theirs t ON t.row = pairs.theirs"
    ).fetchall()[0]

    def count(query: str) -> int:
        return int(link.execute(f"SELECT count(*) FROM {query}").fetchall()[0][0])

    found = RunCounts(
        matched=paired - apart,
        partly_matched=apart,
        unmatched_ours=count("free_ours"),
        unmatched_theirs=count("free_theirs"),
        duplicates_ours=count("groups WHERE side = 'ours'"),
        duplicates_theirs=count("groups WHERE side = 'theirs'"),
    )
    watch.step("compare")
    return found


def _duckdb_key(execute: Callable[[str], Any], key: tuple[str, ...]) -> None:
    names = ", ".join(key)
    whole = " AND ".join(f"{name} IS NOT NULL" for name in key)
    for side in ("ours", "theirs"):
        execute(
            f"CREATE OR REPLACE TEMP TABLE by_{side} AS SELECT {names}, count(*) AS many,"
            f" min(row) AS row FROM {side} SEMI JOIN free_{side} USING (row)"
            f" WHERE {whole} GROUP BY ALL"
        )
    execute(
        f"CREATE OR REPLACE TEMP TABLE again AS SELECT {names} FROM by_ours WHERE many > 1"
        f" UNION SELECT {names} FROM by_theirs WHERE many > 1"
    )
    for side in ("ours", "theirs"):
        execute(
            f"INSERT INTO groups SELECT '{side}', row FROM {side} SEMI JOIN free_{side} USING (row)"
            f" SEMI JOIN again USING ({names})"
        )
    execute(
        f"INSERT INTO pairs SELECT o.row, t.row FROM by_ours o JOIN by_theirs t USING ({names})"
        " WHERE o.many = 1 AND t.many = 1"
    )
    for side in ("ours", "theirs"):
        execute(
            f"DELETE FROM free_{side} WHERE row IN (SELECT {side} FROM pairs)"
            f" OR row IN (SELECT row FROM groups WHERE side = '{side}')"
        )


def main() -> None:
    """Does one case."""
    case, folder, *rest = sys.argv[1:]
    watch = Watch()
    work: dict[str, Callable[..., RunCounts]] = {"ours": ours, "pandas": pandas, "duckdb": duckdb}
    counts = work[case](Path(folder), watch, *rest)
    seconds = time.perf_counter() - watch.begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(msgspec.json.encode(Case(seconds, peak, counts, watch.steps)).decode())


if __name__ == "__main__":
    main()
