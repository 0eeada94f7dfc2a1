"""One Kazang message pair over HTTP: what was said, and how it ended."""

import asyncio
from typing import TypeVar

from domain.exchange import Leg
from domain.failure import ErrorType, Failure
from providers.config import ProviderConfig
from providers.heard import NotSentError, UnansweredError
from providers.http_client import HttpAnswer, HttpClient
from providers.masking import mask, mask_unreadable
from providers.protocols.errors import ProtocolError
from providers.protocols.kazang import decode_answer, encode
from providers.protocols.kazang.codes import OK, Refusal, refusal_of
from providers.protocols.kazang.messages import Answer, Request
from providers.tls import tls_context

_SUCCESS_STATUS = 200
_INVALID_MERCHANT_STATUSES = frozenset({401, 403})

AnswerT = TypeVar("AnswerT", bound=Answer)


class RefusedByWebError(Exception):
    """The web server turned the request away: nobody behind it saw it."""

    def __init__(self, status: int) -> None:
        detail = f"the provider's web server refused the request with status {status}"
        super().__init__(detail)
        merchant = status in _INVALID_MERCHANT_STATUSES
        error_type = ErrorType.INVALID_MERCHANT if merchant else ErrorType.UPSTREAM_UNAVAILABLE
        self.failure = Failure(error_type, detail, provider_code=f"HTTP {status}")


class KazangClient:
    """One provider's connections. Raises ValueError without a URL, OSError for unreadable TLS
    files."""

    def __init__(self, config: ProviderConfig) -> None:
        if config.url is None:
            raise ValueError(f"provider {config.id}: kazang needs a url")
        self._url = config.url.rstrip("/")
        self._bytes_max = config.answer_bytes_max
        self._client = HttpClient(
            connect_seconds=config.timeouts.connect,
            limits=config.connections,
            answer_bytes_max=config.answer_bytes_max,
            headers={"Content-Type": "application/json"},
            tls=None if config.tls is None else tls_context(config.tls),
        )

    async def ask(
        self, method: str, message: Request, kind: type[AnswerT], seconds: float, legs: list[Leg]
    ) -> AnswerT | Refusal:
        """Sends `message` and adds the pair to `legs`, however it ends.

        Raises NotSentError, RefusedByWebError or UnansweredError. Cancelling it closes the
        connection."""
        if seconds <= 0:
            raise NotSentError("no time left to send it")
        loop = asyncio.get_running_loop()
        started = loop.time()
        wire = encode(message)
        received: str | None = None
        try:
            answer = await self._client.send("POST", f"{self._url}/{method}", seconds, wire=wire)
            received = mask_unreadable(answer.body) or None
            body = self._read(answer, kind)
            received = mask(answer.body)
        except UnansweredError as error:
            received = error.masked
            raise
        finally:
            took_ms = round((loop.time() - started) * 1000)
            legs.append(Leg(f"{method} {mask(wire)}", received, took_ms))
        return body

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    def _read(self, answer: HttpAnswer, kind: type[AnswerT]) -> AnswerT | Refusal:
        """The application's own word, which may come under a status of refusal, goes first."""
        if answer.status != _SUCCESS_STATUS and not answer.refused:
            raise UnansweredError(f"HTTP status {answer.status}", answer.body)
        try:
            body = decode_answer(answer.body, kind, self._bytes_max)
        except ProtocolError as error:
            if answer.refused:
                raise RefusedByWebError(answer.status) from None
            raise UnansweredError(f"unreadable answer: {error}", answer.body) from None
        if body.response_code != OK:
            return refusal_of(body)
        if not isinstance(body, kind) or answer.refused:
            raise UnansweredError(f"success with HTTP status {answer.status}", answer.body)
        return body
