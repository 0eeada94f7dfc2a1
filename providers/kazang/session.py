"""The session that all exchanges with one Kazang account share, and its product list.

However many exchanges need a session at once, one `authClient` is on its way at a time. A session
is used until `session_seconds` have passed or the provider refuses it. What an exchange is refused
for want of a session was certainly not done."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from domain.exchange import Leg
from domain.failure import ErrorType, Failure
from domain.sale import UtilityType
from providers.config import KazangSettings, ProviderConfig
from providers.heard import NotSentError, UnansweredError
from providers.kazang.client import KazangClient, RefusedByWebError
from providers.protocols.kazang import AUTH_CLIENT, PRODUCT_LIST
from providers.protocols.kazang.codes import Refusal
from providers.protocols.kazang.messages import AuthClient, Product, ProductList, Products, Session


class NoSessionError(NotSentError):
    """No session could be had, so the message that needed one was not sent."""

    def __init__(self, detail: str, failure: Failure | None = None) -> None:
        super().__init__(detail)
        self.failure = failure


class OpenSession(msgspec.Struct, frozen=True):
    """`until` (UTC) is when we stop using it."""

    uuid: str
    products: tuple[Product, ...]
    until: datetime

    def product(self, utility_type: UtilityType, settings: KazangSettings) -> Product | None:
        """What sells `utility_type`: the product that the settings name, else the first one that
        is bought by the type's method."""
        pinned = settings.products.get(utility_type)
        method = settings.methods.get(utility_type)
        for product in self.products:
            named = product.product_id == pinned if pinned else product.method_name == method
            if named:
                return product
        return None


class _Renewal(msgspec.Struct):
    """One attempt to get a session; `legs` fill while it is under way."""

    legs: list[Leg] = []
    session: OpenSession | None = None
    error: NoSessionError | None = None


class Sessions:
    """Hands out the current session, renewing it when there is none. Raises ValueError for
    credentials that are not whole."""

    def __init__(
        self, config: ProviderConfig, client: KazangClient, clock: Callable[[], datetime]
    ) -> None:
        credentials = config.credentials
        if credentials.operator is None or credentials.password is None:
            raise ValueError(f"provider {config.id}: kazang needs an operator and a password")
        self._sign_in = AuthClient(
            username=credentials.operator,
            password=credentials.password,
            channel=config.kazang.channel,
        )
        self._seconds = config.timeouts.connect
        self._settings = config.kazang
        self._client = client
        self._clock = clock
        self._current: OpenSession | None = None
        self._under_way: asyncio.Task[_Renewal] | None = None
        self._legs: list[Leg] = []
        self._refused: NoSessionError | None = None
        self._paused_until: datetime | None = None

    async def get(self, seconds: float, legs: list[Leg]) -> OpenSession:
        """The current session, waiting at most `seconds` for a new one. The messages that asked for
        it are added to `legs` of who began it, and of everybody whom it failed.

        Raises NoSessionError. Cancelling it leaves the others their renewal."""
        if self._current is not None and self._clock() < self._current.until:
            return self._current
        self._look_at_pause()
        began = self._under_way is None
        if self._under_way is None:
            self._under_way = asyncio.get_running_loop().create_task(self._renew())
        task, shared = self._under_way, self._legs
        done, _ = await asyncio.wait({task}, timeout=max(seconds, 0.0))
        if not done or task.cancelled():
            legs += shared
            raise NoSessionError("no session in time")
        renewal = task.result()
        if began or renewal.session is None:
            legs += renewal.legs
        if renewal.session is None:
            error = renewal.error
            raise error or NoSessionError("no session")
        return renewal.session

    def drop(self, session: OpenSession) -> None:
        """The provider no longer knows `session`; a newer one stays."""
        if self._current is session:
            self._current = None

    async def close(self) -> None:
        """Gives up a renewal that is under way."""
        task = self._under_way
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _look_at_pause(self) -> None:
        """A provider that refused our credentials is not asked again at once: accounts get locked
        for that."""
        if self._paused_until is None or self._refused is None:
            return
        if self._clock() < self._paused_until:
            raise NoSessionError(
                f"not signing in again yet: {self._refused}", self._refused.failure
            )
        self._paused_until = None

    async def _renew(self) -> _Renewal:
        self._legs = []
        renewal = _Renewal(self._legs)
        try:
            renewal.session = self._current = await self._open(renewal.legs)
        except NoSessionError as error:
            renewal.error = error
            failure = error.failure
            if failure is not None and failure.error_type is ErrorType.INVALID_MERCHANT:
                pause = timedelta(seconds=self._settings.refused_sign_in_pause_seconds)
                self._refused, self._paused_until = error, self._clock() + pause
        finally:
            self._under_way = None
        return renewal

    async def _open(self, legs: list[Leg]) -> OpenSession:
        """Signs in and reads the product list. Raises NoSessionError."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._seconds
        until = self._clock() + timedelta(seconds=self._settings.session_seconds)
        try:
            session = await self._client.ask(
                AUTH_CLIENT, self._sign_in, Session, ends - loop.time(), legs
            )
            if isinstance(session, Refusal):
                raise _refused("sign-in", session)
            question = ProductList(session_uuid=session.session_uuid)
            listed = await self._client.ask(
                PRODUCT_LIST, question, Products, ends - loop.time(), legs
            )
        except RefusedByWebError as error:
            raise NoSessionError(f"no session: {error}", error.failure) from None
        except UnansweredError as error:
            raise NoSessionError(f"no session: {error}") from None
        except NoSessionError:
            raise
        except NotSentError as error:
            raise NoSessionError(str(error)) from None
        if isinstance(listed, Refusal):
            raise _refused("product list", listed)
        return OpenSession(session.session_uuid, listed.product_list, until)


def _refused(what: str, refusal: Refusal) -> NoSessionError:
    """A refusal that isn't one of those listed is about who we are."""
    failure = refusal.failure
    if not refusal.listed:
        failure = msgspec.structs.replace(failure, error_type=ErrorType.INVALID_MERCHANT)
    return NoSessionError(f"{what} refused: {failure.detail}", failure)
