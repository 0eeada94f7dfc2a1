"""Refresh: known meters are broadcast again on a schedule, because municipal contracts move between
providers. Preferences stay wherever the meter is still supported, since they are never touched."""

import asyncio
from datetime import timedelta

import structlog

from domain.meter import BroadcastReason, Meter
from domain.sale import MeterDetail
from ledger import LedgerError
from switch.command import LookUp, Sender
from switch.context import Context
from switch.look_up import LookUps
from switch.ports import WorkFinder
from switch.streams import TooManyConflictsError

_log = structlog.get_logger(__name__)

SCHEDULE = Sender(user="schedule", client="schedule")


class Refresh:
    """Rebroadcasts what is due, at a bounded rate."""

    def __init__(self, context: Context, look_ups: LookUps, finder: WorkFinder) -> None:
        self._context = context
        self._look_ups = look_ups
        self._finder = finder

    async def loop(self) -> None:
        settings = self._context.settings
        while True:
            try:
                await self.round()
            except Exception:
                _log.exception("refresh of the contract table failed")
            await asyncio.sleep(settings.refresh_scan_seconds)

    async def round(self) -> int:
        """One batch of due meters; how many were broadcast."""
        settings = self._context.settings
        before = self._context.clock() - timedelta(seconds=settings.refresh_after_seconds)
        due = await self._finder.meters_due(before, settings.refresh_batch)
        for meter in due:
            await self._broadcast(meter)
            await asyncio.sleep(1 / settings.refresh_per_second)
        return len(due)

    async def _broadcast(self, meter: Meter) -> None:
        command = LookUp(
            message_id=self._context.new_id(),
            meter=MeterDetail(number=meter.number, utility_type=meter.utility_type),
            sender=SCHEDULE,
            message="",
        )
        try:
            await self._look_ups.rebroadcast(command, BroadcastReason.SCHEDULED)
        except (LedgerError, TooManyConflictsError) as error:
            _log.warning("meter not refreshed", meter=meter.number, error=str(error))
