"""How an ipayMsg reaches its provider: in frames over TCP (iPay), or as HTTP bodies (Ontec).

Both are modelled on publicly visible clients: TCP with two-byte lengths, confidence HIGH; the body
of an HTTP POST, with 408 and 504 as time-outs, HIGH for the provider's own app, MED for others."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol, TypeVar

from providers.config import Connections, ProviderConfig
from providers.heard import NotSentError, UnansweredError
from providers.http_client import HttpAnswer, HttpClient
from providers.ipaymsg.frame_client import FrameClient
from providers.tls import tls_context
from providers.web_refusal import WebRefusedError

TIME_OUT_STATUSES = frozenset({408, 504})

ReadT = TypeVar("ReadT")


class Transport(Protocol):
    """One provider's connections."""

    async def exchange(
        self, payload: bytes, read: Callable[[bytes], ReadT], seconds: float, deadline: float
    ) -> ReadT:
        """Sends `payload` and returns what `read` makes of the answer, within `seconds` and by
        `deadline` (the event loop's seconds). `read` raises UnansweredError for what is no answer.

        Raises NotSentError, UnansweredError or, over HTTP, WebRefusedError. Cancelling it closes
        the connection."""
        ...

    async def close(self) -> None:
        """Closes the connections."""
        ...


class IpayHttpClient:
    """ipayMsg as the body of an HTTP POST."""

    def __init__(
        self,
        url: str,
        *,
        connect_seconds: float,
        limits: Connections,
        answer_bytes_max: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._client = HttpClient(
            connect_seconds=connect_seconds,
            limits=limits,
            answer_bytes_max=answer_bytes_max,
            headers={"Content-Type": "application/xml"},
            tls=tls,
        )

    async def exchange(
        self, payload: bytes, read: Callable[[bytes], ReadT], seconds: float, deadline: float
    ) -> ReadT:
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise NotSentError("no time was left")
        answer = await self._client.send("POST", self._url, min(seconds, left), wire=payload)
        if answer.status in TIME_OUT_STATUSES:
            raise UnansweredError(f"HTTP status {answer.status}: time-out", answer.body)
        try:
            return read(answer.body)
        except UnansweredError as error:
            raise _explained(answer, error) from None

    async def close(self) -> None:
        await self._client.close()


def _explained(answer: HttpAnswer, error: UnansweredError) -> UnansweredError:
    """Why a body was no answer. A message, even someone else's, shows that an application spoke:
    then the status is no web server's refusal."""
    if answer.refused and not error.readable:
        return WebRefusedError(answer.status, answer.body)
    detail = f"HTTP status {answer.status}, {error}"
    return UnansweredError(detail, answer.body, readable=error.readable)


def transport_of(config: ProviderConfig) -> Transport:
    """Raises ValueError when `config` lacks where to connect, OSError for unreadable TLS files."""
    tls = None if config.tls is None else tls_context(config.tls)
    if config.protocol == "ipaymsg_http":
        if config.url is None:
            raise ValueError(f"provider {config.id}: ipaymsg_http needs a url")
        return IpayHttpClient(
            config.url,
            connect_seconds=config.timeouts.connect,
            limits=config.connections,
            answer_bytes_max=config.answer_bytes_max,
            tls=tls,
        )
    if config.host is None or config.port is None:
        raise ValueError(f"provider {config.id}: ipaymsg needs host and port")
    return FrameClient(
        config.host,
        config.port,
        connect_seconds=config.timeouts.connect,
        limits=config.connections,
        tls=tls,
    )
