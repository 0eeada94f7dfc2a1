"""The read model of reconciliation says of every record what the fold of the stream says, whatever
happened and however the events fell into batches."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.event import Event
from domain.reconciliation import (
    DecisionApproved,
    DecisionKind,
    DecisionRequested,
    DifferencesResolved,
    DuplicatesFound,
    FileAdmitted,
    FileWithdrawn,
    RecordsExpired,
    RecordsMatched,
    RecordsPartlyMatched,
    RecordsUnmatched,
    SalesTaken,
    Winner,
    process_stream,
)
from domain.record import Side, record_ref
from domain.settlement import (
    Counterparty,
    SettlementDiscarded,
    SettlementLines,
    SettlementPrepared,
)
from finance.recon.state import Standing
from ledger import Archive, Ledger, Recorded
from projections.reconciliation import Reconciliation
from tests.record_frames import frame

AT = datetime(2026, 3, 9, 6, tzinfo=UTC)
LINES = 6
OURS = [record_ref(1, line) for line in range(1, LINES + 1)]
THEIRS = [record_ref(file, line) for file in (2, 3) for line in range(1, LINES + 1)]
_BY: dict[str, Any] = {"at": AT, "by": "ann"}


PAIRS = st.integers(1, 3).flatmap(
    lambda n: st.tuples(
        st.lists(st.sampled_from(OURS), min_size=n, max_size=n, unique=True).map(tuple),
        st.lists(st.sampled_from(THEIRS), min_size=n, max_size=n, unique=True).map(tuple),
    )
)
SOME_OURS = st.lists(st.sampled_from(OURS), min_size=1, max_size=3, unique=True).map(tuple)
SOME_THEIRS = st.lists(st.sampled_from(THEIRS), min_size=1, max_size=3, unique=True).map(tuple)
KINDS = ("MATCHED", "PARTLY", "RULE", "ALONE", "EXPIRED", "DUPLICATE", "SETTLED", "DISCARDED")
STEPS = st.one_of(
    st.tuples(st.sampled_from(KINDS), PAIRS),
    st.tuples(st.just("WITHDRAWN"), PAIRS),
    st.tuples(st.sampled_from(list(DecisionKind)), PAIRS, st.sampled_from(list(Winner))),
    st.tuples(st.just("OURS"), SOME_OURS, st.sampled_from(list(Winner))),
    st.tuples(st.just("THEIRS"), SOME_THEIRS, st.sampled_from(list(Winner))),
)


class History:
    """Events of a process, as steps make them. A withdrawn file is never named again."""

    def __init__(self, process: str, digest: str) -> None:
        self.process = process
        self.there = {1, 2, 3}
        self.number = 0
        self.events: list[Event] = [
            SalesTaken(
                at=AT,
                process=process,
                file=1,
                after_position=0,
                to_position=9,
                records=LINES,
                frames=(digest,),
            ),
            *(
                FileAdmitted(
                    at=AT,
                    process=process,
                    file=file,
                    file_id=f"f{file}",
                    side=Side.THEIRS,
                    records=LINES,
                    frames=(digest,),
                )
                for file in (2, 3)
            ),
        ]

    def step(self, kind: str, pairs: tuple[Any, ...], winner: Winner = Winner.OURS) -> None:
        self.number += 1
        if kind == "WITHDRAWN":
            if 3 in self.there:
                self.there.discard(3)
                self.events.append(FileWithdrawn(at=AT, process=self.process, file=3, file_id="f3"))
        elif isinstance(kind, DecisionKind):
            self._decide(kind, self._whole(pairs), winner)
        elif kind in ("OURS", "THEIRS"):
            refs = tuple(ref for ref in pairs if ref >> 32 in self.there)
            sides = (refs, ()) if kind == "OURS" else ((), refs)
            self._decide(DecisionKind.RESOLVE, sides, winner)
        else:
            self._run(kind, self._whole(pairs))

    def _whole(self, pairs: tuple[Any, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        kept = [p for p in zip(*pairs, strict=True) if p[1] >> 32 in self.there]
        return tuple(p[0] for p in kept), tuple(p[1] for p in kept)

    def _decide(self, kind: DecisionKind, sides: tuple[Any, Any], winner: Winner) -> None:
        name = f"d{self.number}"
        self.events += [
            DecisionRequested(
                **_BY,
                process=self.process,
                decision_id=name,
                decision=kind,
                ours=sides[0],
                theirs=sides[1],
                winner=winner,
            ),
            DecisionApproved(**_BY, process=self.process, decision_id=name),
        ]

    def _run(self, kind: str, sides: tuple[Any, Any]) -> None:
        ours, theirs = sides
        about: dict[str, Any] = {"at": AT, "process": self.process, "run": self.number}
        both: dict[str, Any] = {**about, "ours": ours, "theirs": theirs}
        settlement = f"{self.process}:c:{self.number % 2}"
        match kind:
            case "MATCHED":
                self.events.append(RecordsMatched(**both, key=1))
            case "PARTLY":
                fields = ("amount_minor", "meter_id")
                self.events.append(RecordsPartlyMatched(**both, key=2, fields=fields))
            case "RULE":
                self.events.append(DifferencesResolved(**both, rule="cent", winner=Winner.THEIRS))
            case "ALONE":
                self.events.append(RecordsUnmatched(**about, side=Side.OURS, refs=ours))
            case "EXPIRED":
                self.events.append(RecordsExpired(**about, side=Side.THEIRS, refs=theirs))
            case "DUPLICATE":
                groups = (min((*ours, *theirs), default=0),) * len(ours)
                self.events.append(
                    DuplicatesFound(**both, key=0, ours_groups=groups, theirs_groups=groups)
                )
            case "SETTLED":
                self._settle(settlement, ours)
            case _:
                self._discard(settlement)

    def _settle(self, settlement: str, lines: tuple[int, ...]) -> None:
        if settlement in self._open():
            return
        zeros = (0,) * len(lines)
        about: dict[str, Any] = {"process": self.process, "settlement_id": settlement}
        self.events += [
            SettlementPrepared(
                **_BY,
                **about,
                cycle="c",
                until="2026-03-08",
                settings_sha256="",
                counterparty=Counterparty.PROVIDER,
                party="p",
            ),
            SettlementLines(
                at=AT,
                **about,
                lines=lines,
                principal=zeros,
                commission=zeros,
                commission_vat=zeros,
                fees=("none",),
                fee=zeros,
            ),
        ]

    def _discard(self, settlement: str) -> None:
        if settlement in self._open():
            self.events.append(
                SettlementDiscarded(**_BY, process=self.process, settlement_id=settlement)
            )

    def _open(self) -> set[str]:
        found: set[str] = set()
        for event in self.events:
            if isinstance(event, SettlementPrepared):
                found.add(event.settlement_id)
            elif isinstance(event, SettlementDiscarded):
                found.discard(event.settlement_id)
        return found


def recorded(history: History) -> list[Recorded]:
    stream = process_stream(history.process)
    return [Recorded(at, stream, at, event) for at, event in enumerate(history.events, 1)]


async def rows(database_url: str, history: History, cuts: list[int]) -> dict[int, tuple[Any, ...]]:
    """How the read model has every record."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        model = Reconciliation()
        schema = f"r{uuid4().hex}"
        await connection.execute(f"CREATE SCHEMA {schema}".encode())
        await connection.execute(f"SET search_path TO {schema}".encode())
        await connection.execute(model.tables.encode())
        entries = recorded(history)
        for first, last in zip([0, *cuts], [*cuts, len(entries)], strict=True):
            await model.apply(connection, entries[first:last])
        cursor = await connection.execute(
            "SELECT ref, status, partner, duplicate_group, key, fields, winner,"
            " CASE WHEN why = '' THEN paired_by ELSE why END, by_hand, settlement FROM record"
        )
        found = {row[0]: tuple(row[1:]) for row in await cursor.fetchall()}
        await connection.rollback()
    return found


