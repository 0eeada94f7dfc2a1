"""A day at ten providers, end to end: what the files disagree with is found, and nothing else.

A real switch sells at simulated providers; each gives its mark-off file with disagreements, and the
channel its mark-up. Both sides are loaded and matched with the sandbox's own processes.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.inbox import FileSource, FileStatus, InboxFile
from domain.operator import Actor
from domain.purchase import Purchase
from domain.reconciliation import Process, process_stream
from domain.record import Side, file_of
from finance.context import Context
from finance.inbox.inbox import Inbox
from finance.inbox.load import load
from finance.process.process import ReconciliationProcess
from finance.process.settings_file import load_processes
from finance.recon.run import run
from finance.recon.state import load_standing
from finance.recon.status import Status
from providers.protocols.numbers import SOUTH_AFRICA
from providers.simulator.extract_file import Disagreement, Injected
from tests.channel import lookup_message, purchase_message, reversal_message
from tests.finance_context import finance_context, taking_part
from tests.markup import Bought, mark_up
from tests.provider_traits import PROVIDERS
from tests.world import World, world

CLIENT = "60100029"
DAY_NEEDS = timedelta(seconds=30)
PURCHASES = 9
"""At each provider: one for each kind of disagreement, and some that agree."""
REVERSES = frozenset({"ipay", "ontec", "contour", "sandulela"})
"""Providers that can take a sale back."""
ONE_OF_EACH = dict.fromkeys(Disagreement, 1)
ANN, BEN = Actor("ann", "FINANCE_OPERATOR"), Actor("ben", "FINANCE_APPROVER")

Line = tuple[Side, str, str]
"""Whose, what the sale is called, and whether it is the purchase or its reversal."""
Found = Counter[tuple[Line, Status, tuple[str, ...]]]
"""Records by how they stand and in which fields they differ."""


class Day:
    """What the channel did."""

    def __init__(self, running: World) -> None:
        self.running = running
        self.bought: dict[str, list[Bought]] = {provider: [] for provider in PROVIDERS}

    async def sell(self) -> None:
        """Buys at every provider, and takes one sale back where that can be done."""
        await asyncio.gather(*(self._sell_at(provider) for provider in PROVIDERS))

    async def _sell_at(self, provider: str) -> None:
        meter = _meter_of(self.running, provider)
        found = await self.running.client.look_up(lookup_message(meter={"meterId": meter.number}))
        assert found.status == 201, found.body
        await self.running.steer_to(meter.number, provider)
        for number in range(PURCHASES):
            cents = 10_000 + 101 * number
            amount = {"amount": cents, "currency": "710"}
            message = purchase_message(
                meter={"meterId": meter.number},
                purchaseAmount=amount,
                tenders=[{"amount": amount, "tenderType": "CASH"}],
                rrn=f"{PROVIDERS.index(provider):06}{number:06}",
            )
            asked = datetime.now(UTC)
            told = await self.running.client.buy(message)
            assert told.status == 201, told.body
            assert told.body["settlementEntity"]["id"] == provider
            bought = Bought(message["id"], meter.number, cents, asked, message["rrn"])
            if number == 0 and provider in REVERSES:
                bought = await self._take_back(bought, provider)
            self.bought[provider].append(bought)

    async def _take_back(self, bought: Bought, provider: str) -> Bought:
        """Half of the channel's tills list a reversal, the others mark the purchase."""
        message = reversal_message(requestId=bought.purchase_id)
        assert (await self.running.client.reverse(message)).status == 202
        await self.running.settled([bought.purchase_id])
        return Bought(
            bought.purchase_id,
            bought.meter,
            bought.cents,
            bought.at,
            bought.rrn,
            taken_back=(datetime.now(UTC), message["id"]),
            reversal_listed=provider < "j",
        )


def _today() -> date:
    return datetime.now(SOUTH_AFRICA).date()


async def _no_midnight_between() -> None:
    """A provider's file is a calendar day's, and the test's sales are to be in one."""
    now = datetime.now(SOUTH_AFRICA)
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), SOUTH_AFRICA)
    if midnight - now < DAY_NEEDS:
        await asyncio.sleep((midnight - now).total_seconds() + 1)


def _meter_of(running: World, provider: str) -> Any:  # noqa: ANN401 (a meter of the fleet)
    return next(
        meter
        for meter in running.fleet.meters
        if meter.providers[0] == provider
        and meter.behaviour == "none"
        and meter.min_cents <= 10_000
        and meter.max_cents >= 20_000
        and meter.utility_type.value == "ELECTRICITY"
        # Another meter's number is this one's from right to left.
        and meter.number != meter.number[::-1]
    )


def sandbox_processes() -> dict[str, ReconciliationProcess]:
    """Those of the sandbox; its channel is the tests'."""
    found = load_processes(Path("finance/sandbox_processes.toml"))
    found["test"] = msgspec.structs.replace(found["test"], party=CLIENT)
    return found


@pytest.fixture
async def running(tmp_path: Path, database_url: str) -> AsyncGenerator[World]:
    async with world(tmp_path, database_url) as started:
        yield started


async def reconciled(context: Context, process: str, name: str, content: str) -> InboxFile:
    """Uploads the file as one person, approves it as another, loads it and matches."""

    async def chunks() -> AsyncGenerator[bytes]:
        yield content.encode()

    inbox = Inbox(context)
    (uploaded,) = await inbox.upload([process], name, chunks(), ANN, FileSource.CONSOLE)
    await inbox.approve(uploaded.file_id, BEN)
    loaded = await load(context, uploaded.file_id)
    assert loaded.status is FileStatus.LOADED, loaded.reason
    await run(context, process, _today())
    return loaded


