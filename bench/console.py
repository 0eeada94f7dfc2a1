"""Page times of the console at the size of a big customer: each page over HTTP, as the browser asks
for it, from a switch whose read models hold millions of rows, beside a page that reads nothing.

The figure is the server's whole answer: session, queries, and the page as it is sent."""

import asyncio
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import requests

from bench.console_data import DAYS, Progress, fill
from bench.console_fills import fills
from bench.load import BenchError
from bench.result import Row, percentile
from bench.running import OPERATOR, ROOT, SENDER, system
from ledger import Ledger
from ledger.embedded import EmbeddedServer
from projections.catalogue import read_models
from projections.runner import ProjectionRunner

NOTHING = "a page that reads nothing"
PAGE_SECONDS_MAX = 60.0
WARM_UP = 3
METER = "TST001"


def addresses(message_id: str, meter: str, transactions: int) -> dict[str, str]:
    """What is asked for, by what it is: about the purchase `message_id`, a `meter` that has bought,
    and rows in the middle."""
    some = transactions // 2
    always = "period=all"
    return {
        "Home": "/?window=7d",
        "Transactions: today": "/transactions",
        "by provider": f"/transactions?provider=kazang&{always}",
        "by municipality": f"/transactions?utility=utility-7&{always}",
        "declined, by provider and municipality": (
            f"/transactions?status=DECLINED&provider=kazang&utility=utility-7&{always}"
        ),
        "that nothing fits": f"/transactions?service=GAS&operation=TRIAL&amount=1.23&{always}",
        "by amount": f"/transactions?amount=123.45&{always}",
        "by meter": f"/transactions?meter={meter}",
        "by reference": f"/transactions?reference=REF{some}",
        "unknown outcomes": f"/transactions?status=UNKNOWN&{always}",
        "Transaction": f"/transactions/{message_id}",
        "Meters": "/meters",
        "by part of a number": f"/meters?part={_meter(some)[3:9]}",
        "of one municipality": "/meters?utility=utility-7",
        "Meter": f"/meters/{_meter(some)}",
        "Routing preferences": "/routing",
        "Load balancer": "/providers",
        "Provider": "/providers/kazang",
        "In doubt": "/queue",
        "Queue": "/queue?show=waiting",
        "Ended without effect": "/queue?show=ended",
        "Replay": f"/replay?id={message_id}",
        "Audit log": "/audit",
        "by person": "/audit?who=person-7",
    }


def _meter(k: int) -> str:
    """Meter `k` of the generated ones."""
    return f"{(k * 7919 + 1234567) % 100_000_000_000:011d}"


def run(
    transactions: int, meters: int, times: int, folder: Path, say: Callable[[str], None]
) -> list[Row]:
    """Fills the read models in `folder` (or takes those that an earlier run left there), and asks
    for each page `times` times. Raises BenchError."""
    with _filled(folder, transactions, meters, say) as url, system(database_url=url) as port:
        base = f"http://127.0.0.1:{port}"
        message_id, bought_for = _buy(base), _meter_that_bought(url)
        session = requests.Session()
        _sign_in(session, base)
        pages = {NOTHING: "/sign-in", **addresses(message_id, bought_for, transactions)}
        took = {name: _ask(session, base + path, times, say) for name, path in pages.items()}
        # The sign-in of somebody who is signed in would only send them on.
        took[NOTHING] = _ask(requests.Session(), f"{base}/sign-in", times, say)
    yardstick = percentile(took[NOTHING], 0.5)
    rows: list[Row] = []
    for name, ordered in took.items():
        median = percentile(ordered, 0.5)
        rows.append(Row(name, "median", median * 1_000, "ms", median / yardstick))
        rows.append(Row(name, "p99", percentile(ordered, 0.99) * 1_000, "ms"))
    return rows


@contextmanager
def _filled(
    folder: Path, transactions: int, meters: int, say: Callable[[str], None]
) -> Generator[str]:
    """A database whose read models are that large; it stays in `folder` for the next run."""
    server = EmbeddedServer(folder / "postgres")
    url = server.start()
    try:
        asyncio.run(_set_up(url))
        with psycopg.connect(url, autocommit=True) as connection:
            if not _has_rows(connection):
                fill(connection, fills(transactions, meters), _progress(say))
                say(f"filled: {transactions:,} transactions over {DAYS} days, {meters:,} meters")
        yield url
    finally:
        server.stop()


async def _set_up(url: str) -> None:
    ledger = await Ledger.open(url)
    await ProjectionRunner(ledger, url, read_models()).set_up()
    await ledger.close()


def _has_rows(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    # The table that is filled last: a fill that was cut short is not taken for a whole one.
    query = "SELECT count(*) FROM projection_routing_preferences.utility"
    row = connection.execute(query).fetchone()
    return row is not None and row[0] != 0


def _meter_that_bought(url: str) -> str:
    query = "SELECT meter FROM projection_transactions.transaction WHERE kind = 'PURCHASE' LIMIT 1"
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return str(row[0])


def _progress(say: Callable[[str], None]) -> Progress:
    started = time.monotonic()

    def progress(what: str, done: int, of: int) -> None:
        say(f"{time.monotonic() - started:6.0f} s  {what}: {done:,} of {of:,}")

    return progress


def _buy(base: str) -> str:
    """A purchase, so that there is one with events. Its id."""
    session = requests.Session()
    session.auth = ("test", "test")
    lookup_id, purchase_id = str(uuid4()), str(uuid4())
    meter = {"meter": {"meterId": METER}}
    amount = {"purchaseAmount": {"amount": 10_000, "currency": "710"}}
    for path, body in (
        (f"meterLookups/{lookup_id}", {"id": lookup_id, **meter}),
        (f"tokenPurchases/{purchase_id}", {"id": purchase_id, **meter, **amount}),
    ):
        answer = session.post(f"{base}{ROOT}/{path}", json=SENDER | body, timeout=PAGE_SECONDS_MAX)
        if answer.status_code != 201:
            raise BenchError(f"{path}: {answer.status_code} {answer.text[:200]}")
    return purchase_id


def _sign_in(session: requests.Session, base: str) -> None:
    form = {"name": OPERATOR, "password": OPERATOR, "next": "/console/static/console.css"}
    answer = session.post(f"{base}/console/sign-in", data=form, timeout=PAGE_SECONDS_MAX)
    if answer.status_code != 200:
        raise BenchError(f"sign-in: {answer.status_code}")


def _ask(
    session: requests.Session, url: str, times: int, say: Callable[[str], None]
) -> list[float]:
    """Seconds for each of `times` answers, in order of size."""
    took: list[float] = []
    for number in range(times + WARM_UP):
        started = time.perf_counter()
        answer = session.get(url, timeout=PAGE_SECONDS_MAX)
        if answer.status_code != 200 or "state error" in answer.text:
            raise BenchError(f"{url}: {answer.status_code}")
        if number >= WARM_UP:
            took.append(time.perf_counter() - started)
    say(f"{url}: {percentile(sorted(took), 0.5) * 1_000:.0f} ms")
    return sorted(took)
