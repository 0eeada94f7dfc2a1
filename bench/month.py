"""Does reconciliation find what is wrong in a month, and nothing else?

A month of sales goes into a ledger; ten providers' and three channels' daily files are written with
2 % disagreements of every kind, at known places; all files are loaded, every process matched and
settled. What was found is held against what was put there, and all totals against the ledger's.
"""

import asyncio
import dataclasses
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from bench.month_files import Say, Truth, make_month
from bench.month_found import Found, found_by
from bench.month_sales import Month
from bench.result import Row
from domain.inbox import FileSource
from domain.operator import Actor
from domain.reconciliation import Winner
from domain.settlement import Totals, settlement_id
from finance.context import Context
from finance.inbox.inbox import Inbox
from finance.inbox.load import load
from finance.process.calendar import Cycle
from finance.process.fee import Fee
from finance.process.matching import Matching, Resolution, Tolerance
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.recon.run import run as match
from finance.recon.status import Status
from finance.settle.releasing import Releasing
from finance.settle.settle import prepare
from ledger.embedded import EmbeddedServer
from ppu.config import Config
from ppu.finance.office import open_context
from projections.runner import ProjectionRunner
from projections.settlements import Settlements
from projections.settlements_search import trial_balance
from providers.simulator.extract_file import Disagreement

FIRST = date(2026, 9, 1)
DAYS = 30
CYCLE = "2026-09"
AFTERWARDS = datetime(2026, 10, 2, 6, tzinfo=UTC)
PROVIDERS = (
    *("bluelabel", "contour", "easypay", "ipay", "kazang"),
    *("ontec", "ra-cellular", "sandulela", "switchone", "syntell"),
)
CHANNELS = ("bank", "retailer", "wallet")
ANN, BEN = Actor("ann", "finance-operator"), Actor("ben", "finance-approver")


def processes() -> dict[str, ReconciliationProcess]:
    """One for each party: settled by the month, 1.5 % commission, and a difference of a cent is
    settled at the party's figure."""
    cent = Resolution(name="one cent", within=Tolerance(cents=1), winner=Winner.THEIRS)
    kinds = {
        **dict.fromkeys(PROVIDERS, ProcessKind.PROVIDER),
        **dict.fromkeys(CHANNELS, ProcessKind.CHANNEL),
    }
    return {
        party: ReconciliationProcess(
            id=party,
            name=party.title(),
            kind=kind,
            party=party,
            matching=Matching(resolve=(cent,)),
            settle=Cycle.MONTHLY,
            expiry_days=60,
            fees=(Fee(name="standard", since=date(2020, 1, 1), percent=Decimal("1.5")),),
            approve_uploads=False,
        )
        for party, kind in kinds.items()
    }


@dataclass
class Party:
    """One party's month: what is true, what was found, what is settled."""

    truth: Truth
    found: Found
    totals: Totals


@dataclass(frozen=True)
class Kind:
    """One kind of disagreement: how many there are, how many were reported as it, and how many of
    those are it."""

    kind: Disagreement
    there: int
    reported: int
    right: int


@dataclass
class Result:
    """All parties' months, and how many seconds each step took. `balance_cents`: debits less
    credits of all accounts after all settlements were released."""

    parties: list[Party] = field(default_factory=list[Party])
    balance_cents: int | None = None
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def kinds(self) -> list[Kind]:
        """How well each kind was found, over all parties."""
        return [_kind(kind, self.parties) for kind in Disagreement]

    def untied(self) -> list[str]:
        """Totals that are not what they should be to the cent, in words; none: all tie."""
        wrong = [line for party in self.parties for line in _untied(party)]
        if self.balance_cents:
            wrong.append(f"the trial balance is {self.balance_cents} cents")
        return wrong

    @contextmanager
    def timed(self, step: str) -> Generator[None]:
        began = time.monotonic()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.monotonic() - began


