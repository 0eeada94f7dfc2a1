"""A purchase: asked of one provider at a time, and sold at most once whatever fails."""

from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec

from domain.advice import (
    Advice,
    AdviceAttempted,
    AdviceDelivered,
    AdviceGivenUp,
    AdviceKind,
    AdviceStatus,
    ConfirmationAdvised,
    Delivery,
    ReversalAdvised,
    begun,
)
from domain.event import Event
from domain.exchange import (
    Operation,
    Original,
    ProviderAnswered,
    ProviderAsked,
    ProviderNoted,
)
from domain.failure import Failure
from domain.money import Money
from domain.outcome import Settled
from domain.routing import Route
from domain.sale import MeterDetail, Sale


class PurchaseRequested(Event, frozen=True, kw_only=True):
    """A channel asks for tokens worth `amount`. The purchase belongs to `user`, who signed in for
    it; `message` is the channel's JSON, masked."""

    purchase_id: str
    meter: MeterDetail
    amount: Money
    client: str
    user: str = ""
    payment: str = "CASH"
    message: str = ""
    institution: str = ""
    merchant: str = ""
    terminal: str = ""
    channel: str = ""


class PurchaseRuledOut(Event, frozen=True, kw_only=True):
    """A retry or advice named this purchase and there was none: it was refused for good. So the id
    is used up, and the purchase is refused too should it still come."""

    purchase_id: str
    named_by: str
    user: str = ""


class PurchaseRouted(Event, frozen=True, kw_only=True):
    """The routing decision, with the reason for each candidate."""

    route: Route
    utility: str | None = None
    utility_name: str | None = None


class PurchaseApproved(Event, frozen=True, kw_only=True):
    """Sold. `reference` is the one that the vend carried; `recovered` where the provider's first
    answer was lost."""

    provider: str
    reference: str
    sale: Sale
    recovered: bool = False


class PurchaseDeclined(Event, frozen=True, kw_only=True):
    """Not sold, for certain. `not_sent`: no provider ever saw it. `retriable`: the provider lost
    the request rather than refusing it, so the channel's retry may sell anew."""

    failure: Failure
    provider: str | None = None
    not_sent: bool = False
    retriable: bool = False


class PurchaseOutcomeUnknown(Event, frozen=True, kw_only=True):
    """The provider may have sold. Only recovery at this provider can tell; it is due at
    `next_recovery_at` (UTC) unless the channel asks before."""

    provider: str
    next_recovery_at: datetime
    detail: str = ""


class RecoveryAttempted(Event, frozen=True, kw_only=True):
    """The provider could not tell yet; the next recovery is due at `next_recovery_at` (UTC)."""

    provider: str
    attempt: int
    next_recovery_at: datetime
    detail: str = ""


class RetryReceived(Event, frozen=True, kw_only=True):
    """First event of a retry message's own stream: claims its id for one purchase."""

    retry_id: str
    purchase_id: str


class RetryRequested(Event, frozen=True, kw_only=True):
    """The channel asks for the outcome of this purchase again."""

    retry_id: str
    client: str
    user: str = ""
    message: str = ""


class PurchaseRecovered(Event, frozen=True, kw_only=True):
    """The provider told what became of the vend."""

    provider: str
    settled: Settled


class SurplusSaleFound(Event, frozen=True, kw_only=True):
    """The provider sold a second time for this purchase, or sold after it had said that it would
    not. Never expected; kept so that people and reconciliation see it."""

    provider: str
    reference: str
    sale: Sale


class PurchaseStatus(StrEnum):
    SENT = "SENT"
    """A provider has been asked and no outcome is recorded."""
    UNKNOWN = "UNKNOWN"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"