def folded(history: History) -> dict[int, tuple[Any, ...]]:
    """How the fold has them."""
    standing = Standing()
    standing.apply(recorded(history))
    found: dict[int, tuple[Any, ...]] = {}
    for ref in (*OURS, *THEIRS):
        if ref >> 32 in history.there:
            one = standing.of(ref)
            by_hand = bool(one.hand & 2)
            winner = one.winner.value if one.winner else ""
            fields = list(one.fields)
            about = (one.status.name, one.partner, one.group, one.key, fields)
            found[ref] = (*about, winner, one.why, by_hand, one.settlement)
    return found


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEPS, max_size=12), data=st.data())
def test_rows_say_of_every_record_what_the_fold_says(
    database_url: str, steps: list[Any], data: st.DataObject
) -> None:
    async def compare() -> None:
        ledger = await Ledger.open(database_url)
        await ledger.close()
        archive = Archive()
        async with await psycopg.AsyncConnection.connect(
            database_url, autocommit=True
        ) as connection:
            await archive.set_up(connection)
            digest = await archive.put(connection, frame(LINES))
        history = History(f"p{uuid4().hex}", digest)
        for step in steps:
            history.step(*step)
        places = st.lists(st.integers(0, len(history.events)), max_size=3)
        cuts = sorted(data.draw(places))
        assert await rows(database_url, history, cuts) == folded(history)

    asyncio.run(compare())
