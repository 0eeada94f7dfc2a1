"""What a channel may ask for beside lookups and purchases: trial, reprint, fault report and key
change. One request, at one provider that offers it; none of them moves money."""

from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec

from domain.advice import (
    Advice,
    AdviceAttempted,
    AdviceDelivered,
    AdviceGivenUp,
    ConfirmationAdvised,
    begun,
)
from domain.event import Event
from domain.exchange import Operation, Original, ProviderAnswered, ProviderAsked, Reply
from domain.failure import Failure
from domain.fault_report import FaultReportDone, FaultReportFailed, FaultReportRequested
from domain.key_change import KeyChangeDone, KeyChangeFailed, KeyChangeRequested
from domain.money import Money
from domain.outcome import Outcome
from domain.reprint import ReprintDone, ReprintFailed, ReprintRequested
from domain.routing import Route
from domain.settling import answered
from domain.trial import TrialDone, TrialFailed, TrialRequested

ServiceRequested = TrialRequested | ReprintRequested | FaultReportRequested | KeyChangeRequested
"""The first event of such a request's stream."""
ServiceDone = TrialDone | ReprintDone | FaultReportDone | KeyChangeDone
ServiceFailed = TrialFailed | ReprintFailed | FaultReportFailed | KeyChangeFailed

_FAILED: dict[type[ServiceRequested], type[ServiceFailed]] = {
    TrialRequested: TrialFailed,
    ReprintRequested: ReprintFailed,
    FaultReportRequested: FaultReportFailed,
    KeyChangeRequested: KeyChangeFailed,
}

SERVICE_OPERATIONS = frozenset(
    {Operation.TRIAL, Operation.REPRINT, Operation.FAULT_REPORT, Operation.KEY_CHANGE}
)


class ServiceRouted(Event, frozen=True, kw_only=True):
    """The routing decision for the meter. Of the usable providers the first of `offering` is asked,
    and the next one only while it is certain that nothing was sent."""

    route: Route
    offering: tuple[str, ...]
    utility: str | None = None
    utility_name: str | None = None


class ServiceOutcomeUnknown(Event, frozen=True, kw_only=True):
    """The provider gave no usable answer, so it may have done what it was asked. Nobody asks it
    again: the channel may, under a new id."""

    provider: str
    detail: str = ""


