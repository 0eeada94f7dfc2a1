"""Serve: one trial, reprint, fault report or key change, at one provider that offers it.

The request is durable before anything is sent, and its outcome before the channel hears it. The
next provider is asked only while it is certain that nothing was sent; nothing is asked twice."""

from collections.abc import Callable, Sequence

from domain.event import Event
from domain.exchange import Operation, Question, Reply
from domain.failure import ErrorType, Failure
from domain.message import message_stream
from domain.meter import Meter
from domain.outcome import Outcome
from domain.provider import Capabilities
from domain.reprint import ReprintOriginalFound
from domain.routing import Because, Route
from domain.service import (
    Service,
    ServiceDone,
    ServiceRequested,
    ServiceRouted,
    ServiceStatus,
    after_service,
    failed,
)
from domain.settling import answered
from ledger import LedgerBusy, VersionConflict
from switch.asking import Ask, exchange, prepare
from switch.command import Party, Refused
from switch.context import Context
from switch.look_up import DUPLICATE, no_route
from switch.streams import fold
from switch.vending import TOO_BUSY, UNREACHABLE

IN_DOUBT: dict[Operation, Failure] = {
    Operation.TRIAL: Failure(
        ErrorType.OUTCOME_UNKNOWN, "no quotation came: nothing was sold; ask again under a new id"
    ),
    Operation.REPRINT: Failure(
        ErrorType.OUTCOME_UNKNOWN, "no reprint came: nothing was sold; ask again under a new id"
    ),
    Operation.FAULT_REPORT: Failure(
        ErrorType.OUTCOME_UNKNOWN, "the provider may have logged the fault"
    ),
    Operation.KEY_CHANGE: Failure(
        ErrorType.OUTCOME_UNKNOWN,
        "the provider may have issued key-change tokens; ask again under a new id",
    ),
}
"""What the channel is told where no usable answer came."""

_OFFERED: dict[Operation, Callable[[Capabilities], bool]] = {
    Operation.TRIAL: lambda can: can.trial,
    Operation.REPRINT: lambda can: can.reprint,
    Operation.FAULT_REPORT: lambda can: can.fault_report,
    Operation.KEY_CHANGE: lambda can: can.key_change,
}
_OUT_FOR_NOW = (Because.DISABLED, Because.UNHEALTHY, Because.WEIGHT_ZERO)

Opening = ServiceRouted | ReprintOriginalFound


class Asking:
    """Whom to ask: `candidates` in order, or the failure that stands where there is nobody."""

    def __init__(
        self, opening: Sequence[Opening], candidates: Sequence[str], nobody: Failure
    ) -> None:
        self.opening = opening
        self.candidates = list(candidates)
        self.nobody = nobody


def offers(context: Context, provider: str, operation: Operation) -> bool:
    """Whether this process has the provider, and the provider offers the operation."""
    adapter = context.adapters.get(provider)
    return adapter is not None and _OFFERED[operation](adapter.capabilities)


async def routed(context: Context, meter: Meter, operation: Operation) -> Asking:
    """Of the usable providers, in the route's order, those that offer the operation."""
    route = await context.table.route(meter)
    offering = tuple(p for p in route.order if offers(context, p, operation))
    event = ServiceRouted(
        at=context.clock(),
        route=route,
        offering=offering,
        utility=meter.utility,
        utility_name=meter.utility_name,
    )
    return Asking([event], offering, _nobody(context, meter, route, operation))


def _nobody(context: Context, meter: Meter, route: Route, operation: Operation) -> Failure:
    out = [p for p in route.excluded(*_OUT_FOR_NOW) if offers(context, p, operation)]
    if out:
        return Failure(
            ErrorType.UPSTREAM_UNAVAILABLE,
            "every provider that offers this for this meter is unavailable",
        )
    return not_offered(operation) if route.order else no_route(meter, route)


def not_offered(operation: Operation) -> Failure:
    """No provider of the meter can do this."""
    what = operation.value.lower().replace("_", " ")
    return Failure(
        ErrorType.FUNCTION_NOT_SUPPORTED, f"no provider that serves this meter offers a {what}"
    )


async def serve(
    context: Context,
    message_id: str,
    requested: ServiceRequested,
    asking: Asking,
    question: Question,
) -> Service | Refused:
    """Claims the id, asks, and records what came of it; `Service` as it stands then.

    Raises what the ledger raises."""
    candidates = asking.candidates
    events: list[Event] = [requested, *asking.opening]
    ask: Ask | None = None
    if candidates:
        ask = await prepare(context, candidates.pop(0), question, 1)
        events.append(ask.asked)
    else:
        events.append(failed(requested, asking.nobody, context.clock(), not_sent=True))
    try:
        recorded = await context.log.append(message_stream(message_id), 0, events)
    except VersionConflict:
        return Refused(DUPLICATE, not_sent=True)
    except LedgerBusy:
        return Refused(TOO_BUSY, not_sent=True)
    service = fold(Service(), recorded)
    while ask is not None:
        ending = _Ending(context, ask, await exchange(context, ask))
        if ending.reply.outcome is Outcome.NOT_SENT and candidates:
            number = ask.asked.exchange + 1
            ending.onward = await prepare(context, candidates.pop(0), question, number)
        service = await context.streams.record(message_stream(message_id), service, ending)
        ask = ending.onward
    return service


class _Ending:
    """Decides how one exchange ends; `onward` is the next ask if there is to be one."""

    def __init__(self, context: Context, ask: Ask, reply: Reply) -> None:
        self._context = context
        self._ask = ask
        self.reply = reply
        self.onward: Ask | None = None

    def __call__(self, service: Service) -> list[Event]:
        now = self._context.clock()
        asked = self._ask.asked
        if self.reply.outcome is not Outcome.NOT_SENT:
            return after_service(service, asked, self.reply, now)
        events: list[Event] = [answered(asked, self.reply, now)]
        assert service.request is not None
        if service.status is not ServiceStatus.PENDING:
            # Our lease had ended, and somebody else ended the request with it.
            self.onward = None
            return events
        if self.onward is not None:
            return [*events, self.onward.asked]
        return [*events, failed(service.request, UNREACHABLE, now, not_sent=True)]


def outcome(service: Service | Refused, operation: Operation) -> ServiceDone | Refused:
    """What the provider did, or what the channel is told instead."""
    if isinstance(service, Refused):
        return service
    if service.done is not None:
        return service.done
    if service.failed is not None:
        return Refused(service.failed.failure, not_sent=service.failed.not_sent)
    return Refused(IN_DOUBT[operation])


def municipality(meter: Meter) -> Party | None:
    """The municipality that the meter belongs to, as far as is known."""
    if meter.utility is None:
        return None
    return Party(meter.utility, meter.utility_name or meter.utility)
