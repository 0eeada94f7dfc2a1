"""Notifications over HTTP: signed, to the configured addresses and no other."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Self

import aiohttp
import msgspec

from api.notification.notice import body_of
from api.notification.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature
from domain.notification import Answer
from switch.command import Party
from switch.ports import Notice

PATH = "/events/tokenPurchases"
CONNECTIONS_MAX = 64
"""To all subscribers together; each has fewer, by the switch's own settings."""
HEADERS_BYTES_MAX = 16_384
"""A longer answer's head counts as no answer; its body is not read at all."""

_DETAIL_MAX = 200


class Subscriber(msgspec.Struct, frozen=True):
    """Where a subscriber is told, and the secret that it shares with us."""

    url: str
    secret: str

    def __repr__(self) -> str:
        return f"Subscriber(url={self.url!r})"


class HttpNotifier:
    """Sends notices to subscribers; made and used inside one event loop.

    Redirections are not followed: the settings say where a notification may go, and nobody else.
    No proxy, cookie or password of the environment is used. Of an answer only the status counts."""

    def __init__(
        self,
        subscribers: Mapping[str, Subscriber],
        *,
        institution: Party,
        clock: Callable[[], datetime],
        answer_seconds: float,
    ) -> None:
        self._subscribers = subscribers
        self._institution = institution
        self._clock = clock
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=answer_seconds),
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=HEADERS_BYTES_MAX,
            max_field_size=HEADERS_BYTES_MAX,
            auto_decompress=False,
        )

    async def notify(self, subscriber: str, notice: Notice) -> Answer:
        """One attempt. Raises UnreadableError."""
        target = self._subscribers[subscriber]
        body = body_of(notice, self._institution)
        timestamp = int(self._clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: signature(target.secret, timestamp, body),
        }
        url = target.url.rstrip("/") + PATH
        try:
            async with self._session.post(
                url,
                params={"purchaseId": notice.purchase_id},
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                # What follows the head is of no interest, and could be endless.
                answer.close()
                return Answer(answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Answer(None, f"{type(error).__name__}: {error}".strip(": ")[:_DETAIL_MAX])

    async def close(self) -> None:
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
