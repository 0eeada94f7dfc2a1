"""What a provider's answer means for a purchase: pure decisions, from state and reply to events.

These functions carry the promise that one purchase sells at most one token set: UNKNOWN never
becomes a decline, a decline after UNKNOWN needs the provider's definite word, and a sale that turns
up against the rules is recorded rather than dropped.
"""

from datetime import datetime, timedelta

from domain.advice import (
    Advice,
    AdviceAttempted,
    AdviceDelivered,
    AdviceGivenUp,
    AdviceKind,
    AdviceStatus,
    Delivery,
    GivenUpBecause,
)
from domain.event import Event
from domain.exchange import Operation, ProviderAnswered, ProviderAsked, Reply
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome, Settled
from domain.purchase import (
    Purchase,
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    PurchaseRecovered,
    PurchaseStatus,
    RecoveryAttempted,
    SurplusSaleFound,
    Vend,
)
from domain.sale import Sale

LOST = Failure(ErrorType.UPSTREAM_UNAVAILABLE, "the provider never carried out this purchase")


def answered(asked: ProviderAsked, reply: Reply, at: datetime, *, late: bool = False) -> Event:
    """The event that records how `asked` ended."""
    return ProviderAnswered(
        at=at,
        exchange=asked.exchange,
        provider=asked.provider,
        operation=asked.operation,
        outcome=reply.outcome,
        took_ms=round((at - asked.at) / timedelta(milliseconds=1)),
        legs=reply.legs,
        settled=reply.settled,
        failure=reply.failure,
        detail=reply.detail,
        late=late,
    )


def after_vend(
    purchase: Purchase,
    asked: ProviderAsked,
    reply: Reply,
    at: datetime,
    next_recovery_at: datetime,
) -> list[Event]:
    """What follows from the answer to a vend. NOT_SENT only closes the exchange: the caller goes
    on to the next candidate or declines."""
    events = [answered(asked, reply, at)]
    stale = purchase.vend is None or purchase.vend.exchange != asked.exchange
    match reply.outcome:
        case Outcome.APPROVED:
            assert reply.sale is not None
            events += _sold(purchase, asked.provider, asked.reference, reply.sale, at)
        case Outcome.DECLINED if not stale and not purchase.settled:
            assert reply.failure is not None
            events.append(PurchaseDeclined(at=at, failure=reply.failure, provider=asked.provider))
        case Outcome.UNKNOWN if not stale and purchase.status is PurchaseStatus.SENT:
            events.append(
                PurchaseOutcomeUnknown(
                    at=at,
                    provider=asked.provider,
                    next_recovery_at=next_recovery_at,
                    detail=reply.detail or "",
                )
            )
        case _:
            pass
    return events


def after_recovery(
    purchase: Purchase,
    vend: Vend,
    asked: ProviderAsked,
    reply: Reply,
    at: datetime,
    late_sale: timedelta,
    next_recovery_at: datetime,
) -> list[Event]:
    """What follows from the answer to a recovery of `vend`. NOT_FOUND is believed only once
    `late_sale` has passed since the vend was asked: before that the vend may still be on its way.

    Somebody else may have settled the purchase meanwhile, and even begun another vend: then the
    answer says nothing about that one, and only a sale that nobody knows of still counts."""
    events = [answered(asked, reply, at)]
    settled = reply.settled if reply.outcome is Outcome.APPROVED else None
    if settled is Settled.NOT_FOUND and at >= vend.asked_at + late_sale:
        settled = Settled.NOT_SOLD
    stale = purchase.settled or purchase.vend != vend
    match settled:
        case Settled.SOLD:
            assert reply.sale is not None
            if not stale:
                recovered = PurchaseRecovered(at=at, provider=vend.provider, settled=Settled.SOLD)
                events.append(recovered)
            events += _sold(purchase, vend.provider, vend.reference, reply.sale, at, recovered=True)
        case _ if stale:
            pass
        case Settled.NOT_SOLD | Settled.REVERSED:
            events.append(PurchaseRecovered(at=at, provider=vend.provider, settled=settled))
            events.append(
                PurchaseDeclined(
                    at=at,
                    failure=reply.failure or LOST,
                    provider=vend.provider,
                    # A recorded refusal stays a refusal; a request that got lost may sell anew.
                    retriable=reply.failure is None,
                )
            )
        case _:
            events += _not_settled(purchase, reply, at, next_recovery_at)
    return events


def _not_settled(
    purchase: Purchase, reply: Reply, at: datetime, next_recovery_at: datetime
) -> list[Event]:
    vend = purchase.vend
    assert vend is not None
    detail = reply.detail or "the provider could not tell yet"
    attempted = RecoveryAttempted(
        at=at,
        provider=vend.provider,
        attempt=purchase.recoveries,
        next_recovery_at=next_recovery_at,
        detail=detail,
    )
    if purchase.status is not PurchaseStatus.SENT:
        return [attempted]
    unknown = PurchaseOutcomeUnknown(
        at=at, provider=vend.provider, next_recovery_at=next_recovery_at, detail=detail
    )
    return [unknown, attempted]


