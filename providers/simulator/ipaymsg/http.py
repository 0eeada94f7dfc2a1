"""ipayMsg as a simulated provider reads and writes it over HTTP, with the published test tills."""

from collections.abc import Iterable

from aiohttp import web

from domain.exchange import Operation
from providers.protocols.errors import ProtocolError
from providers.protocols.ipaymsg import IpayMessage, decode, encode
from providers.protocols.ipaymsg.frames import FRAME_BYTES_MAX
from providers.simulator.faults import Fault, FaultBoard, FaultMode
from providers.simulator.fleet import FleetProvider
from providers.simulator.http_server import HttpProviderServer, RefusedRequestError, Written
from providers.simulator.ipaymsg.answering import (
    OPERATIONS,
    TERMINALS,
    IpayAnswering,
    meter_of,
    misaddressed,
)
from providers.simulator.vending import Vending
from providers.simulator.wire_fault import Plan

PATH = "/ipaymsg"
"""Assumed: clients are seen to post to a host and port."""

HTTP_TERMINALS: dict[str, Fault] = {
    **TERMINALS,
    "00100": Fault(mode=FaultMode.HTTP_504_AFTER_SALE),
    "00200": Fault(mode=FaultMode.HTTP_504_BEFORE_SALE, operations=(Operation.REVERSE,)),
}
"""As over TCP; where a till gets no answer there, the gateway's time-out says so here."""


class IpayDialect:
    """One simulated provider."""

    routes: Iterable[tuple[str, str]] = (("POST", PATH),)
    request_bytes_max = FRAME_BYTES_MAX

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self._answering = IpayAnswering(provider, vending)

    def read(self, request: web.Request, body: bytes) -> IpayMessage:
        del request
        try:
            message = decode(body)
        except ProtocolError as error:
            raise RefusedRequestError(_bad_request(str(error))) from None
        if type(message.body) not in OPERATIONS:
            raise RefusedRequestError(_bad_request("the message is no request"))
        return message

    def operation(self, asked: IpayMessage) -> Operation:
        return OPERATIONS[type(asked.body)]  # pyright: ignore[reportArgumentType]  # read() looked

    def meter(self, asked: IpayMessage) -> str | None:
        return meter_of(asked.body)

    def answer(self, asked: IpayMessage, *, reversible: bool) -> IpayMessage:
        return self._answering.answer(asked, reversible=reversible)

    def system_error(self, asked: IpayMessage) -> IpayMessage:
        return self._answering.system_error(asked)

    def misaddressed(self, answer: IpayMessage) -> IpayMessage:
        return misaddressed(answer)

    def write(self, answer: IpayMessage) -> Written:
        return Written(encode(answer), content_type="application/xml")


class IpayHttpServer(HttpProviderServer[IpayMessage, IpayMessage]):
    """A simulated provider whose tills may have a behaviour of their own."""

    def __init__(self, provider: FleetProvider, vending: Vending, board: FaultBoard) -> None:
        super().__init__(provider, vending, board, IpayDialect(provider, vending))

    def plan(self, asked: IpayMessage, till: Fault | None = None) -> Plan:
        return super().plan(asked, till or HTTP_TERMINALS.get(asked.terminal))


def _bad_request(problem: str) -> Written:
    return Written(problem.encode(), status=400, content_type="text/plain")
