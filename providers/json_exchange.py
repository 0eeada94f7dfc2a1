"""The message pairs of one JSON-over-HTTP exchange: each is kept for the ledger, and all of them
together are done by one deadline."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec

from domain.exchange import Leg, Operation, Reply
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome
from providers.config import ProviderConfig, Timeouts
from providers.heard import NotSentError, UnansweredError, declined
from providers.http_client import HttpAnswer, HttpClient
from providers.masking import mask, mask_unreadable
from providers.protocols.errors import ProtocolError
from providers.tls import tls_context

BodyT = TypeVar("BodyT")

SELLING_SHARE_MIN = 0.5
"""A sale is begun only if at least this share of its wait is left: less would trade a sale that the
next provider can make for one that nobody knows the outcome of."""

_INVALID_MERCHANT_STATUSES = frozenset({401, 403})


class WebRefusedError(Exception):
    """The web server turned the request away by its address and headers: nobody behind it saw
    it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the provider's web server refused the request with status {status}")
        self.status = status

    @property
    def failure(self) -> Failure:
        merchant = self.status in _INVALID_MERCHANT_STATUSES
        return Failure(
            ErrorType.INVALID_MERCHANT if merchant else ErrorType.UPSTREAM_UNAVAILABLE,
            str(self),
            provider_code=f"HTTP {self.status}",
        )


class JsonRequest(msgspec.Struct, frozen=True):
    """`target` is path and query, percent-encoded, below the provider's URL."""

    method: str
    target: str
    body: bytes = b""

    @property
    def wire(self) -> bytes:
        """The request as the ledger shows it: without the headers, which hold secrets only."""
        head = f"{self.method} {self.target}".encode("ascii")
        return head + b"\n" + self.body if self.body else head

    @classmethod
    def of(cls, wire: bytes) -> "JsonRequest":
        """The request that `wire` shows."""
        head, _, body = wire.partition(b"\n")
        method, _, target = head.decode("ascii").partition(" ")
        return cls(method, target, body)


class JsonExchange:
    """One exchange. `seconds` is the wait for each answer, `deadline` (the event loop's seconds)
    the end of them all."""

    def __init__(self, client: HttpClient, url: str, seconds: float, deadline: float) -> None:
        self._client = client
        self._url = url
        self._seconds = seconds
        self.deadline = deadline
        self._legs: list[Leg] = []

    @classmethod
    def begun(
        cls, client: HttpClient, url: str, timeouts: Timeouts, operation: Operation
    ) -> "JsonExchange":
        """The exchange of an `operation` that begins now."""
        deadline = asyncio.get_running_loop().time() + timeouts.whole(operation)
        return cls(client, url, timeouts.answer(operation), deadline)

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The message pairs so far, masked."""
        return tuple(self._legs)

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - asyncio.get_running_loop().time()

    @property
    def time_to_sell(self) -> bool:
        """Whether the step that sells would still have a fair wait for its answer."""
        return self.left >= self._seconds * SELLING_SHARE_MIN

    def add(self, legs: Iterable[Leg]) -> None:
        """Keeps message pairs that somebody else exchanged for us."""
        self._legs.extend(legs)

    async def send(
        self,
        request: JsonRequest,
        read: Callable[[HttpAnswer], BodyT],
        headers: Mapping[str, str] | None = None,
    ) -> BodyT:
        """One message pair. `read` makes a body of the answer; it raises ProtocolError for what is
        unreadable, and otherwise what it likes.

        Raises NotSentError, UnansweredError, and what `read` raises."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        shown = mask(request.wire)

        def keep(received: str | None) -> None:
            self._legs.append(Leg(shown, received, round((loop.time() - started) * 1000)))

        try:
            answer = await self._sent(request, headers)
        except NotSentError:
            keep(None)
            raise
        except UnansweredError as error:
            keep(error.masked)
            raise
        try:
            body = read(answer)
        except ProtocolError as error:
            keep(mask_unreadable(answer.body))
            raise UnansweredError(f"HTTP status {answer.status}: {error}") from None
        except Exception:
            keep(mask(answer.body))
            raise
        keep(mask(answer.body))
        return body

    async def _sent(self, request: JsonRequest, headers: Mapping[str, str] | None) -> HttpAnswer:
        seconds = min(self._seconds, self.left)
        if seconds <= 0:
            raise NotSentError("no time was left for it")
        return await self._client.send(
            request.method,
            self._url + request.target,
            seconds,
            wire=request.body or None,
            headers=headers,
        )


def opened(config: ProviderConfig, headers: Mapping[str, str]) -> HttpClient:
    """The connections to a JSON provider. Raises OSError for unreadable TLS files."""
    return HttpClient(
        connect_seconds=config.timeouts.connect,
        limits=config.connections,
        answer_bytes_max=config.answer_bytes_max,
        headers={
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **headers,
        },
        tls=None if config.tls is None else tls_context(config.tls),
    )


def not_sold(talk: JsonExchange, error: NotSentError | UnansweredError | WebRefusedError) -> Reply:
    """The end of a sale whose selling step did not go out: the next provider may be tried."""
    failure = error.failure if isinstance(error, WebRefusedError) else None
    return Reply(Outcome.NOT_SENT, talk.legs, failure=failure, detail=str(error))


def last_word(talk: JsonExchange, error: NotSentError | UnansweredError | WebRefusedError) -> Reply:
    """The end of an exchange of one step that brought no body."""
    match error:
        case WebRefusedError():
            return declined(error.failure, talk.legs)
        case NotSentError():
            return Reply(Outcome.NOT_SENT, talk.legs, detail=str(error))
        case UnansweredError():
            return Reply(Outcome.UNKNOWN, talk.legs, detail=str(error))