def rows(result: Result) -> list[Row]:
    """How well each kind was found, how long each step took, and what it added up to."""
    found: list[Row] = []
    for kind in result.kinds():
        found += [
            Row(kind.kind.value, "put there", kind.there, ""),
            Row(kind.kind.value, "recall", kind.right / max(kind.there, 1), ""),
            Row(kind.kind.value, "precision", kind.right / max(kind.reported, 1), ""),
        ]
    found += [Row(step, "time", seconds, "s") for step, seconds in result.seconds.items()]
    providers = [party for party in result.parties if party.truth.of_provider]
    sold = sum(party.truth.sold_cents for party in providers)
    settled = sum(party.totals.principal_cents for party in providers)
    return [
        *found,
        Row("totals", "sales", sum(party.truth.sales for party in providers), ""),
        Row("totals", "sold", sold, "c"),
        Row("totals", "settled with providers", settled, "c"),
        Row("totals", "totals that don't tie", len(result.untied()), ""),
    ]


def _kind(kind: Disagreement, parties: list[Party]) -> Kind:
    pairs = [(party.truth.injected[kind], party.found.kinds[kind]) for party in parties]
    return Kind(
        kind,
        sum(len(there) for there, _ in pairs),
        sum(len(reported) for _, reported in pairs),
        sum(len(there & reported) for there, reported in pairs),
    )


def _untied(party: Party) -> list[str]:
    truth, found, name = party.truth, party.found, party.truth.party
    cents = found.cents
    # A difference of a cent is settled at their figure, which is the higher one.
    ones = len(truth.injected[Disagreement.ONE_CENT]) - len(
        truth.injected[Disagreement.ONE_CENT] & truth.reversed
    )
    settled = cents.get(Status.MATCHED, 0) + cents.get(Status.RESOLVED, 0) + ones
    totals = party.totals
    claims = {
        "sales taken": (found.sales, truth.sales),
        "cents taken": (sum(cents.values()), truth.sold_cents),
        "principal settled": (totals.principal_cents, settled),
        "net": (
            totals.net_cents,
            totals.principal_cents - totals.commission_cents - totals.commission_vat_cents,
        ),
        "records that fit no kind": (len(found.odd), 0),
    }
    return [f"{name}: {what} {is_}, not {be}" for what, (is_, be) in claims.items() if is_ != be]


async def reconcile_month(
    context: Context, database_url: str, folder: Path, month: Month, say: Say
) -> Result:
    """Makes the month and takes it through; `folder` has room for its files."""
    result = Result()
    with result.timed("make"):
        truths = await make_month(month, context.ledger, folder, say)
    for truth in truths:
        with result.timed("load"):
            await load_files(context, truth.party, truth.files)
        with result.timed("match"):
            await match(context, truth.party, FIRST.replace(day=DAYS))
        with result.timed("settle"):
            ready = await prepare(context, truth.party, CYCLE, ANN)
        found = await found_by(context, truth.party, truth)
        result.parties.append(Party(truth, found, ready.totals))
        say(f"{truth.party}: {truth.sales} sales reconciled")
    with result.timed("release"):
        result.balance_cents = await _released(context, database_url)
    return result


async def _released(context: Context, database_url: str) -> int:
    """Releases what is prepared, and adds up all accounts."""
    runner = ProjectionRunner(context.ledger, database_url, [Settlements()])
    await runner.catch_up()
    for party in context.processes:
        await Releasing(context).release(settlement_id(party, CYCLE, 1), BEN)
        await runner.catch_up()
    async with context.connect() as connection:
        rows = await trial_balance(connection)
    assert rows
    return sum(row.balance_cents for row in rows)


async def load_files(context: Context, process: str, files: list[Path]) -> None:
    """Uploads and loads files, in this order."""
    inbox = Inbox(context)
    for path in files:
        (uploaded,) = await inbox.upload([process], path.name, path, ANN, FileSource.COMMAND_LINE)
        await load(context, uploaded.file_id)


async def run_on(database_url: str, folder: Path, month: Month, say: Say) -> Result:
    """On a database of the caller's."""
    async with open_context(Config(), database_url) as opened:
        context = dataclasses.replace(opened, processes=processes(), clock=lambda: AFTERWARDS)
        return await reconcile_month(context, database_url, folder, month, say)


def run(sales: int, say: Say) -> Result:
    """The whole month on a database of its own."""
    month = Month(sales, PROVIDERS, CHANNELS, FIRST, DAYS)
    with tempfile.TemporaryDirectory(prefix="ppu-month-") as name:
        folder = Path(name)
        server = EmbeddedServer(folder / "postgres", fast=True)
        try:
            return asyncio.run(run_on(server.start(), folder, month, say))
        finally:
            server.stop()
            server.remove()
