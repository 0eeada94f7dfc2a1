"""Simulated providers for tests: in this process, or as a process of their own."""

import asyncio
import json
import random
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from domain.exchange import Operation
from domain.sale import UtilityType
from providers.adapter import ProviderAdapter
from providers.config import Connections, ProviderConfig, Timeouts
from providers.registry import build_adapter
from providers.simulator.configs import loopback_configs
from providers.simulator.faults import Fault, FaultMode
from providers.simulator.fleet import (
    Fleet,
    FleetCharge,
    FleetDebt,
    FleetFreeUnits,
    FleetKeyChange,
    FleetMeter,
    FleetStep,
    FleetTariff,
    FleetUtility,
)
from providers.simulator.fleet_file import DEFAULT_FLEET, load_fleet
from providers.simulator.sales import SaleRow
from providers.simulator.server import with_free_ports
from providers.simulator.simulation import Simulation
from tests.conversation import Conversation as Conversation
from tests.conversation import utc_now
from tests.provider_traits import PROVIDERS

PLAIN, STEPS, DEBTS, FREE, KEY_CHANGE, BLOCKED, LIMITS, WATER = (
    f"0100000000{index}" for index in range(8)
)
"""Meters of `every_provider_fleet`, by what they show."""

START_SECONDS_MAX = 30.0
SHORT = Timeouts(connect=5.0, lookup=5.0, vend=5.0, recover=5.0, advice=5.0)
"""Long enough for a busy machine. A test that waits out a silent provider names a shorter wait."""


def every_provider_fleet() -> Fleet:
    """The providers of the contract suite as they are shipped, and one meter for each kind of
    answer, served by all of them."""
    shipped = load_fleet()
    utility = FleetUtility(
        id="town",
        name="Testville",
        address="1 Main Road",
        vat_number="4000000000",
        client_id="6004708000991",
        supply_group_code="999999",
    )
    flat = FleetTariff(id="flat", name="Flat", steps=(FleetStep(rate=Decimal(200)),))
    steps = FleetTariff(
        id="steps",
        name="Steps",
        steps=(FleetStep(rate=Decimal(100), up_to=Decimal(30)), FleetStep(rate=Decimal(300))),
    )

    meter = partial(FleetMeter, utility="town", tariff="flat", providers=PROVIDERS)
    return Fleet(
        providers=tuple(
            msgspec.structs.replace(provider, probe_meter=PLAIN)
            for provider in shipped.providers
            if provider.id in PROVIDERS
        ),
        utilities=(utility,),
        tariffs=(flat, steps),
        meters=(
            meter(number=PLAIN, first_name="MS", last_name="TESTER", account="ACC-1"),
            meter(number=STEPS, tariff="steps"),
            meter(
                number=DEBTS,
                debts=(FleetDebt(description="Arrears", balance_cents=9_000, percent=Decimal(20)),),
                charges=(FleetCharge(description="Service", cents=2_300, every="month"),),
            ),
            meter(number=FREE, free_units=FleetFreeUnits(units=Decimal(50))),
            meter(
                number=KEY_CHANGE,
                key_change=FleetKeyChange(
                    supply_group_code="999998", key_revision="2", tariff_index="08"
                ),
            ),
            meter(number=BLOCKED, behaviour=FaultMode.BLOCKED),
            meter(number=LIMITS, min_cents=5_000, max_cents=50_000),
            meter(number=WATER, utility_type=UtilityType.WATER),
        ),
    )


