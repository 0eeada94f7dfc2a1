"""Broadcast: a meter number goes to all providers at once, and what they say fills its row in the
contract table. Whoever is late is recorded all the same; whoever stays silent is asked again."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog

from domain.event import Event
from domain.exchange import LookupQuestion, Reply
from domain.failure import ErrorType
from domain.meter import (
    BroadcastReason,
    Meter,
    MeterBroadcast,
    MeterSeen,
    MunicipalityAssigned,
    RebroadcastCleared,
    SupportAnswered,
)
from domain.outcome import Outcome
from domain.sale import MeterDetail
from domain.settling import answered
from domain.utility import Utility, UtilityRegistered, utility_id, utility_stream
from ledger import LedgerError
from switch.asking import Ask, exchange, prepare
from switch.context import Context
from switch.journal import Journal
from switch.streams import TooManyConflictsError

_log = structlog.get_logger(__name__)

Answers = dict[str, tuple[Ask, Reply]]


def support_of(reply: Reply) -> bool | None:
    """What a lookup's reply says about support; None when it says nothing.

    A provider that declines for any reason but an unknown meter (blocked, say) does know it."""
    if reply.outcome is Outcome.APPROVED:
        return True
    if reply.outcome is not Outcome.DECLINED or reply.failure is None:
        return None
    match reply.failure.error_type:
        case ErrorType.UNKNOWN_METER_ID:
            return False
        case ErrorType.METER_ID_BLOCKED | ErrorType.METER_KEY_INVALID | ErrorType.DO_NOT_HONOR:
            return True
        case ErrorType.FORMAT_ERROR:
            # This provider's protocol has no room for such a meter number.
            return False
        case _:
            return None


def broadcast_reason(context: Context, meter: Meter) -> BroadcastReason | None:
    """Why this meter's transaction must broadcast first, or None when the table is good."""
    if meter.rebroadcast:
        return BroadcastReason.FLAGGED
    if meter.last_broadcast_at is None:
        return BroadcastReason.UNKNOWN
    stale = timedelta(seconds=context.settings.negative_answer_seconds)
    if not meter.supporters and context.clock() - meter.last_broadcast_at >= stale:
        return BroadcastReason.UNKNOWN
    return None


async def prepare_all(
    context: Context, providers: Iterable[str], meter: MeterDetail, first_exchange: int = 1
) -> list[Ask]:
    """One lookup question to each of `providers`, numbered from `first_exchange`."""
    return [
        await prepare(context, provider, LookupQuestion(meter), first_exchange + index)
        for index, provider in enumerate(providers)
    ]


class Broadcast:
    """The exchanges of one broadcast, or of asking the silent ones again."""

    def __init__(self, context: Context, journal: Journal, lookup_id: str, meter: Meter) -> None:
        self._context = context
        self._journal = journal
        self._lookup_id = lookup_id
        self._meter = meter
        self._closed = False
        self._pending: set[asyncio.Task[None]] = set()
        self.answers: Answers = {}

    def start(self, asks: Sequence[Ask]) -> None:
        """Sends all of `asks`, which must be durable."""
        for ask in asks:
            task = asyncio.create_task(self._ask(ask), name=ask.asked.provider)
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)

    async def wait(self, providers: Sequence[str], seconds: float) -> None:
        """Until each of `providers` has answered, at most `seconds`; what comes later is late."""
        waiting = {task for task in self._pending if task.get_name() in providers}
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        self._closed = True

    def leave(self) -> set[asyncio.Task[None]]:
        """Waits no more; the exchanges that go on, whose answers count as late."""
        self._closed = True
        return set(self._pending)

    async def _ask(self, ask: Ask) -> None:
        reply = await exchange(self._context, ask)
        if not self._closed:
            self.answers[ask.asked.provider] = (ask, reply)
            return
        await self.record_late(ask, reply)

    async def record_late(self, ask: Ask, reply: Reply) -> None:
        """The channel has been answered; the contract table learns all the same."""
        at = self._context.clock()
        try:
            await self._journal.append([answered(ask.asked, reply, at, late=True)])
            await record_support(
                self._context, self._meter, self._lookup_id, {ask.asked.provider: (ask, reply)}
            )
        except (LedgerError, TooManyConflictsError) as error:
            # Nothing is lost for good: a silent provider is asked again at the next lookup.
            _log.warning("late answer not recorded", provider=ask.asked.provider, error=str(error))


async def record_support(
    context: Context,
    meter: Meter,
    lookup_id: str,
    answers: Answers,
    broadcast: MeterBroadcast | None = None,
) -> Meter:
    """Writes what was learned to the meter's stream: `broadcast` first if there was one, then the
    answers, the municipality and the cleared flag."""
    now = context.clock()
    utility = await _register_utility(context, answers)

    def decide(state: Meter) -> list[Event]:
        events: list[Event] = []
        if broadcast is not None:
            events.append(broadcast)
            if state.rebroadcast:
                events.append(RebroadcastCleared(at=now, lookup_id=lookup_id))
        events += _answers_worth_recording(state, lookup_id, answers, now, broadcast is not None)
        if utility is not None and utility.utility != state.utility:
            events.append(MunicipalityAssigned(at=now, utility=utility.utility, name=utility.name))
        return events

    seen = MeterSeen(at=now, number=meter.number, utility_type=meter.utility_type)
    return await context.streams.record_meter(meter, decide, seen)


def _answers_worth_recording(
    state: Meter, lookup_id: str, answers: Answers, now: datetime, always: bool
) -> list[Event]:
    """Answers to a broadcast always; of the rest only what changes the row, so that a meter's
    stream does not grow with each lookup."""
    events: list[Event] = []
    for provider, (_, reply) in answers.items():
        supported = support_of(reply)
        if supported is None:
            continue
        known = state.answers.get(provider)
        owed = provider in state.silent((provider,))
        if always or owed or known is None or known.supported != supported:
            events.append(
                SupportAnswered(at=now, provider=provider, supported=supported, lookup_id=lookup_id)
            )
    return events


async def _register_utility(context: Context, answers: Answers) -> Utility | None:
    """The utility that the first supporter names; registered when nobody named it before."""
    name = next((r.lookup.utility.name for _, r in answers.values() if r.lookup is not None), None)
    if name is None or not utility_id(name):
        return None
    utility = await context.table.utility(utility_id(name))
    if utility.version:
        return utility

    def decide(state: Utility) -> list[UtilityRegistered]:
        if state.version:
            return []
        at = context.clock()
        return [UtilityRegistered(at=at, utility=state.utility, name=name, by="lookup")]

    return await context.streams.record(utility_stream(utility.utility), utility, decide)
