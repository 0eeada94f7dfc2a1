"""SOAP requests over HTTP: which statuses may carry an answer."""

import ssl
from collections.abc import Mapping

from providers.config import Connections
from providers.heard import UnansweredError
from providers.http_client import HttpAnswer, HttpClient

_ANSWER_STATUSES = frozenset({200, 500})
"""A SOAP answer comes with 200, a SOAP fault with 500."""


class SoapClient:
    """One provider's connections, shared by all its requests."""

    def __init__(
        self,
        url: str,
        *,
        connect_seconds: float,
        limits: Connections,
        answer_bytes_max: int,
        headers: Mapping[str, str],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._client = HttpClient(
            connect_seconds=connect_seconds,
            limits=limits,
            answer_bytes_max=answer_bytes_max,
            headers={"Content-Type": "text/xml; charset=utf-8", **headers},
            tls=tls,
        )

    async def post(self, wire: bytes, soap_action: str, seconds: float) -> HttpAnswer:
        """An answer that may be SOAP, or the web server's refusal.

        Raises NotSentError or UnansweredError. Cancelling it closes the connection."""
        headers = {"SOAPAction": f'"{soap_action}"'}
        answer = await self._client.send("POST", self._url, seconds, wire=wire, headers=headers)
        if answer.status not in _ANSWER_STATUSES and not answer.refused:
            raise UnansweredError(f"HTTP status {answer.status}", answer.body)
        return answer

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()