class InProcess:
    """A running simulation of this process."""

    def __init__(self, simulation: Simulation, fleet: Fleet) -> None:
        self.simulation = simulation
        self.fleet = fleet
        self._adapters: list[ProviderAdapter] = []

    @property
    def ports(self) -> dict[str, int]:
        return self.simulation.ports

    def configs(
        self,
        timeouts: Timeouts = SHORT,
        connections: Connections | None = None,
        late_sale_seconds: float = 1.0,
    ) -> dict[str, ProviderConfig]:
        """The configuration of each provider."""
        return {
            config.id: config
            for config in loopback_configs(
                self.fleet,
                self.ports,
                timeouts=timeouts,
                connections=connections,
                late_sale_seconds=late_sale_seconds,
            )
        }

    def adapters(
        self, *, clock: Callable[[], datetime] = utc_now, **timeouts: float
    ) -> dict[str, ProviderAdapter]:
        """An adapter for each provider, with short time-outs unless named otherwise; closed at
        the end."""
        waits = msgspec.structs.replace(SHORT, **timeouts)
        adapters = {
            name: build_adapter(config, clock) for name, config in self.configs(waits).items()
        }
        self._adapters += adapters.values()
        return adapters

    def sales(self) -> list[SaleRow]:
        """Every sale ever issued."""
        return list(self.simulation.sales.rows())

    async def sales_reach(self, count: int) -> None:
        """Waits until so many sales were issued."""
        async with asyncio.timeout(START_SECONDS_MAX):
            while len(self.simulation.sales) < count:  # noqa: ASYNC110 (the ledger tells nobody)
                await asyncio.sleep(0.02)

    async def fault(
        self,
        provider: str,
        mode: str,
        rate: float = 1.0,
        latency_ms: int = 0,
        operations: tuple[Operation, ...] = (Operation.VEND,),
    ) -> None:
        """Sets a fault; mode "none" clears it."""
        fault = Fault(mode=FaultMode(mode), rate=rate, latency_ms=latency_ms, operations=operations)
        await self.simulation.set_fault(provider, fault)

    async def close(self) -> None:
        for adapter in self._adapters:
            await adapter.close()
        await self.simulation.stop()


@asynccontextmanager
async def simulators(
    fleet: Fleet | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
    seed: int = 1,
    data_dir: Path | None = None,
) -> AsyncGenerator[InProcess]:
    """The fleet's providers (default: the shipped fleet) on free ports, in this event loop."""
    fleet = with_free_ports(fleet or load_fleet())
    simulation = Simulation(fleet, clock=clock, rng=random.Random(seed), data_dir=data_dir)
    await simulation.start()
    running = InProcess(simulation, fleet)
    try:
        yield running
    finally:
        await running.close()


class OtherProcess:
    """Simulators in a process of their own, through their control port."""

    def __init__(
        self, process: asyncio.subprocess.Process, control_port: int, ports: dict[str, int]
    ) -> None:
        self.process = process
        self.control_port = control_port
        self.ports = ports
        self.control = f"http://127.0.0.1:{control_port}"

    async def sales(self) -> list[SaleRow]:
        """Every sale ever issued."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.control}/ledger") as response,
        ):
            lines = (await response.read()).splitlines()
        return [msgspec.json.decode(line, type=SaleRow) for line in lines]

    async def fault(self, provider: str, mode: str, rate: float = 1.0, latency_ms: int = 0) -> None:
        """Sets a fault; mode "none" clears it."""
        body = {"mode": mode, "rate": rate, "latency_ms": latency_ms}
        status, answer = await self.call("PUT", f"/providers/{provider}/fault", body)
        assert status == 200, answer

    async def reset(self) -> None:
        status, answer = await self.call("POST", "/reset")
        assert status == 200, answer

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Any request to the control port; the answer's status and JSON."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.control}{path}", json=body) as response,
        ):
            return response.status, await response.json()

    async def stop(self) -> None:
        """As an operator does; waits for it."""
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()

    async def kill(self) -> None:
        """As a crash does; waits for it."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def simulator_process(
    fleet_file: Path = DEFAULT_FLEET,
    *,
    data_dir: Path | None = None,
    seed: int = 1,
    free_ports: bool = True,
) -> AsyncGenerator[OtherProcess]:
    """`python -m providers.simulator` on free ports; killed at the end."""
    arguments = ["-m", "providers.simulator", "--fleet", str(fleet_file)]
    arguments += ["--control-port", "0", "--seed", str(seed)]
    arguments += ["--data-dir", str(data_dir)] if data_dir else []
    arguments += ["--free-ports"] if free_ports else []
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_SECONDS_MAX):
            line = await process.stdout.readline()
        ready = json.loads(line)
        yield OtherProcess(process, ready["control_port"], ready["providers"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