class Vend(msgspec.Struct, frozen=True):
    """The vend that counts: the last one asked."""

    exchange: int
    provider: str
    reference: str
    asked_at: datetime
    handle: str | None = None


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a purchase's events fold into. `version` 0: no such purchase."""

    version: int = 0
    request: PurchaseRequested | None = None
    routed: PurchaseRouted | None = None
    status: PurchaseStatus = PurchaseStatus.SENT
    vend: Vend | None = None
    open: ProviderAsked | None = None
    """The exchange that has no answer recorded; its deadline is a lease for the asker."""
    exchanges: int = 0
    approval: PurchaseApproved | None = None
    decline: PurchaseDeclined | None = None
    recoveries: int = 0
    first_recovery_at: datetime | None = None
    next_recovery_at: datetime | None = None
    taken_back: frozenset[str] = frozenset()
    """References of vends whose sale a recovery had to reverse."""
    advices: dict[str, Advice] = {}

    @property
    def settled(self) -> bool:
        """Whether the outcome is definite."""
        return self.status in (PurchaseStatus.APPROVED, PurchaseStatus.DECLINED)

    @property
    def reversing(self) -> bool:
        """Whether the channel wants it undone, and that has not been refused."""
        return any(
            advice.kind is AdviceKind.REVERSAL and advice.status is not AdviceStatus.GIVEN_UP
            for advice in self.advices.values()
        )

    @property
    def confirmed_by_provider(self) -> bool:
        """Whether the provider acknowledged a confirmation: from then on the sale is final."""
        return any(advice.delivery is Delivery.DELIVERED for advice in self.advices.values())

    @property
    def pending_advices(self) -> tuple[Advice, ...]:
        """Advices that still wait for a final answer, oldest first."""
        return tuple(advice for advice in self.advices.values() if advice.pending)

    def leased(self, now: datetime) -> bool:
        """Whether somebody is waiting for a provider's answer right now."""
        return self.open is not None and now < self.open.deadline

    def original(self, attempt: int, first_attempt_at: datetime) -> Original:
        """The vend, as recoveries and advices name it to the provider."""
        assert self.vend is not None
        assert self.request is not None
        approval = self.approval
        return Original(
            reference=self.vend.reference,
            asked_at=self.vend.asked_at,
            amount=self.request.amount,
            attempt=attempt,
            first_attempt_at=first_attempt_at,
            handle=self.vend.handle,
            provider_reference=approval and approval.sale.provider_reference,
        )

    def after(self, event: Event, version: int) -> Self:
        """The state after `event`."""
        change: dict[str, object] = {"version": version}
        match event:
            case ProviderAsked() | ProviderAnswered():
                change |= self._after_exchange(event)
            case AdviceAttempted() | AdviceDelivered() | AdviceGivenUp():
                changed = self.advices[event.advice_id].after(event)
                change["advices"] = {**self.advices, event.advice_id: changed}
            case ConfirmationAdvised() | ReversalAdvised():
                change["advices"] = {**self.advices, event.advice_id: begun(event)}
            case ProviderNoted():
                if self.vend is not None and self.vend.exchange == event.exchange:
                    noted = msgspec.structs.replace(self.vend, handle=event.handle)
                    change["vend"] = noted
            case PurchaseRequested():
                change["request"] = event
            case PurchaseRouted():
                change["routed"] = event
            case PurchaseApproved():
                change |= {"status": PurchaseStatus.APPROVED, "approval": event}
            case PurchaseDeclined():
                change |= {"status": PurchaseStatus.DECLINED, "decline": event}
            case PurchaseOutcomeUnknown():
                change["status"] = PurchaseStatus.UNKNOWN
                change["next_recovery_at"] = event.next_recovery_at
            case RecoveryAttempted():
                change["next_recovery_at"] = event.next_recovery_at
            case PurchaseRecovered(settled=Settled.REVERSED) if self.vend is not None:
                change["taken_back"] = self.taken_back | {self.vend.reference}
            case _:
                pass
        return msgspec.structs.replace(self, **change)

    def _after_exchange(self, event: ProviderAsked | ProviderAnswered) -> dict[str, object]:
        if isinstance(event, ProviderAnswered):
            answers_open = self.open is not None and self.open.exchange == event.exchange
            return {"open": None} if answers_open else {}
        change: dict[str, object] = {"open": event, "exchanges": event.exchange}
        if event.operation is Operation.VEND:
            vend = Vend(event.exchange, event.provider, event.reference, event.at)
            change |= {"vend": vend, "status": PurchaseStatus.SENT, "recoveries": 0}
            change |= {"first_recovery_at": None, "next_recovery_at": None}
        elif event.operation is Operation.RECOVER:
            change["recoveries"] = self.recoveries + 1
            change["first_recovery_at"] = self.first_recovery_at or event.at
        elif event.advice_id in self.advices:
            advice = self.advices[event.advice_id]
            if advice.first_attempt_at is None:
                first = msgspec.structs.replace(advice, first_attempt_at=event.at)
                change["advices"] = {**self.advices, event.advice_id: first}
        return change


PURCHASE_EVENTS = (
    PurchaseRequested,
    PurchaseRuledOut,
    PurchaseRouted,
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    RetryReceived,
    RetryRequested,
    RecoveryAttempted,
    PurchaseRecovered,
    SurplusSaleFound,
)