def _sold(
    purchase: Purchase,
    provider: str,
    reference: str,
    sale: Sale,
    at: datetime,
    *,
    recovered: bool = False,
) -> list[Event]:
    approval = purchase.approval
    if approval is not None and approval.reference == reference:
        return []
    if reference in purchase.taken_back:
        # Read late: what this answer tells of stands no more.
        return []
    newer_vend = purchase.vend is not None and purchase.vend.reference != reference
    if approval is not None or newer_vend:
        return [SurplusSaleFound(at=at, provider=provider, reference=reference, sale=sale)]
    late = recovered or purchase.status is not PurchaseStatus.SENT
    return [
        PurchaseApproved(at=at, provider=provider, reference=reference, sale=sale, recovered=late)
    ]


def without_asking(
    purchase: Purchase, advice: Advice, *, confirms: bool, reverses: bool, at: datetime
) -> Event | None:
    """The end of an advice that needs no provider, or None when the provider must be asked.

    `confirms` and `reverses` are the selling provider's capabilities. The outcome must be known."""
    assert purchase.settled
    refuse = _refusal(purchase, advice)
    if refuse is not None:
        return given_up(purchase, advice, refuse, at)
    if advice.kind is AdviceKind.CONFIRMATION:
        if confirms:
            return None
        return AdviceDelivered(at=at, advice_id=advice.advice_id, delivery=Delivery.ABSORBED)
    if purchase.status is PurchaseStatus.DECLINED:
        return AdviceDelivered(
            at=at, advice_id=advice.advice_id, delivery=Delivery.NOTHING_TO_REVERSE
        )
    partial = advice.final_cents not in (None, 0)
    if reverses and not partial:
        return None
    return given_up(purchase, advice, GivenUpBecause.NOT_SUPPORTED, at)


def given_up(
    purchase: Purchase, advice: Advice, because: GivenUpBecause, at: datetime
) -> AdviceGivenUp:
    """The end of an advice without effect."""
    provider = purchase.vend.provider if purchase.vend is not None else ""
    return AdviceGivenUp(at=at, advice_id=advice.advice_id, because=because, provider=provider)


def _refusal(purchase: Purchase, advice: Advice) -> GivenUpBecause | None:
    """Why the advice can't have an effect whatever the provider says, if so."""
    if advice.kind is AdviceKind.CONFIRMATION:
        if purchase.reversing:
            return GivenUpBecause.SUPERSEDED
        if purchase.status is PurchaseStatus.DECLINED:
            return GivenUpBecause.NOTHING_TO_CONFIRM
        return None
    if purchase.confirmed_by_provider:
        return GivenUpBecause.SUPERSEDED
    done = any(
        other.delivery in (Delivery.REVERSED, Delivery.NOTHING_TO_REVERSE)
        for other in purchase.advices.values()
    )
    return GivenUpBecause.SUPERSEDED if done else None


def after_advice(
    advice: Advice, asked: ProviderAsked, reply: Reply, at: datetime, next_attempt_at: datetime
) -> list[Event]:
    """What follows from the provider's answer to an advice: final, or to be repeated at
    `next_attempt_at`.

    Somebody else may have brought the advice to its end meanwhile (we were stalled beyond our
    lease): then it has that end, unless it was given up and the provider has done it after all."""
    events = [answered(asked, reply, at)]
    advice_id = advice.advice_id
    match reply.outcome:
        case _ if advice.status is AdviceStatus.DELIVERED:
            pass
        case Outcome.APPROVED:
            events.append(
                AdviceDelivered(at=at, advice_id=advice_id, delivery=_delivery(asked, reply))
            )
        case _ if not advice.pending:
            pass
        case Outcome.DECLINED:
            failure = reply.failure
            unsupported = (
                failure is not None and failure.error_type is ErrorType.FUNCTION_NOT_SUPPORTED
            )
            because = GivenUpBecause.NOT_SUPPORTED if unsupported else GivenUpBecause.REFUSED
            events.append(
                AdviceGivenUp(
                    at=at,
                    advice_id=advice_id,
                    because=because,
                    failure=failure,
                    provider=asked.provider,
                )
            )
        case Outcome.UNKNOWN | Outcome.NOT_SENT:
            events.append(
                AdviceAttempted(
                    at=at,
                    advice_id=advice_id,
                    attempt=advice.attempts + 1,
                    next_attempt_at=next_attempt_at,
                    detail=reply.detail or "",
                )
            )
    return events


def _delivery(asked: ProviderAsked, reply: Reply) -> Delivery:
    if asked.operation in (Operation.CONFIRM, Operation.CONFIRM_KEY_CHANGE):
        return Delivery.DELIVERED
    if reply.settled in (Settled.NOT_SOLD, Settled.NOT_FOUND):
        return Delivery.NOTHING_TO_REVERSE
    return Delivery.REVERSED
