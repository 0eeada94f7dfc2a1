"""Look up a meter: by the contract table when it is known, by broadcast when it is not."""

from collections.abc import Sequence

from domain.event import Event
from domain.exchange import Reply
from domain.failure import ErrorType, Failure
from domain.lookup import (
    BroadcastStarted,
    LookupAnswered,
    LookupFailed,
    LookupRequested,
    LookupRouted,
)
from domain.meter import BroadcastReason, Meter, MeterBroadcast
from domain.outcome import Outcome
from domain.routing import Because, Route
from domain.sale import MeterDetail
from domain.settling import answered
from ledger import VersionConflict
from switch.asking import Ask, exchange
from switch.broadcast import (
    Answers,
    Broadcast,
    broadcast_reason,
    prepare_all,
    record_support,
    support_of,
)
from switch.command import LookedUp, LookUp, Party, Refused, Sender
from switch.context import Context
from switch.journal import Journal
from switch.work import Background

UNKNOWN_METER = Failure(ErrorType.UNKNOWN_METER_ID, "no provider serves this meter")
SILENT = Failure(ErrorType.UPSTREAM_UNAVAILABLE, "no provider answered for this meter")
DUPLICATE = Failure(ErrorType.DUPLICATE_RECORD, "this message id has been used before")


def no_route(meter: Meter, route: Route) -> Failure:
    """Why no provider can be used for this meter, in the channel's terms."""
    if route.excluded(Because.DISABLED, Because.UNHEALTHY, Because.WEIGHT_ZERO):
        return Failure(
            ErrorType.UPSTREAM_UNAVAILABLE, "every provider that serves this meter is unavailable"
        )
    if not meter.known:
        return Failure(ErrorType.ROUTING_ERROR, "no route for this meter: look it up first")
    if route.excluded(Because.EXCLUDED_BY_UTILITY):
        return Failure(
            ErrorType.ROUTING_ERROR, "only providers excluded by the utility serve this meter"
        )
    if route.excluded(Because.UNCONFIRMED):
        return Failure(
            ErrorType.ROUTING_ERROR, "no provider has confirmed yet that it serves this meter"
        )
    return UNKNOWN_METER


class LookUps:
    """The lookups of one process."""

    def __init__(self, context: Context, background: Background) -> None:
        self._context = context
        self._background = background

    async def look_up(self, command: LookUp) -> LookedUp | Refused:
        """Answers within the broadcast window, or within what the table's providers take."""
        meter = await self._meter(command)
        reason = broadcast_reason(self._context, meter)
        return await self._in_turn(command, meter, reason)

    async def current(self, meter: MeterDetail, sender: Sender) -> Meter:
        """The meter's row in the contract table; broadcast first if a person asked for that."""
        known = await self._context.streams.meter(meter.utility_type, meter.number)
        if not known.rebroadcast:
            return known
        lookup = LookUp(message_id=self._context.new_id(), meter=meter, sender=sender, message="")
        return await self.rebroadcast(lookup, BroadcastReason.FLAGGED)

    async def rebroadcast(self, command: LookUp, reason: BroadcastReason) -> Meter:
        """A broadcast that no channel asked for; returns the meter as it stands afterwards."""
        await self._in_turn(command, await self._meter(command), reason)
        return await self._meter(command)

    async def _meter(self, command: LookUp) -> Meter:
        return await self._context.streams.meter(command.meter.utility_type, command.meter.number)

    async def _in_turn(
        self, command: LookUp, meter: Meter, reason: BroadcastReason | None
    ) -> LookedUp | Refused:
        lookup = _Lookup(self._context, self._background, command, meter)
        try:
            if reason is None:
                return await lookup.by_table()
            return await lookup.by_broadcast(reason)
        except VersionConflict:
            return Refused(DUPLICATE, not_sent=True)


