"""The control port: read the ledger of sales, set faults, start over. For tests and demonstrations.

Loopback only, no sign-in: it belongs to simulated providers and nothing real."""

from collections.abc import AsyncIterator, Iterator
from itertools import islice

import msgspec
from aiohttp import web

from providers.simulator.faults import Fault
from providers.simulator.mark_off import MarkOffOrder
from providers.simulator.sales import SaleRow
from providers.simulator.simulation import Simulation

CONTROL_BODY_BYTES_MAX = 65_536
LEDGER_ROWS_PER_WRITE = 500


class ProviderRow(msgspec.Struct, frozen=True):
    """A provider as `GET /providers` shows it."""

    id: str
    name: str
    protocol: str
    port: int
    fault: Fault


def control_app(simulation: Simulation) -> web.Application:
    """The routes of the control port."""
    app = web.Application(client_max_size=CONTROL_BODY_BYTES_MAX)
    control = _Control(simulation)
    app.router.add_get("/health", control.health)
    app.router.add_get("/ledger", control.ledger)
    app.router.add_get("/providers", control.providers)
    app.router.add_put("/providers/{id}/fault", control.set_fault)
    app.router.add_post("/providers/{id}/mark-off", control.mark_off)
    app.router.add_post("/reset", control.reset)
    return app


class _Control:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def health(self, request: web.Request) -> web.Response:  # noqa: ARG002 (a handler's signature)
        return _json({"status": "ok", "sales": len(self._simulation.sales)})

    async def ledger(self, request: web.Request) -> web.StreamResponse:
        """Every sale ever issued, one JSON object a line."""
        response = web.StreamResponse()
        response.content_type = "application/x-ndjson"
        await response.prepare(request)
        async for chunk in _chunks(iter(list(self._simulation.sales.rows()))):
            await response.write(chunk)
        await response.write_eof()
        return response

    async def providers(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return _json(
            [
                ProviderRow(
                    id=provider.id,
                    name=provider.name,
                    protocol=provider.protocol,
                    port=self._simulation.ports[provider.id],
                    fault=self._simulation.fault_of(provider.id),
                )
                for provider in self._simulation.fleet.providers
            ]
        )

    async def set_fault(self, request: web.Request) -> web.Response:
        """400 with what and where for a bad fault, 404 for a provider that isn't there."""
        provider = request.match_info["id"]
        if provider not in self._simulation.ports:
            return _problem(404, f"no provider {provider!r}")
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
            await self._simulation.set_fault(provider, fault)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            return _problem(400, str(error))
        return _json(fault)

    async def mark_off(self, request: web.Request) -> web.Response:
        """The provider's end-of-day file, also written into the data folder if there is one. 400
        with what is wrong for a bad order, 404 for a provider that isn't there."""
        provider = request.match_info["id"]
        if provider not in self._simulation.ports:
            return _problem(404, f"no provider {provider!r}")
        try:
            order = msgspec.json.decode(await request.read(), type=MarkOffOrder)
            made = self._simulation.mark_off(provider, order)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            return _problem(400, str(error))
        return _json(made)

    async def reset(self, request: web.Request) -> web.Response:  # noqa: ARG002
        await self._simulation.reset()
        return _json({"status": "reset"})


async def _chunks(rows: Iterator[SaleRow]) -> AsyncIterator[bytes]:
    encode = msgspec.json.encode
    while batch := list(islice(rows, LEDGER_ROWS_PER_WRITE)):
        yield b"".join(encode(row) + b"\n" for row in batch)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )


def _problem(status: int, detail: str) -> web.Response:
    return _json({"error": detail}, status)
