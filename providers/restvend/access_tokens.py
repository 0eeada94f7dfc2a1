"""OAuth2 client credentials: one access token for all exchanges with a provider.

At most one token request is on its way at a time; whoever needs a token meanwhile waits for that
one. A token is used until shortly before it expires, or until the provider refuses it."""

import asyncio
from urllib.parse import urlencode

import msgspec

from domain.exchange import Leg
from domain.failure import ErrorType, Failure
from providers.heard import NotSentError, UnansweredError
from providers.http_client import HttpAnswer, HttpClient
from providers.json_exchange import JsonExchange, JsonRequest
from providers.protocols.errors import ProtocolError
from providers.protocols.restvend import decode
from providers.protocols.restvend.messages import Granted, Ungranted

TOKEN_SECONDS_ASSUMED = 300.0
"""How long a token without a lifetime is used."""
TOKEN_SECONDS_MAX = 86_400.0
EARLY_SECONDS_MAX = 30.0
EARLY_SHARE = 0.1
"""A token is renewed this share of its life before the end, EARLY_SECONDS_MAX at most."""
GRANT_BYTES_MAX = 65_536
REFUSED_SECONDS = 30.0
"""How long credentials that were refused are not tried again: accounts get locked for that."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_SUCCESS = 200
_BEARER = "bearer"


class NoTokenError(Exception):
    """No token came, so nothing can be asked. `legs` are the message pair that tried, if any."""

    def __init__(
        self, detail: str, legs: tuple[Leg, ...] = (), failure: Failure | None = None
    ) -> None:
        super().__init__(detail)
        self.legs = legs
        self.failure = failure


class Access(msgspec.Struct, frozen=True):
    """A token to use; `legs` is the message pair that brought it, for those who waited for it."""

    token: str
    legs: tuple[Leg, ...] = ()

    @property
    def header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class _Held(msgspec.Struct, frozen=True):
    """A token and when (the event loop's seconds) it is no longer used."""

    token: str
    until: float


class ClientCredentials(msgspec.Struct, frozen=True):
    """Whom the token is for."""

    client: str
    secret: str
    scope: str

    def __repr__(self) -> str:
        return f"ClientCredentials(client={self.client!r})"

    @property
    def form(self) -> bytes:
        return urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": self.client,
                "client_secret": self.secret,
                "scope": self.scope,
            }
        ).encode()


class AccessTokens:
    """The tokens of one provider. `seconds` is the wait for a token request."""

    def __init__(
        self,
        client: HttpClient,
        url: str,
        target: str,
        credentials: ClientCredentials,
        seconds: float,
    ) -> None:
        self._client = client
        self._url = url
        self._request = JsonRequest("POST", target, credentials.form)
        self._seconds = seconds
        self._held: _Held | None = None
        self._refused: NoTokenError | None = None
        self._refused_until = 0.0
        self._asking: asyncio.Task[Access | NoTokenError] | None = None

    async def access(self, wait: float, refused: str | None = None) -> Access:
        """A token that is not `refused`, waiting at most `wait` seconds for a new one.

        Raises NoTokenError. Being cancelled leaves the request to those who wait with us."""
        loop = asyncio.get_running_loop()
        held = self._held
        if held is not None and held.token != refused and loop.time() < held.until:
            return Access(held.token)
        if self._asking is None and self._refused is not None and loop.time() < self._refused_until:
            raise NoTokenError(str(self._refused), failure=self._refused.failure)
        if self._asking is None:
            self._asking = loop.create_task(self._ask())
            self._asking.add_done_callback(self._asked)
        asking = self._asking
        await asyncio.wait({asking}, timeout=max(0.0, wait))
        if not asking.done() or asking.cancelled():
            raise NoTokenError("no access token in time")
        got = asking.result()
        if isinstance(got, NoTokenError):
            raise NoTokenError(str(got), got.legs, got.failure)
        return got

    async def close(self) -> None:
        """Gives up a request that is on its way."""
        asking = self._asking
        if asking is not None:
            asking.cancel()
            await asyncio.wait({asking})

    def _asked(self, _: asyncio.Task[Access | NoTokenError]) -> None:
        self._asking = None

    async def _ask(self) -> Access | NoTokenError:
        started = asyncio.get_running_loop().time()
        talk = JsonExchange(self._client, self._url, self._seconds, started + self._seconds)
        try:
            granted = await talk.send(self._request, _granted, _FORM)
        except (NotSentError, UnansweredError) as error:
            return NoTokenError(f"no access token: {error}", talk.legs)
        except _UngrantedError as error:
            self._refused = NoTokenError(str(error), talk.legs, error.failure)
            self._refused_until = asyncio.get_running_loop().time() + REFUSED_SECONDS
            return self._refused
        self._held = _Held(granted.access_token, started + _use_seconds(granted))
        return Access(granted.access_token, talk.legs)


class _UngrantedError(Exception):
    """The provider gives us no token."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(f"no access token: {error}")
        self.failure = Failure(
            ErrorType.INVALID_MERCHANT, f"no access token: {error}", provider_code=f"HTTP {status}"
        )


def _granted(answer: HttpAnswer) -> Granted:
    if answer.status == _SUCCESS:
        granted = decode(answer.body, Granted, GRANT_BYTES_MAX)
        if granted.token_type.casefold() != _BEARER or not granted.access_token.isascii():
            raise ProtocolError("no bearer token")
        if not granted.access_token or not granted.access_token.isprintable():
            raise ProtocolError("no usable token")
        return granted
    if answer.status in (400, 401, 403):
        try:
            error = decode(answer.body, Ungranted, GRANT_BYTES_MAX).error
        except ProtocolError:
            error = f"HTTP status {answer.status}"
        raise _UngrantedError(answer.status, error)
    raise ProtocolError("no token comes with this status")


def _use_seconds(granted: Granted) -> float:
    if granted.expires_in is None:
        return TOKEN_SECONDS_ASSUMED
    life = min(max(0.0, float(granted.expires_in)), TOKEN_SECONDS_MAX)
    return life - min(EARLY_SECONDS_MAX, life * EARLY_SHARE)
