"""HTTP exchanges with a provider, and what the ending of one says about whether it was received.

NOT_SENT only when no connection came about. Everything after that is unanswered unless the status
is one that a web server gives without passing the request on: see REFUSED_STATUSES.
"""

import ssl
from collections.abc import Mapping

import aiohttp
import msgspec

from providers.config import Connections
from providers.heard import NotSentError, UnansweredError

REFUSED_STATUSES = frozenset({401, 403, 404, 405, 411, 413, 414, 415, 431})
"""The web server's own refusals, made from the address and the headers alone: no vending system saw
the request. 400 is not among them (application servers answer it for their own failures), nor 408,
500, 502 and 504 (the request was passed on), nor 503: a gateway gives it for a vending system that
it couldn't reach and for one that went away in the middle, and does not say which. A protocol whose
application answers with one of these itself must look at the body first."""


class HttpAnswer(msgspec.Struct, frozen=True):
    """A whole answer, whatever its status."""

    status: int
    body: bytes

    @property
    def refused(self) -> bool:
        """Whether the web server turned the request away, so that nobody behind it saw it."""
        return self.status in REFUSED_STATUSES


class HttpClient:
    """One provider's connections, shared by all its requests."""

    def __init__(
        self,
        *,
        connect_seconds: float,
        limits: Connections,
        answer_bytes_max: int,
        headers: Mapping[str, str],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._connect_seconds = connect_seconds
        self._limits = limits
        self._answer_bytes_max = answer_bytes_max
        self._headers = headers
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self,
        method: str,
        url: str,
        seconds: float,
        *,
        wire: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Sends `wire` and reads the answer within `seconds`, of which getting a connection takes
        at most `connect_seconds`.

        Raises NotSentError or UnansweredError. Cancelling it closes the connection."""
        timeout = aiohttp.ClientTimeout(total=seconds, connect=min(self._connect_seconds, seconds))
        received = bytearray()
        try:
            async with self._open().request(
                method, url, data=wire, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                async for chunk in response.content.iter_any():
                    received += chunk
                    if len(received) > self._answer_bytes_max:
                        raise UnansweredError(
                            f"answer is longer than {self._answer_bytes_max} bytes", b""
                        )
                return HttpAnswer(response.status, bytes(received))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSentError(f"no connection: {type(error).__name__}") from None
        except TimeoutError:
            raise UnansweredError("no answer in time", bytes(received)) from None
        except (aiohttp.ClientError, OSError) as error:
            detail = f"connection failed before the answer was whole: {type(error).__name__}"
            raise UnansweredError(detail, bytes(received)) from None

    async def close(self) -> None:
        """Closes the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """The session, made inside the running event loop at first use."""
        if self._session is None:
            keep = self._limits.idle_seconds > 0
            connector = aiohttp.TCPConnector(
                limit=self._limits.busy_max,
                keepalive_timeout=self._limits.idle_seconds if keep else None,
                force_close=not keep,
                ssl=self._tls or True,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                trust_env=False,
            )
        return self._session
