"""Jobs that fail alone: each is tried again later and later, and stops none of the others."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import psycopg
import structlog

from finance.transfer.store import TransferError
from ledger import LedgerError
from ledger.decide import TooManyConflictsError

_log = structlog.get_logger(__name__)

RETRY_SECONDS_MAX = 60.0
FAILED_MAX = 1_000
"""Jobs whose failures are remembered; beyond that the one that failed first is tried at once."""

# What is known to go wrong is told in a line; anything else is our fault, told with its trace.
_KNOWN = (
    TransferError,
    LedgerError,
    TooManyConflictsError,
    psycopg.Error,
    ValueError,
    TimeoutError,
    OSError,
)


class Jobs:
    """Remembers what failed, and when that is tried again. `first_seconds`: the first pause, which
    doubles."""

    def __init__(self, clock: Callable[[], datetime], first_seconds: float) -> None:
        self._clock = clock
        self._first = first_seconds
        self._failed: dict[str, tuple[int, datetime]] = {}

    async def attempt(self, name: str, work: Callable[[], Awaitable[object]]) -> bool:
        """Does `work`, unless it failed a short while ago; whether it was done. A failure is logged
        under `name`."""
        failures, next_at = self._failed.get(name, (0, None))
        if next_at is not None and self._clock() < next_at:
            return False
        try:
            await work()
        except Exception as error:
            self._note(name, failures, error)
            return False
        self._failed.pop(name, None)
        return True

    def _note(self, name: str, failures: int, error: Exception) -> None:
        pause = min(self._first * 2**failures, RETRY_SECONDS_MAX)
        self._failed.pop(name, None)
        if len(self._failed) >= FAILED_MAX:
            self._failed.pop(next(iter(self._failed)))
        self._failed[name] = (min(failures + 1, 32), self._clock() + timedelta(seconds=pause))
        tell = _log.warning if isinstance(error, _KNOWN) else _log.exception
        reason = str(error) or type(error).__name__
        tell("a job failed", job=name, reason=reason, again_in_seconds=pause)


async def keep(
    jobs: Jobs, name: str, seconds: float, look: Callable[[], Awaitable[object]]
) -> None:
    """Looks every so many seconds, for ever."""
    while True:
        await jobs.attempt(name, look)
        await asyncio.sleep(seconds)
