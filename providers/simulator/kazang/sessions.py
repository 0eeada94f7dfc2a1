"""Sessions that a simulated Kazang has opened: each is checked with every request, and expires."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

SESSION_SECONDS = 4 * 3600
SESSIONS_KEPT_MAX = 1_000
"""The oldest goes first; a session that is gone is unknown."""


class KazangSessions:
    """`opened` counts the sign-ins. A second one leaves the first its session."""

    def __init__(self, clock: Callable[[], datetime], rng: Random) -> None:
        self.opened = 0
        self._clock = clock
        self._rng = rng
        self._until: OrderedDict[str, datetime] = OrderedDict()

    def open(self) -> str:
        """A new session's id."""
        self.opened += 1
        session = str(UUID(int=self._rng.getrandbits(128), version=4))
        self._until[session] = self._clock() + timedelta(seconds=SESSION_SECONDS)
        while len(self._until) > SESSIONS_KEPT_MAX:
            self._until.popitem(last=False)
        return session

    def valid(self, session: str) -> bool:
        """Whether it was opened here and is not too old."""
        until = self._until.get(session)
        return until is not None and self._clock() < until

    def forget(self) -> None:
        """Ends them all at once, as a restart of the provider does."""
        self._until.clear()
