"""Purchases a second over HTTP through a simulated provider on a real TCP socket, two durable
commits each, beside a no-op endpoint of the same server in the same run."""

import asyncio
import json
from collections.abc import Callable

from api.channel.noop import ORDINARY_PATH, PATH
from bench.load import CONNECTIONS, Measured, Target, ask_once, measure, rows
from bench.result import Row
from bench.running import ROOT, SENDER, system

METER = "TST001"
CENTS = 10_000

NOOP = "no-op endpoint"
"""The web framework's own: Basic, a validated purchase body, an empty answer."""
BARE = "no-op on our own path"
"""The same without the framework: what the interface's own reading and writing costs."""
PURCHASE = "purchase"

_AMOUNT = {"amount": CENTS, "currency": "710"}
_REST = json.dumps(
    SENDER
    | {
        "meter": {"meterId": METER},
        "purchaseAmount": _AMOUNT,
        "tenders": [{"amount": _AMOUNT, "tenderType": "CASH"}],
    }
)[1:].encode()


def run(
    seconds: float, rounds: int, say: Callable[[str], None], connections: int = CONNECTIONS
) -> list[Row]:
    """Measures each case for `seconds` in each of `rounds`, in turn. Raises BenchError."""
    with system("ipay") as port:
        return rows(asyncio.run(_measure(port, seconds, rounds, connections, say)), NOOP)


async def _measure(
    port: int, seconds: float, rounds: int, connections: int, say: Callable[[str], None]
) -> dict[str, Measured]:
    def body(message_id: str) -> bytes:
        return b'{"id":"' + message_id.encode() + b'",' + _REST

    await ask_once(Target(port, lambda message_id: f"{ROOT}/meterLookups/{message_id}", body))
    targets = {
        NOOP: Target(port, lambda _: ORDINARY_PATH, body),
        BARE: Target(port, lambda _: PATH, body),
        PURCHASE: Target(port, lambda message_id: f"{ROOT}/tokenPurchases/{message_id}", body),
    }
    return await measure(targets, seconds, rounds, connections, say)