class ServiceStatus(StrEnum):
    PENDING = "PENDING"
    DONE = "DONE"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """The state that such a request's events fold into. `version` 0: there is none."""

    version: int = 0
    request: ServiceRequested | None = None
    routed: ServiceRouted | None = None
    status: ServiceStatus = ServiceStatus.PENDING
    asked: ProviderAsked | None = None
    """The last exchange, confirmations left out."""
    open: ProviderAsked | None = None
    """The exchange that has no answer recorded; its deadline is a lease for the asker."""
    exchanges: int = 0
    done: ServiceDone | None = None
    failed: ServiceFailed | None = None
    advices: dict[str, Advice] = {}

    @property
    def final(self) -> bool:
        """Whether it is known what became of it."""
        return self.status in (ServiceStatus.DONE, ServiceStatus.FAILED)

    @property
    def pending_advices(self) -> tuple[Advice, ...]:
        """Confirmations that still wait for a final answer, oldest first."""
        return tuple(advice for advice in self.advices.values() if advice.pending)

    def leased(self, now: datetime) -> bool:
        """Whether somebody is waiting for a provider's answer right now."""
        return self.open is not None and now < self.open.deadline

    def original(self, attempt: int, first_attempt_at: datetime) -> Original:
        """The key change, as its confirmation names it to the provider."""
        assert self.asked is not None
        assert isinstance(self.done, KeyChangeDone)
        return Original(
            reference=self.done.reference,
            asked_at=self.asked.at,
            amount=Money(0),
            attempt=attempt,
            first_attempt_at=first_attempt_at,
            provider_reference=self.done.sale.provider_reference,
        )

    def after(self, event: Event, version: int) -> Self:
        """The state after `event`."""
        change: dict[str, object] = {"version": version}
        match event:
            case TrialRequested() | ReprintRequested():
                change["request"] = event
            case FaultReportRequested() | KeyChangeRequested():
                change["request"] = event
            case ServiceRouted():
                change["routed"] = event
            case ProviderAsked() | ProviderAnswered():
                change |= self._after_exchange(event)
            case TrialDone() | ReprintDone() | FaultReportDone() | KeyChangeDone():
                change |= {"status": ServiceStatus.DONE, "done": event}
            case TrialFailed() | ReprintFailed() | FaultReportFailed() | KeyChangeFailed():
                change |= {"status": ServiceStatus.FAILED, "failed": event}
            case ServiceOutcomeUnknown():
                change |= {"status": ServiceStatus.UNKNOWN, "open": None}
            case ConfirmationAdvised():
                change["advices"] = {**self.advices, event.advice_id: begun(event)}
            case AdviceAttempted() | AdviceDelivered() | AdviceGivenUp():
                changed = self.advices[event.advice_id].after(event)
                change["advices"] = {**self.advices, event.advice_id: changed}
            case _:
                pass
        return msgspec.structs.replace(self, **change)

    def _after_exchange(self, event: ProviderAsked | ProviderAnswered) -> dict[str, object]:
        match event:
            case ProviderAnswered():
                mine = self.open is not None and self.open.exchange == event.exchange
                return {"open": None} if mine else {}
            case ProviderAsked(advice_id=str() as advice_id):
                advice = self.advices[advice_id]
                first = advice.first_attempt_at or event.at
                advice = msgspec.structs.replace(advice, first_attempt_at=first)
                advices = {**self.advices, advice_id: advice}
                return {"open": event, "exchanges": event.exchange, "advices": advices}
            case ProviderAsked():
                return {"open": event, "exchanges": event.exchange, "asked": event}


def failed(
    request: ServiceRequested,
    failure: Failure,
    at: datetime,
    *,
    provider: str | None = None,
    not_sent: bool = False,
) -> ServiceFailed:
    """The event that ends `request` without effect."""
    return _FAILED[type(request)](at=at, failure=failure, provider=provider, not_sent=not_sent)


def after_service(
    service: Service, asked: ProviderAsked, reply: Reply, at: datetime
) -> list[Event]:
    """What follows from the provider's answer. NOT_SENT only closes the exchange: the caller goes
    on to the next candidate or ends it. A definite answer that comes after the request was called
    unknown still counts."""
    events: list[Event] = [answered(asked, reply, at, late=service.status is ServiceStatus.UNKNOWN)]
    if service.final:
        return events
    assert service.request is not None
    match reply.outcome:
        case Outcome.APPROVED:
            events.append(_done(asked, reply, at))
        case Outcome.DECLINED:
            assert reply.failure is not None
            events.append(failed(service.request, reply.failure, at, provider=asked.provider))
        case Outcome.UNKNOWN if service.status is ServiceStatus.PENDING:
            unknown = ServiceOutcomeUnknown(
                at=at, provider=asked.provider, detail=reply.detail or ""
            )
            events.append(unknown)
        case _:
            pass
    return events


def _done(asked: ProviderAsked, reply: Reply, at: datetime) -> ServiceDone:
    if asked.operation is Operation.FAULT_REPORT:
        assert reply.fault is not None
        return FaultReportDone(at=at, provider=asked.provider, logged=reply.fault)
    sale = reply.sale
    assert sale is not None
    match asked.operation:
        case Operation.TRIAL:
            # Whatever stands in the tokens' place could be taken for a token, and opens no meter.
            blank = tuple(msgspec.structs.replace(token, digits="") for token in sale.tokens)
            quote = msgspec.structs.replace(sale, tokens=blank)
            return TrialDone(at=at, provider=asked.provider, quote=quote)
        case Operation.REPRINT:
            return ReprintDone(at=at, provider=asked.provider, sale=sale)
        case _:
            return KeyChangeDone(
                at=at, provider=asked.provider, reference=asked.reference, sale=sale
            )


SERVICE_EVENTS = (ServiceRouted, ServiceOutcomeUnknown)
