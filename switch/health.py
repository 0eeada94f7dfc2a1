"""Provider health: unhealthy after repeated technical failures, healthy again after good probes.

Business declines do not count. Each process counts what it sees itself; the verdict is an event in
the provider's stream, so all processes share it.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from domain.exchange import Reply
from domain.outcome import Outcome
from domain.provider import HealthChanged, Provider, provider_stream
from ledger import LedgerError
from switch.ports import Clock
from switch.routing_table import RoutingTable
from switch.settings import SwitchSettings
from switch.streams import Streams, TooManyConflictsError

_log = structlog.get_logger(__name__)

# More outcomes than this inside one window are enough to judge by.
_WINDOW_OUTCOMES_MAX = 10_000


class Probe(Protocol):
    """Asks a provider something harmless."""

    async def __call__(self, provider: str) -> Reply: ...


class _Record:
    """What one process saw of one provider since the verdict was `healthy`."""

    def __init__(self, healthy: bool) -> None:
        self.healthy = healthy
        self.consecutive = 0
        self.recent: deque[tuple[datetime, bool]] = deque(maxlen=_WINDOW_OUTCOMES_MAX)
        self.good_probes = 0


class Health:
    """Counts outcomes, and turns the verdict over when it must."""

    def __init__(
        self,
        table: RoutingTable,
        streams: Streams,
        clock: Clock,
        settings: SwitchSettings,
        owner: str,
    ) -> None:
        self._table = table
        self._streams = streams
        self._clock = clock
        self._settings = settings
        self._owner = owner
        self._records: dict[str, _Record] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def observe(self, provider: str, outcome: Outcome) -> None:
        """Counts the outcome of an exchange."""
        record = self._record(provider)
        good = outcome in (Outcome.APPROVED, Outcome.DECLINED)
        record.consecutive = 0 if good else record.consecutive + 1
        record.recent.append((self._clock(), good))
        if good:
            return
        reason = self._verdict(record)
        state = self._table.providers.get(provider)
        if reason is not None and state is not None and state.healthy:
            self._spawn(provider, healthy=False, reason=reason)

    def _record(self, provider: str) -> _Record:
        """Counting begins anew whenever the verdict turns, whichever process turned it."""
        state = self._table.providers.get(provider)
        healthy = state is None or state.healthy
        record = self._records.get(provider)
        if record is None or record.healthy is not healthy:
            record = self._records[provider] = _Record(healthy)
        return record

    def _verdict(self, record: _Record) -> str | None:
        settings = self._settings
        if record.consecutive >= settings.unhealthy_after_failures:
            return f"{record.consecutive} technical failures in a row"
        since = self._clock() - timedelta(seconds=settings.health_window_seconds)
        while record.recent and record.recent[0][0] < since:
            record.recent.popleft()
        sample = len(record.recent)
        good = sum(good for _, good in record.recent)
        if sample >= settings.unhealthy_sample and (
            good * 100 < settings.unhealthy_below_percent * sample
        ):
            return f"{good} of {sample} exchanges answered in {settings.health_window_seconds:g} s"
        return None

    def _spawn(self, provider: str, *, healthy: bool, reason: str) -> None:
        task = asyncio.create_task(self.turn(provider, healthy=healthy, reason=reason))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def turn(self, provider: str, *, healthy: bool, reason: str) -> None:
        """Records the verdict, unless it stands already."""

        def decide(state: Provider) -> list[HealthChanged]:
            if state.healthy == healthy:
                return []
            return [
                HealthChanged(
                    at=self._clock(),
                    provider=provider,
                    healthy=healthy,
                    reason=reason,
                    by=self._owner,
                )
            ]

        try:
            state = await self._streams.record(
                provider_stream(provider), self._table.providers[provider], decide
            )
        except (LedgerError, TooManyConflictsError) as error:
            # The next failure or probe says it again.
            _log.warning("health verdict not recorded", provider=provider, error=str(error))
            return
        self._table.apply(state)

    async def probe_loop(self, probes: Mapping[str, Probe]) -> None:
        """Probes the unhealthy providers at the set interval, for ever."""
        while True:
            await asyncio.sleep(self._settings.probe_seconds)
            states = self._table.providers.items()
            # A disabled provider gets no traffic at all, so it is not probed either.
            sick = [p for p, state in states if state.enabled and not state.healthy]
            await asyncio.gather(*(self._probe(p, probes[p]) for p in sick if p in probes))

    async def _probe(self, provider: str, probe: Probe) -> None:
        try:
            reply = await probe(provider)
        except Exception:
            # Whatever it is, the other providers' probes must go on.
            _log.exception("probe could not be made", provider=provider)
            return
        record = self._record(provider)
        if reply.outcome not in (Outcome.APPROVED, Outcome.DECLINED):
            record.good_probes = 0
            return
        record.good_probes += 1
        if record.good_probes >= self._settings.healthy_after_probes:
            await self.turn(
                provider, healthy=True, reason=f"{record.good_probes} good probes in a row"
            )

    async def close(self) -> None:
        """Waits for verdicts that are being recorded."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
