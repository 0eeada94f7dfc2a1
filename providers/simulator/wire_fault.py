"""Which fault, if any, hits a request that reached a simulated provider's port."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec

from domain.exchange import Operation
from providers.simulator.faults import Fault, FaultBoard, FaultMode
from providers.simulator.fleet import FleetProvider
from providers.simulator.vending import Vending

SILENCE_SECONDS_MAX = 600.0
"""How long a silent provider keeps a connection that the client doesn't close."""
TRICKLE_SECONDS = 0.1
"""From byte to byte of a trickled answer."""


async def trickled(wire: bytes, gone: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The bytes of `wire` one by one, with pauses, until `gone` says that the client is."""
    for at in range(len(wire)):
        if gone():
            return
        yield wire[at : at + 1]
        await asyncio.sleep(TRICKLE_SECONDS)


class Plan(msgspec.Struct, frozen=True):
    """How to treat one request. `delay_seconds` is the provider's ordinary latency, before
    everything else; `fault_seconds` belongs to the mode (slow, late sale)."""

    mode: FaultMode = FaultMode.NONE
    delay_seconds: float = 0.0
    fault_seconds: float = 0.0
    reversible: bool = True

    @property
    def plain(self) -> bool:
        """Answer at once, and rightly."""
        return self.mode is FaultMode.NONE and not self.delay_seconds


class Planner:
    """Decides for one provider. A till's behaviour goes before the meter's, the meter's before the
    provider's fault."""

    def __init__(self, provider: FleetProvider, vending: Vending, board: FaultBoard) -> None:
        self._provider = provider
        self._vending = vending
        self._board = board

    def plan(
        self, operation: Operation | None, meter: str | None, till: Fault | None = None
    ) -> Plan:
        """The treatment of a request for `operation` on `meter` (None where it names none)."""
        mode, latency_ms = FaultMode.NONE, 0
        if till is not None and operation in till.operations:
            mode = till.mode
        if mode is FaultMode.NONE and operation is Operation.VEND and meter is not None:
            mode, latency_ms = self._vending.behaviour(meter)
        spared = operation is None
        if not spared and mode in (FaultMode.NONE, FaultMode.UNKNOWN_METER, FaultMode.BLOCKED):
            fault = self._board.strike(self._provider.id, operation)
            if fault is not None:
                mode, latency_ms = fault.mode, fault.latency_ms
        supported = self._provider.capabilities.reverse
        return Plan(
            mode=mode,
            delay_seconds=self._provider.latency_ms / 1000,
            fault_seconds=latency_ms / 1000,
            reversible=supported and mode is not FaultMode.REVERSAL_UNSUPPORTED,
        )