class _Lookup:
    """One lookup under way."""

    def __init__(
        self, context: Context, background: Background, command: LookUp, meter: Meter
    ) -> None:
        self._context = context
        self._background = background
        self._command = command
        self._meter = meter
        self._journal = Journal(context.log, command.message_id)

    def _requested(self) -> LookupRequested:
        command, sender = self._command, self._command.sender
        return LookupRequested(
            at=self._context.clock(),
            lookup_id=command.message_id,
            meter=command.meter,
            user=sender.user,
            client=sender.client,
            message=command.message,
            institution=sender.institution,
            merchant=sender.merchant,
            terminal=sender.terminal,
            channel=sender.channel,
        )

    async def by_broadcast(self, reason: BroadcastReason) -> LookedUp | Refused:
        context = self._context
        window = context.settings.broadcast_window_seconds
        requested = self._requested()
        providers = context.table.enabled()
        started = BroadcastStarted(
            at=requested.at, providers=providers, window_ms=round(window * 1_000), reason=reason
        )
        asks = await prepare_all(context, providers, self._command.meter)
        await self._journal.append([requested, started, *(ask.asked for ask in asks)])
        answers = await self._answers(asks)
        record = MeterBroadcast(
            at=requested.at,
            lookup_id=self._command.message_id,
            providers=providers,
            reason=reason,
        )
        self._meter = await record_support(
            context, self._meter, self._command.message_id, answers, record
        )
        nobody = all(p in answers and support_of(answers[p][1]) is False for p in providers)
        return await self._tell(answers, UNKNOWN_METER if nobody and providers else SILENT)

    async def _answers(self, asks: Sequence[Ask]) -> Answers:
        """What comes back within the window; the rest is recorded when it comes."""
        context = self._context
        broadcast = self._broadcast(asks)
        # Somebody known to be sick is asked, but nobody waits for it.
        providers = [ask.asked.provider for ask in asks]
        well = [p for p in providers if context.table.providers[p].healthy]
        await broadcast.wait(well, context.settings.broadcast_window_seconds)
        self._background.adopt(broadcast.leave())
        return dict(broadcast.answers)

    def _broadcast(self, asks: Sequence[Ask]) -> Broadcast:
        broadcast = Broadcast(self._context, self._journal, self._command.message_id, self._meter)
        broadcast.start(asks)
        return broadcast

    async def _tell(self, answers: Answers, otherwise: Failure) -> LookedUp | Refused:
        """Chooses among the answers as a purchase would be routed, so that both agree."""
        now = self._context.clock()
        told: list[Event] = [answered(ask.asked, reply, now) for ask, reply in answers.values()]
        found = {p: answer for p, answer in answers.items() if answer[1].lookup is not None}
        if found:
            order = (await self._context.table.route(self._meter)).order
            provider = next((p for p in order if p in found), next(iter(found)))
            return await self._found(*found[provider], told)
        blocked = [
            reply.failure
            for _, reply in answers.values()
            if reply.failure is not None and support_of(reply)
        ]
        return await self._failed(blocked[0] if blocked else otherwise, told)

    async def by_table(self) -> LookedUp | Refused:
        context = self._context
        route = await context.table.route(self._meter)
        requested = self._requested()
        routed = LookupRouted(at=requested.at, route=route)
        order = list(route.order)
        silent = self._meter.silent(context.table.enabled())
        also = [provider for provider in silent if provider not in order[:1]]
        asks = await prepare_all(context, [*order[:1], *also], self._command.meter)
        opening: list[Event] = [requested, routed, *(ask.asked for ask in asks)]
        nobody = no_route(self._meter, route)
        if not asks:
            opening.append(LookupFailed(at=requested.at, failure=nobody))
        await self._journal.append(opening)
        if not asks:
            return Refused(nobody, not_sent=True)
        if not order:
            return await self._by_the_silent(asks, nobody)
        if also:
            # They complete the contract table; the channel does not wait for them.
            broadcast = self._broadcast(asks[1:])
            self._background.adopt(broadcast.leave())
        return await self._one_after_another(asks[0], order[1:], len(asks))

    async def _by_the_silent(self, asks: Sequence[Ask], nobody: Failure) -> LookedUp | Refused:
        """No usable provider is known, so the channel waits for those who owe an answer."""
        answers = await self._answers(asks)
        self._meter = await record_support(
            self._context, self._meter, self._command.message_id, answers
        )
        return await self._tell(answers, nobody)

    async def _one_after_another(
        self, ask: Ask, candidates: list[str], exchanges: int
    ) -> LookedUp | Refused:
        """A lookup moves no money, so any technical failure may go on to the next provider."""
        context = self._context
        technical = False
        while True:
            reply = await exchange(context, ask)
            provider = ask.asked.provider
            told: list[Event] = [answered(ask.asked, reply, context.clock())]
            if support_of(reply) is not None:
                self._meter = await record_support(
                    context, self._meter, self._command.message_id, {provider: (ask, reply)}
                )
            if reply.lookup is not None:
                return await self._found(ask, reply, told)
            if reply.outcome is Outcome.DECLINED and support_of(reply) is not False:
                assert reply.failure is not None
                return await self._failed(reply.failure, told)
            technical = technical or reply.outcome is not Outcome.DECLINED
            if not candidates:
                return await self._failed(SILENT if technical else UNKNOWN_METER, told)
            exchanges += 1
            (ask,) = await prepare_all(context, [candidates.pop(0)], self._command.meter, exchanges)
            await self._journal.append([*told, ask.asked])

    async def _found(self, ask: Ask, reply: Reply, told: list[Event]) -> LookedUp:
        assert reply.lookup is not None
        provider = ask.asked.provider
        meter = self._meter
        at = self._context.clock()
        answer = LookupAnswered(
            at=at,
            provider=provider,
            number=meter.number,
            utility_type=meter.utility_type,
            answer=reply.lookup,
            utility=meter.utility,
        )
        await self._journal.append([*told, answer])
        municipality = (
            Party(meter.utility, meter.utility_name or meter.utility)
            if meter.utility is not None
            else None
        )
        return LookedUp(
            answer=reply.lookup,
            provider=self._context.party(provider),
            municipality=municipality,
            reference=ask.asked.reference,
        )

    async def _failed(self, failure: Failure, told: list[Event]) -> Refused:
        await self._journal.append([*told, LookupFailed(at=self._context.clock(), failure=failure)])
        return Refused(failure)