async def found_in(context: Context, process: str, name: str) -> Found:
    """How every record of the process stands; `name` is the column that names a sale."""
    standing = await load_standing(context, process)
    state = await context.state(process_stream(process), Process())
    found: Found = Counter()
    for row in await taking_part(context, process):
        side = state.files[file_of(row["ref"])].side
        called = row[name] if name != "transaction_id" else row["original_id"] or row[name]
        at = standing.of(row["ref"])
        found[(side, called, row["message_type"]), at.status, at.fields] += 1
    return found


OUTCOMES: Mapping[Disagreement | None, tuple[Status, tuple[str, ...], int]] = {
    None: (Status.MATCHED, (), 1),
    Disagreement.MISSING: (Status.UNMATCHED, (), 0),
    Disagreement.MALFORMED: (Status.UNMATCHED, (), 0),
    Disagreement.ONE_CENT: (Status.RESOLVED, ("amount_minor",), 1),
    Disagreement.TEN_RAND: (Status.PARTIAL, ("amount_minor",), 1),
    Disagreement.OTHER_METER: (Status.PARTIAL, ("meter_id",), 1),
    Disagreement.DUPLICATE: (Status.DUPLICATE, (), 2),
}
"""How our record stands, in which fields it differs, and how many of theirs stand the same."""


def expected_of(
    lines: Iterable[tuple[str, str]],
    hit: Mapping[tuple[str, str], Disagreement],
    extras: Iterable[str],
) -> Found:
    """How every record has to stand: each of our `lines` (sale, message type), as the file's
    disagreement with it says, and what the file invented."""
    found: Found = Counter()
    for called, kind in lines:
        status, fields, theirs = OUTCOMES[hit.get((called, kind))]
        found[(Side.OURS, called, kind), status, fields] += 1
        if theirs:
            found[(Side.THEIRS, called, kind), status, fields] += theirs
    for called in extras:
        found[(Side.THEIRS, called, "PURCHASE"), Status.UNMATCHED, ()] += 1
    return found


def lines_of(bought: Bought, called: str) -> list[tuple[str, str]]:
    taken_back = [(called, "REVERSAL")] if bought.taken_back else []
    return [(called, "PURCHASE"), *taken_back]


async def test_what_the_files_disagree_with_is_found_and_nothing_else(running: World) -> None:
    await _no_midnight_between()
    day = Day(running)
    await day.sell()
    context = await finance_context(
        running.ledger,
        running.database_url,
        [*sandbox_processes().values()],
        clock=lambda: datetime.now(UTC),
    )
    purchases = await running.purchases()
    for provider in PROVIDERS:
        await _provider_agrees(running, context, day, provider, purchases)
    await _channel_agrees(context, day)
    code, _, complaint = await running.ppu("projections", "rebuild", "sales")
    assert code == 0, complaint


async def _provider_agrees(
    running: World, context: Context, day: Day, provider: str, purchases: Mapping[str, Purchase]
) -> None:
    order = {"day": _today().isoformat(), "seed": 7, "disagreements": ONE_OF_EACH}
    path = f"/providers/{provider}/mark-off"
    status, made = await running.simulators.call("POST", path, order)
    assert status == 200, made
    injected = [msgspec.convert(one, Injected) for one in made["injected"]]
    loaded = await reconciled(context, provider, made["file_name"], made["content"])
    assert loaded.exceptions == 1, "the malformed line"

    called: dict[str, str] = {}
    for one in day.bought[provider]:
        approval = purchases[one.purchase_id].approval
        assert approval is not None
        called[one.purchase_id] = approval.sale.provider_reference
    lines = [
        line for one in day.bought[provider] for line in lines_of(one, called[one.purchase_id])
    ]
    # A purchase that was taken back is one line of the file, which marks it.
    hit = {
        (one.provider_reference, kind): one.disagreement
        for one in injected
        for kind in ("PURCHASE", "REVERSAL")
    }
    extras = [o.provider_reference for o in injected if o.disagreement is Disagreement.EXTRA]
    found = await found_in(context, provider, "provider_reference")
    assert found == expected_of(lines, hit, extras), provider


async def _channel_agrees(context: Context, day: Day) -> None:
    """The channel's rules have no tolerance: a cent is a difference as R10 is."""
    bought = [*chain.from_iterable(day.bought.values())]
    made = mark_up(CLIENT, _today(), bought, datetime.now(UTC), ONE_OF_EACH, seed=3)
    await reconciled(context, "test", made.file_name, made.content)
    hit = _hit_at_the_channel(bought, made.injected)
    lines = [line for one in bought for line in lines_of(one, one.purchase_id)]
    extras = [o.provider_reference for o in made.injected if o.disagreement is Disagreement.EXTRA]
    found = await found_in(context, "test", "transaction_id")
    assert found == expected_of(lines, hit, extras)


def _hit_at_the_channel(
    bought: Sequence[Bought], injected: Sequence[Injected]
) -> dict[tuple[str, str], Disagreement]:
    reversals = {one.taken_back[1]: one for one in bought if one.taken_back}
    marked = {one.purchase_id for one in bought if not one.reversal_listed}
    hit: dict[tuple[str, str], Disagreement] = {}
    for one in injected:
        kind = one.disagreement
        if kind is Disagreement.ONE_CENT:
            kind = Disagreement.TEN_RAND
        called = one.provider_reference
        if called in reversals:
            hit[reversals[called].purchase_id, "REVERSAL"] = kind
            continue
        hit[called, "PURCHASE"] = kind
        if called in marked:
            hit[called, "REVERSAL"] = kind
    return hit
