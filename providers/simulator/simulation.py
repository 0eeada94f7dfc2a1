"""All simulated providers of a fleet, running: their ports, their faults, their one ledger."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from providers.simulator.aeon.answering import AeonAnswering
from providers.simulator.aeon.conversation import AeonConversation
from providers.simulator.easypay.dialect import EasyPayDialect
from providers.simulator.extract_file import MarkOff
from providers.simulator.faults import Fault, FaultBoard, FaultMode, fault_problem
from providers.simulator.fleet import Fleet, FleetProvider
from providers.simulator.http_server import HttpProviderServer
from providers.simulator.ipaymsg.answering import IpayAnswering
from providers.simulator.ipaymsg.conversation import IpayConversation
from providers.simulator.ipaymsg.http import IpayHttpServer
from providers.simulator.kazang.dialect import KazangDialect
from providers.simulator.mark_off import MarkOffOrder, mark_off
from providers.simulator.restvend.dialect import RestvendDialect
from providers.simulator.sales import SalesLedger
from providers.simulator.tcp_server import TcpProviderServer
from providers.simulator.vending import Vending
from providers.simulator.xmlvend.dialect import XmlvendDialect

MARK_OFF_FOLDER = "mark-off"


class ProviderServer(Protocol):
    """A simulated provider's port."""

    provider: FleetProvider
    port: int

    async def start(self, host: str) -> None: ...

    async def refuse(self) -> None: ...

    async def accept(self) -> None: ...

    async def stop(self) -> None: ...


class Simulation:
    """Start it, use it, stop it. Everything it decides by chance comes from `rng`."""

    def __init__(
        self,
        fleet: Fleet,
        *,
        clock: Callable[[], datetime],
        rng: random.Random,
        data_dir: Path | None = None,
    ) -> None:
        self.fleet = fleet
        self.sales = SalesLedger(data_dir)
        if len(self.sales):
            # The same seed after a restart would draw the tokens that were issued before.
            rng.seed(rng.getrandbits(64) + len(self.sales))
        self._clock = clock
        self._data_dir = data_dir
        self._changing = asyncio.Lock()
        self._board = FaultBoard(rng)
        vending = Vending(fleet, self.sales, clock, rng)
        self._servers: dict[str, ProviderServer] = {
            provider.id: _server(provider, vending, self._board) for provider in fleet.providers
        }

    @property
    def ports(self) -> dict[str, int]:
        """The port of each provider, once started."""
        return {provider: server.port for provider, server in self._servers.items()}

    async def start(self, host: str = "127.0.0.1") -> None:
        """Opens all ports. Raises OSError, with none left open, when one is taken."""
        try:
            for server in self._servers.values():
                await server.start(host)
            await self._set_fleet_faults()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Closes all ports and the ledger's file."""
        for server in self._servers.values():
            await server.stop()
        self.sales.close()

    async def set_fault(self, provider: str, fault: Fault) -> None:
        """Replaces the provider's fault; mode none clears it. Raises ValueError for a fault that
        makes no sense, KeyError for an unknown provider."""
        server = self._servers[provider]
        # One change at a time: a port must be closed before it can be opened again.
        async with self._changing:
            await self._change_fault(server, provider, fault)

    async def _change_fault(self, server: ProviderServer, provider: str, fault: Fault) -> None:
        problem = fault_problem(fault, server.provider.protocol)
        if problem:
            raise ValueError(problem)
        self._board.set(provider, fault)
        if fault.mode is FaultMode.REFUSE:
            await server.refuse()
        else:
            await server.accept()

    def fault_of(self, provider: str) -> Fault:
        return self._board.of(provider)

    def mark_off(self, provider: str, order: MarkOffOrder) -> MarkOff:
        """The provider's end-of-day file; with a data folder it is written there, too, under
        mark-off/. Raises ValueError for a bad order, OSError when it can't be written."""
        made = mark_off(provider, order, self.sales, self._clock())
        if self._data_dir is not None:
            folder = self._data_dir / MARK_OFF_FOLDER
            folder.mkdir(parents=True, exist_ok=True)
            (folder / made.file_name).write_bytes(made.content.encode("ascii"))
        return made

    async def reset(self) -> None:
        """Forgets all sales; faults go back to what the fleet file says."""
        self.sales.clear()
        await self._set_fleet_faults()

    async def _set_fleet_faults(self) -> None:
        for provider in self.fleet.providers:
            await self.set_fault(provider.id, provider.fault)


def _server(provider: FleetProvider, vending: Vending, board: FaultBoard) -> ProviderServer:
    match provider.protocol:
        case "easypay":
            easypay = EasyPayDialect(provider, vending)
            return HttpProviderServer(provider, vending, board, easypay)
        case "restvend":
            restvend = RestvendDialect(provider, vending)
            return HttpProviderServer(provider, vending, board, restvend)
        case "aeon":
            aeon = AeonAnswering(provider, vending)
            return TcpProviderServer(provider, vending, board, lambda: AeonConversation(aeon))
        case "ipaymsg":
            ipay = IpayAnswering(provider, vending)
            return TcpProviderServer(provider, vending, board, lambda: IpayConversation(ipay))
        case "ipaymsg_http":
            return IpayHttpServer(provider, vending, board)
        case "kazang":
            return HttpProviderServer(provider, vending, board, KazangDialect(provider, vending))
        case "xmlvend":
            dialect = XmlvendDialect(provider, vending)
            return HttpProviderServer(provider, vending, board, dialect)
