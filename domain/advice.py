"""Confirmation and reversal advices: acknowledged at once, delivered until final."""

from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec

from domain.event import Event
from domain.failure import Failure


class AdviceKind(StrEnum):
    CONFIRMATION = "CONFIRMATION"
    REVERSAL = "REVERSAL"


class AdviceReceived(Event, frozen=True, kw_only=True):
    """First event of the advice's own message stream: claims its id for one purchase. `message`
    is the channel's JSON, masked."""

    advice_id: str
    purchase_id: str
    kind: AdviceKind
    message: str
    user: str = ""
    payment: str = "CASH"
    reason: str | None = None
    final_cents: int | None = None


class ConfirmationAdvised(Event, frozen=True, kw_only=True):
    """The channel handed the tokens over, and for a purchase took the money. `final_cents` None:
    the whole sale."""

    advice_id: str
    payment: str = "CASH"
    final_cents: int | None = None


class ReversalAdvised(Event, frozen=True, kw_only=True):
    """The channel wants the sale undone. `final_cents` None: all of it."""

    advice_id: str
    reason: str
    final_cents: int | None = None


class AdviceAttempted(Event, frozen=True, kw_only=True):
    """The provider gave no final answer; the next attempt is due at `next_attempt_at` (UTC)."""

    advice_id: str
    attempt: int
    next_attempt_at: datetime
    detail: str = ""


class Delivery(StrEnum):
    """How an advice ended well."""

    DELIVERED = "DELIVERED"
    ABSORBED = "ABSORBED"
    """The provider has no use for it: what it sold is final."""
    REVERSED = "REVERSED"
    NOTHING_TO_REVERSE = "NOTHING_TO_REVERSE"


class AdviceDelivered(Event, frozen=True, kw_only=True):
    """Final: the advice had its effect, or needed none."""

    advice_id: str
    delivery: Delivery


class GivenUpBecause(StrEnum):
    """Why an advice ended without effect. Reconciliation picks these up."""

    NOT_SUPPORTED = "NOT_SUPPORTED"
    REFUSED = "REFUSED"
    SUPERSEDED = "SUPERSEDED"
    NOTHING_TO_CONFIRM = "NOTHING_TO_CONFIRM"
    TOO_OLD = "TOO_OLD"


class AdviceGivenUp(Event, frozen=True, kw_only=True):
    """`provider`: whose sale it was about; empty where nothing had been asked to sell."""

    advice_id: str
    because: GivenUpBecause
    failure: Failure | None = None
    provider: str = ""


class AdviceStatus(StrEnum):
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    GIVEN_UP = "GIVEN_UP"


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """One advice of a purchase, as its events fold. `attempts` counts exchanges that ended without
    a final answer."""

    advice_id: str
    kind: AdviceKind
    advised_at: datetime
    payment: str = "CASH"
    reason: str | None = None
    final_cents: int | None = None
    status: AdviceStatus = AdviceStatus.PENDING
    attempts: int = 0
    first_attempt_at: datetime | None = None
    next_attempt_at: datetime | None = None
    delivery: Delivery | None = None
    because: GivenUpBecause | None = None

    @property
    def pending(self) -> bool:
        return self.status is AdviceStatus.PENDING

    def after(self, event: AdviceAttempted | AdviceDelivered | AdviceGivenUp) -> Self:
        """The state after `event`, which is about this advice."""
        match event:
            case AdviceAttempted():
                return msgspec.structs.replace(
                    self, attempts=event.attempt, next_attempt_at=event.next_attempt_at
                )
            case AdviceDelivered():
                return msgspec.structs.replace(
                    self, status=AdviceStatus.DELIVERED, delivery=event.delivery
                )
            case AdviceGivenUp():
                return msgspec.structs.replace(
                    self, status=AdviceStatus.GIVEN_UP, because=event.because
                )


def begun(event: ConfirmationAdvised | ReversalAdvised) -> Advice:
    """The advice that `event` begins."""
    if isinstance(event, ConfirmationAdvised):
        return Advice(
            advice_id=event.advice_id,
            kind=AdviceKind.CONFIRMATION,
            advised_at=event.at,
            payment=event.payment,
            final_cents=event.final_cents,
        )
    return Advice(
        advice_id=event.advice_id,
        kind=AdviceKind.REVERSAL,
        advised_at=event.at,
        reason=event.reason,
        final_cents=event.final_cents,
    )


ADVICE_EVENTS = (
    AdviceReceived,
    ConfirmationAdvised,
    ReversalAdvised,
    AdviceAttempted,
    AdviceDelivered,
    AdviceGivenUp,
)
