"""The message pairs of one exchange: a session when one is needed, a refused session renewed once,
and everything on record."""

import asyncio
from typing import TypeVar

import msgspec

from domain.exchange import Leg
from providers.kazang.client import KazangClient
from providers.kazang.session import OpenSession, Sessions
from providers.protocols.kazang.codes import Refusal
from providers.protocols.kazang.messages import Buy, Confirm, Quote, Reprint, Sold

Step = Buy | Confirm | Reprint
AnswerT = TypeVar("AnswerT", Quote, Sold)


class Dialogue:
    """`answer_seconds` count from when there is a session; getting the first one has
    `connect_seconds` for itself."""

    def __init__(
        self,
        client: KazangClient,
        sessions: Sessions,
        *,
        connect_seconds: float,
        answer_seconds: float,
    ) -> None:
        self._client = client
        self._sessions = sessions
        self._loop = asyncio.get_running_loop()
        self._latest = self._loop.time() + connect_seconds + answer_seconds
        self._answer_seconds = answer_seconds
        self._ends: float | None = None
        self._legs: list[Leg] = []

    @property
    def legs(self) -> tuple[Leg, ...]:
        """What went over the wire so far, masked."""
        return tuple(self._legs)

    @property
    def seconds_left(self) -> float:
        """Until the exchange must end."""
        ends = self._latest if self._ends is None else self._ends
        return ends - self._loop.time()

    async def session(self) -> OpenSession:
        """Raises NoSessionError."""
        session = await self._sessions.get(self.seconds_left, self._legs)
        if self._ends is None:
            self._ends = min(self._latest, self._loop.time() + self._answer_seconds)
        return session

    async def ask(self, method: str, step: Step, kind: type[AnswerT]) -> AnswerT | Refusal:
        """One step. A session that is refused did nothing, so the step is repeated once under a new
        one; a second refusal is returned.

        Raises NotSentError (NoSessionError among them), RefusedByWebError or UnansweredError, each
        about this step alone."""
        answer = await self._ask_once(method, step, kind)
        if isinstance(answer, Refusal) and answer.session:
            answer = await self._ask_once(method, step, kind)
        return answer

    async def _ask_once(self, method: str, step: Step, kind: type[AnswerT]) -> AnswerT | Refusal:
        session = await self.session()
        message = msgspec.structs.replace(step, session_uuid=session.uuid)
        answer = await self._client.ask(method, message, kind, self.seconds_left, self._legs)
        if isinstance(answer, Refusal) and answer.session:
            self._sessions.drop(session)
        return answer
