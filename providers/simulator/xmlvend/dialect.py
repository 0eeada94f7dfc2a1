"""XMLVend as a simulated provider reads and writes it over HTTP."""

from collections.abc import Iterable

import msgspec
from aiohttp import web

from domain.exchange import Operation
from providers.protocols.errors import ProtocolError
from providers.protocols.xmlvend import decode_request, encode_response
from providers.protocols.xmlvend.messages import (
    AdviceKind,
    AdviceReq,
    ConfirmCustomerReq,
    CreditVendReq,
    CustReportFaultReq,
    EngKctReq,
    FaultReport,
    FaultResp,
    MsgId,
    ReprintReq,
    Request,
    Response,
    UpdateMeterKeyReq,
    VendKind,
)
from providers.protocols.xmlvend.read_requests import REQUEST_BYTES_MAX
from providers.simulator.fleet import FleetProvider
from providers.simulator.http_server import RefusedRequestError, Written
from providers.simulator.vending import Vending
from providers.simulator.xmlvend.answering import XmlvendAnswering

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
        body = encode_response(answer, self._answering.profile.steps_as)
        return Written(body, status, "text/xml", compress=True)


def operation_of(request: Request) -> Operation:
    """The operation that a request stands for."""
    match request:
        case CreditVendReq(kind=VendKind.TRIAL):
            return Operation.TRIAL
        case CreditVendReq():
            return Operation.VEND
        case ConfirmCustomerReq():
            return Operation.LOOKUP
        case AdviceReq(kind=AdviceKind.LAST_RESPONSE):
            return Operation.RECOVER
        case AdviceReq(kind=AdviceKind.CONFIRMATION):
            return Operation.CONFIRM
        case AdviceReq():
            return Operation.REVERSE
        case ReprintReq():
            return Operation.REPRINT
        case UpdateMeterKeyReq() | EngKctReq():
            return Operation.KEY_CHANGE
        case CustReportFaultReq():
            return Operation.FAULT_REPORT


def meter_of(request: Request) -> str | None:
    """The meter that a request names."""
    match request:
        case AdviceReq():
            return None
        case CustReportFaultReq(report=FaultReport(meter=meter)):
            return None if meter is None else meter.number
        case _:
            return request.meter.number


def misaddressed(response: Response) -> Response:
    """`response` as if it belonged to another request."""
    base = response.base
    if base is None:
        return response
    unique = f"{(int(base.request.unique_number) + 5) % 1_000_000:06d}"
    other = MsgId(base.request.date_time, unique)
    changed = msgspec.structs.replace(base, request=other)
    return msgspec.structs.replace(response, base=changed)
