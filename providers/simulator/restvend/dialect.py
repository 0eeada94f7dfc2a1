"""The assumed REST profile as a simulated provider reads and writes it over HTTP, OAuth2
included."""

import hmac
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from domain.exchange import Operation
from providers.protocols.errors import ProtocolError
from providers.protocols.numbers import read_whole
from providers.protocols.restvend import REQUEST_BYTES_MAX, decode, encode
from providers.protocols.restvend.messages import (
    PREVEND,
    PURCHASE,
    REPRINT,
    ApiError,
    Granted,
    Purchase,
    Ungranted,
)
from providers.simulator.fleet import FleetProvider
from providers.simulator.http_server import RefusedRequestError, Written
from providers.simulator.restvend.answering import (
    Answered,
    PrevendRequest,
    ReprintRequest,
    Request,
    RestvendAnswering,
    misaddressed,
)
from providers.simulator.vending import Vending

TOKEN_PATH = "/connect/token"  # noqa: S105 (a path)
CLIENT = "6004708000090"
SECRET = "simulated-client-secret"  # noqa: S105 (opens nothing but a simulator)
SCOPE = "api"
ACCESS_SECONDS = 3_600
"""How long an access token is good for."""
ACCESSES_KEPT_MAX = 1_000
"""Access tokens that are known at once; the oldest goes first."""
_FIELDS_MAX = 20


class TokenRequest(msgspec.Struct, frozen=True):
    """Client credentials in return for an access token."""

    granted: bool


class RestvendDialect:
    """One simulated provider. Requests without a good access token get 401."""

    routes: Iterable[tuple[str, str]] = (
        ("POST", TOKEN_PATH),
        ("GET", PREVEND),
        ("POST", PURCHASE),
        ("GET", REPRINT),
    )
    request_bytes_max = REQUEST_BYTES_MAX

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self._vending = vending
        self._answering = RestvendAnswering(provider, vending)
        self._accesses: OrderedDict[str, datetime] = OrderedDict()
        self._given = 0

    def read(self, request: web.Request, body: bytes) -> Request | TokenRequest:
        if request.path == TOKEN_PATH:
            return _token_request(body)
        self._check_access(request.headers.get("Authorization", ""))
        try:
            if request.path == PURCHASE:
                return decode(body, Purchase, REQUEST_BYTES_MAX)
            return _query(request)
        except ProtocolError as error:
            refused = ApiError(error_code="INVALID_REQUEST", message=str(error))
            raise RefusedRequestError(Written(encode(refused), 400)) from None

    def operation(self, asked: Request | TokenRequest) -> Operation:
        match asked:
            case Purchase():
                return Operation.VEND
            case PrevendRequest():
                # A quote sells nothing: what goes wrong with it goes wrong before the sale.
                return Operation.LOOKUP
            case ReprintRequest(request_id=None):
                return Operation.REPRINT
            case ReprintRequest():
                return Operation.RECOVER
            case TokenRequest():
                # The profile has no trial, so faults for it can be aimed at the token endpoint.
                return Operation.TRIAL

    def meter(self, asked: Request | TokenRequest) -> str | None:
        return None if isinstance(asked, TokenRequest) else self._answering.meter(asked)

    def answer(self, asked: Request | TokenRequest, *, reversible: bool) -> Answered:
        del reversible
        if isinstance(asked, TokenRequest):
            return self._grant() if asked.granted else _UNGRANTED
        return self._answering.answer(asked)

    def system_error(self, asked: Request | TokenRequest) -> Answered:
        if isinstance(asked, TokenRequest):
            return Answered(Ungranted(error="server_error"), 500)
        return self._answering.system_error(asked)

    def misaddressed(self, answer: Answered) -> Answered:
        return misaddressed(answer)

    def write(self, answer: Answered) -> Written:
        return Written(encode(answer.message), answer.status)

    def _grant(self) -> Answered:
        self._given += 1
        token = f"simulated-access-{self._given:06d}"
        self._accesses[token] = self._vending.now() + timedelta(seconds=ACCESS_SECONDS)
        if len(self._accesses) > ACCESSES_KEPT_MAX:
            self._accesses.popitem(last=False)
        granted = Granted(access_token=token, token_type="Bearer", expires_in=ACCESS_SECONDS)  # noqa: S106
        return Answered(granted)

    def _check_access(self, header: str) -> None:
        scheme, _, token = header.partition(" ")
        until = self._accesses.get(token)
        if scheme != "Bearer" or until is None or self._vending.now() >= until:
            raise RefusedRequestError(Written(b"", 401))


_UNGRANTED = Answered(Ungranted(error="invalid_client"), 401)


def _token_request(body: bytes) -> TokenRequest:
    try:
        form = parse_qs(body.decode(), strict_parsing=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        refused = Ungranted(error="invalid_request")
        raise RefusedRequestError(Written(encode(refused), 400)) from None
    asked = {name: values[0] for name, values in form.items()}
    expected = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "scope": SCOPE,
    }
    return TokenRequest(
        all(
            hmac.compare_digest(asked.get(name, "").encode(), value.encode())
            for name, value in expected.items()
        )
    )


def _query(request: web.Request) -> PrevendRequest | ReprintRequest:
    """Raises ProtocolError."""
    query = request.query
    if "meterNumber" not in query:
        raise ProtocolError("meterNumber is missing")
    meter = query["meterNumber"]
    if request.path == REPRINT:
        return ReprintRequest(
            meter=meter, request_id=query.get("requestId"), receipt=query.get("receiptNumber")
        )
    for name in ("merchantProductId", "requestId"):
        if name not in query:
            raise ProtocolError(f"{name} is missing")
    cents = query.get("amount")
    return PrevendRequest(
        meter=meter,
        product=query["merchantProductId"],
        request_id=query["requestId"],
        cents=None if cents is None else read_whole(cents, "amount"),
        free=query.get("isFBE") == "true",
    )
