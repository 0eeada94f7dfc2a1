"""Kazang as a simulated provider reads and writes it over HTTP."""

from collections.abc import Iterable

import msgspec
from aiohttp import web

from domain.exchange import Operation
from providers.protocols.errors import ProtocolError
from providers.protocols.kazang import (
    AUTH_CLIENT,
    PRODUCT_LIST,
    REQUEST_BYTES_MAX,
    decode_request,
    encode,
)
from providers.protocols.kazang.messages import (
    AuthClient,
    Buy,
    Confirm,
    ProductList,
    Quote,
    Reprint,
    Request,
    Sold,
    Status,
)
from providers.simulator.fleet import FleetProvider
from providers.simulator.http_server import RefusedRequestError, Written
from providers.simulator.kazang.answering import PRODUCTS, REFUSED, KazangAnswering
from providers.simulator.vending import Vending

BASE = "/apimanager/api_rest/v1"

_KINDS: dict[str, type[Request]] = {
    AUTH_CLIENT: AuthClient,
    PRODUCT_LIST: ProductList,
    "reprint": Reprint,
    **{method: Buy for _, method in PRODUCTS.values()},
    **{f"{method}Confirm": Confirm for _, method in PRODUCTS.values()},
}
"""What each method reads; an address with another one is not there (404)."""


class KazangDialect:
    """One simulated Kazang. `answering` is at hand for tests: it can be told to forget its sessions
    and to be busy."""

    routes: Iterable[tuple[str, str]] = tuple(("POST", f"{BASE}/{method}") for method in _KINDS)
    request_bytes_max = REQUEST_BYTES_MAX

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self.answering = KazangAnswering(provider, vending)

    def read(self, request: web.Request, body: bytes) -> Request:
        kind = _KINDS[request.path.rpartition("/")[2]]
        try:
            return decode_request(body, kind)
        except ProtocolError as error:
            refusal = Status(response_code=REFUSED, response_message=f"Bad request: {error}")
            raise RefusedRequestError(self.write(refusal)) from None

    def operation(self, asked: Request) -> Operation | None:
        match asked:
            case Confirm():
                return Operation.VEND
            case Buy():
                return Operation.LOOKUP
            case Reprint():
                return Operation.REPRINT
            case AuthClient() | ProductList():
                return None

    def meter(self, asked: Request) -> str | None:
        return self.answering.meter_of(asked)

    def answer(self, asked: Request, *, reversible: bool) -> Status:
        del reversible  # a reversal is made by the provider's people, so the protocol has none
        return self.answering.answer(asked)

    def system_error(self, asked: Request) -> Status:
        del asked
        return self.answering.system_error()

    def misaddressed(self, answer: Status) -> Status:
        if not isinstance(answer, Quote | Sold):
            return answer
        return msgspec.structs.replace(
            answer, request_reference="another", confirmation_number="another"
        )

    def write(self, answer: Status) -> Written:
        return Written(encode(answer))
