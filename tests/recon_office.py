"""A reconciliation process in memory: files come and go, people decide, runs match."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pyarrow as pa

from domain.reconciliation import (
    DecisionApproved,
    DecisionKind,
    DecisionRequested,
    FileAdmitted,
    FileWithdrawn,
    RunFinished,
    Winner,
    process_stream,
)
from domain.record import Side, record_ref
from finance.context import Context
from finance.process.matching import Matching
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.recon.run import match_open
from finance.recon.state import Standing, load_standing
from finance.settings import FinanceSettings
from projections.frame import SCHEMA, encoded
from tests.memory_log import MemoryLog

DAY = date(2026, 3, 2)
"""A Monday."""
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)

Record = Mapping[str, Any]


def sale(number: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A purchase of R10 times `number` that both sides would have."""
    return {
        "transaction_id": f"0b77e6c1-8a3f-4d21-9d2b-{number:012}",
        "message_type": "PURCHASE",
        "transaction_state": "APPROVED",
        "provider_reference": f"REF-{number:06}",
        "rrn": f"{number:012}",
        "meter_id": f"0410000{number:04}",
        "amount_minor": number * 1_000,
        "tax_minor": number * 130,
        "currency": "710",
        "utility_type": "ELECTRICITY",
        "receiver_id": "test-server",
        "business_date": DAY,
        "transaction_time": datetime(2026, 3, 2, 8, tzinfo=UTC),
    } | changes


def table(records: Sequence[Record]) -> pa.Table:
    """Records with their refs as the archive has them."""
    return pa.Table.from_pylist([dict(record) for record in records], schema=SCHEMA)


def frame(records: Sequence[Record]) -> pd.DataFrame:
    """Records with their refs as matching takes them."""
    found: pd.DataFrame = table(records).to_pandas(  # pyright: ignore[reportUnknownMemberType]
        types_mapper=pd.ArrowDtype
    )
    return found


def numbered(records: Sequence[Record], file: int = 0) -> list[dict[str, Any]]:
    """The records with refs, as lines from 1 of a file."""
    return [
        {**record, "ref": record_ref(max(file, 1), line) - ((not file) << 32)}
        for line, record in enumerate(records, 1)
    ]


class MemoryArchive:
    """Bytes by checksum."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, _connection: object, content: bytes) -> str:
        name = sha256(content).hexdigest()
        self.kept[name] = content
        return name

    async def get(self, _connection: object, name: str) -> bytes:
        return self.kept[name]


class ReconOffice:
    """One process, `p`. Methods append what the other parts of finance would."""

    def __init__(
        self,
        matching: Matching | None = None,
        *,
        log: MemoryLog | None = None,
        expiry_days: int = 5,
    ) -> None:
        self.log = log or MemoryLog()
        self.archive = MemoryArchive()
        self.now = NOW
        self.configure(matching or Matching(), expiry_days=expiry_days)
        self._files = 0
        self._decisions = 0

    def configure(self, matching: Matching, *, expiry_days: int = 5) -> None:
        self.process = ReconciliationProcess(
            id="p",
            name="P",
            kind=ProcessKind.PROVIDER,
            party="p",
            matching=matching,
            expiry_days=expiry_days,
        )
        self.context = cast(
            "Context",
            SimpleNamespace(
                ledger=self.log,
                archive=self.archive,
                connect=self._connect,
                process=self._process_of,
                clock=lambda: self.now,
                settings=FinanceSettings(append_events=2, busy_seconds=0.0),
            ),
        )

    async def append(self, *events: Any) -> None:  # noqa: ANN401
        stream = process_stream("p")
        await self.log.append(stream, len(self.log.streams[stream]), list(events))

    async def admit(self, side: Side, records: Sequence[Record], frames: int = 1) -> int:
        """A file takes part, its records in so many frames; returns its number."""
        self._files += 1
        lines = numbered(records)
        size = max(1, -(-len(lines) // frames))
        names = [
            await self.archive.put(None, encoded(table(lines[first : first + size])))
            for first in range(0, len(lines), size)
        ]
        await self.append(
            FileAdmitted(
                at=self.now,
                process="p",
                file=self._files,
                file_id=f"p-{self._files}",
                side=side,
                records=len(lines),
                frames=tuple(names),
            )
        )
        return self._files

    async def withdraw(self, file: int) -> None:
        """A file goes with its records."""
        await self.append(FileWithdrawn(at=self.now, process="p", file=file, file_id=f"p-{file}"))

    async def decide(
        self,
        kind: DecisionKind,
        ours: Sequence[int] = (),
        theirs: Sequence[int] = (),
        winner: Winner | None = None,
        amount_cents: int = 0,
    ) -> str:
        """One person asks, another approves; returns the decision's id."""
        self._decisions += 1
        name = f"d{self._decisions}"
        asked = DecisionRequested(
            at=self.now,
            by="mary",
            process="p",
            decision_id=name,
            decision=kind,
            ours=tuple(ours),
            theirs=tuple(theirs),
            winner=winner,
            amount_cents=amount_cents,
        )
        approved = DecisionApproved(at=self.now, by="john", process="p", decision_id=name)
        await self.append(asked)
        await self.append(approved)
        return name

    async def run(self, as_of: date = DAY) -> RunFinished:
        """A run."""
        return await match_open(self.context, "p", as_of)

    async def standing(self) -> Standing:
        """How all records stand, read anew."""
        return await load_standing(self.context, "p")

    @property
    def kinds(self) -> list[str]:
        """The kinds of event of the process so far."""
        return self.log.events(process_stream("p"))

    def _process_of(self, _process_id: str) -> ReconciliationProcess:
        return self.process

    @asynccontextmanager
    async def _connect(self) -> AsyncGenerator[None]:
        await asyncio.sleep(0)
        yield None
