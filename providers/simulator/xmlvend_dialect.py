"""XMLVend as a simulated provider reads and writes it over HTTP."""

from collections.abc import Iterable

from aiohttp import web

from domain.exchange import Operation
from providers.protocols.errors import ProtocolError
from providers.protocols.xmlvend import decode_request, encode_response
from providers.protocols.xmlvend_messages import FaultResp, Request, Response
from providers.protocols.xmlvend_read import REQUEST_BYTES_MAX
from providers.simulator.fleet import FleetProvider
from providers.simulator.http_server import RefusedRequestError, Written
from providers.simulator.vending import Vending
from providers.simulator.xmlvend_answering import (
    XmlvendAnswering,
    meter_of,
    misaddressed,
    operation_of,
)

PATH = "/xmlvend/xmlvend.wsdl"


class XmlvendDialect:
    """One simulated XMLVend provider."""

    routes: Iterable[tuple[str, str]] = (("POST", PATH),)
    request_bytes_max = REQUEST_BYTES_MAX

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self._answering = XmlvendAnswering(provider, vending)

    def read(self, request: web.Request, body: bytes) -> Request:
        del request
        try:
            return decode_request(body)
        except ProtocolError as error:
            fault = FaultResp("XMLVendSchemaEx", str(error))
            raise RefusedRequestError(self.write(fault)) from None

    def operation(self, asked: Request) -> Operation:
        return operation_of(asked)

    def meter(self, asked: Request) -> str | None:
        return meter_of(asked)

    def answer(self, asked: Request, *, reversible: bool) -> Response:
        return self._answering.answer(asked, reversible=reversible)

    def system_error(self, asked: Request) -> Response:
        return self._answering.system_error(asked)

    def misaddressed(self, answer: Response) -> Response:
        return misaddressed(answer)

    def write(self, answer: Response) -> Written:
        status = 500 if isinstance(answer, FaultResp) else 200
        return Written(encode_response(answer), status, "text/xml", compress=True)
