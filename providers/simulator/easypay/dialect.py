"""EasyPay as a simulated provider reads and writes it over HTTP."""

import hmac
from collections.abc import Iterable

import msgspec
from aiohttp import web

from domain.exchange import Operation
from providers.protocols.easypay import REQUEST_BYTES_MAX, decode_request, encode
from providers.protocols.easypay.messages import (
    AUTHORISATION,
    INFO,
    NOTIFICATION,
    REPRINT,
    VEND,
    VEND_STATUS,
    Answer,
    Request,
)
from providers.protocols.errors import ProtocolError
from providers.simulator.easypay.answering import EasyPayAnswering, misaddressed
from providers.simulator.fleet import FleetProvider
from providers.simulator.http_server import RefusedRequestError, Written
from providers.simulator.vending import Vending

BASE = "/billpayment/v1"
SESSION_TOKEN = "simulated-session-token"  # noqa: S105 (opens nothing but a simulator)

_OPERATIONS: dict[str, Operation] = {
    INFO: Operation.LOOKUP,
    # It sells nothing, so what goes wrong with it goes wrong before the sale.
    AUTHORISATION: Operation.LOOKUP,
    VEND: Operation.VEND,
    VEND_STATUS: Operation.RECOVER,
    REPRINT: Operation.REPRINT,
    NOTIFICATION: Operation.CONFIRM,
}


class EasyPayAsked(msgspec.Struct, frozen=True):
    """A request and the path, below BASE, that it came to."""

    path: str
    request: Request


class EasyPayDialect:
    """One simulated EasyPay. Requests without the session token get 401 without a body."""

    routes: Iterable[tuple[str, str]] = tuple(("POST", f"{BASE}{path}") for path in _OPERATIONS)
    request_bytes_max = REQUEST_BYTES_MAX

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self._answering = EasyPayAnswering(provider, vending)

    def read(self, request: web.Request, body: bytes) -> EasyPayAsked:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"SessionToken {SESSION_TOKEN}".encode()):
            raise RefusedRequestError(Written(b"", 401))
        path = request.path.removeprefix(BASE)
        try:
            return EasyPayAsked(path, decode_request(path, body))
        except ProtocolError:
            raise RefusedRequestError(Written(b"", 400)) from None

    def operation(self, asked: EasyPayAsked) -> Operation:
        return _OPERATIONS[asked.path]

    def meter(self, asked: EasyPayAsked) -> str | None:
        return asked.request.account_number

    def answer(self, asked: EasyPayAsked, *, reversible: bool) -> Answer:
        del reversible
        return self._answering.answer(asked.path, asked.request)

    def system_error(self, asked: EasyPayAsked) -> Answer:
        return self._answering.system_error(asked.path, asked.request)

    def misaddressed(self, answer: Answer) -> Answer:
        return misaddressed(answer)

    def write(self, answer: Answer) -> Written:
        return Written(encode(answer))
