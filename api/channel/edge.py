"""Where HTTP ends: an answer or a rejection goes out as a response, and every request is logged."""

import logging
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

from pydantic import JsonValue
from starlette.types import Receive, Scope, Send

from api.channel.body import DisconnectedError, TooLargeError, drain
from api.channel.failure import UNEXPECTED, RejectedError, busy, error_body, malformed
from api.channel.message.error import RequestType
from api.channel.message.scalar import ID_LIMIT
from api.channel.operation import Match
from api.channel.settings import ChannelSettings
from api.channel.sign_in import TooManyWaitingError
from domain.failure import ErrorType

logger = logging.getLogger("api.channel")
RawHeaders = list[tuple[bytes, bytes]]
_CHALLENGE = (b"www-authenticate", b'Basic realm="prepaid utilities", charset="UTF-8"')
_CLOSE = (b"connection", b"close")


@dataclass(slots=True)
class Exchange:
    """What is known of one request so far, for its error body and its log line."""

    request_type: RequestType
    message_id: str
    original_id: str | None = None
    match: Match | None = None
    user: str = ""
    client: str = ""

    def learn(self, document: dict[str, JsonValue]) -> None:
        """Take ids from a body that is readable, if not yet known to be right."""
        own = document.get("id")
        if isinstance(own, str | int) and 0 < len(text := str(own)) <= ID_LIMIT:
            self.message_id = text
        client = document.get("client")
        if isinstance(client, dict) and isinstance(name := client.get("id"), str):
            self.client = name[:ID_LIMIT]


@dataclass(slots=True, frozen=True)
class Answer:
    """A response: `body` is JSON; `closing` ends the connection after it."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    closing: bool = False


class Edge(ABC):
    """An ASGI application whose every answer is JSON and whose every error is an ErrorDetail."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings

    @abstractmethod
    def begin(self, scope: Scope) -> Exchange:
        """What the request line alone tells."""

    @abstractmethod
    async def answer(self, exchange: Exchange, scope: Scope, receive: Receive) -> Answer:
        """The answer. Raises RejectedError and what intake raises."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = time.perf_counter()
        exchange = self.begin(scope)
        try:
            answer = await self._settle(exchange, scope, receive)
        except DisconnectedError:
            return
        await self._respond(answer, receive, send)
        _log(exchange, scope, answer.status, started)

    async def _settle(self, exchange: Exchange, scope: Scope, receive: Receive) -> Answer:
        try:
            return await self.answer(exchange, scope, receive)
        except RejectedError as rejection:
            return _rejected(rejection, exchange)
        except TooLargeError:
            limit = self._settings.body_limit_bytes
            return _rejected(malformed("body", f"exceeds {limit} bytes"), exchange, closing=True)
        except TooManyWaitingError:
            return _rejected(busy(exchange.request_type), exchange)
        except DisconnectedError:
            raise
        except Exception:
            # 500 is the class "outcome unknown": right for whatever may have happened behind us.
            logger.exception("request failed", extra={"message_id": exchange.message_id})
            return _rejected(RejectedError(ErrorType.GENERAL_ERROR, rule=UNEXPECTED), exchange)

    async def _respond(self, answer: Answer, receive: Receive, send: Send) -> None:
        headers: RawHeaders = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer.body)),
            *answer.headers,
        ]
        if answer.closing:
            headers.append(_CLOSE)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if not answer.closing:
            await send({"type": "http.response.body", "body": answer.body})
            return
        await send({"type": "http.response.body", "body": answer.body, "more_body": True})
        await drain(receive, self._settings)
        await send({"type": "http.response.body", "body": b""})


def _rejected(rejection: RejectedError, exchange: Exchange, *, closing: bool = False) -> Answer:
    body = error_body(rejection, exchange.request_type, exchange.message_id, exchange.original_id)
    status = rejection.rule.status
    headers: RawHeaders = []
    if status == 401:
        headers.append(_CHALLENGE)
    if status == 405:
        headers.append((b"allow", b"POST"))
    return Answer(status, body, tuple(headers), closing)


def _log(exchange: Exchange, scope: Scope, status: int, started: float) -> None:
    """One line a request, after its answer went out."""
    if not logger.isEnabledFor(logging.INFO):
        return
    took_ms = round((time.perf_counter() - started) * 1000, 1)
    logger.info(
        "%s %s %d",
        scope["method"],
        # As it was sent: still percent-encoded, so it can't break the line.
        scope.get("raw_path", b"").decode("latin-1"),
        status,
        extra={
            "method": scope["method"],
            "path": scope.get("raw_path", b"").decode("latin-1"),
            "status": status,
            "took_ms": took_ms,
            "user": exchange.user,
            "client": exchange.client,
            "message_id": exchange.message_id,
            "request_type": exchange.request_type.value,
        },
    )
